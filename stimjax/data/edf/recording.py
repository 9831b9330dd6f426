"""EDF, EDF+, BDF and BDF+ recordings.

Time counts from the first sample: the onset of the first data record is subtracted everywhere.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import functools
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from stimjax.data import montage, people
from stimjax.data.edf import annotations, header, samples
from stimjax.data.edf.header import EdfHeader, EdfSignal
from stimjax.data.edf.layout import EdfLayout, first_bytes, layout, patient_code, peek, start
from stimjax.data.edf.timeline import Timeline, timeline
from stimjax.data.people import NOTHING_TOLD, Person
from stimjax.data.recording import Header, Opened, Scoring, Signal, SignalHeader, Start, stem
from stimjax.data.secrets import Secret, of_day
from stimjax.errors import StimjaxError

_YEAR = 366 * 86400.0  # s
_SLOWEST = 1 / 60  # samples a second; a file that has fewer of every signal is no night
_CHECKSUMS = ("crc16",)  # CPAP devices write one for each data record, as a signal


@contextlib.contextmanager
def open_(path: Path) -> Iterator[Opened]:
    """An EDF file, open; what it holds is known then, and samples and scoring can be read.

    EEG, EOG and EMG are given in microvolts, SpO2 in percent, HR in beats a minute, the others in
    the file's unit.

    Raises:
        StimjaxError: the file is missing, damaged, truncated or no night; later: a wanted channel
            is not in it or has no range.
    """
    with layout(path) as edf:
        if reason := no_night(edf):
            raise StimjaxError(f"{path}: {reason}")
        times = timeline(edf)
        yield Opened(
            _header(edf, times),
            functools.partial(_signals, edf, times),
            functools.partial(_scorings, edf, times),
        )


def is_edf(path: Path) -> bool:
    """Whether a file begins as EDF and BDF do; True if it cannot be read, so that it is named."""
    try:
        return header.is_edf(first_bytes(path, header.BLOCK))
    except StimjaxError:
        return True


def left_out(path: Path) -> str:
    """Why a file is no recording of a night, "" if it is one, or damaged (then reading says so)."""
    try:
        return no_night(peek(path))
    except StimjaxError:
        return ""


def no_night(edf: EdfHeader) -> str:
    """Why a file is no recording of a night, "" if it may be one."""
    ordinary = [s for s in edf.signals if s.label.casefold() not in _CHECKSUMS and s.samples]
    if not ordinary or (edf.record_seconds == 0 and edf.annotations):
        return "holds annotations only; name the recording that it belongs to"
    if edf.record_seconds == 0:
        return "is a damaged EDF file (its data records last 0 s); export it again"
    fastest = max(signal.samples for signal in ordinary)
    if fastest < _SLOWEST * edf.record_seconds:
        return (
            f"is a summary ({fastest} values in {edf.record_seconds:g} s), not a night; "
            "leave it out"
        )
    return ""


def _header(edf: EdfLayout, times: Timeline) -> Header:
    return Header(
        name=stem(edf.path),
        subject=patient_code(edf),
        duration=times.duration,
        person=_person(edf),
        signals=_heads(edf),
        start=_start(edf, times.first),
        notes=(*edf.notes, *times.notes),
        cuts=times.cuts,
    )


def _start(edf: EdfLayout, first: float) -> Start:
    """When the first sample was taken, to the second: the header tells when the clock began."""
    began = start(edf)
    if began.clock is None or abs(first) > _YEAR:  # a damaged time stamp
        return began
    days, clock = divmod(began.clock + math.floor(first), 86400.0)
    return Start(began.day and began.day + datetime.timedelta(days), clock)


def _signals(
    edf: EdfLayout, times: Timeline, channels: Sequence[str] | None = None
) -> dict[str, Signal]:
    chosen = montage.pick(_heads(edf), channels, str(edf.path))
    needed = sorted({index for choice in chosen.values() for index in choice.indices})
    values = samples.values(edf, [edf.signals[index] for index in needed], times.runs)
    raw = {
        index: _raw(edf.signals[index], part, edf.record_seconds)
        for index, part in zip(needed, values, strict=True)
    }
    return {name: montage.signal(choice, raw) for name, choice in chosen.items()}


def _scorings(edf: EdfLayout, times: Timeline) -> list[Scoring]:
    """What is scored in the file itself: its EDF+ annotations."""
    if not edf.annotations:
        return []
    held = annotations.read(edf)
    # All time stamps were read now: what the first and the last did not show is found here.
    odd = [note for note in timeline(edf, held.stamps).notes if note not in times.notes]
    remarks = tuple(
        dataclasses.replace(remark, onset=remark.onset - times.first) for remark in held.remarks
    )
    if not (remarks or held.notes or odd):
        return []
    return [Scoring(edf.path, "EDF+ annotations", remarks, notes=(*held.notes, *odd))]


def secrets(path: Path) -> Iterator[Secret]:
    """The fields of the header that tell of a person: patient, recording, and its dates.

    Nothing is checked: a damaged file has secrets as well.

    Raises:
        StimjaxError: the file cannot be read.
    """
    held = first_bytes(path, header.BLOCK)
    yield Secret("first bytes of a recording", held)
    text = held.decode("latin-1")
    patient, recording, start = text[8:88].strip(), text[88:168].strip(), text[168:176].strip()
    yield Secret("patient field", patient)
    yield Secret("recording field", recording)
    yield from of_day("start date", people.day(start))
    code, sex, born, name, *_ = (*patient.split(), "", "", "", "")
    if sex in ("M", "F", "X"):  # as EDF+ divides the field
        yield from of_day("birthdate", people.day(born))
        yield Secret("patient code", code)
        for part in (name, name.replace("_", " "), *name.split("_")):
            yield Secret("patient name", part)
    plus, began, *rest = (*recording.split(), "", "")
    if plus == "Startdate":
        yield from of_day("start date", people.day(began))
        for part in rest:
            yield Secret("recording field", part)


def _heads(edf: EdfHeader) -> tuple[SignalHeader, ...]:
    return tuple(
        montage.header(one.label, one.unit, one.samples / edf.record_seconds, one.fault)
        for one in edf.signals
    )


def _person(edf: EdfLayout) -> Person:
    if not edf.plus:  # fields without a form
        return NOTHING_TOLD
    return people.of_edf(edf.patient, edf.recording, edf.date)


def _raw(signal: EdfSignal, values: np.ndarray, seconds: float) -> Signal:
    """A signal as the file has it, in its unit."""
    low, high = sorted(signal.physical)
    rate = signal.samples / seconds
    return Signal(signal.label, signal.label, rate, signal.unit, values, low, high)
