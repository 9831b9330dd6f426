"""WFDB records in the layout of PhysioNet's Apnea-ECG database.

A record is `NAME.hea` with its samples in the `.dat` that the header names. In Apnea-ECG, `a01r`
holds the respiration of subject a01, `a01er` ECG and respiration, `a01` the ECG; the labels lie
in `.apn`, one symbol a minute, of which each speaks of the minute that follows it.
Penzel et al., "The Apnea-ECG database", Computers in Cardiology 27, 2000.

Only local files are read; the wfdb package is never given a PhysioNet directory.
"""

from __future__ import annotations

import contextlib
import functools
import re
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from stimjax.data import montage, people, times, units
from stimjax.data.channels import known
from stimjax.data.recording import Header, Opened, Remark, Scoring, Signal, SignalHeader, Start
from stimjax.data.scoring import notes
from stimjax.data.secrets import Secret, content, of_day
from stimjax.errors import StimjaxError

_NAME = re.compile(r"(.*\d)e?r")  # a subject's record with respiration
_APNEA_ECG = {8: "Apnea minute", 1: "Normal"}  # by the codes of the symbols A and N
_NOTED = ("st", "arousal", "resp", "ecg")  # annotators whose notes may score
_SHARED = ("resp", "ecg")  # of them those that other files have, too
_TEXT = bytes([9, 10, 13, *range(32, 256)])
_MINUTE = 60.0  # s, of which each label speaks
_STORED = {"8": 8, "80": 8, "16": 16, "61": 16, "160": 16, "212": 12, "24": 24, "32": 32}
_BITS = {"80": 8, "310": 10, "311": 10, "212": 12, "24": 24, "32": 32}  # else 16
_LARGEST = 2**31  # of the numbers that describe a converter


def subject(record: str) -> str:
    """Whose record it is: its name without the final `r` or `er` ("a01er" is a01's)."""
    match = _NAME.fullmatch(record)
    return match[1] if match else record


@contextlib.contextmanager
def open_(path: Path) -> Iterator[Opened]:
    """A record, its header read; the other files are opened when they are read.

    EEG, EOG and EMG are given in microvolts, SpO2 in percent, HR in beats a minute, the others in
    the header's unit; invalid samples are NaN. A voltage's range is that of its converter.

    Raises:
        StimjaxError: the header is missing or damaged, or the record has several segments; later:
            the samples or an annotator are missing, truncated or damaged, or a channel is not in
            the record.
    """
    head = _head(path)
    yield Opened(
        _header(path, head),
        functools.partial(_signals, path, head),
        functools.partial(_scorings, path, float(head.fs)),
    )


def _header(path: Path, head: Any) -> Header:
    return Header(
        name=path.stem,
        subject=subject(path.stem),
        duration=head.sig_len / head.fs,
        person=people.of_comments(head.comments or ()),
        signals=_heads(head),
        start=_start(head),
        notes=head.odd,
    )


def _signals(path: Path, head: Any, channels: Sequence[str] | None = None) -> dict[str, Signal]:
    chosen = montage.pick(_heads(head), channels, str(path))
    needed = list(dict.fromkeys(i for choice in chosen.values() for i in choice.indices))
    for file in sorted(set(head.file_name)):
        if not (path.parent / file).is_file():
            raise StimjaxError(f"{path.parent / file}: no such file; copy it beside {path.name}")
    files = f"its samples ({', '.join(sorted(set(head.file_name)))}) are truncated"
    # wfdb takes the memory that a header asks for before it looks whether the file has as much.
    if 0 < (held := _length(path, head)) < head.sig_len and not any(head.skew):
        raise StimjaxError(
            f"{path}: {files}: they hold {held}, not {head.sig_len}; copy it again from its source"
        )
    record = _call(
        "rdrecord",
        path,
        f"{files} or damaged",
        channels=needed,
        smooth_frames=False,  # every channel at its own rate
    )
    if record.sig_len != head.sig_len:
        raise StimjaxError(
            f"{path}: its files hold {record.sig_len} samples, not {head.sig_len}; complete the "
            "first line of the header"
        )
    record.units = [head.units[index] for index in needed]
    raw = {index: _raw(record, number) for number, index in enumerate(needed)}
    return {name: montage.signal(choice, raw) for name, choice in chosen.items()}


def _scorings(path: Path, rate: float) -> list[Scoring]:
    """The annotators of a record that may score it, best first; none where there are none.

    `.apn` of the record's own name, else of the same subject; then, of its own name, `_NOTED`.
    `rate` of the record in samples a second.
    """
    whose = subject(path.stem)
    candidates = (path.stem, whose, f"{whose}er", f"{whose}r")
    minutes = [path.with_name(f"{name}.apn") for name in candidates]
    labels = next((file for file in minutes if file.is_file()), None)
    noted = [path.with_name(f"{path.stem}.{ending}") for ending in _NOTED]
    read = [_noted(file, rate) for file in noted if file.is_file()]
    told = [one for one in read if one.remarks or one.notes]
    return [*([_minutes(labels, rate)] if labels else []), *told]


def _annotations(path: Path, held: bytes, rate: float) -> list[notes.Annotation]:
    """What the bytes of an annotation file hold; `rate` of the record in samples a second."""
    if held[-2:] != b"\0\0":  # the end mark
        raise StimjaxError(f"{path}: is truncated; copy it again from its source")
    try:
        return notes.read(held, rate)
    except ValueError as error:
        raise StimjaxError(
            f"{path}: is no valid annotation file ({error}); copy it again from its source"
        ) from error


def _minutes(labels: Path, rate: float) -> Scoring:
    """Apnea-ECG's labels; `rate` of the record in samples a second."""
    listed = _annotations(labels, content(labels), rate)
    minutes = [
        Remark(one.onset, _MINUTE, _APNEA_ECG[one.code]) for one in listed if one.code in _APNEA_ECG
    ]
    if not minutes:
        raise StimjaxError(f"{labels}: holds no label A or N; copy it again from its source")
    onsets = [remark.onset for remark in minutes]
    step = float(np.median(np.diff(onsets))) if len(onsets) > 1 else _MINUTE
    if abs(step - _MINUTE) > 1:
        raise StimjaxError(
            f"{labels}: its labels are {step:g} s apart, not 60; its sample numbers are at "
            f"another rate than the {rate:g} Hz of the header, and it does not say so"
        )
    others = len(listed) - len(minutes)
    said = (f"{others} annotations are no label A or N; they do not count",) if others else ()
    return Scoring(labels, "Apnea-ECG labels", tuple(minutes), notes=said)


def _noted(path: Path, rate: float) -> Scoring:
    """The notes of an annotator; `rate` of the record in samples a second.

    Other programs give tables and exports some of these endings: a text is no annotator.
    """
    held = content(path)
    if path.suffix[1:] in _SHARED and not held.translate(None, _TEXT):
        odd = "is empty or a text, no WFDB annotator; it is not read"
        return Scoring(path, "not read", (), notes=(odd,))
    marks = [(one.onset, one.note) for one in _annotations(path, held, rate) if one.note]
    form = notes.epochs if path.suffix.lower() == ".st" else notes.brackets
    remarks, said = form(marks)
    return Scoring(path, f"WFDB annotator {path.suffix[1:]}", tuple(remarks), notes=said)


def secrets(path: Path) -> Iterator[Secret]:
    """The names of a record and of its files, its date, and the comments of its header.

    Nothing is checked: a damaged header has secrets as well.

    Raises:
        StimjaxError: the header cannot be read.
    """
    yield Secret("subject code", subject(path.stem))
    first, *lines = content(path).decode("utf-8", "replace").splitlines() or [""]
    for word in first.split():
        yield from of_day("start date", people.day(word))
    for line in lines:
        if line.startswith("#"):
            yield Secret("comment of a header", line.lstrip("# ").strip())
        elif line.strip():
            yield Secret("file name", line.split()[0])


def _head(path: Path) -> Any:
    if not path.is_file():
        raise StimjaxError(f"{path}: no such file; check the name")
    head = _call("rdheader", path, "is no valid WFDB header")
    if getattr(head, "seg_name", None):
        raise StimjaxError(
            f"{path}: holds no signal of its own, but joins {len(head.seg_name)} segments, which "
            "are read as records; leave it out"
        )
    if head.file_name and all(file in ("~", None) for file in head.file_name):
        raise StimjaxError(f"{path}: is the layout of several segments; leave it out")
    if not head.n_sig or not getattr(head, "sig_name", None):
        raise StimjaxError(f"{path}: holds no signal; leave it out")
    if len(head.sig_name) != head.n_sig or None in head.sig_name + head.file_name:
        raise StimjaxError(f"{path}: describes fewer than its {head.n_sig} signals; copy it again")
    for word in ("adc_res", "adc_zero", "baseline"):
        if any(abs(number or 0) > _LARGEST for number in getattr(head, word) or ()):
            raise StimjaxError(f"{path}: its {word} is no 32-bit number; copy it again")
    head.odd = ()
    rows = _rows(path)
    if head.sig_len is None and len(rows[0]) > 2:  # without a rate wfdb takes 250 Hz
        head.sig_len = _length(path, head)
        head.odd = (f"its header does not say its length; its files hold {head.sig_len} samples",)
    if not head.sig_len or not head.fs:
        raise StimjaxError(f"{path}: does not say its rate and length; complete its first line")
    head.units = _units(path, head)
    return head


def _length(path: Path, head: Any) -> int:
    """The samples (frames) of a record by the size of its first file, 0 where that cannot tell."""
    file = path.parent / head.file_name[0]
    own = [i for i, name in enumerate(head.file_name) if name == head.file_name[0]]
    bits = _STORED.get(head.fmt[own[0]])
    if bits is None or not file.is_file():
        return 0
    frame = sum(head.samps_per_frame[i] for i in own)
    size = file.stat().st_size - (head.byte_offset[own[0]] or 0)
    return max(0, int(8 * size / bits)) // frame


def _rows(path: Path) -> list[list[str]]:
    """The words of each line of a header that is no comment; at least one line."""
    lines = path.read_text("utf-8", "replace").splitlines()
    return [line.split() for line in lines if line.strip() and not line.startswith("#")] or [[]]


def _units(path: Path, head: Any) -> list[str]:
    """The units of the signals: the wfdb package says mV where a header says nothing.

    That is so for electrodes; what can be no voltage (SpO2) has no unit then.
    """
    stated = [len(row) > 2 and "/" in row[2] for row in _rows(path)[1:]][: head.n_sig]
    stated += [True] * (head.n_sig - len(stated))
    return [
        (unit or "") if said or units.fits(known(label) or label, unit or "") else ""
        for label, unit, said in zip(head.sig_name, head.units, stated, strict=True)
    ]


def _heads(head: Any) -> tuple[SignalHeader, ...]:
    return tuple(
        montage.header(label, unit, float(head.fs * frame))
        for label, unit, frame in zip(head.sig_name, head.units, head.samps_per_frame, strict=True)
    )


def _start(head: Any) -> Start:
    """When a record begins: its header may give a time, and with it a date."""
    time, day = getattr(head, "base_time", None), getattr(head, "base_date", None)
    if time is None:
        return Start(times.real(day))
    seconds = 3600.0 * time.hour + 60.0 * time.minute + time.second + 1e-6 * time.microsecond
    day = times.real(day)
    return Start(day, None if seconds == 0 and day is None else seconds)


def _raw(record: Any, number: int) -> Signal:
    """A signal as the record has it, in its unit."""
    low, high = _range(record, number)
    return Signal(
        name=record.sig_name[number],
        label=record.sig_name[number],
        rate=float(record.fs * record.samps_per_frame[number]),
        unit=record.units[number],
        values=record.e_p_signal[number],
        low=low,
        high=high,
    )


def _range(record: Any, number: int) -> tuple[float, float]:
    """Where the converter clips, in the header's unit; infinite where it is no amplifier's."""
    if not units.is_voltage(record.units[number]):
        return -np.inf, np.inf
    stored = _BITS.get(record.fmt[number], 16)
    # More bits than are stored cannot be seen, nor fewer than one.
    half = 2 ** (min(max(record.adc_res[number] or stored, 1), stored) - 1)
    zero = (record.adc_zero[number] or 0) - record.baseline[number]
    invalid = int(half == 2 ** (stored - 1))  # the lowest number of a format marks no sample
    gain = record.adc_gain[number]
    return (zero - half + invalid) / gain, (zero + half - 1) / gain


def _call(function: str, path: Path, otherwise: str, **options: Any) -> Any:
    """Call a function of the wfdb package on `path` without its ending."""
    with warnings.catch_warnings():
        # wfdb 4.3 calls what pandas 3 deprecates, at import, too; here, as that takes half a second
        warnings.simplefilter("ignore")
        import wfdb

        try:
            return getattr(wfdb, function)(str(path.with_suffix("")), **options)
        except Exception as error:  # wfdb has no error type: bad bytes raise what they happen to
            reason = " ".join(str(error).split())
            raise StimjaxError(
                f"{path}: {otherwise} ({reason}); copy it again from its source"
            ) from error
