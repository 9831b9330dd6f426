"""Whether two recordings share a piece of a night, whatever became of it: by correlation.

A copy that was cut, brought to another rate or unit, or rounded has other bytes and the same
course. So pieces of ten minutes of each night are held against every place of the other. No
method of anybody's; normalized cross-correlation is standard (J. P. Lewis, Fast Normalized
Cross-Correlation, 1995).
"""

from __future__ import annotations

import functools
import math

import numpy as np
from jaxtyping import Float

from stimjax.data.condition import Conditioned

SECONDS = 1.0  # between two values that are compared
LENGTH = 600  # values of a piece, or fewer where a night is shorter, but
LEAST = 300  # at least: in fewer, nights of different people are too alike
PIECES = 5  # of a night, each from its own part of it
CANDIDATES = 12  # places in each part, of which the one is taken where most happens
FAST = 4.0  # Hz; of channels that are faster the strength is compared
QUARTERS = 4  # of a piece, in each of which there has to be
ENOUGH = 0.05  # standard deviation, in units of windows: in less nothing happens
SCALE = 3.0  # a copy is so many times smaller at most: a piece of a night has a spread of its own
GAPS = 0.1  # part of a piece that may not have been measured
WEAKEST = 0.01  # strength below which nothing is told apart
BOUND = 0.975  # what copies reach and nights of different people do not: docs/recordings.md


def trace(conditioned: Conditioned, rate: float) -> Float[np.ndarray, "s channel"]:
    """The course of a night at `rate`, a value every `SECONDS`; NaN where it was not measured."""
    size, x = max(1, round(SECONDS * rate)), conditioned.x
    shape = len(x) // size, size, x.shape[1]
    parts = x[: shape[0] * size].reshape(shape)
    course = np.log(parts.std(axis=1) + WEAKEST) if rate > FAST else parts.mean(axis=1)
    gone = conditioned.missing[: shape[0] * size].reshape(shape).any(axis=1)
    return np.where(gone, np.nan, course).astype(np.float32)


class Course:
    """A trace, made ready to be held against many others."""

    def __init__(self, trace: Float[np.ndarray, "s channel"]) -> None:
        # A line over a gap is like a line over any other: a level is put there, and no piece.
        self._gone = np.isnan(trace)
        kept = [column[~gone] for column, gone in zip(trace.T, self._gone.T, strict=True)]
        level = [float(np.median(values)) if len(values) else 0.0 for values in kept]
        self._trace = np.where(self._gone, 0, trace - np.array(level)).astype(np.float32)
        self._length = min(LENGTH, len(trace))  # of a piece
        self._size = 2 ** math.ceil(math.log2(len(trace) + LENGTH))
        self._places = self._chosen() if self._length >= LEAST else []
        self._sought: dict[int, np.ndarray] = {}
        self._spread: dict[int, np.ndarray] = {}

    def likeness(self, other: Course) -> float:
        """How well a piece of either is found in the other, from 0 to 1."""
        return max(self._found(other), other._found(self))

    def _chosen(self) -> list[tuple[int, int]]:
        """Channel and first value of each piece; channels take turns."""
        starts = np.linspace(0, len(self._trace) - self._length, PIECES * CANDIDATES).astype(int)
        places = []
        for number, part in enumerate(np.split(starts, PIECES)):
            channel = number % self._trace.shape[1]
            spread = [self._happens(slice(i, i + self._length), channel) for i in part]
            if max(spread) > ENOUGH:
                places.append((channel, int(part[np.argmax(spread)])))
        return places

    def _happens(self, piece: slice, channel: int) -> float:
        """How much happens in the quietest part of a piece; 0 where too little was measured.

        One fall of saturation is like another: something has to happen all the time.
        """
        if self._gone[piece, channel].mean() > GAPS:
            return 0.0
        parts = np.array_split(self._trace[piece, channel], QUARTERS)
        return min(float(part.std()) for part in parts)

    def _found(self, other: Course) -> float:
        """How well a piece of this one is found in `other`, at its best place."""
        places = len(other._trace) - self._length + 1
        if not self._places or places < 1:
            return 0.0
        channels = [channel for channel, _ in self._places]
        product = other._spectrum[channels] * self._spectra(other._size)
        match = np.abs(np.fft.irfft(product, other._size, axis=1)[:, :places])
        norms = other._norms(self._length)[channels]
        own = self._norms(self._length)[tuple(zip(*self._places, strict=True))]
        return float((match / np.maximum(norms, own[:, None] / SCALE)).max())

    @functools.cached_property
    def _spectrum(self) -> np.ndarray:
        return np.fft.rfft(self._trace.T, self._size, axis=1)

    def _spectra(self, size: int) -> np.ndarray:
        """Of all pieces, each of norm 1 about its mean and turned around; kept by `size`."""
        if size not in self._sought:
            pieces = np.stack([self._trace[i : i + self._length, c] for c, i in self._places])
            pieces -= pieces.mean(axis=1, keepdims=True)
            pieces /= np.linalg.norm(pieces, axis=1, keepdims=True)
            self._sought[size] = np.fft.rfft(pieces, size, axis=1).conj()
        return self._sought[size]

    def _norms(self, length: int) -> Float[np.ndarray, "channel _places"]:
        """Of the `length` values from each one on, about their mean; kept by `length`."""
        if length not in self._spread:
            before = np.zeros((2, len(self._trace) + 1, self._trace.shape[1]))
            before[:, 1:] = np.cumsum([self._trace, self._trace**2], axis=1, dtype=float)
            total, squares = before[:, length:] - before[:, :-length]
            norm = np.sqrt(np.maximum(squares - total**2 / length, 0))
            self._spread[length] = norm.T.astype(np.float32)
        return self._spread[length]
