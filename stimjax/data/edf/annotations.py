"""The annotation lists of an EDF+ file: when its data records begin, and what was remarked.

Format: Kemp and Olivan 2003 (EDF+), edfplus.info: "+onset 0x15 duration 0x14 text 0x14 0x00",
duration and text optional, any number of texts. What recorders write instead is read, too, as far
as it can mean one thing only, and what cannot be read is counted.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from stimjax.data.edf.layout import EdfLayout
from stimjax.data.recording import Remark

# Also with an exponent (short onsets), a unit, or thousands apart where a point tells them.
_TIME = re.compile(
    rb"[+-]?\s*(?:\d{1,3}(?:,\d{3})+\.\d*|(?:\d+[.,]?\d*|[.,]\d+)(?:e[+-]?\d+)?)\s*(?:s|sec)?",
    re.IGNORECASE,
)
# What begins a list within another that has no final zero: no text looks so.
_NEXT = re.compile(rb"\s*[+-]?\d+(?:[.,]\d*)?\s*\x15[^\x14]*|\s*[+-]\d+(?:[.,]\d*)?\s*")
# What nearly all data records hold: when they begin, and nothing else.
_STAMP_ALONE = re.compile(rb"([+-]\d{1,9}(?:\.\d{1,9})?)\x14\x14\0*")
_SHOWN = 40  # characters of a list in a note
_UNREADABLE = "annotation lists could not be read"
_NEGATIVE = "annotations have a negative duration, read as none"
_NO_LENGTH = "annotations have a duration that is no number, read as none"


class TimedTexts(NamedTuple):
    """One annotation list: onset in s, duration in s if there is one, texts."""

    onset: float
    duration: float | None
    texts: list[bytes]


class Annotations(NamedTuple):
    """All that the annotation signals of a file hold.

    Attributes:
        stamps: the onset of each data record in s from the header's start time, NaN for none.
        remarks: in the order of the file (of two scorers the first listed counts), with onsets
            in s from the header's start time.
        notes: what was odd, each a line.
    """

    stamps: list[float]
    remarks: tuple[Remark, ...]
    notes: tuple[str, ...]


class _Odd:
    """What is wrong with annotation lists: how often, and what the first such list holds."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._first: dict[str, str] = {}

    def add(self, what: str, written: bytes) -> None:
        self._counts[what] += 1
        self._first.setdefault(what, _decoded(written)[:_SHOWN])

    def notes(self) -> tuple[str, ...]:
        return tuple(
            f"{count} {what} (such as {self._first[what]!r})"
            for what, count in self._counts.items()
        )


def stamps(edf: EdfLayout, records: Iterable[int] | None = None) -> list[float]:
    """When data records (None: all) begin, in s from the header's start time; NaN for no stamp.

    The first list of a data record's first annotation signal states it, with an empty text
    (EDF+ 2.2.4).
    """
    if not edf.annotations:
        return []
    odd = _Odd()
    contents = edf.column(edf.annotations[0], records)
    return [_stamp(next(_lists(content, odd), None)) for content in contents]


def read(edf: EdfLayout) -> Annotations:
    """All annotations of an EDF+ file."""
    times: list[float] = []
    remarks: list[Remark] = []
    odd = _Odd()
    for number, signal in enumerate(edf.annotations):
        for content in edf.column(signal):
            if number == 0 and (alone := _STAMP_ALONE.fullmatch(content)):
                times.append(float(alone[1]))
                continue
            first = None
            for listed in _lists(content, odd):
                first = first or listed
                remarks += [
                    Remark(listed.onset, listed.duration, text)
                    for text in map(_decoded, listed.texts)
                    if text
                ]
            if number == 0:
                times.append(_stamp(first))
    return Annotations(times, tuple(remarks), odd.notes())


def _stamp(first: TimedTexts | None) -> float:
    return first.onset if first and not first.texts[0].strip() else math.nan


def _lists(content: bytes, odd: _Odd) -> Iterator[TimedTexts]:
    """The annotation lists in what one data record holds; `odd` counts what is wrong."""
    for written in content.rstrip(b"\0").split(b"\0"):
        if not written.strip():
            continue
        head, *texts = written.split(b"\x14")
        if texts and len(texts) > 1 and not texts[-1].strip():
            texts.pop()  # what follows the final mark
        held: list[bytes] = []
        for position, text in enumerate(texts):
            if position and _NEXT.fullmatch(text) and position + 1 < len(texts):
                yield from _timed(head, held, odd)
                head, held = text, []
            else:
                held.append(text)
        yield from _timed(head, held, odd)


def _timed(head: bytes, texts: list[bytes], odd: _Odd) -> Iterator[TimedTexts]:
    onset, _, duration = head.partition(b"\x15")
    begin = _seconds(onset)
    if begin is None or not texts:
        odd.add(_UNREADABLE, head + b" " + b" ".join(texts))
        return
    length = _seconds(duration)
    if length is not None and length < 0:
        odd.add(_NEGATIVE, head)
        length = None
    elif length is None and duration.strip():
        odd.add(_NO_LENGTH, head)
    yield TimedTexts(begin, length, texts)


def _seconds(written: bytes) -> float | None:
    written = written.strip()
    if not _TIME.fullmatch(written):
        return None
    digits = b"".join(written.rstrip(b"secSEC").split())
    value = float(digits.replace(b",", b"" if b"." in digits else b"."))
    return value if math.isfinite(value) else None


def _decoded(text: bytes) -> str:
    """A text in one line: UTF-8 as EDF+ asks, else as Windows or ISO 8859 write Western Europe's.

    Latin-1 gives every byte a character, so that this ends well.
    """
    for encoding in ("utf-8-sig", "cp1252", "latin-1"):
        try:
            decoded = text.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise AssertionError("Latin-1 decodes everything")
    return " ".join("".join(c if c.isprintable() else " " for c in decoded).split())
