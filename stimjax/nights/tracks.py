"""Signals of a whole night, small enough for a page: the lowest and highest value of each bin."""

from __future__ import annotations

import dataclasses

import numpy as np
from jaxtyping import Float, Float32

from stimjax.data.condition import Kind, kind_of, mask
from stimjax.data.recording import Recording

MOST_VALUES = 300_000  # of all tracks of a page together: 3 MB with their times
MOST_OF = (0.5, 99.5)  # percentiles; of an artifact that lies far beyond them nothing is lost
ROOM = 0.4  # of their distance, that a track shows beyond them


@dataclasses.dataclass(frozen=True)
class Track:
    """A signal over a whole night.

    Attributes:
        name: of the channel.
        unit: of its values, as the file has it.
        time: s from the start of the recording.
        value: NaN where it was not measured, or what was measured cannot be (`condition.mask`).
        low, high: what a page shows of it.
    """

    name: str
    unit: str
    time: Float32[np.ndarray, " n"]
    value: Float32[np.ndarray, " n"]
    low: float
    high: float


def tracks(recording: Recording, channels: tuple[str, ...]) -> list[Track]:
    """The named channels of a recording, in their own units."""
    most = MOST_VALUES // max(1, len(channels))
    found = []
    for name in channels:
        signal, kind = recording.signals[name], kind_of(name)
        missing, _ = mask(signal, kind)
        values = np.where(missing, np.nan, signal.values).astype(np.float32)
        time, value = thinned(values, signal.rate, most)
        found.append(Track(name, signal.unit, time, value, *_ends(value, kind)))
    return found


def _ends(value: np.ndarray, kind: Kind) -> tuple[float, float]:
    """What a track shows: of a channel with a meaning of its own (SpO2) all that was measured."""
    lowest, highest = float(np.nanmin(value)), float(np.nanmax(value))
    if kind.normalization == "recording":
        low, high = (float(end) for end in np.nanpercentile(value, MOST_OF))
        beyond = ROOM * (high - low)
        if beyond > 0:
            lowest, highest = max(lowest, low - beyond), min(highest, high + beyond)
    edge = 0.04 * (highest - lowest) or 1.0
    return lowest - edge, highest + edge


def thinned(
    values: Float[np.ndarray, " n"], rate: float, most: int
) -> tuple[Float32[np.ndarray, " m"], Float32[np.ndarray, " m"]]:
    """At most so many values that their curve covers the same pixels, with their times in s.

    Neighbors are put into bins, and of each bin its lowest and its highest value are kept, in the
    order in which they came. A bin without a value is a gap.
    """
    if len(values) <= most:
        return (np.arange(len(values)) / rate).astype(np.float32), values.astype(np.float32)
    size = -(-2 * len(values) // most)
    padded = np.pad(values, (0, -len(values) % size), constant_values=np.nan).reshape(-1, size)
    empty = np.isnan(padded).all(axis=1)
    low = np.where(np.isnan(padded), np.inf, padded).argmin(axis=1)
    high = np.where(np.isnan(padded), -np.inf, padded).argmax(axis=1)
    at = np.sort(np.stack([low, high], axis=1), axis=1)
    value = np.take_along_axis(padded, at, axis=1)
    value[empty] = np.nan
    time = (size * np.arange(len(padded))[:, None] + at) / rate
    return time.ravel().astype(np.float32), value.ravel().astype(np.float32)
