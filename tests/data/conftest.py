"""EDF files written byte by byte, so that the readers meet what no library would write; and nights
whose signals and scorings are known."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from night_files import CODES, MINUTES, Cohort

from stimjax import config
from stimjax.data import prepare

ROOM = 120  # bytes of annotations in a data record


@dataclass
class RawSignal:
    label: str
    digital: Sequence[Sequence[int]] = ((0, 0),)  # one row for each data record
    unit: str = "%"
    physical: tuple[str, str] = ("0", "100")
    digital_range: tuple[str, str] = ("-32768", "32767")


@dataclass
class RawEdf:
    """Fields of an EDF file as text; `content` puts them together without checking any."""

    signals: list[RawSignal] = field(default_factory=lambda: [RawSignal("SpO2")])
    reserved: str = ""
    patient: str = "X X X X"
    date: str = "01.01.20"
    clock: str = "22.00.00"
    records: str | None = None
    seconds: str = "1"
    version: str = "0"
    header_bytes: str | None = None
    stamps: Sequence[str] | None = None  # onset of each data record, as text
    annotations: Sequence[tuple[str, str, str]] = ()  # onset, duration, text; all in record 0
    lists: Sequence[bytes] = ()  # what follows the stamp in each record, byte by byte
    position: int | None = None  # of the annotation signal; None for the last
    annotation_label: str = "EDF Annotations"
    width: int = 2  # bytes of a sample: 3 for BDF
    count: str | None = None  # of signals
    padding: int = 0  # bytes after the header
    tail: bytes = b""

    def content(self) -> bytes:
        rows = [
            (s.label, "", s.unit, *s.physical, *s.digital_range, "", str(len(s.digital[0])), "")
            for s in self.signals
        ]
        count = max([len(s.digital) for s in self.signals] + [len(self.stamps or ())])
        if self.stamps is not None:
            samples = str(ROOM // self.width)
            row = (self.annotation_label, "", "", "-1", "1", "-32768", "32767", "", samples, "")
            rows.insert(self._position, row)
        size = str(256 * (1 + len(rows)) + self.padding)
        head = [
            (self.version, 8), (self.patient, 80), ("Startdate 01-JAN-2020 X X X", 80),
            (self.date, 8), (self.clock, 8), (self.header_bytes or size, 8), (self.reserved, 44),
            (str(count) if self.records is None else self.records, 8), (self.seconds, 8),
            (self.count or str(len(rows)), 4),
        ]  # fmt: skip
        for width, column in zip((16, 80, 8, 8, 8, 8, 8, 80, 8, 32), zip(*rows, strict=True)):  # noqa: B905
            head += [(text, width) for text in column]
        parts = [text.encode("latin-1").ljust(width) for text, width in head]
        parts.append(b" " * self.padding)
        for record in range(count):
            held = [self._stored(s.digital[record]) for s in self.signals]
            if self.stamps is not None:
                held.insert(self._position, self._annotation_lists(record))
            parts += held
        return b"".join(parts) + self.tail

    @property
    def _position(self) -> int:
        return len(self.signals) if self.position is None else self.position

    def _stored(self, numbers: Sequence[int]) -> bytes:
        return b"".join(int(n).to_bytes(self.width, "little", signed=True) for n in numbers)

    def _annotation_lists(self, record: int) -> bytes:
        stamp = (self.stamps or ())[record]
        lists = f"+{stamp}\x14\x14\0".encode() if stamp else b""
        if record == 0:
            for onset, duration, text in self.annotations:
                length = f"\x15{duration}" if duration else ""
                lists += f"+{onset}{length}\x14{text}\x14\0".encode()
        lists += self.lists[record] if record < len(self.lists) else b""
        assert len(lists) <= ROOM
        return lists.ljust(ROOM, b"\0")


@pytest.fixture
def raw_edf(tmp_path: Path) -> Callable[..., Path]:
    """Write `RawEdf(**fields)` and give its path; `name` names the file."""

    def write(name: str = "night.edf", **fields) -> Path:
        path = tmp_path / name
        seconds = float(fields.get("seconds", 1))
        # A night; of more than 60 s with fewer samples it would be a device's summary.
        if 60 < seconds < 43200 and "signals" not in fields:
            fields["signals"] = [RawSignal("SpO2", ((0,) * round(seconds / 30),))]
        path.write_bytes(RawEdf(**fields).content())
        return path

    return write


@pytest.fixture
def raw_signal() -> type[RawSignal]:
    return RawSignal


@pytest.fixture
def cohort(tmp_path: Path) -> Cohort:
    (tmp_path / "in").mkdir()
    made, rng = Cohort(tmp_path / "in"), np.random.default_rng(0)
    for i, (name, code) in enumerate(CODES.items()):
        labels = (rng.permutation(MINUTES) < 2 + i).astype(int)
        made.add(name, code, rng.integers(60, 101, 60 * MINUTES).astype(float), labels)
    return made


@pytest.fixture
def windows_of(tmp_path: Path) -> Callable[..., Path]:
    """Prepare a cohort with some settings; give the folder of windows."""

    def run(cohort: Cohort, **fields) -> Path:
        folder = tmp_path / f"out-{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        prepare.prepare([cohort.folder], config.Prepare(**fields), folder)
        return folder

    return run
