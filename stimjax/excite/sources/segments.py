"""Segments of a window's time, and the energy below which a channel says nothing."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from stimjax.batch import Spec


def blend(time: int, segments: int) -> Float[np.ndarray, "time segment"]:
    """How much of each segment's number each moment takes: linear between their middles."""
    center = (np.arange(segments) + 0.5) * time / segments - 0.5
    rows = [np.interp(np.arange(time), center, row) for row in np.eye(segments)]
    return np.stack(rows, axis=1).astype(np.float32)


def floor(spec: Spec) -> Float[np.ndarray, " channel"]:
    """The variance of rounding to each channel's resolution, or to a thousandth of its range."""
    step = [max(c.resolution, (c.high - c.low) / 1000) for c in spec.channels]
    return np.array(step) ** 2 / 12
