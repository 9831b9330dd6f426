"""The fields of an EDF header: texts and numbers as recorders really write them."""

from __future__ import annotations

import math
import re

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?", re.IGNORECASE)
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:,\d{3}|\.\d{3})+")
_BOTH = re.compile(r"[+-]?\d{1,3}(?:(?:\.\d{3})+,\d+|(?:,\d{3})+\.\d+)")


def text(field: bytes) -> str:
    """A field without its padding.

    Latin-1 gives every byte a character: EDF asks for ASCII, recorders write "µV" and names. What
    follows a zero byte is what was left in a recorder's memory.
    """
    held = field.lstrip(b" \0").partition(b"\0")[0].decode("latin-1")
    return "".join(c if c.isprintable() else " " for c in held).strip()


def real(written: str) -> float | None:
    """A number with a point or a comma; None for what is none."""
    if _BOTH.fullmatch(written):  # the first of them is of thousands
        written = written.replace("," if "," in written.partition(".")[0] else ".", "")
    if written.count(",") == 1 and "." not in written:
        written = written.replace(",", ".")
    if not _NUMBER.fullmatch(written):
        return None
    value = float(written)
    return value if math.isfinite(value) else None


def whole(written: str) -> int | None:
    """A whole number, where "1,000" and "1.000" are a thousand; None for what is none."""
    if has_thousands(written):
        written = written.replace(",", "").replace(".", "")
    value = real(written)
    return int(value) if value is not None and value == int(value) else None


def has_thousands(written: str) -> bool:
    """Whether a whole number is written with thousands apart."""
    return bool(_THOUSANDS.fullmatch(written))
