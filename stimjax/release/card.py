"""The data card of a release: its README.md, from the spec and the manifest."""

from __future__ import annotations

from importlib.resources import files

import jinja2

from stimjax.batch import Spec
from stimjax.disk.documents import Manifest


def render(spec: Spec, manifest: Manifest) -> str:
    """The card as Markdown.

    Args:
        spec: of the stimuli.
        manifest: of their release; its files are not looked at.
    """
    card = jinja2.Environment(undefined=jinja2.StrictUndefined, trim_blocks=True).from_string(
        files("stimjax.release").joinpath("card.md.j2").read_text(encoding="utf-8")
    )
    return card.render(spec=spec, manifest=manifest)
