"""One night that a model scored: its minutes or epochs, and what they say in sum."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Int

from stimjax.data.like import NOT_SCORED
from stimjax.data.recording import Recording
from stimjax.data.scoring.rules import CLASSES, STAGE_CLASSES, Task
from stimjax.data.windows import BRIDGED, MASKED, OUTSIDE
from stimjax.disk.documents import NightSummary, Sleep
from stimjax.nights import severity

APNEA = CLASSES["apnea"].index("apnea")
WAKE = STAGE_CLASSES.index("W")

REASONS = {
    OUTSIDE: "the model needs time beyond the recording",
    MASKED: "too much of a channel is missing",
    BRIDGED: "a gap is too long",
}


@dataclasses.dataclass(frozen=True)
class ScoredNight:
    """What a model says of the minutes of a night. One epoch of a staged night is a minute here.

    Attributes:
        name: what its files are called; no two nights of a folder share it.
        path: of the recording.
        recording: with the channels that the model needs.
        task: what the classes say.
        seconds: the length of a minute: 60, or 30.
        start: of each, in s from the start of the recording.
        why: it could not be scored, "" where it was.
        probability: by class; NaN where it could not be scored.
        label: the class that somebody scored, `NOT_SCORED` elsewhere.
        uncovered: the minute is unlike all that the model learned from.
        outside: the whole night is, by the model's own test.
    """

    name: str
    path: Path
    recording: Recording
    task: Task
    seconds: float
    start: Float[np.ndarray, " n"]
    why: np.ndarray
    probability: Float[np.ndarray, "n classes"]
    label: Int[np.ndarray, " n"]
    uncovered: Bool[np.ndarray, " n"]
    outside: bool

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes."""
        return CLASSES[self.task]

    @property
    def usable(self) -> Bool[np.ndarray, " n"]:
        """Which minutes were scored by the model."""
        return self.why == ""

    @property
    def called(self) -> Int[np.ndarray, " n"]:
        """The most probable class of each minute, `NOT_SCORED` where there is none."""
        found = np.full(len(self.start), NOT_SCORED)
        found[self.usable] = self.probability[self.usable].argmax(axis=1)
        return found

    @property
    def both(self) -> Bool[np.ndarray, " n"]:
        """Minutes that the model and a person scored."""
        return self.usable & (self.label != NOT_SCORED)


def summary(night: ScoredNight) -> NightSummary:
    """What the minutes of a night say in sum. At least one has to be scored."""
    usable, called = night.usable, night.called
    rate = None
    if night.task == "apnea":
        apnea = called[usable] == APNEA
        rate = severity.rate(night.start[usable], apnea, night.seconds)
    left_out = {why: int((night.why == why).sum()) for why in REASONS}
    return NightSummary(
        name=night.name,
        recording=night.path.name,
        minutes=len(usable),
        scored=int(usable.sum()),
        left_out={why: count for why, count in left_out.items() if count},
        apnea_minutes_an_hour=None if rate is None else rate.value,
        interval=None if rate is None else rate.interval,
        severity=None if rate is None else rate.severity,
        sleep_by_model=_sleep(called, night.seconds) if night.task == "stages" else None,
        sleep_by_scorer=_sleep_of(night.recording),
        outside=night.outside,
        uncovered_share=float(night.uncovered[usable].mean()),
    )


def quantity(night: ScoredNight, classes: Int[np.ndarray, " n"]) -> float:
    """The number of a night that two ratings are compared by.

    Apnea minutes an hour, or the hours of sleep in an hour of a staged night, times 60: both in
    minutes an hour, and so the same for a night of which parts were left out.

    Args:
        night: whose minutes they are.
        classes: of some of its minutes, by one rating.
    """
    hit = classes == APNEA if night.task == "apnea" else classes != WAKE
    return severity.MINUTES_AN_HOUR * float(hit.mean())


def _sleep(called: np.ndarray, seconds: float) -> Sleep | None:
    spent = np.bincount(called[called != NOT_SCORED], minlength=len(STAGE_CLASSES)) * seconds / 60
    return _in_sum({str(name): float(spent[k]) for k, name in enumerate(STAGE_CLASSES)})


def _sleep_of(recording: Recording) -> Sleep | None:
    """The stages that somebody scored, None where nobody did."""
    spent: dict[str, float] = dict.fromkeys(STAGE_CLASSES, 0.0)
    for event in recording.events:
        stage = event.kind.removeprefix("stage.")
        if stage != event.kind and stage in spent:
            spent[stage] += event.duration / 60
    return _in_sum(spent)


def _in_sum(spent: Mapping[str, float]) -> Sleep | None:
    total = sum(spent.values())
    if total <= 0:
        return None
    asleep = total - spent[STAGE_CLASSES[WAKE]]
    return Sleep(stages=spent, asleep=asleep, efficiency=asleep / total)
