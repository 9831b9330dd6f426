"""The README as PyPI shows it, which has none of the repository's other files to link to.

A relative link would be dead there, and the project has no public address that it could be made
absolute with: it becomes its text and the path in the sdist. All else is in pyproject.toml.
"""

import re
from pathlib import Path

from setuptools import setup

LINK = re.compile(r"!?\[([^\]]+)\]\((?!https?:|mailto:|#)([^)\s]+)\)")


def plain(link: re.Match[str]) -> str:
    """A link to a file as text that names the file."""
    text, path = link.groups()
    if text.strip("`") == path:
        return f"`{path}`"
    return f"{text} (`{path}`)"


readme = Path(__file__).with_name("README.md").read_text(encoding="utf-8")
setup(long_description=LINK.sub(plain, readme), long_description_content_type="text/markdown")
