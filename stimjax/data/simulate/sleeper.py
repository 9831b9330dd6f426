"""What makes one person of the staging task differ from the next, all night long."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from stimjax.data.simulate.ranges import LogUniform, Range, Uniform, draw

# uV of each rhythm (standard deviation), by stage W, N1, N2, N3, R.
RHYTHMS = {
    "slow": (3.5, 5.5, 10.0, 34.0, 6.0),
    "theta": (3.0, 8.0, 6.5, 7.0, 8.0),
    "alpha": (10.0, 3.5, 2.0, 1.5, 2.5),
    "beta": (4.0, 2.6, 1.9, 1.4, 2.6),
}
GAINS = (*RHYTHMS, "background", "waves")


@dataclasses.dataclass(frozen=True)
class Electrodes:
    """What is recorded beside its source. What is left out is as in a cohort.

    Attributes:
        brain: share of the EEG in the EOG.
        muscle, muscle_eyes: share of the chin in the EEG and in the EOG.
        heart: uV of the heartbeat in EEG and EOG.
        beats: of it, a minute.
        sweat: uV of slow potentials.
        mains: uV of residual mains.
        mains_rate: its frequency in Hz; 60 Hz appear at 40 Hz.
        high_pass: cut-off of the amplifier in Hz, 0 where it passes everything.
        low_pass: the same from above, in EEG and EOG.
        eyes_sign: -1 where the eye's electrodes are exchanged.
    """

    brain: float = 0.35
    muscle: float = 0.12
    muscle_eyes: float = 0.15
    heart: float = 0.0
    beats: float = 65.0
    sweat: float = 8.0
    mains: float = 0.0
    mains_rate: float = 49.5
    high_pass: float = 0.0
    low_pass: float = 0.0
    eyes_sign: float = 1.0


@dataclasses.dataclass(frozen=True)
class Sleeper:
    """One person of the staging task.

    Attributes:
        slope: time constant of the background in s; the longer, the steeper its spectrum.
        alpha, spindle: frequency in Hz.
        gain: of every rhythm, background and the muscle, by name.
        atonia: factor on the chin's tone in R.
        spindles: a minute of N2.
        spindle_size: uV.
        eyes: gain of the eye movements.
        noise: uV of the sensors.
        fragmentation: how often sleep is broken, 0 to 1.
        electrodes: what they record.
    """

    slope: float
    alpha: float
    spindle: float
    gain: dict[str, float]
    atonia: float
    spindles: float
    spindle_size: float
    eyes: float
    noise: float
    fragmentation: float
    electrodes: Electrodes


@dataclasses.dataclass(frozen=True)
class SleeperRanges:
    """From what sleepers are drawn.

    Attributes:
        size: of all of the EEG.
        gain: of each of `GAINS` besides.
        alpha: of alpha besides.
        slow: the least gain of slow waves.
        muscle: of the chin.
        body: the other traits.
        age: in years, whose effects are those of `aged`; None for no such effects.
        electrodes: traits of that name; those that it lacks keep their default.
    """

    size: LogUniform
    gain: LogUniform
    alpha: LogUniform
    slow: float
    muscle: LogUniform
    body: Mapping[str, Range]
    age: Uniform | None
    electrodes: Mapping[str, Range]


# The simulated cohort. Its files depend on the order of these.
COHORT = SleeperRanges(
    size=LogUniform(0.75, 1.35),
    gain=LogUniform(0.65, 1.5),
    alpha=LogUniform(0.5, 1.4),  # some people hardly have any
    slow=0.75,
    muscle=LogUniform(0.5, 2),
    body={
        "slope": LogUniform(0.03, 0.3),
        "alpha": Uniform(8.5, 11.5),
        "spindle": Uniform(12.0, 14.8),
        "atonia": LogUniform(0.7, 2.2),
        "spindles": Uniform(1.5, 6),
        "spindle_size": Uniform(11, 26),
        "eyes": LogUniform(0.6, 1.5),
        "noise": LogUniform(0.5, 2.0),
        "fragmentation": Uniform(0, 0.7),
    },
    age=None,
    electrodes={},
)


def draw_sleeper(rng: np.random.Generator, ranges: SleeperRanges = COHORT) -> Sleeper:
    """A person of the staging task."""
    size = ranges.size.draw(rng)
    gain = {name: size * ranges.gain.draw(rng) for name in GAINS}
    gain["alpha"] *= ranges.alpha.draw(rng)
    gain["slow"] = max(gain["slow"], ranges.slow)
    gain["muscle"] = ranges.muscle.draw(rng)
    body = draw(rng, ranges.body)
    sleeper = Sleeper(gain=gain, **body, electrodes=Electrodes(**draw(rng, ranges.electrodes)))
    return aged(sleeper, ranges.age.draw(rng)) if ranges.age else sleeper


def aged(sleeper: Sleeper, age: float) -> Sleeper:
    """Slow waves become smaller, spindles fewer and smaller; as they are from 18 years on.

    Carrier et al., Psychophysiology 2001;38:232 (power of slow waves and of spindles by age);
    Purcell et al., Nat Commun 2017;8:15930 (spindles by age). The exponents are ours.
    """
    years = age - 18
    gain = {**sleeper.gain, "slow": sleeper.gain["slow"] * float(np.exp(-years / 90))}
    return dataclasses.replace(
        sleeper,
        gain=gain,
        spindles=sleeper.spindles * float(np.exp(-years / 70)),
        spindle_size=sleeper.spindle_size * float(np.exp(-years / 120)),
    )
