"""The header of an EDF, EDF+, BDF or BDF+ file, as it is written.

Formats: Kemp et al. 1992 (EDF), Kemp and Olivan 2003 (EDF+), edfplus.info; biosemi.com (BDF: the
same with samples of 24 bits).
"""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from stimjax.data.edf import fields
from stimjax.errors import StimjaxError

# Bytes of the fields of the header: eight of the file, then ten of every signal.
_FILE_FIELDS = (8, 80, 80, 8, 8, 8, 44, 8, 8, 4)
_SIGNAL_FIELDS = (16, 80, 8, 8, 8, 8, 8, 80, 8, 32)
BLOCK = 256  # bytes of the file's fields, and of each signal's
_BDF = b"\xffBIOSEMI"
_ANNOTATIONS = re.compile(r"(edf|bdf)?annotations?|(edf|bdf)annots?")  # a label's letters
_LARGEST = 1e30  # in any unit; more does not fit into a float of 32 bits
_FASTEST = 1e6  # samples a second; a header that promises more is damaged


@dataclasses.dataclass(frozen=True)
class EdfSignal:
    """One ordinary signal of an EDF file, as its header describes it.

    Attributes:
        label, unit: as written.
        physical, digital: minimum and maximum; what the digital ones stand for.
        samples: in each data record.
        first: index of its first sample in a data record.
        fault: why its values cannot be known, "" where they can.
    """

    label: str
    unit: str
    physical: tuple[float, float]
    digital: tuple[float, float]
    samples: int
    first: int
    fault: str = ""


@dataclasses.dataclass(frozen=True)
class EdfHeader:
    """What the header of an EDF file says.

    Attributes:
        path: of the file.
        width: bytes of a sample: 2, or 3 for BDF.
        patient, recording: the local patient and recording identification.
        date: on which it starts, "dd.mm.yy".
        clock: time of day at which it starts, "hh.mm.ss".
        plus: whether it calls itself EDF+ or BDF+.
        discontinuous: whether it says that its data records do not follow each other (EDF+D).
        header_bytes: where the data records begin, by what it says; None if that is no number.
        records: how many data records it counts; None if that is no number.
        record_seconds: how long each is; 0 where there are only annotations.
        record_samples: numbers in each.
        signals: the ordinary signals.
        annotations: index of the first sample and number of samples of the annotation signals.
        notes: what is odd about it and how it was read all the same, each a line.
    """

    path: Path
    width: int
    patient: str
    recording: str
    date: str
    clock: str
    plus: bool
    discontinuous: bool
    header_bytes: int | None
    records: int | None
    record_seconds: float
    record_samples: int
    signals: tuple[EdfSignal, ...]
    annotations: tuple[tuple[int, int], ...]
    notes: tuple[str, ...]

    @property
    def record_bytes(self) -> int:
        """The size of a data record."""
        return self.width * self.record_samples

    @property
    def half_sample(self) -> float:
        """Half the time between two samples of the fastest signal, in s: what may be rounded."""
        fastest = max((signal.samples for signal in self.signals), default=1)
        return 0.5 * self.record_seconds / fastest


def size(start: bytes) -> int | None:
    """The bytes of a header with those first `BLOCK` bytes; None if they do not tell."""
    count = fields.whole(fields.text(start[252:256]))
    return BLOCK * (1 + count) if count is not None and 0 <= count < 10_000 else None


def is_edf(start: bytes) -> bool:
    """Whether a file that starts so is meant to be EDF or BDF."""
    return start[:8] == _BDF or fields.text(start[:8]) == "0"


def parse(path: Path, head: bytes) -> EdfHeader:
    """Read a header.

    Args:
        path: of its file, for messages.
        head: all bytes of the header.

    Raises:
        StimjaxError: it is no EDF header, cut off, or does not say where samples lie.
    """
    if not is_edf(head):
        raise StimjaxError(f"{path}: is no EDF file (it does not start with version 0)")
    if len(head) < BLOCK:
        raise StimjaxError(f"{path}: is truncated within its header; copy it again")
    file = [fields.text(part) for part in _split(head[:BLOCK], _FILE_FIELDS)]
    seconds, count = fields.real(file[8]), size(head)
    if seconds is None or seconds < 0:
        raise _damaged(path, "duration of a data record", file[8])
    if count is None:
        raise _damaged(path, "number of signals", file[9])
    if count == BLOCK:
        raise StimjaxError(f"{path}: holds no signal; leave it out")
    if len(head) < count:
        raise StimjaxError(f"{path}: is truncated within its header; copy it again")
    width = 3 if head[:8] == _BDF else 2
    rows = _rows(head[BLOCK:count], count // BLOCK - 1)
    signals, annotations, samples = _signals(path, rows, width)
    fastest = max((signal.samples for signal in signals), default=0)
    if fastest > _FASTEST * seconds > 0:
        raise _damaged(path, "duration of a data record", file[8])
    kind = file[6].upper()
    return EdfHeader(
        path=path,
        width=width,
        patient=file[1],
        recording=file[2],
        date=file[3],
        clock=file[4],
        plus=kind.startswith(("EDF+", "BDF+")),
        discontinuous=kind.startswith(("EDF+D", "BDF+D")),
        header_bytes=fields.whole(file[5]),
        records=fields.whole(file[7]),
        record_seconds=seconds,
        record_samples=samples,
        signals=signals,
        annotations=annotations,
        notes=_notes(head, rows, signals),
    )


def _notes(head: bytes, rows: list[list[str]], signals: tuple[EdfSignal, ...]) -> tuple[str, ...]:
    notes = []
    if b"\0" in head:
        notes.append("its header has zero bytes where blanks belong; they are read as blanks")
    apart = [n for row in rows for n in row[5:7] if fields.has_thousands(n)]
    if apart:
        notes.append(f"its header has numbers with thousands apart (such as {apart[0]!r})")
    commas = [n for row in rows for n in row[3:7] if "," in n and n not in apart]
    commas += [n for n in [fields.text(head[244:252])] if "," in n]
    if commas:
        notes.append(f"its header has numbers with commas, read as points (such as {commas[0]!r})")
    for row in rows:
        if _is_annotations(row[0]) and row[0] not in ("EDF Annotations", "BDF Annotations"):
            notes.append(f"its signal {row[0]!r} is read as EDF+ annotations")
    for signal in signals:
        if signal.fault:
            notes.append(f"the signal {signal.label!r} cannot be used: {signal.fault}")
        elif signal.digital[0] > signal.digital[1]:
            notes.append(
                f"the signal {signal.label!r} has its digital limits reversed; it is read by "
                "EDF's formula, which turns it upside down"
            )
    return tuple(notes)


def _signals(
    path: Path, rows: list[list[str]], width: int
) -> tuple[tuple[EdfSignal, ...], tuple[tuple[int, int], ...], int]:
    """The ordinary signals, the annotation signals, and the samples in a data record."""
    signals: list[EdfSignal] = []
    annotations: list[tuple[int, int]] = []
    first = 0
    for label, _, unit, *limits, _, written, _ in rows:
        samples = fields.whole(written)
        if samples is None or samples < 0:
            raise _damaged(path, f"number of samples of {label!r}", written)
        if _is_annotations(label):
            annotations.append((first, samples))
        else:
            numbers = [*map(fields.real, limits[:2]), *map(_stored, limits[2:])]
            fault = _fault(numbers, limits, width) if samples else "it has no samples"
            low, high, digital_low, digital_high = (number or 0.0 for number in numbers)
            limited = (low, high), (digital_low, digital_high)
            signals.append(EdfSignal(label, unit, *limited, samples, first, fault))
        first += samples
    if first == 0:
        raise StimjaxError(f"{path}: none of its signals has samples; leave it out")
    return tuple(signals), tuple(annotations), first


def _fault(numbers: list[float | None], limits: list[str], width: int) -> str:
    """Why nobody can know what the numbers of a signal mean, "" if that can be known."""
    values = [number for number in numbers if number is not None]
    if len(values) < len(numbers):
        return f"{limits[numbers.index(None)]!r} is no limit of its range"
    low, high, digital_low, digital_high = values
    shown = f"{limits[0]} to {limits[1]}, digital {limits[2]} to {limits[3]}"
    if low == high or digital_low == digital_high:
        return f"its range is empty ({shown})"
    half = 2 ** (8 * width - 1)
    if max(map(abs, (digital_low, digital_high))) > half:
        return f"its digital range does not fit into {8 * width} bits ({shown})"
    step = (high / half - low / half) / (digital_high / half - digital_low / half)
    if max(map(abs, (low, high, half * step))) > _LARGEST:
        return f"its range is beyond any measure ({shown})"
    return ""


def _stored(limit: str) -> float | None:
    """A digital limit: a whole number, so that one with thousands apart can be known."""
    count = fields.whole(limit)
    return fields.real(limit) if count is None else float(count)


def _is_annotations(label: str) -> bool:
    return bool(_ANNOTATIONS.fullmatch(re.sub(r"[^a-z]", "", label.lower())))


def _rows(head: bytes, count: int) -> list[list[str]]:
    """The fields of each signal."""
    columns = _split(head, tuple(width * count for width in _SIGNAL_FIELDS))
    halves = [_split(column, (len(column) // count,) * count) for column in columns]
    return [[fields.text(field) for field in row] for row in zip(*halves, strict=True)]


def _split(data: bytes, widths: tuple[int, ...]) -> list[bytes]:
    parts, end = [], 0
    for width in widths:
        parts.append(data[end : end + width])
        end += width
    return parts


def _damaged(path: Path, what: str, written: str) -> StimjaxError:
    shown = written.encode("unicode_escape").decode()
    return StimjaxError(f"{path}: is a damaged EDF file (its {what} is {shown!r}); export it again")
