"""The card of a kept student: its README.md."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

import jinja2

from stimjax.trained import coverage

if TYPE_CHECKING:
    from stimjax.trained.model import Model


def render(model: Model, onnx: bool) -> str:
    """The card as Markdown.

    Args:
        model: it.
        onnx: there is a `model.onnx`.
    """
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, trim_blocks=True)
    text = files("stimjax.trained").joinpath("card.md.j2").read_text(encoding="utf-8")
    return environment.from_string(text).render(
        model=model,
        onnx=onnx,
        axes="time x channel" if len(model.spec.shape) == 2 else "height x width x channel",
        features=", ".join(coverage.FEATURES),
        most=coverage.MOST,
    )
