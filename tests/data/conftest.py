"""EDF files written byte by byte, so that the readers meet what no library would write."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest


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

    def content(self) -> bytes:
        rows = [
            (s.label, "", s.unit, *s.physical, *s.digital_range, "", str(len(s.digital[0])), "")
            for s in self.signals
        ]
        count = max([len(s.digital) for s in self.signals] + [len(self.stamps or ())])
        if self.stamps is not None:
            rows.append(("EDF Annotations", "", "", "-1", "1", "-32768", "32767", "", "60", ""))
        head = [
            (self.version, 8), (self.patient, 80), ("Startdate 01-JAN-2020 X X X", 80),
            (self.date, 8), (self.clock, 8),
            (self.header_bytes or str(256 * (1 + len(rows))), 8), (self.reserved, 44),
            (str(count) if self.records is None else self.records, 8), (self.seconds, 8),
            (str(len(rows)), 4),
        ]  # fmt: skip
        for width, column in zip((16, 80, 8, 8, 8, 8, 8, 80, 8, 32), zip(*rows, strict=True)):  # noqa: B905
            head += [(text, width) for text in column]
        parts = [text.encode("latin-1").ljust(width) for text, width in head]
        for record in range(count):
            parts += [np.array(s.digital[record], "<i2").tobytes() for s in self.signals]
            parts.append(self._annotation_lists(record))
        return b"".join(parts)

    def _annotation_lists(self, record: int) -> bytes:
        if self.stamps is None:
            return b""
        stamp = self.stamps[record]
        lists = f"+{stamp}\x14\x14\0".encode() if stamp else b""
        if record == 0:
            for onset, duration, text in self.annotations:
                length = f"\x15{duration}" if duration else ""
                lists += f"+{onset}{length}\x14{text}\x14\0".encode()
        assert len(lists) <= 120
        return lists.ljust(120, b"\0")


@pytest.fixture
def raw_edf(tmp_path: Path) -> Callable[..., Path]:
    """Write `RawEdf(**fields)` and give its path; `name` names the file."""

    def write(name: str = "night.edf", **fields) -> Path:
        path = tmp_path / name
        path.write_bytes(RawEdf(**fields).content())
        return path

    return write


@pytest.fixture
def raw_signal() -> type[RawSignal]:
    return RawSignal
