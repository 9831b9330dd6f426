"""EDF and EDF+ recordings.

Continuous files are read with pyedflib. What that refuses (EDF+D; a header with "µV" or without a
date) or would join (gaps in a file that calls itself EDF+C) is placed here on one time axis:
every data record where its time stamp says, NaN in between.

Time counts from the first sample: the onset of the first data record is subtracted everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyedflib
from pyedflib.edfreader import DO_NOT_CHECK_FILE_SIZE, DO_NOT_READ_ANNOTATIONS

from stimjax.data import montage, people
from stimjax.data.edf.annotations import onsets, remarks
from stimjax.data.edf.layout import EdfLayout, EdfSignal, layout, patient_code, start
from stimjax.data.people import NOTHING_TOLD, Person
from stimjax.data.recording import Header, Scoring, Signal, SignalHeader
from stimjax.data.secrets import Secret, content, of_day
from stimjax.errors import StimjaxError


def header(path: Path) -> Header:
    """What an EDF file holds, without reading its samples.

    Raises:
        StimjaxError: the file is missing, damaged, truncated or holds annotations only.
    """
    edf = _recording_layout(path)
    first, last = onsets(edf, only_ends=True)
    return Header(
        name=path.stem,
        subject=patient_code(edf),
        duration=float(last - first + edf.record_seconds),
        person=_person(edf),
        signals=_heads(edf),
        start=start(edf),
    )


def signals(path: Path, channels: Sequence[str] | None = None) -> dict[str, Signal]:
    """The signals of an EDF file, by canonical name.

    EEG, EOG and EMG are given in microvolts, SpO2 in percent, HR in beats a minute, the others in
    the file's unit.

    Args:
        path: of the file.
        channels: those to load, see `montage.pick`; None for all.

    Raises:
        StimjaxError: as for `header`; or a channel is not in the file.
    """
    edf = _recording_layout(path)
    chosen = montage.pick(_heads(edf), channels, str(path))
    needed = {index: edf.signals[index] for one in chosen.values() for index in one.indices}
    values = _values(edf, needed, onsets(edf))
    raw = {i: _raw(signal, values[i], edf.record_seconds) for i, signal in needed.items()}
    return {name: montage.signal(choice, raw) for name, choice in chosen.items()}


def scorings(path: Path) -> list[Scoring]:
    """What is scored in the file itself: its EDF+ annotations.

    Raises:
        StimjaxError: as for `header`.
    """
    edf = _recording_layout(path)
    (first,) = onsets(edf, only_ends=True)[:1]
    listed = remarks(edf, float(first))
    return [Scoring(path, "EDF+ annotations", listed)] if listed else []


def secrets(path: Path) -> Iterator[Secret]:
    """The fields of the header that tell of a person: patient, recording, and its dates.

    Nothing is checked: a damaged file has secrets as well.

    Raises:
        StimjaxError: the file cannot be read.
    """
    text = content(path, 256).decode("latin-1")
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


def _recording_layout(path: Path) -> EdfLayout:
    edf = layout(path)
    if not edf.signals:
        raise StimjaxError(f"{path}: holds annotations only; name the recording that it belongs to")
    return edf


def _heads(edf: EdfLayout) -> tuple[SignalHeader, ...]:
    return tuple(
        montage.header(signal.label, signal.unit, signal.samples / edf.record_seconds)
        for signal in edf.signals
    )


def _person(edf: EdfLayout) -> Person:
    if not edf.plus:  # fields without a form
        return NOTHING_TOLD
    return people.of_edf(edf.patient, edf.recording, edf.date)


def _values(
    edf: EdfLayout, chosen: dict[int, EdfSignal], start: np.ndarray
) -> dict[int, np.ndarray]:
    """The physical values of some signals, f64[time] by index; `start` of each data record in s."""
    gaps = bool((np.diff(start) > edf.record_seconds + edf.half_sample).any())
    if not (edf.discontinuous or gaps):
        try:
            with pyedflib.EdfReader(
                str(edf.path), DO_NOT_READ_ANNOTATIONS, DO_NOT_CHECK_FILE_SIZE
            ) as file:
                return {i: file.readSignal(signal.index) for i, signal in chosen.items()}
        except OSError:
            pass  # "µV" or a removed date offends pyedflib; `layout` has checked what matters here
    return {i: _placed(edf, signal, start) for i, signal in chosen.items()}


def _placed(edf: EdfLayout, signal: EdfSignal, start: np.ndarray) -> np.ndarray:
    """The physical values of one signal at their true times, NaN in the gaps, f64[time]."""
    rate = signal.samples / edf.record_seconds
    first = np.round((start - start[0]) * rate).astype(int)
    placed = np.full(first[-1] + signal.samples, np.nan)
    (low, high), (digital_low, digital_high) = signal.physical, signal.digital
    step = (high - low) / (digital_high - digital_low)
    digital = edf.data()[:, signal.first : signal.first + signal.samples]
    placed[first[:, None] + np.arange(signal.samples)] = (
        digital.astype(float) - digital_low
    ) * step + low
    return placed


def _raw(signal: EdfSignal, values: np.ndarray, seconds: float) -> Signal:
    """A signal as the file has it, in its unit."""
    low, high = sorted(signal.physical)
    rate = signal.samples / seconds
    return Signal(signal.label, signal.label, rate, signal.unit, values, low, high)
