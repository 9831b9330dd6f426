"""The data card of a release: its README.md, from the spec and the manifest."""

from __future__ import annotations

from importlib.resources import files

import jinja2

from stimjax.batch import Spec
from stimjax.data import condition, preparation
from stimjax.disk.documents import Manifest
from stimjax.learn import limits


def render(spec: Spec, manifest: Manifest) -> str:
    """The card as Markdown.

    Args:
        spec: of the stimuli.
        manifest: of their release; its files are not looked at.
    """
    card = jinja2.Environment(undefined=jinja2.StrictUndefined, trim_blocks=True).from_string(
        files("stimjax.release").joinpath("card.md.j2").read_text(encoding="utf-8")
    )
    return card.render(
        spec=spec,
        manifest=manifest,
        labels=labels(manifest),
        limits=limits,
        recipe=preparation.of(spec),
        clip=condition.MOST,
    )


def labels(manifest: Manifest) -> str:
    """What a label is, in words: the teacher's softmax, or what rounding left of it."""
    step = manifest.method.label_step
    if not step:
        return "the teacher's whole softmax"
    if step == 1:
        return "the teacher's most probable class alone, with probability 1"
    return f"the teacher's softmax, rounded to multiples of {step:g} that sum to 1"
