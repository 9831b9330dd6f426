"""What happens in a night of the apnea task, before any signal is drawn."""

from __future__ import annotations

import dataclasses
from typing import Literal

import numpy as np

from stimjax.data.simulate.hypnogram import N3, STAGES, R, W, hypnogram
from stimjax.data.simulate.noise import EPOCH_SECONDS, colored, moments
from stimjax.data.simulate.traits import Traits

Kind = Literal["Obstructive apnea", "Central apnea", "Mixed apnea", "Hypopnea"]
KINDS: tuple[Kind, ...] = ("Obstructive apnea", "Central apnea", "Mixed apnea", "Hypopnea")

# AASM manual, rule VIII: an apnea or hypopnea lasts at least 10 s.
SHORTEST, LONGEST = 10.0, 60.0
EVENT_SPREAD = 0.35  # of the logarithm of an event's length
REM_LONGER = 1.2  # events last longer in REM sleep
EDGE = 20.0  # seconds without an event at both ends of the recording

PRONE = (0.0, 0.5, 0.3, -0.9, 0.5)  # how prone to events each stage is
SUPINE_PRONE = 0.7
CLUSTER_SECONDS = 480.0  # events come in stretches of this order

AROUSED = 0.8  # share of events that end in an arousal
SPONTANEOUS_AROUSALS = 8.0  # an hour
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
    """

    stages: np.ndarray
    events: tuple[Apnea, ...]
    arousals: np.ndarray
    postures: np.ndarray
    motions: np.ndarray

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
    arousals = _arousals(rng, events, stages)
    return Plan(stages, events, arousals, postures, _motions(rng, stages, postures, arousals))


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
    cluster = colored(rng, seconds, min(CLUSTER_SECONDS, seconds / 6))
    supine = rng.random(len(postures) + 1) < 0.5
    prone = (
        cluster[onset.astype(int)]
        + np.asarray(PRONE)[stage_at(stages, onset)]
        + SUPINE_PRONE * supine[np.searchsorted(postures, onset)]
        + rng.normal(0, 0.35, len(onset))
    )
    asleep = float(np.sum(stages != W)) * EPOCH_SECONDS / 3600
    count = int(traits.ahi * asleep + rng.random())
    chosen = np.sort(np.argsort(-prone, kind="stable")[:count])
    return tuple(candidates[index] for index in chosen)


def _candidates(rng: np.random.Generator, traits: Traits, stages: np.ndarray) -> list[Apnea]:
    """Events one after another through all of the sleep."""
    period = 0.85 * 3600 / traits.ahi
    breathing = float(np.clip(period - traits.event_seconds, 9, 22))
    seconds = len(stages) * EPOCH_SECONDS
    candidates = []
    moment = EDGE
    while True:
        moment += breathing * rng.uniform(0.6, 1.4)
        stage = int(stage_at(stages, moment))
        longer = REM_LONGER if stage == R else 1.0
        length = longer * traits.event_seconds * np.exp(rng.normal(0, EVENT_SPREAD))
        length = float(np.clip(length, SHORTEST, LONGEST))
        event = _draw_event(rng, traits, round(moment, 1), round(length, 1), stage)
        if event.end > seconds - EDGE:
            return candidates
        if stage != W and int(stage_at(stages, event.end - 5)) != W:
            candidates.append(event)
        moment = event.end


def _draw_event(
    rng: np.random.Generator, traits: Traits, onset: float, duration: float, stage: int
) -> Apnea:
    weights = np.array(traits.kinds)
    if stage in (N3, R):  # ventilation is unstable in light sleep above all
        weights[1] *= 0.4
    kind = KINDS[int(rng.choice(4, p=weights / weights.sum()))]
    hypopnea = kind == "Hypopnea"
    residual = rng.uniform(0.2, 0.7) if hypopnea else rng.uniform(0.0, 0.06)
    return Apnea(
        kind=kind,
        onset=onset,
        duration=duration,
        residual=float(residual),
        split=float(rng.uniform(0.35, 0.6)),
        deficit=float((1 - residual) * np.exp(rng.normal(0, 0.6 if hypopnea else 0.35))),
        aroused=bool(rng.random() < AROUSED),
        relief=float(rng.uniform(0.2, 1.0)),
    )


def _arousals(
    rng: np.random.Generator, events: tuple[Apnea, ...], stages: np.ndarray
) -> np.ndarray:
    """Arousals after events, and spontaneous ones in quiet sleep."""
    seconds = len(stages) * EPOCH_SECONDS
    arousals = [
        (event.end + rng.uniform(-2, 2), rng.uniform(3, 12)) for event in events if event.aroused
    ]
    starts = np.array([event.onset for event in events])
    ends = np.array([event.end for event in events])
    for moment in moments(rng, SPONTANEOUS_AROUSALS, seconds - 30):
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


def annotate(plan: Plan) -> list[tuple[float, float, str]]:
    """Onset, duration (s) and text of stages, events and arousals, in no order."""
    stages = [
        (float(epoch * EPOCH_SECONDS), float(EPOCH_SECONDS), f"Sleep stage {STAGES[stage]}")
        for epoch, stage in enumerate(plan.stages)
    ]
    events = [(event.onset, event.duration, event.kind) for event in plan.events]
    arousals = [(float(onset), float(length), "Arousal") for onset, length in plan.arousals]
    return stages + events + arousals
