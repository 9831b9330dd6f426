"""When the data records of an EDF file were recorded, by the time stamps of EDF+.

The time stamps count even where a file calls itself continuous: recorders that paused have written
such files. But there a time stamp that is off by less than a data record is no gap.

Time counts from the first sample. Where nobody measured for more than ten minutes, whole minutes
are cut out (`recording.on_axis`), so that no memory is taken for them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from stimjax.data.edf import annotations
from stimjax.data.edf.layout import EdfLayout
from stimjax.errors import StimjaxError

_LONGEST_GAP = 600.0  # s that are kept of a gap, and up to a minute more
_MINUTE = 60.0  # s; whole minutes are cut, so that minutes and epochs stay where they are
_LONGEST = 366 * 86400.0  # s; more between two data records is a damaged time stamp
_LONGEST_AXIS = 2 * 86400.0  # s of gaps that are left after the cuts: they take memory
_DRIFT = 5.0  # s by which a clock of time stamps may fall behind that of the samples
_ROUNDING = 0.005  # s; time stamps are often written with two decimals


class Run(NamedTuple):
    """Data records that follow each other without a gap.

    Attributes:
        first: the number of the first one.
        records: how many there are.
        onset: when they begin on the recording's time axis, in s.
    """

    first: int
    records: int
    onset: float


@dataclasses.dataclass(frozen=True)
class Timeline:
    """When an EDF file was recorded.

    Attributes:
        first: s from the header's start time to the first sample.
        runs: at least one.
        duration: s, of the time axis.
        cuts: as in `recording.Header`.
        notes: what was odd, each a line.
    """

    first: float
    runs: tuple[Run, ...]
    duration: float
    cuts: tuple[tuple[float, float], ...] = ()
    notes: tuple[str, ...] = ()


def timeline(edf: EdfLayout, stamps: Sequence[float] | None = None) -> Timeline:
    """When the data records of a file were recorded.

    Args:
        edf: the layout of the file.
        stamps: the time stamps of all data records, NaN for none, if they were read before.
            Otherwise only those of the first and the last are read, and all if these say that
            there is a gap.

    Raises:
        StimjaxError: time stamps contradict each other, or lack in an EDF+D file.
    """
    if not edf.annotations:
        return _steady(edf, 0.0, [_NO_STAMPS] if edf.discontinuous else [])
    if stamps is None:
        first, last = annotations.stamps(edf, (0, edf.held - 1))
        if abs(last - first - (edf.held - 1) * edf.record_seconds) <= edf.half_sample:
            return _steady(edf, first)
        stamps = annotations.stamps(edf)
    times = np.array(stamps)
    late = times - np.arange(edf.held) * edf.record_seconds
    if edf.discontinuous:
        return _discontinuous(edf, late)
    return _continuous(edf, times, late)


_NO_STAMPS = (
    "it calls itself discontinuous and has no time stamps; its data records are read as following "
    "each other, so that a scoring beside it may be late after a pause"
)


def _steady(edf: EdfLayout, first: float, notes: Sequence[str] = ()) -> Timeline:
    duration = edf.held * edf.record_seconds
    return Timeline(first, (Run(0, edf.held, 0.0),), duration, notes=tuple(notes))


def _continuous(edf: EdfLayout, times: np.ndarray, late: np.ndarray) -> Timeline:
    """The records of a file that does not call itself discontinuous; `late` by how many s."""
    stamped = ~np.isnan(times)
    if not stamped.any():
        return _steady(edf, 0.0, ["its data records have no time stamps"])
    first = float(times[stamped][0])
    if stamped.sum() > 1 and np.ptp(times[stamped]) == 0:
        return _steady(edf, 0.0, [f"all its time stamps are {first:g} s; they are ignored"])
    spread = float(np.ptp(late[stamped]))
    steps = np.diff(late[stamped])
    behind = steps.min(initial=0) < 0 and steps.max(initial=0) < edf.record_seconds
    exact = abs(late[-1] - late[0]) <= edf.half_sample
    if spread < edf.record_seconds or exact or (behind and spread < _DRIFT):
        off = int((~stamped | (np.abs(late - late[stamped][0]) > _tolerance(edf))).sum())
        odd = f"{off} of its time stamps lack or are off by up to {spread:.3g} s; they are ignored"
        return _steady(edf, float(late[stamped][0]), [odd] if off else [])
    if not stamped.all():
        raise _no_stamp(edf, late)
    return _placed(edf, late, edf.record_seconds)


def _discontinuous(edf: EdfLayout, late: np.ndarray) -> Timeline:
    if np.isnan(late).any():
        raise _no_stamp(edf, late)
    tolerance = _tolerance(edf)
    if (np.diff(late) < -tolerance).any():  # two overlap: these time stamps are less exact
        tolerance = max(tolerance, edf.record_seconds)
    return _placed(edf, late, tolerance)


def _tolerance(edf: EdfLayout) -> float:
    """By how many s an exact time stamp may be off."""
    return max(edf.half_sample, min(_ROUNDING, edf.record_seconds / 2))


def _placed(edf: EdfLayout, late: np.ndarray, tolerance: float) -> Timeline:
    """Records where their time stamps say; what is off by less than `tolerance` is no gap."""
    first, level, gone = float(late[0]), float(late[0]), 0.0  # gone: s that were cut out so far
    begins, cuts = [(0, 0.0)], []
    for record, value in enumerate(late.tolist()):
        gap = value - level
        if gap <= -tolerance or gap > _LONGEST:
            raise StimjaxError(
                f"{edf.path}: the time stamps of its data records are damaged (that of data "
                f"record {record}); export it again"
            )
        if gap >= tolerance:
            if gap > _LONGEST_GAP and (cut := (gap - _LONGEST_GAP) // _MINUTE * _MINUTE):
                cuts.append((record * edf.record_seconds + level - first, cut))
                gone += cut
            level = value
            begins.append((record, record * edf.record_seconds + value - first - gone))
    gaps = level - first
    if gaps - gone > _LONGEST_AXIS:
        raise StimjaxError(
            f"{edf.path}: its {len(begins) - 1} gaps last {gaps / 3600:.0f} h; cut it into nights"
        )
    ends = [record for record, _ in begins[1:]] + [edf.held]
    runs = [Run(n, end - n, onset) for (n, onset), end in zip(begins, ends, strict=True)]
    notes = [_gaps(edf, len(begins) - 1, gaps, gone)] if gone or not edf.discontinuous else []
    duration = runs[-1].onset + runs[-1].records * edf.record_seconds
    return Timeline(first, tuple(runs), duration, tuple(cuts), tuple(notes))


def _gaps(edf: EdfLayout, count: int, seconds: float, gone: float) -> str:
    where = f"nothing was recorded for {seconds:g} s in {count} gaps"
    claims = "" if edf.discontinuous else ", though it calls itself continuous"
    return where + claims + (f"; {gone:g} s of them are cut out" if gone else "")


def _no_stamp(edf: EdfLayout, late: np.ndarray) -> StimjaxError:
    record = int(np.isnan(late).argmax())
    return StimjaxError(f"{edf.path}: data record {record} has no time stamp; export it again")
