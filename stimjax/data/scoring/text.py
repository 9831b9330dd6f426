"""Text files of a scoring, whatever wrote them."""

from __future__ import annotations

import codecs
from pathlib import Path

from stimjax.errors import StimjaxError

_LARGEST = 64 * 2**20  # bytes; a night has some thousand lines, more is no scoring
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


class NoScoring(StimjaxError):
    """A file is of another form: under a name that says nothing it need be no scoring."""


def lines(path: Path) -> list[tuple[int, str]]:
    """The lines of a text file that are neither empty nor a comment (#), with their numbers.

    UTF-8 or UTF-16 where the file is, else Latin-1, as older software on Windows writes.

    Raises:
        StimjaxError: the file cannot be read, is too large, or is no text.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise StimjaxError(f"{path}: is too large for a scoring; rename it if it is none")
        content = path.read_bytes()
    except OSError as error:
        raise StimjaxError(f"{path}: cannot be read ({error.strerror})") from error
    numbered = enumerate(decoded(path, content).splitlines(), 1)
    return [(number, line) for number, line in numbered if line.strip() and line.strip()[0] != "#"]


def decoded(path: Path, content: bytes) -> str:
    """The text of some bytes; see `lines`."""
    coding = next((name for mark, name in _MARKS.items() if content.startswith(mark)), "utf-8")
    try:
        text = content.decode(coding)
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    if "\0" in text:
        raise StimjaxError(f"{path}: is no text; export it again as text")
    return text


def bad(path: Path, number: int, what: str, remedy: str) -> StimjaxError:
    """An error in one line of a scoring."""
    return StimjaxError(f"{path}: line {number}: {what}; {remedy}")
