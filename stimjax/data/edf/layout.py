"""The bytes of an EDF or EDF+ file: its header, checked.

Format: Kemp et al. 1992 (EDF) and Kemp and Olivan 2003 (EDF+), edfplus.info. The samples of
continuous files are read with pyedflib. What is here is what that cannot do: say clearly what is
wrong with a bad file, read a header without touching samples, and read the files that it refuses.
"""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import numpy as np

from stimjax.data import people
from stimjax.data.recording import Start
from stimjax.errors import StimjaxError

# Bytes of the fields of the header: eight of the file, then ten of every signal.
_FILE_FIELDS = (8, 80, 80, 8, 8, 8, 44, 8, 8, 4)
_SIGNAL_FIELDS = (16, 80, 8, 8, 8, 8, 8, 80, 8, 32)
_ANNOTATIONS = "EDF Annotations"
_CLOCK = re.compile(r"\d\d\.\d\d\.\d\d")
_SLEEP_EDF = re.compile(r"((?:SC4|ST7)\d\d)\d\w\d-PSG", re.IGNORECASE)


@dataclasses.dataclass(frozen=True)
class EdfSignal:
    """One ordinary signal of an EDF file, as its header describes it.

    Attributes:
        label, unit: as written.
        physical, digital: minimum and maximum.
        samples: in each data record.
        first: index of its first sample in a data record.
        index: its number among the ordinary signals, as pyedflib counts.
    """

    label: str
    unit: str
    physical: tuple[float, float]
    digital: tuple[int, int]
    samples: int
    first: int
    index: int


@dataclasses.dataclass(frozen=True)
class EdfLayout:
    """Where everything lies in an EDF file.

    Attributes:
        path: of the file.
        patient, recording: the local patient and recording identification, as written.
        date: on which it starts, "dd.mm.yy".
        clock: time of day at which it starts, "hh.mm.ss".
        plus: whether it is EDF+.
        discontinuous: whether it says that its data records do not follow each other (EDF+D).
        header_bytes: where the data records begin.
        records: how many there are.
        record_seconds: how long each is; 0 is allowed where there are only annotations.
        record_samples: 16-bit numbers in each.
        signals: the ordinary signals.
        annotations: index of the first sample and number of samples of the annotation signals.
    """

    path: Path
    patient: str
    recording: str
    date: str
    clock: str
    plus: bool
    discontinuous: bool
    header_bytes: int
    records: int
    record_seconds: float
    record_samples: int
    signals: tuple[EdfSignal, ...]
    annotations: tuple[tuple[int, int], ...]

    @property
    def half_sample(self) -> float:
        """Half the time between two samples of the fastest signal, in s: what may be rounded."""
        fastest = max((signal.samples for signal in self.signals), default=1)
        return 0.5 * self.record_seconds / fastest

    def data(self) -> np.ndarray:
        """The data records, i16[record, sample], mapped from the file."""
        shape = (self.records, self.record_samples)
        mapped = np.memmap(self.path, "<i2", "r", offset=self.header_bytes, shape=shape)
        return np.asarray(mapped)  # the same pages, without memmap's slow indexing


def layout(path: Path) -> EdfLayout:
    """Read and check the header of an EDF or EDF+ file.

    Raises:
        StimjaxError: the file is missing, no EDF file, damaged, unfinished or truncated.
    """
    head, size = _head(path)
    if head[:8] == b"\xffBIOSEMI":
        raise StimjaxError(f"{path}: is a BDF file; convert it to EDF+ first")
    if head[:8].strip() != b"0":
        raise StimjaxError(f"{path}: is no EDF file (it does not start with version 0)")
    fields = _split(head[:256], _FILE_FIELDS)
    number = _Numbers(path)
    header_bytes = number.whole("size of the header", fields[5])
    records = number.whole("number of data records", fields[7])
    seconds = number.real("duration of a data record", fields[8])
    count = number.whole("number of signals", fields[9])
    if count < 1:
        raise StimjaxError(f"{path}: holds no signal; leave it out")
    if header_bytes != 256 * (count + 1) or seconds < 0:
        raise StimjaxError(f"{path}: is a damaged EDF file (its header contradicts itself)")
    if size < header_bytes:
        raise StimjaxError(f"{path}: is truncated within its header; copy it again")
    if records == -1:
        raise StimjaxError(
            f"{path}: its recorder never closed it (-1 data records); "
            "export it again from the recorder's software"
        )
    if records < 1:
        raise StimjaxError(f"{path}: holds no data record; leave it out")
    signals, annotations, samples = _signals(head[256:header_bytes], count, number)
    if signals and seconds == 0:
        raise StimjaxError(f"{path}: is a damaged EDF file (its data records last 0 s)")
    missing = header_bytes + 2 * samples * records - size
    if missing > 0:
        raise StimjaxError(
            f"{path}: is truncated ({missing} bytes are missing); copy it again from its source"
        )
    return EdfLayout(
        path=path,
        patient=fields[1].strip(),
        recording=fields[2].strip(),
        date=fields[3].strip(),
        clock=fields[4],
        plus=fields[6].startswith("EDF+"),
        discontinuous=fields[6].startswith("EDF+D"),
        header_bytes=header_bytes,
        records=records,
        record_seconds=seconds,
        record_samples=samples,
        signals=signals,
        annotations=annotations,
    )


def _head(path: Path) -> tuple[bytes, int]:
    """The header's bytes and the size of the whole file."""
    if path.is_dir():
        raise StimjaxError(f"{path}: is a folder, not an EDF file")
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(256)
            if head[252:256].strip().isdigit():
                head += file.read(256 * int(head[252:256]))
    except FileNotFoundError:
        raise StimjaxError(f"{path}: no such file; check the name") from None
    except OSError as error:
        raise StimjaxError(f"{path}: cannot be read ({error.strerror})") from error
    if size == 0:
        raise StimjaxError(f"{path}: is empty; copy it again from its source")
    if size < 256 and head[:8].strip() == b"0":
        raise StimjaxError(f"{path}: is truncated within its header; copy it again")
    return head, size


def _signals(
    head: bytes, count: int, number: _Numbers
) -> tuple[tuple[EdfSignal, ...], tuple[tuple[int, int], ...], int]:
    """The ordinary signals, the annotation signals, and the samples in a data record."""
    columns = _split(head, tuple(width * count for width in _SIGNAL_FIELDS))
    rows = zip(*(_halves(column, count) for column in columns), strict=True)
    signals: list[EdfSignal] = []
    annotations: list[tuple[int, int]] = []
    first = 0
    for label, _, unit, low, high, digital_low, digital_high, _, text, _ in rows:
        samples = number.whole(f"number of samples of {label!r}", text)
        if samples < 1:
            raise StimjaxError(f"{number.path}: {label!r} has no samples; the file is damaged")
        if label == _ANNOTATIONS:
            annotations.append((first, samples))
        else:
            physical = (number.real("physical minimum", low), number.real("physical maximum", high))
            digital = (
                number.whole("digital minimum", digital_low),
                number.whole("digital maximum", digital_high),
            )
            if digital[0] >= digital[1] or physical[0] == physical[1]:
                raise StimjaxError(
                    f"{number.path}: the range of {label!r} is empty; mend its header or "
                    "export it again without that channel"
                )
            signals.append(EdfSignal(label, unit, physical, digital, samples, first, len(signals)))
        first += samples
    return tuple(signals), tuple(annotations), first


def _split(data: bytes, widths: tuple[int, ...]) -> list[str]:
    ends = np.cumsum(widths)
    # Latin-1 gives every byte a character: EDF asks for ASCII, recorders write "µV" and names.
    return [data[end - n : end].decode("latin-1") for end, n in zip(ends, widths, strict=True)]


def _halves(column: str, count: int) -> list[str]:
    width = len(column) // count
    return [column[width * i : width * (i + 1)].strip(" \0") for i in range(count)]


@dataclasses.dataclass(frozen=True)
class _Numbers:
    """Reads the numbers of a header, or says which of them is none."""

    path: Path

    def whole(self, what: str, text: str) -> int:
        value = self.real(what, text)
        if value != int(value):
            raise self._wrong(what, text)
        return int(value)

    def real(self, what: str, text: str) -> float:
        try:
            value = float(text.strip(" \0"))
        except ValueError:
            raise self._wrong(what, text) from None
        if not np.isfinite(value):
            raise self._wrong(what, text)
        return value

    def _wrong(self, what: str, text: str) -> StimjaxError:
        shown = text.strip(" ").encode("unicode_escape").decode()
        return StimjaxError(f"{self.path}: is a damaged EDF file (its {what} is {shown!r})")


def start(edf: EdfLayout) -> Start:
    """When a file begins, as far as its header tells."""
    clock = None
    if _CLOCK.fullmatch(edf.clock):
        hours, minutes, seconds = (int(part) for part in edf.clock.split("."))
        clock = 3600.0 * hours + 60.0 * minutes + seconds
    return Start(people.day(edf.date), clock)


def patient_code(edf: EdfLayout) -> str:
    """EDF+: the code, else the name ("X" is EDF+'s word for unknown); EDF: the whole field.

    Sleep-EDF's headers carry no code and a name that only says sex and age; its file names tell
    the subject (SC4ssN: subject ss, night N).
    """
    if match := _SLEEP_EDF.fullmatch(edf.path.stem):
        return match[1]
    words = [part for part in edf.patient.split() if part != "X"]
    if not (edf.plus or people.has_plus_form(edf.patient)) or not words:
        return " ".join(words)
    code, _, _, name = people.patient_fields(edf.patient)
    return next((part for part in (code, name) if part != "X"), "")
