"""The samples of an EDF file, in their unit and at their times."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from stimjax.data.edf.file import CHUNK
from stimjax.data.edf.header import EdfSignal
from stimjax.data.edf.layout import EdfLayout
from stimjax.data.edf.timeline import Run


def values(edf: EdfLayout, signals: Sequence[EdfSignal], runs: Sequence[Run]) -> list[np.ndarray]:
    """The physical values of some signals at their times, NaN in the gaps, f32[time] each.

    The file is read once, from its start to its end, and never mapped: of what is not wanted
    nothing stays in memory.

    Args:
        edf: the layout of the file.
        signals: of it.
        runs: its data records that follow each other without a gap.
    """
    placed = [_empty(signal, runs, edf.record_seconds) for signal in signals]
    for run in runs:
        views = [
            whole[_first(signal, run, edf.record_seconds) :][: run.records * signal.samples]
            for signal, whole in zip(signals, placed, strict=True)
        ]
        shaped = [view.reshape(run.records, -1) for view in views]
        for number, record, at, numbers in _parts(edf, signals, run):
            rows, columns = numbers.shape
            within = slice(record - run.first, record - run.first + rows)
            shaped[number][within, at : at + columns] = _physical(signals[number], numbers)
    return placed


def _first(signal: EdfSignal, run: Run, seconds: float) -> int:
    return round(run.onset * signal.samples / seconds)


def _empty(signal: EdfSignal, runs: Sequence[Run], seconds: float) -> np.ndarray:
    """Room for a signal, NaN between the runs."""
    placed = np.empty(_first(signal, runs[-1], seconds) + runs[-1].records * signal.samples, "f4")
    for run, following in itertools.pairwise(runs):
        end = _first(signal, run, seconds) + run.records * signal.samples
        placed[end : _first(signal, following, seconds)] = np.nan
    return placed


def _parts(
    edf: EdfLayout, signals: Sequence[EdfSignal], run: Run
) -> Iterator[tuple[int, int, int, np.ndarray]]:
    """What the file holds of signals: number of the signal, first record, first sample, numbers.

    The numbers are i16 or i32[record, sample], few enough to be copied.
    """
    last = run.first + run.records
    if edf.record_bytes <= CHUNK:
        for record, block in edf.blocks(run.first, last):
            for number, signal in enumerate(signals):
                begin, count = edf.width * signal.first, edf.width * signal.samples
                yield number, record, 0, _numbers(block[:, begin : begin + count], edf.width)
        return
    step = CHUNK // edf.width
    for record in range(run.first, last):
        for number, signal in enumerate(signals):
            for at in range(0, signal.samples, step):
                count = edf.width * min(step, signal.samples - at)
                held = edf.part(record, edf.width * (signal.first + at), count)
                bytes_ = np.frombuffer(held, np.uint8).reshape(1, count)
                yield number, record, at, _numbers(bytes_, edf.width)


def _numbers(content: np.ndarray, width: int) -> np.ndarray:
    """The samples in u8[record, byte]: i16[record, sample], or i32 where they have 24 bits."""
    if width == 2:
        return content.view("<i2")
    low, middle, high = (content[:, byte::3] for byte in range(3))
    return low + middle.astype(np.int32) * 2**8 + high.view(np.int8).astype(np.int32) * 2**16


def _physical(signal: EdfSignal, numbers: np.ndarray) -> np.ndarray:
    (low, high), (digital_low, digital_high) = signal.physical, signal.digital
    scaled = numbers.astype(np.float64)
    scaled -= digital_low
    scaled *= (high - low) / (digital_high - digital_low)
    scaled += low
    return scaled
