"""Signals at another rate, through an anti-alias filter of which only what is kept is computed.

The numbers are those of `scipy.signal.resample_poly` with its own window and `padtype="line"`, in
a third of the time where a whole number of samples becomes one. And loading scipy.signal takes
longer than a night.
"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float
from numpy.lib.stride_tricks import sliding_window_view

REACH = 10  # samples of the slower rate that the filter reaches to either side
BETA = 5.0  # of its Kaiser window


def resampled(
    values: Float[np.ndarray, " time"], up: int, down: int, *, level: float = 0.0
) -> Float[np.ndarray, " resampled"]:
    """Values at `up / down` times their rate; the first of them is where the first was.

    Before and after the values the filter sees the line through the first and the last of them.

    Args:
        values: f32 or f64; filtered as f32.
        up: how many values come out where `down` go in.
        down: without a common divisor with `up`.
        level: about which they lie; only what is above or below it is filtered. The taps that
            results meet in turn add up to 1 only within 1e-4, so that it would ripple.

    Returns:
        f64, so that a high level costs no digits.
    """
    level = float(values.dtype.type(level))  # then most differences from it are exact
    taps = _taps(max(up, down)) * np.float32(up)
    half = len(taps) // 2
    reach = half // up + 1  # behind the last sample there are results, too
    extended = _extended(values, level, reach)
    result = np.empty(math.ceil(len(values) * up / down), np.float32)
    for phase in range(min(up, len(result))):  # each `up`-th result meets the same taps
        at = phase * down  # when the first of them is; `up` such steps are a sample
        first = -((half - at) // up)  # sample that the filter reaches then
        own = taps[half + at - first * up :: -up].copy()  # einsum is slow backward
        seen = sliding_window_view(extended, len(own))[reach + first :: down]
        kept = result[phase::up]
        np.einsum("nt,t->n", seen[: len(kept)], own, out=kept)
    return level + result.astype(np.float64)


def _taps(slower: int) -> np.ndarray:
    """A low-pass for a rate `slower` times lower, f32: a sinc in a Kaiser window, of gain 1."""
    at = np.arange(-REACH * slower, REACH * slower + 1)
    taps = np.sinc(at / slower) * np.kaiser(len(at), BETA)
    return (taps / taps.sum()).astype(np.float32)


def _extended(values: np.ndarray, level: float, reach: int) -> np.ndarray:
    """What is above the level, f32, and `reach` more to either side.

    That lies on the line through the first and the last value.
    """
    extended = np.empty(len(values) + 2 * reach, np.float32)
    inside = extended[reach:-reach]
    np.subtract(values, values.dtype.type(level), out=inside, casting="same_kind")
    first, last = inside[0], inside[-1]
    rise = (last - first) / max(1, len(values) - 1) * np.arange(1, reach + 1)
    extended[:reach] = (first - rise)[::-1]
    extended[-reach:] = last + rise
    return extended
