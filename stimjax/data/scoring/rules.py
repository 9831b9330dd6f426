"""Labels of a night: the rules that make labelled spans of scored events."""

from __future__ import annotations

import math
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
_DARK, _LIGHT = "lights.off", "lights.on"
SHARE = 2 / 3  # of a window that a stage has to cover to label it: of 20 s epochs, a whole one
JOIN = 1.0  # s; stages that are no further apart follow each other: devices write 29.992 s for 30
ROUNDING = 1e-6  # s; onsets and durations are decimals that a float does not hold exactly

Span = tuple[float, float, int]


def spans(recording: Recording, task: Task) -> list[Span]:
    """The labelled spans of a night, in order.

    "apnea": the scored minutes of a minute-scored recording; otherwise the recording is tiled
    with whole minutes: apnea if at least 10 s lie in scored apneas and hypopneas (what overlaps
    counts once). An event of 10 s or more that a border cuts, so that less than 10 s lie on either
    side, counts for the minute that has more of it, or the first. A minute is left out where half
    or more of it lies outside the scored sleep stages, or outside the time from lights off to
    lights on; where a recording has neither stages nor lights, every minute counts.

    "stages": scored stages that follow each other are joined, whatever the length of their epochs,
    and tiled with windows of 30 s from where they begin. A stage labels a window if it covers at
    least two thirds of it and others at most a third; the lights have no say. The last span may
    reach beyond the recording's end.

    Returns:
        `(start, seconds, label)`, start in s from the start of the recording, label an index
        into `CLASSES[task]`.

    Raises:
        StimjaxError: nobody scored this recording for the task.
    """
    events, duration = recording.events, recording.header.duration
    if not scored(recording, task):
        what = "no scored event" if task == "apnea" else "no scored event (sleep stage)"
        raise StimjaxError(
            f"{recording.header.name}: {what}; put its scoring beside it "
            "(EDF+ annotations, -nsrr.xml, -profusion.xml or .apn) or leave it out"
            f"{_told(recording)}"
        )
    if task == "stages":
        return _epochs(events, duration)
    if any(event.kind in _MINUTES for event in events):
        return _minutes(events, duration)
    return _tiled(events, duration)


def scored(recording: Recording, task: Task) -> bool:
    """Whether anybody scored this recording for the task."""
    telling = set(_STAGES) if task == "stages" else {*_STAGES, *_MINUTES, *_RESPIRATORY}
    return any(event.kind in telling for event in recording.events)


def _told(recording: Recording) -> str:
    """What may be why a night seems unscored: texts that were not understood, files beside it."""
    scored = recording.scored
    most = sorted(scored.ignored.items(), key=lambda pair: -pair[1])[:3]
    texts = ", ".join(f"{text[:40]!r} ({count})" for text, count in most)
    reasons = [f"not understood were {texts}"] if texts else []
    return "".join(f" ({one})" for one in (*reasons, *scored.notes[:1]))


def bounded(events: Sequence[Event]) -> bool:
    """Whether scored minutes, stages or lights tell which minutes of a night were looked at."""
    return any(event.kind in _MINUTES for event in events) or bool(_known(events))


def breathing_scored(events: Sequence[Event]) -> bool:
    """Whether a night has a single apnea, hypopnea or scored minute."""
    return any(event.kind in _RESPIRATORY or event.kind in _MINUTES for event in events)


def _minutes(events: Sequence[Event], duration: float) -> list[Span]:
    """The scored minutes of a night, as far as they start within it."""
    pieces: dict[float, int] = {}  # of two that start together the first counts
    for event in events:
        if event.kind in _MINUTES:
            for number in range(int((event.duration + ROUNDING) // MINUTE)):
                start = event.onset + number * MINUTE
                if 0 <= start < duration:
                    pieces.setdefault(start, _MINUTES[event.kind])
    return [(start, MINUTE, label) for start, label in sorted(pieces.items())]


def _tiled(events: Sequence[Event], duration: float) -> list[Span]:
    """Whole minutes from the start of the recording, apnea or normal, as far as that is known."""
    starts = MINUTE * np.arange(int((duration + ROUNDING) // MINUTE))
    looked_at = np.ones(len(starts), bool)
    for cover in _known(events):
        looked_at &= cover.inside(starts, MINUTE) > MINUTE / 2 + ROUNDING
    breathing = _Cover((e.onset, e.onset + e.duration) for e in events if e.kind in _RESPIRATORY)
    apnea = breathing.inside(starts, MINUTE) >= APNEA_SECONDS - ROUNDING
    for minute in breathing.cut(MINUTE, APNEA_SECONDS - ROUNDING):
        if 0 <= minute < len(starts):
            apnea[minute] = True
    return _spans(starts[looked_at], MINUTE, apnea[looked_at])


def _epochs(events: Sequence[Event], duration: float) -> list[Span]:
    """Windows of 30 s over the scored stages, with the stage that covers enough of each."""
    staged = [event for event in events if event.kind in _STAGES]
    scored = _Cover(((e.onset, e.onset + e.duration) for e in staged), join=JOIN)
    grid: list[np.ndarray] = []
    free = -math.inf  # where the last window ends: none shares time with the next
    for first, last in zip(scored.start, scored.end, strict=True):
        first = max(first, free)
        count = math.floor((last - first + (1 - SHARE) * EPOCH + ROUNDING) / EPOCH)
        if count > 0:
            grid.append(first + EPOCH * np.arange(count))
            free = first + EPOCH * count
    starts = np.concatenate(grid) if grid else np.zeros(0)
    starts = starts[(starts >= 0) & (starts < duration)]
    seconds = np.stack(
        [
            _Cover((e.onset, e.onset + e.duration) for e in staged if e.kind == kind).inside(
                starts, EPOCH
            )
            for kind in _STAGES
        ],
        axis=1,
    )
    most = seconds.max(axis=1, initial=0.0)
    others = seconds.sum(axis=1) - most  # more than a third where two scorings contradict
    sure = (most >= SHARE * EPOCH - ROUNDING) & (others <= (1 - SHARE) * EPOCH + ROUNDING)
    return _spans(starts[sure], EPOCH, seconds[sure].argmax(axis=1))


def _spans(starts: np.ndarray, seconds: float, labels: np.ndarray) -> list[Span]:
    pairs = zip(starts.tolist(), labels.tolist(), strict=True)
    return [(start, seconds, int(label)) for start, label in pairs]


def _known(events: Sequence[Event]) -> list[_Cover]:
    """What a minute has to lie in for its silence to say something: stages, and the dark."""
    staged = [(e.onset, e.onset + e.duration) for e in events if e.kind in _STAGES]
    dark = _dark(events)
    return [_Cover(spans) for spans in (staged, dark) if spans]


def _dark(events: Sequence[Event]) -> list[tuple[float, float]]:
    """From each lights off to the next lights on, or to where its own duration says.

    A first lights on ends a dark that began before the recording; a last lights off has no end.
    """
    marks = sorted((e for e in events if e.kind in (_DARK, _LIGHT)), key=lambda event: event.onset)
    if not marks:
        return []
    dark: list[tuple[float, float]] = []
    since = -math.inf if marks[0].kind == _LIGHT else None
    for mark in marks:
        if mark.kind == _LIGHT:
            if since is not None:
                dark.append((since, mark.onset))
            since = None
        elif mark.duration >= MINUTE:  # no mark but the whole time
            dark.append((mark.onset, mark.onset + mark.duration))
        elif since is None:
            since = mark.onset
    return dark if since is None else [*dark, (since, math.inf)]


class _Cover:
    """The union of some intervals; those that are at most `join` s apart become one."""

    def __init__(self, intervals: Iterable[tuple[float, float]], join: float = 0.0):
        merged: list[list[float]] = []
        for start, end in sorted(intervals):
            if merged and start <= merged[-1][1] + join:
                merged[-1][1] = max(merged[-1][1], end)
            else:
                merged.append([start, end])
        self.start, self.end = np.array(merged, float).reshape(-1, 2).T

    def cut(self, step: float, least: float) -> list[int]:
        """Of intervals of `least` s that a multiple of `step` cuts into shorter parts, the longer.

        Given as the number of the step that it lies in; of equal parts the first.
        """
        numbers = []
        for start, end in zip(self.start.tolist(), self.end.tolist(), strict=True):
            border = step * math.ceil(start / step)
            before, after = border - start, end - border
            if before + after >= least and 0 < before < least and 0 < after < least:
                numbers.append(round(border / step) - int(before >= after - ROUNDING))
        return numbers

    def inside(self, starts: np.ndarray, seconds: float) -> np.ndarray:
        """How many of the `seconds` after each start the union covers."""
        covered = np.zeros(len(starts))
        for start, end in zip(self.start, self.end, strict=True):
            covered += np.maximum(np.minimum(end, starts + seconds) - np.maximum(start, starts), 0)
        return covered
