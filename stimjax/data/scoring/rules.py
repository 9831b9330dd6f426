"""Labels of a night: the rules that make labelled spans of scored events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np

from stimjax.data.recording import Event, Recording
from stimjax.errors import StimjaxError

APNEA_CLASSES = ("normal", "apnea")
STAGE_CLASSES = ("W", "N1", "N2", "N3", "R")
CLASSES = {"apnea": APNEA_CLASSES, "stages": STAGE_CLASSES}
Task = Literal["apnea", "stages"]

MINUTE = 60.0  # s, the span of an apnea label
EPOCH = 30.0  # s, the span of a stage label
APNEA_SECONDS = 10.0  # an apnea lasts at least so long (AASM), and so must it within its span

_RESPIRATORY = ("apnea.obstructive", "apnea.central", "apnea.mixed", "apnea", "hypopnea")
_STAGES = {f"stage.{name}": number for number, name in enumerate(STAGE_CLASSES)}
_MINUTES = {"minute.normal": 0, "minute.apnea": 1}
ROUNDING = 1e-6  # s; onsets and durations are decimals that a float does not hold exactly


def spans(recording: Recording, task: Task) -> list[tuple[float, float, int]]:
    """The labelled spans of a night, in order.

    "apnea": the scored minutes of a minute-scored recording; otherwise the recording is tiled
    with whole minutes: apnea if at least 10 s lie in scored apneas and hypopneas (what overlaps
    counts once), and left out where half or more lies outside the scored sleep stages, if there
    are any. "stages": scored stages cut into epochs of 30 s (a rest shorter than an epoch is left
    out). The last span may reach beyond the recording's end.

    Returns:
        `(start, seconds, label)`, start in s from the start of the recording, label an index
        into `CLASSES[task]`.

    Raises:
        StimjaxError: nobody scored this recording for the task.
    """
    events, duration = recording.events, recording.header.duration
    scored = [event for event in events if event.kind != "stage.unscored"]
    if task == "stages":
        scored = [event for event in scored if event.kind in _STAGES]
    if not scored:
        what = "no scored event" if task == "apnea" else "no scored event (sleep stage)"
        raise StimjaxError(
            f"{recording.header.name}: {what}; put its scoring beside it "
            "(EDF+ annotations, -nsrr.xml, -profusion.xml or .apn) or leave it out"
        )
    if task == "stages":
        return _cut(events, _STAGES, EPOCH, duration)
    if any(event.kind in _MINUTES for event in events):
        return _cut(events, _MINUTES, MINUTE, duration)
    rule = _ApneaRule(events)
    starts = MINUTE * np.arange(int((duration + ROUNDING) // MINUTE))
    labelled = [(float(start), MINUTE, rule.label(start, MINUTE)) for start in starts]
    return [(start, seconds, label) for start, seconds, label in labelled if label is not None]


def _cut(
    events: Sequence[Event], labels: dict[str, int], seconds: float, duration: float
) -> list[tuple[float, float, int]]:
    """Pieces of `seconds` of every labelled event, as far as they start within the night."""
    pieces: dict[float, int] = {}  # of two events that start together the first counts
    for event in events:
        if event.kind in labels:
            for number in range(int((event.duration + ROUNDING) // seconds)):
                start = event.onset + number * seconds
                if 0 <= start < duration:
                    pieces.setdefault(start, labels[event.kind])
    return [(start, seconds, label) for start, label in sorted(pieces.items())]


class _Cover:
    """The union of some intervals."""

    def __init__(self, events: Iterable[Event]):
        merged: list[list[float]] = []
        for event in sorted(events, key=lambda event: event.onset):
            end = event.onset + event.duration
            if merged and event.onset <= merged[-1][1]:
                merged[-1][1] = max(merged[-1][1], end)
            else:
                merged.append([event.onset, end])
        self.start, self.end = np.array(merged, float).reshape(-1, 2).T

    def inside(self, start: float, seconds: float) -> float:
        """How many seconds of a span the union covers."""
        covered = np.minimum(self.end, start + seconds) - np.maximum(self.start, start)
        return float(np.maximum(covered, 0).sum())


class _ApneaRule:
    """Whether a span of a night counts as apnea, see `spans`; not for minute-scored nights."""

    def __init__(self, events: Sequence[Event]):
        present = {event.kind for event in events}
        self.breathing = _Cover(event for event in events if event.kind in _RESPIRATORY)
        staged = present & set(_STAGES)
        self.stages = _Cover(e for e in events if e.kind in _STAGES) if staged else None

    def label(self, start: float, seconds: float) -> int | None:
        if self.stages and self.stages.inside(start, seconds) <= seconds / 2:
            return None
        return int(self.breathing.inside(start, seconds) >= APNEA_SECONDS - ROUNDING)
