"""What goes wrong with numbers that a device shows."""

from __future__ import annotations

import numpy as np

from stimjax.data.simulate.noise import log_uniform, moments

MISCOUNTED = (0.5, 2 / 3, 4 / 3, 2.0)  # every other beat missed, ..., all counted twice
FROZEN_SECONDS = (8.0, 90.0)  # Nonin keeps the last value for 10 s, others for longer


def spike(
    rng: np.random.Generator, values: np.ndarray, per_hour: float, size: tuple[float, float]
) -> None:
    """Add whole numbers within `size` to single values and pairs at 1 Hz, in place."""
    for moment in moments(rng, per_hour, len(values)):
        values[int(moment) : int(moment) + int(rng.integers(1, 3))] += round(rng.uniform(*size))


def freeze(rng: np.random.Generator, values: np.ndarray, per_hour: float) -> None:
    """Keep values at 1 Hz for `FROZEN_SECONDS`, in place."""
    for moment in moments(rng, per_hour, len(values)):
        length = int(log_uniform(rng, *FROZEN_SECONDS))
        values[int(moment) : int(moment) + length] = values[int(moment)]


def miscount(rng: np.random.Generator, rate: np.ndarray, per_hour: float) -> None:
    """Miss beats or count them twice for some seconds, in a heart rate at 1 Hz, in place."""
    for moment in moments(rng, per_hour, len(rate)):
        length = int(log_uniform(rng, 2, 30))
        rate[int(moment) : int(moment) + length] *= rng.choice(MISCOUNTED)
