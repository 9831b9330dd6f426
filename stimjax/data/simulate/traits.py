"""What makes one simulated person differ from the next, all night long."""

from __future__ import annotations

import dataclasses

import numpy as np

from stimjax.data.people import Person
from stimjax.data.simulate.noise import log_uniform

# Apnea-hypopnea index (events an hour of sleep): share of persons, lowest, highest. The limits of
# the grades are those in clinical use (AASM task force, Sleep 1999;22:667); the shares are those
# of a sleep laboratory, where the sick are many.
SEVERITY = {
    "healthy": (0.25, 0.5, 5.0),
    "mild": (0.25, 5.0, 15.0),
    "moderate": (0.22, 15.0, 30.0),
    "severe": (0.28, 30.0, 80.0),
}
GOLDEN = (np.sqrt(5) - 1) / 2
CENTRAL_PERSONS = 0.15  # share of persons whose events are mostly central


@dataclasses.dataclass(frozen=True)
class Traits:
    """One person. Rates in Hz, times in s, SpO2 in %, heart in beats a minute.

    Attributes:
        ahi: apneas and hypopneas an hour of sleep.
        kinds: probability of an obstructive, central, mixed apnea, and of a hypopnea.
        periodic: breathing waxes and wanes between events (Cheyne-Stokes).
        event_seconds: mean length of an event.
        rate: breaths a second.
        inspiration: share of a breath that is inspiration.
        expiration_power: shape of expiration; the smaller, the longer the pause at its end.
        harmonics: (belt or flow, harmonic, cosine and sine) that shape the breath.
        chest, abdomen: gain of the belts.
        lag: phase by which the abdomen runs ahead of the chest, in breaths.
        paradox: the largest such phase in an obstructive event.
        variability: factor on the breath-to-breath variability.
        flattening: how flow-limited (flat-topped) normal inspiration is, 0 to 1.
        cardiac: size of the heartbeat in flow and belts, relative to a breath.
        noise: of the sensors, relative to a breath.
        sighs: an hour.
        saturation: baseline.
        desaturation: fall in % a second without breathing.
        circulation: delay from lung to finger.
        resaturation: time constant of recovery.
        heart: rate at rest.
        sinus_arrhythmia, bradycardia, surge: changes of the heart rate with breaths, in events
            and after them.
    """

    ahi: float
    kinds: tuple[float, ...]
    periodic: bool
    event_seconds: float
    rate: float
    inspiration: float
    expiration_power: float
    harmonics: np.ndarray
    chest: float
    abdomen: float
    lag: float
    paradox: float
    variability: float
    flattening: float
    cardiac: float
    noise: float
    sighs: float
    saturation: float
    desaturation: float
    circulation: float
    resaturation: float
    heart: float
    sinus_arrhythmia: float
    bradycardia: float
    surge: float


def person(rng: np.random.Generator, traits: Traits | None = None) -> Person:
    """Sex and age, which show in the heart a little: women's beats faster, and with age it varies
    less with breathing; drawn at random without `traits`. Of the simulator, not of physiology.
    """
    faster = 0.0 if traits is None else (traits.heart - 67) / 6
    sex = "F" if rng.random() < 1 / (1 + np.exp(-faster)) else "M"
    steadier = rng.uniform() if traits is None else 1 - (traits.sinus_arrhythmia - 0.5) / 3.5
    return Person(sex, int(np.clip(30 + 45 * steadier + rng.normal(0, 6), 18, 90)))


def severity(seed: int, number: int) -> float:
    """The apnea-hypopnea index of person `number` (from 0), distributed as `SEVERITY` says.

    Persons are spread over the distribution by the golden ratio, so that even a few of them hold
    the healthy and the sick, and nobody depends on how many there are.
    """
    start = np.random.default_rng([seed, 0]).random()
    left = (start + number * GOLDEN) % 1
    for share, low, high in SEVERITY.values():
        if left < share:
            return float(low + (high - low) * left / share)
        left -= share
    return SEVERITY["severe"][2]


def draw_traits(rng: np.random.Generator, ahi: float) -> Traits:
    """A person with this apnea-hypopnea index."""
    central = rng.random() < CENTRAL_PERSONS
    kinds = (0.12, 0.52, 0.10, 0.26) if central else (0.38, 0.06, 0.08, 0.48)
    harmonics = rng.normal(size=(3, 3, 2)) * 0.10 / np.arange(1, 4)[:, None]
    return Traits(
        ahi=ahi,
        kinds=tuple(float(p) for p in rng.dirichlet(12 * np.array(kinds))),
        periodic=bool(central and rng.random() < 0.7),
        event_seconds=min(rng.uniform(17, 32), 0.5 * 3600 / ahi),
        rate=rng.uniform(11, 19) / 60,
        inspiration=rng.uniform(0.32, 0.46),
        expiration_power=rng.uniform(0.5, 0.95),
        harmonics=harmonics,
        chest=log_uniform(rng, 0.5, 2),
        abdomen=log_uniform(rng, 0.5, 2),
        lag=rng.uniform(-0.02, 0.08),
        paradox=rng.uniform(0.3, 0.5),
        variability=log_uniform(rng, 0.7, 1.5),
        flattening=rng.uniform(0, 0.7),
        cardiac=log_uniform(rng, 0.008, 0.05),
        noise=log_uniform(rng, 0.01, 0.05),
        sighs=rng.uniform(3, 14),
        saturation=float(np.clip(rng.normal(95.7, 1.2) - 0.02 * ahi, 91, 98.4)),
        desaturation=log_uniform(rng, 0.18, 0.6),
        circulation=rng.uniform(15, 32),
        resaturation=rng.uniform(10, 20),
        heart=rng.uniform(52, 82),
        sinus_arrhythmia=rng.uniform(0.5, 4),
        bradycardia=rng.uniform(1, 6),
        surge=rng.uniform(5, 18),
    )
