"""The card of a kept student: its README.md."""

from __future__ import annotations

from importlib.resources import files

import jinja2

from stimjax.disk.documents import ModelFile
from stimjax.spec import Spec
from stimjax.trained import coverage


def render(model: ModelFile, spec: Spec, onnx: bool) -> str:
    """The card as Markdown.

    Args:
        model: what it is; its files are not looked at.
        spec: of its windows.
        onnx: there is a `model.onnx`.
    """
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, trim_blocks=True)
    text = files("stimjax.trained").joinpath("card.md.j2").read_text(encoding="utf-8")
    return environment.from_string(text).render(
        model=model,
        spec=spec,
        onnx=onnx,
        axes="time x channel" if len(spec.shape) == 2 else "height x width x channel",
        features=", ".join(coverage.FEATURES),
        most=coverage.MOST,
    )
