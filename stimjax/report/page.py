"""How a page is put together: the template, the style, and what stands above and below."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

HERE = Path(__file__).parent


def render(template: str, notice: str, **parts: Any) -> str:
    """A page as text; everything in it is escaped.

    Args:
        template: its file.
        notice: who may see the page; stands above it, below it, and on every printed page.
        parts: what the template names.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    style = (HERE / "style.css").read_text(encoding="utf-8").replace("NOTICE", notice)
    return environment.get_template(template).render(notice=notice, style=Markup(style), **parts)
