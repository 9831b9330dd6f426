"""Scoring in the notes of WFDB annotations.

- MIT-BIH Polysomnographic (`.st`): a note for each epoch of 30 s, its stage and then codes of what
  happened in it: "2 HA", "W", "4 OA". Each of these counts for the whole epoch, as nothing tells
  more of its time.
- Challenge 2018 (`.arousal`): a stage counts until the next; events stand in brackets, from
  "(resp_hypopnea" to "resp_hypopnea)".
- Others: each note by itself.

The files are read here: wfdb takes every note at sample 0 for a definition and drops it, and
never returns where one is none. Format: WFDB Programmer's Guide, annot(5), "MIT format": words of
16 bits, the upper 6 a code, the lower 10 a number, which is the samples since the annotation
before where the code is none of those below.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable
from typing import NamedTuple

from stimjax.data.recording import Remark
from stimjax.data.scoring.rules import EPOCH

_STAGES = {
    "W": "Sleep stage W", "1": "Sleep stage 1", "2": "Sleep stage 2", "3": "Sleep stage 3",
    "4": "Sleep stage 4", "R": "Sleep stage R", "M": "Movement time", "MT": "Movement time",
}  # fmt: skip
_CODES = {
    "H": ("Hypopnea",), "HA": ("Hypopnea", "Arousal"), "OA": ("Obstructive apnea",),
    "X": ("Obstructive apnea", "Arousal"), "CA": ("Central apnea",),
    "CAA": ("Central apnea", "Arousal"), "A": ("Arousal",), "L": ("Leg movement",),
    "LA": ("Leg movement", "Arousal"),
}  # fmt: skip
_SKIP, _NUM, _SUB, _CHN, _AUX = 59, 60, 61, 62, 63
_SLOWEST, _FASTEST = 1e-3, 1e6  # samples a second
_RATE = re.compile(r"## time resolution: (\d+\.?\d*)")


class Annotation(NamedTuple):
    """One annotation: onset in s, code of its kind, note ("" for none)."""

    onset: float
    code: int
    note: str


def read(content: bytes, rate: float) -> list[Annotation]:
    """All annotations but definitions and those of no kind, in the order of the file.

    Args:
        content: of an annotation file in the MIT format.
        rate: of the record in samples a second, for a file that does not tell its own.

    Raises:
        ValueError: the file ends within an annotation, has no end mark, or tells a rate that is
            none.
    """
    listed = _listed(content)
    rates = [float(match[1]) for _, _, note in listed if (match := _RATE.match(note))]
    rate = rates[0] if rates else rate
    if not _SLOWEST <= rate <= _FASTEST:
        raise ValueError(f"it is at {rate:g} samples a second")
    return [
        Annotation(sample / rate, code, note)
        for sample, code, note in listed
        if code and not note.startswith("## ")  # code 0 only moves the time
    ]


def _listed(content: bytes) -> list[tuple[int, int, str]]:
    """Sample, code and note of each annotation."""
    sample = at = 0
    listed: list[tuple[int, int, str]] = []
    try:
        while word := struct.unpack_from("<H", content, at)[0]:
            at += 2
            code, number = word >> 10, word & 1023
            if code == _SKIP:
                high, low = struct.unpack_from("<hH", content, at)  # the upper half comes first
                sample += (high << 16) + low
                at += 4
            elif code == _AUX:
                if at + number > len(content):
                    raise ValueError("it ends within a note")
                note = content[at : at + number].decode("latin-1").strip("\0 \r\n\t")
                if listed:
                    listed[-1] = (*listed[-1][:2], note)
                at += number + number % 2
            elif code not in (_NUM, _SUB, _CHN):
                sample += number
                listed.append((sample, code, ""))
    except struct.error:
        raise ValueError("it has no end mark") from None
    return listed


def epochs(marks: Iterable[tuple[float, str]]) -> tuple[list[Remark], tuple[str, ...]]:
    """The remarks of slpdb's `.st`, and notes.

    Args:
        marks: onset in s and note.
    """
    remarks: list[Remark] = []
    coded = 0
    for onset, mark in marks:
        first, *codes = mark.split() or [""]
        if first not in _STAGES or not all(code in _CODES for code in codes):
            remarks.append(Remark(onset, EPOCH, mark))
            continue
        remarks.append(Remark(onset, EPOCH, _STAGES[first]))
        texts = dict.fromkeys(text for code in codes for text in _CODES[code])
        remarks += [Remark(onset, EPOCH, text) for text in texts]
        coded += bool(texts)
    if not coded:
        return remarks, ()
    return remarks, (f"{coded} epochs have events, which count for all their {EPOCH:g} s",)


def brackets(marks: Iterable[tuple[float, str]]) -> tuple[list[Remark], tuple[str, ...]]:
    """The remarks of notes of which some open and close, in the order of their onsets, and notes.

    Args:
        marks: onset in s and note.
    """
    remarks: list[Remark] = []
    opened: dict[str, list[float]] = {}
    stray = 0
    for onset, mark in marks:
        if begins := re.fullmatch(r"\(([\w /-]+)", mark):
            opened.setdefault(begins[1], []).append(onset)
        elif ends := re.fullmatch(r"([\w /-]+)\)", mark):
            waiting = opened.get(ends[1])
            if waiting:
                first = waiting.pop(0)
                remarks.append(Remark(first, onset - first, ends[1]))
            else:
                stray += 1
        else:
            remarks.append(Remark(onset, None, mark))
    left = sum(map(len, opened.values()))
    odd = ((left, "begin and never end"), (stray, "end and never began"))
    notes = tuple(f"{count} events {what}; they do not count" for count, what in odd if count)
    return sorted(remarks, key=lambda remark: remark.onset), notes
