"""What makes one simulated person differ from the next, all night long."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from stimjax.data.people import Person
from stimjax.data.simulate.belts import Belts
from stimjax.data.simulate.course import Course
from stimjax.data.simulate.devices import Monitor, Oximeter
from stimjax.data.simulate.ranges import LogUniform, Range, Uniform, draw
from stimjax.data.simulate.rhythm import Rhythm

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
PERIODIC = 0.7  # share of persons with mostly central events who breathe periodically
LEAST = 0.5  # events an hour; the fewer there are, the longer one could last, up to here
CLUSTERED = 0.85  # share of the mean time from event to event that it takes in a cluster
YOUNG = 18  # years


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
        course: how events come.
        rhythm: how the heart beats.
        oximeter, monitor, belts: what measures.
        deepest: fall in % that is never exceeded.
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
    course: Course
    rhythm: Rhythm
    oximeter: Oximeter
    monitor: Monitor
    belts: Belts
    deepest: float = 38.0


@dataclasses.dataclass(frozen=True)
class Ranges:
    """From what persons are drawn. A mapping names traits; those that it lacks keep their default.

    Attributes:
        severity: as `SEVERITY`.
        central: share of persons whose events are mostly central.
        alike: how alike persons are in what kinds of events they have (of a Dirichlet
            distribution).
        harmonics: standard deviation of those that shape the breath.
        event_seconds: of an event, its mean.
        cycle: s of a periodic breather's cycle of event and breathing; None where it is that of
            any other.
        rate: breaths a minute.
        breath: traits of breathing.
        saturation: mean and standard deviation of the baseline.
        saturations: the lowest and the highest baseline.
        age: in years, whose effects are those of `aged`; None for no such effects.
        blood: traits of saturation and heart.
        course, rhythm, oximeter, monitor, belts: traits of those names.
    """

    severity: Mapping[str, tuple[float, float, float]]
    central: float
    alike: float
    harmonics: float
    event_seconds: Uniform
    cycle: Uniform | None
    rate: Uniform
    breath: Mapping[str, Range]
    saturation: tuple[float, float]
    saturations: tuple[float, float]
    age: Uniform | None
    blood: Mapping[str, Range]
    course: Mapping[str, Range]
    rhythm: Mapping[str, Range]
    oximeter: Mapping[str, Range]
    monitor: Mapping[str, Range]
    belts: Mapping[str, Range]


# The simulated cohort. Its files depend on the order of these.
COHORT = Ranges(
    severity=SEVERITY,
    central=0.15,
    alike=12,
    harmonics=0.10,
    event_seconds=Uniform(17, 32),
    cycle=None,
    rate=Uniform(11, 19),
    breath={
        "inspiration": Uniform(0.32, 0.46),
        "expiration_power": Uniform(0.5, 0.95),
        "chest": LogUniform(0.5, 2),
        "abdomen": LogUniform(0.5, 2),
        "lag": Uniform(-0.02, 0.08),
        "paradox": Uniform(0.3, 0.5),
        "variability": LogUniform(0.7, 1.5),
        "flattening": Uniform(0, 0.7),
        "cardiac": LogUniform(0.008, 0.05),
        "noise": LogUniform(0.01, 0.05),
        "sighs": Uniform(3, 14),
    },
    saturation=(95.7, 1.2),
    saturations=(91, 98.4),
    age=None,
    blood={
        "desaturation": LogUniform(0.18, 0.6),
        "circulation": Uniform(15, 32),
        "resaturation": Uniform(10, 20),
        "heart": Uniform(52, 82),
        "sinus_arrhythmia": Uniform(0.5, 4),
        "bradycardia": Uniform(1, 6),
        "surge": Uniform(5, 18),
    },
    course={},
    rhythm={},
    oximeter={},
    monitor={},
    belts={},
)


def person(rng: np.random.Generator, traits: Traits | None = None) -> Person:
    """Sex and age, which show in the heart a little: women's beats faster, and with age it varies
    less with breathing; drawn at random without `traits`. Of the simulator, not of physiology.
    """
    faster = 0.0 if traits is None else (traits.heart - 67) / 6
    sex = "F" if rng.random() < 1 / (1 + np.exp(-faster)) else "M"
    steadier = rng.uniform() if traits is None else 1 - (traits.sinus_arrhythmia - 0.5) / 3.5
    return Person(sex, int(np.clip(30 + 45 * steadier + rng.normal(0, 6), 18, 90)))


def severity(
    seed: int, number: int, table: Mapping[str, tuple[float, float, float]] = SEVERITY
) -> float:
    """The apnea-hypopnea index of person `number` (from 0), distributed as `table` says.

    Persons are spread over the distribution by the golden ratio, so that even a few of them hold
    the healthy and the sick, and nobody depends on how many there are.
    """
    start = np.random.default_rng([seed, 0]).random()
    left = (start + number * GOLDEN) % 1
    for share, low, high in table.values():
        if left < share:
            return float(low + (high - low) * left / share)
        left -= share
    return max(high for _, _, high in table.values())


def draw_traits(rng: np.random.Generator, ahi: float, ranges: Ranges = COHORT) -> Traits:
    """A person with this apnea-hypopnea index (less, where periodic breathing leaves no room)."""
    central = rng.random() < ranges.central
    kinds = (0.12, 0.52, 0.10, 0.26) if central else (0.38, 0.06, 0.08, 0.48)
    harmonics = rng.normal(size=(3, 3, 2)) * ranges.harmonics / np.arange(1, 4)[:, None]
    traits = Traits(
        ahi=ahi,
        kinds=tuple(float(p) for p in rng.dirichlet(ranges.alike * np.array(kinds))),
        periodic=bool(central and rng.random() < PERIODIC),
        event_seconds=min(ranges.event_seconds.draw(rng), 0.5 * 3600 / max(ahi, LEAST)),
        rate=ranges.rate.draw(rng) / 60,
        harmonics=harmonics,
        **draw(rng, ranges.breath),
        saturation=float(np.clip(rng.normal(*ranges.saturation) - 0.02 * ahi, *ranges.saturations)),
        **draw(rng, ranges.blood),
        course=Course(**draw(rng, ranges.course)),
        rhythm=Rhythm(**draw(rng, ranges.rhythm)),
        oximeter=Oximeter(**draw(rng, ranges.oximeter)),
        monitor=Monitor(**draw(rng, ranges.monitor)),
        belts=Belts(**draw(rng, ranges.belts)),
    )
    if ranges.age:
        traits = aged(traits, ranges.age.draw(rng))
    if ranges.cycle and traits.periodic:
        traits = _periodic(traits, ranges.cycle.draw(rng))
    return traits


def aged(traits: Traits, age: float) -> Traits:
    """The heart answers breaths and arousals less and less, and arousals come more often.

    The heart: Umetani et al., J Am Coll Cardiol 1998;31:593 (differences from beat to beat fall
    fastest of all measures). Arousals: Boselli et al., Sleep 1998;21:351 (14.7 an hour at 20 to 39
    years, 27.1 from 60 on). The exponents are ours.
    """
    years = age - YOUNG
    return dataclasses.replace(
        traits,
        sinus_arrhythmia=traits.sinus_arrhythmia * float(np.exp(-years / 45)),
        surge=traits.surge * float(np.exp(-years / 90)),
        course=dataclasses.replace(
            traits.course, arousals=traits.course.arousals * (1 + years / 50)
        ),
    )


def _periodic(traits: Traits, cycle: float) -> Traits:
    """Half of each cycle is an event, and cycles are alike."""
    course = dataclasses.replace(traits.course, pause=cycle / 2, spread=0.12, jitter=0.1)
    most = CLUSTERED * 3600 / cycle
    return dataclasses.replace(
        traits, ahi=min(traits.ahi, most), event_seconds=cycle / 2, course=course
    )
