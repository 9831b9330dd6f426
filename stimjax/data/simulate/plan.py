"""What happens in a night of the apnea task, before any signal is drawn."""

from __future__ import annotations

import dataclasses
from typing import Literal

import numpy as np

from stimjax.data.simulate.course import Course
from stimjax.data.simulate.hypnogram import N3, STAGES, R, W, hypnogram
from stimjax.data.simulate.noise import EPOCH_SECONDS, colored, moments
from stimjax.data.simulate.traits import CLUSTERED, LEAST, Traits

Kind = Literal["Obstructive apnea", "Central apnea", "Mixed apnea", "Hypopnea"]
KINDS: tuple[Kind, ...] = ("Obstructive apnea", "Central apnea", "Mixed apnea", "Hypopnea")

# AASM manual, rule VIII: an apnea or hypopnea lasts at least 10 s.
SHORTEST = 10.0
SHORTEST_PAUSE = 9.0  # seconds of breathing from one event to the next
REM_LONGER = 1.2  # events last longer in REM sleep
EDGE = 20.0  # seconds without an event at both ends of the recording

SILENT = 0.1  # of the oxygen that an event takes, where it is silent
KICK_SECONDS = (10.0, 45.0)  # between limb movements of a series (WASM, Sleep Med 2016;26:86)
KICKS = (5, 60)  # in a series

POSTURE_CHANGES = 2.0  # an hour
MOTIONS_ASLEEP, MOTIONS_AWAKE = 3.0, 40.0  # an hour


@dataclasses.dataclass(frozen=True)
class Apnea:
    """An apnea or hypopnea.

    Attributes:
        kind: the annotation's text.
        onset, duration: seconds, in steps of 0.1 s.
        residual: flow that is left, as a share of normal flow.
        split: share of a mixed apnea that is central, before effort returns.
        deficit: how fast saturation falls, relative to the person's own rate.
        aroused: whether an arousal ends it.
        relief: how much deeper than normal the first breath after it is.
    """

    kind: Kind
    onset: float
    duration: float
    residual: float
    split: float
    deficit: float
    aroused: bool
    relief: float

    @property
    def end(self) -> float:
        """Seconds from the start of the recording."""
        return self.onset + self.duration


@dataclasses.dataclass(frozen=True)
class Plan:
    """A night.

    Attributes:
        stages: a number into `STAGES` for each epoch.
        events: in order, never overlapping.
        arousals: onset and duration in s, f[n, 2].
        postures: seconds at which the sleeper turns.
        motions: onset and duration in s of bursts of movement, f[n, 2].
        kicks: seconds at which a limb moves.
    """

    stages: np.ndarray
    events: tuple[Apnea, ...]
    arousals: np.ndarray
    postures: np.ndarray
    motions: np.ndarray
    kicks: np.ndarray

    @property
    def seconds(self) -> int:
        """Length of the recording."""
        return len(self.stages) * EPOCH_SECONDS


def stage_at(stages: np.ndarray, moment: np.ndarray | float) -> np.ndarray | np.int64:
    """The stage number at `moment` in s."""
    epoch = np.asarray(moment) // EPOCH_SECONDS
    return stages[np.clip(epoch.astype(int), 0, len(stages) - 1)]


def draw_plan(rng: np.random.Generator, traits: Traits, epochs: int) -> Plan:
    """A night of `epochs` epochs for the person with these traits."""
    seconds = epochs * EPOCH_SECONDS
    stages = hypnogram(rng, epochs, min(1.0, traits.ahi / 60))
    postures = moments(rng, POSTURE_CHANGES, seconds)
    events = _events(rng, traits, stages, postures)
    arousals = _arousals(rng, traits, events, stages)
    motions = _motions(rng, stages, postures, arousals)
    return Plan(stages, events, arousals, postures, motions, _kicks(rng, traits, stages))


def _events(
    rng: np.random.Generator, traits: Traits, stages: np.ndarray, postures: np.ndarray
) -> tuple[Apnea, ...]:
    """As many events as the index asks for, where the person is most prone to them.

    Events follow one another all night long; a slow random process, stage and posture say how
    prone the sleeper is at each, and the most prone ones happen. So they come in clusters, at
    the period that is the person's own.
    """
    candidates = _candidates(rng, traits, stages)
    if not candidates:
        return ()
    onset = np.array([event.onset for event in candidates])
    seconds = len(stages) * EPOCH_SECONDS
    course = traits.course
    cluster = colored(rng, seconds, min(course.cluster_seconds, seconds / 6))
    supine = rng.random(len(postures) + 1) < course.supine
    prone = (
        cluster[onset.astype(int)]
        + np.asarray(course.prone)[stage_at(stages, onset)]
        + course.supine_prone * supine[np.searchsorted(postures, onset)]
        + rng.normal(0, course.scatter, len(onset))
    )
    asleep = float(np.sum(stages != W)) * EPOCH_SECONDS / 3600
    count = int(traits.ahi * asleep + rng.random())
    chosen = np.sort(np.argsort(-prone, kind="stable")[:count])
    return tuple(candidates[index] for index in chosen)


def _candidates(rng: np.random.Generator, traits: Traits, stages: np.ndarray) -> list[Apnea]:
    """Events one after another through all of the sleep."""
    course = traits.course
    period = CLUSTERED * 3600 / max(traits.ahi, LEAST)
    breathing = min(max(period - traits.event_seconds, SHORTEST_PAUSE), course.pause)
    at = stages.tolist()  # thousands of look-ups, which NumPy would make one at a time
    seconds = len(at) * EPOCH_SECONDS
    chances = [_chances(traits, stage) for stage in range(len(STAGES))]
    candidates = []
    moment = EDGE
    while True:
        moment += breathing * rng.uniform(1 - course.jitter, 1 + course.jitter)
        stage = at[min(int(moment // EPOCH_SECONDS), len(at) - 1)]
        longer = REM_LONGER if stage == R else 1.0
        length = longer * traits.event_seconds * np.exp(rng.normal(0, course.spread))
        length = min(max(float(length), SHORTEST), course.longest)
        kind = KINDS[int(chances[stage].searchsorted(rng.random(), side="right"))]
        event = _draw_event(rng, course, kind, (round(moment, 1), round(length, 1)))
        if event.end > seconds - EDGE:
            return candidates
        if stage != W and at[int((event.end - 5) // EPOCH_SECONDS)] != W:
            candidates.append(event)
        moment = event.end


def _chances(traits: Traits, stage: int) -> np.ndarray:
    """The distribution function of an event's kind."""
    weights = np.array(traits.kinds)
    if stage in (N3, R):  # ventilation is unstable in light sleep above all
        weights[1] *= 0.4
    chances = np.cumsum(weights / weights.sum())
    return chances / chances[-1]


def _draw_event(
    rng: np.random.Generator, course: Course, kind: Kind, span: tuple[float, float]
) -> Apnea:
    hypopnea = kind == "Hypopnea"
    residual = rng.uniform(0.2, 0.7) if hypopnea else rng.uniform(0.0, 0.06)
    event = Apnea(
        kind=kind,
        onset=span[0],
        duration=span[1],
        residual=float(residual),
        split=float(rng.uniform(0.35, 0.6)),
        deficit=float((1 - residual) * np.exp(rng.normal(0, 0.6 if hypopnea else 0.35))),
        aroused=bool(rng.random() < course.aroused),
        relief=float(rng.uniform(0.2, 1.0)),
    )
    if course.silent and rng.random() < course.silent:
        return dataclasses.replace(event, deficit=SILENT * event.deficit)
    return event


def _arousals(
    rng: np.random.Generator, traits: Traits, events: tuple[Apnea, ...], stages: np.ndarray
) -> np.ndarray:
    """Arousals after events, and spontaneous ones in quiet sleep."""
    seconds = len(stages) * EPOCH_SECONDS
    arousals = [
        (event.end + rng.uniform(-2, 2), rng.uniform(3, 12)) for event in events if event.aroused
    ]
    starts = np.array([event.onset for event in events])
    ends = np.array([event.end for event in events])
    for moment in moments(rng, traits.course.arousals, seconds - 30):
        near = np.any((starts < moment + 20) & (ends > moment - 20))
        if not near and stage_at(stages, moment) != W:
            arousals.append((moment, rng.uniform(3, 15)))
    return np.round(np.array(sorted(arousals)).reshape(-1, 2), 1)


def _motions(
    rng: np.random.Generator, stages: np.ndarray, postures: np.ndarray, arousals: np.ndarray
) -> np.ndarray:
    seconds = len(stages) * EPOCH_SECONDS
    awake = moments(rng, MOTIONS_AWAKE, seconds)
    onset = np.concatenate(
        [
            postures,
            moments(rng, MOTIONS_ASLEEP, seconds),
            awake[stage_at(stages, awake) == W],
            arousals[rng.random(len(arousals)) < 0.15, 0],
        ]
    )
    return np.stack([onset, rng.uniform(2, 12, len(onset))], axis=1)


def _kicks(rng: np.random.Generator, traits: Traits, stages: np.ndarray) -> np.ndarray:
    """Moments of limb movements in s, in series and not in R; arousals of the heart alone."""
    seconds = len(stages) * EPOCH_SECONDS
    series = []
    for moment in moments(rng, 2 * traits.course.kicks / sum(KICKS), seconds):
        gaps = rng.uniform(*KICK_SECONDS) * rng.lognormal(0, 0.15, int(rng.integers(*KICKS)))
        series.append(moment + np.cumsum(gaps))
    kicks = np.concatenate([np.empty(0), *series])
    kicks = kicks[kicks < seconds]
    return kicks[~np.isin(stage_at(stages, kicks), (W, R))]


def annotate(plan: Plan) -> list[tuple[float, float, str]]:
    """Onset, duration (s) and text of stages, events and arousals, in no order."""
    stages = [
        (float(epoch * EPOCH_SECONDS), float(EPOCH_SECONDS), f"Sleep stage {STAGES[stage]}")
        for epoch, stage in enumerate(plan.stages)
    ]
    events = [(event.onset, event.duration, event.kind) for event in plan.events]
    arousals = [(float(onset), float(length), "Arousal") for onset, length in plan.arousals]
    return stages + events + arousals
