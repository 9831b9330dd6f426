"""What an oximeter and a heart rate monitor make of what they measure."""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy.ndimage import uniform_filter1d
from scipy.signal import lfilter


@dataclasses.dataclass(frozen=True)
class Device:
    """What shows one number a second. What is left out is as in a cohort.

    Attributes:
        average: seconds over which it averages, at least 1.
        exponential: 1 where older seconds count ever less (time constant: half of `average`),
            0 where all count the same.
        delay: seconds until it shows a value.
        hold: seconds that it shows a value.
        step: in which it shows values, in its unit.
        flats: stretches an hour in which it keeps its last value.
        spikes: single wrong values an hour.
    """

    average: float = 1.0
    exponential: float = 0.0
    delay: float = 0.0
    hold: float = 1.0
    step: float = 1.0
    flats: float = 0.0
    spikes: float = 0.0

    def smooth(self, values: np.ndarray) -> np.ndarray:
        """Values at 1 Hz, averaged and late."""
        if self.exponential:
            pole = np.exp(-2 / max(self.average, 1.0))
            start = np.array([pole * values[0]])
            smooth, _ = lfilter([1 - pole], [1, -pole], values, zi=start)
        else:
            smooth = uniform_filter1d(values, round(self.average))
        return later(smooth, self.delay)

    def shown(self, values: np.ndarray) -> np.ndarray:
        """Values at 1 Hz, held and in steps."""
        hold = round(self.hold)
        if hold > 1:
            values = np.repeat(values[::hold], hold)[: len(values)]
        return np.round(values / self.step) * self.step


@dataclasses.dataclass(frozen=True)
class Oximeter(Device):
    """An oximeter; % and s.

    Attributes:
        lowest: that it shows.
        wander: standard deviation of a drift over a quarter of an hour.
        noise: the same, of a noise with a memory of 20 s.
        perfusion: the same, of a noise without memory, where the pulse is weak.
        drops: falls by motion, an hour.
        drop: the deepest of them.
        lost: losses of the probe an hour.
    """

    average: float = 4.0
    lowest: float = 50.0
    wander: float = 0.6
    noise: float = 0.25
    perfusion: float = 0.0
    drops: float = 0.7
    drop: float = 14.0
    lost: float = 0.4


@dataclasses.dataclass(frozen=True)
class Monitor(Device):
    """A heart rate monitor.

    Attributes:
        pulse: 1 where it is a part of the oximeter, whose probe it loses with it; 0 for an ECG.
        miscounts: stretches an hour in which it misses beats or counts them twice.
    """

    pulse: float = 1.0
    miscounts: float = 0.0


def later(values: np.ndarray, seconds: float) -> np.ndarray:
    """Values at 1 Hz that come so many seconds later, the first one until then."""
    delay = min(round(seconds), len(values) - 1)
    return np.concatenate([np.full(delay, values[0]), values[: len(values) - delay]])
