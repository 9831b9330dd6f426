"""What sensors of breathing make of it."""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy.signal import lfilter


@dataclasses.dataclass(frozen=True)
class Belts:
    """Belts and cannula. What is left out is as in a cohort.

    Attributes:
        drift: standard deviation of the baseline, in breaths.
        high_pass: time constant of the belts' AC coupling in s.
        thermistor: time constant in s of a sensor of warmth in place of nasal pressure, 0 without.
        ceiling: breaths at which the amplifiers clip, 0 where they do not.
        belt_sign, flow_sign: -1 for wires that are exchanged.
    """

    drift: float = 0.15
    high_pass: float = 6.0
    thermistor: float = 0.0
    ceiling: float = 0.0
    belt_sign: float = 1.0
    flow_sign: float = 1.0

    def warmth(self, flow: np.ndarray, rate: int) -> np.ndarray:
        """Flow as the sensor has it: one of warmth is slow, and has no quiet at the end."""
        if not self.thermistor:
            return flow
        pole = np.exp(-1 / (self.thermistor * rate))
        return np.asarray(lfilter([1 - pole], [1, -pole], np.sign(flow) * np.abs(flow) ** 0.5))

    def clipped(self, breaths: np.ndarray) -> np.ndarray:
        """A signal in breaths as the amplifier passes it on."""
        return np.clip(breaths, -self.ceiling, self.ceiling) if self.ceiling else breaths
