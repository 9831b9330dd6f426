"""From the remarks of one source to events: what their texts mean, and how long they last."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from stimjax.data.recording import Event, Remark, Scoring
from stimjax.data.scoring import vocabulary
from stimjax.data.scoring.vocabulary import BREATHING, OTHER, Reading

SHORTEST = 10.0  # s; an apnea or hypopnea lasts at least so long (AASM)
LONGEST_PAIR = 600.0  # s; a start mark and an end mark that are further apart are no pair
ROUNDED = 1.0  # s; a length in a text may be rounded

MINUTE = 60.0  # s, of which a label of a minute-scored night speaks

_MINUTES = f"labels of minutes without a duration, which last {MINUTE:g} s"
_NEGATIVE = "events of a negative duration, read as without one"
_FROM_TEXT = "events without a duration whose text tells their length"
_FROM_END = "events that last until an end mark"
_SHORTEST = f"apneas and hypopneas of unknown length, counted as {SHORTEST:g} s"
_CONTRADICTED = "events whose text tells another length than their duration, which counts"

_LABELS = ("minute.normal", "minute.apnea", "apnea")

Mark = tuple[Remark, Reading]


class Understood(NamedTuple):
    """What one source says.

    Attributes:
        events: those that are understood, in the order of the source; a duration of 0 where
            nothing tells it.
        ignored: the texts that are not, with their counts.
        notes: how lengths were read, each a line.
    """

    events: list[Event]
    ignored: Counter[str]
    notes: list[str]


def understood(
    scoring: Scoring, shift: float, own: Mapping[str, str] = vocabulary.NO_WORDS
) -> Understood:
    """The events of a source on the clock of the recording.

    How long one lasts says, in this order: an end mark ("Apnea end"), its duration, its text
    ("Hypopnea 23s"). Where minutes were scored ("Normal", "Apnea"), a label without a duration
    lasts a minute. An apnea or hypopnea of which nothing says it counts as the shortest that is
    scored, 10 s. Start and end marks without their other half are ignored, and counted so. What
    is `vocabulary.OTHER` is left out without being counted.

    Args:
        scoring: the source.
        shift: s to add to its onsets.
        own: a user's own words, see `vocabulary.kind`.
    """
    words = vocabulary.folded(own)
    order = sorted(range(len(scoring.remarks)), key=lambda place: scoring.remarks[place].onset)
    remarks = [scoring.remarks[place] for place in order]
    says = {text: vocabulary.reading(text, words) for text in {r.text for r in remarks}}
    ignored = Counter(remark.text for remark in remarks if says[remark.text].kind is None)
    kept = [n for n, r in enumerate(remarks) if says[r.text].kind not in (None, OTHER)]
    marks = [(remarks[n], says[remarks[n].text]) for n in kept]
    ends = _ends(marks)
    closing, events, notes = set(ends.values()), {}, Counter()
    minutes = _by_minute(marks)
    for number, (remark, said) in enumerate(marks):
        if number in closing:
            continue
        if said.edge and number not in ends:
            ignored[remark.text] += 1
            continue
        seconds, how = _length(remark, said, marks[ends[number]][0] if number in ends else None)
        if minutes and how in ("", _SHORTEST) and said.kind in _LABELS and not _stated(remark):
            seconds, how = MINUTE, _MINUTES
        notes[_NEGATIVE] += (remark.duration or 0) < 0
        notes[how] += 1
        place = order[kept[number]]
        events[place] = Event(said.kind or OTHER, remark.onset + shift, seconds)
    listed = [events[place] for place in sorted(events)]
    return Understood(listed, ignored, [f"{n} {line}" for line, n in notes.items() if line and n])


def _stated(remark: Remark) -> float:
    """The duration of a remark in s; 0 for none, and for what cannot be one."""
    seconds = remark.duration or 0.0
    return seconds if 0 < seconds < math.inf else 0.0


def _length(remark: Remark, said: Reading, end: Remark | None) -> tuple[float, str]:
    """How long an event lasts in s, and the note on how that is known, "" for none."""
    if end is not None:
        return end.onset - remark.onset, _FROM_END
    if stated := _stated(remark):
        differs = said.seconds is not None and abs(said.seconds - stated) > ROUNDED
        return stated, _CONTRADICTED if differs else ""
    if said.seconds is not None:
        return said.seconds, _FROM_TEXT
    return (SHORTEST, _SHORTEST) if said.kind in BREATHING else (0.0, "")


def _by_minute(marks: Sequence[Mark]) -> bool:
    """Whether minutes were scored: "Normal" lasts one, or labels follow each other every minute."""
    labels = [remark for remark, said in marks if said.kind in _LABELS and not said.edge]
    normal = [remark for remark, said in marks if said.kind == "minute.normal"]
    if any(_stated(remark) >= MINUTE for remark in normal):
        return True
    steps = [b.onset - a.onset for a, b in itertools.pairwise(labels)]
    return bool(normal) and 2 * sum(abs(step - MINUTE) < ROUNDED for step in steps) > len(steps)


def _ends(marks: Sequence[Mark]) -> dict[int, int]:
    """The number of the end mark of each event that has one; `marks` are in order of onset.

    An event without a length is a start mark, too, if an end mark follows before the next one.
    """
    ends: dict[int, int] = {}
    begun: dict[tuple[str, str], int] = {}  # the last start, by scorer and group of kinds
    for number, (remark, said) in enumerate(marks):
        place = (remark.scorer, (said.kind or "").partition(".")[0])
        if said.edge == "start" or (not said.edge and not said.seconds and not _stated(remark)):
            begun[place] = number
        elif said.edge == "end" and (first := begun.pop(place, None)) is not None:
            begin, of = marks[first]
            same = said.kind in (of.kind, place[1]) or of.kind == place[1]
            if same and 0 < remark.onset - begin.onset <= LONGEST_PAIR:
                ends[first] = number
    return ends
