"""The data card of a release: its README.md, from the spec and the manifest."""

from __future__ import annotations

import math
import re
from importlib.resources import files

import jinja2
import yaml

from stimjax.batch import Spec
from stimjax.data import condition, preparation
from stimjax.disk.documents import Manifest
from stimjax.learn import limits
from stimjax.release import hub, table

MOST_VALUES = 1000  # of a window, as the study gives it to classical students


def render(spec: Spec, manifest: Manifest, *, parquet: bool = False) -> str:
    """The card as Markdown, with the YAML in front that the Hugging Face Hub reads.

    Args:
        spec: of the stimuli.
        manifest: of their release; its files are not looked at.
        parquet: the card is of an export (`release.parquet`), not of the release itself.
    """
    here = files("stimjax.release")
    card = jinja2.Environment(
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
        loader=jinja2.FunctionLoader(lambda name: here.joinpath(name).read_text(encoding="utf-8")),
    ).get_template("card.md.j2")
    about = yaml.safe_dump(hub.front_matter(spec, manifest, parquet=parquet), sort_keys=False)
    values = math.prod(spec.shape)
    return (
        card.render(
            spec=spec,
            manifest=manifest,
            labels=labels(manifest),
            limits=limits,
            recipe=preparation.of(spec),
            clip=condition.MOST,
            front_matter=about,
            parquet=parquet,
            names=table.names(spec),
            merged=-(-values // MOST_VALUES) if len(spec.shape) == 2 else 1,
        ).rstrip("\n")
        + "\n"
    )


def labels(manifest: Manifest) -> str:
    """What a label is, in words: the teacher's softmax, or what rounding left of it."""
    step = manifest.method.label_step
    if not step:
        return "the teacher's whole softmax"
    if step == 1:
        return "the teacher's most probable class alone, with probability 1"
    return f"the teacher's softmax, rounded to multiples of {step:g} that sum to 1"


def contradiction(text: str, spec: Spec, manifest: Manifest) -> str | None:
    """Where a card does not say what the manifest says of what matters; None where it does.

    The card is not rendered anew and compared: a later version has other words for the same. So
    the numbers and names that readers go by are looked for: how many stimuli, of which classes, the
    method, what a label is, the formal guarantee.

    Args:
        text: of the card, of this version or an earlier one.
        spec: of the stimuli.
        manifest: of their release.
    """
    for what, pattern, wanted in _facts(spec, manifest):
        found = re.findall(pattern, text)
        if wanted is None and found:
            return f"says {what} {found[0]}, and the manifest has none"
        if wanted is not None and not found:
            return f"does not say {what} {wanted}, as the manifest does"
        if other := next((one for one in found if one != wanted), None):
            return f"says {what} {other}, and the manifest {wanted}"
    return None


def _facts(spec: Spec, manifest: Manifest) -> list[tuple[str, str, str | None]]:
    """What a card says: its name, how to find it in the text, and what it has to be."""
    counts = ", ".join(map("{} {}".format, spec.classes, manifest.classes))
    promise, guarantee = manifest.privacy, None
    if promise.epsilon is not None and promise.delta is not None:
        unit = "whole subject" if promise.unit == "subject" else "single window"
        guarantee = f"epsilon {promise.epsilon:.3g}, delta {promise.delta:g}, for a {unit}"
    return [
        ("the number of stimuli", r"(?m)^(\d+) synthetic windows", str(manifest.count)),
        ("the classes", r"of their label: (.*)\.", counts),
        ("the method", r"method `([^`]*)`", manifest.method.method),
        ("that a label is", r"and its label is (.*)\.", labels(manifest)),
        ("the guarantee", r"\((epsilon [^,]+, delta [^,]+, for a \w+ \w+)", guarantee),
    ]
