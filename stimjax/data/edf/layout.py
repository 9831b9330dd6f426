"""An open EDF file: where its data records lie, and their bytes."""

from __future__ import annotations

import contextlib
import dataclasses
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from stimjax.data import people, times
from stimjax.data.edf import header
from stimjax.data.edf.file import CHUNK, Bytes, opened, read, stream
from stimjax.data.edf.header import EdfHeader
from stimjax.data.recording import Start, stem
from stimjax.errors import StimjaxError

_ROOM = (b"\0", b"\xff")
_SPARSE = 1 << 13  # bytes of a data record of which a part is read without the rest
_STAMP = re.compile(rb"\s*[+-]?\d+(?:[.,]\d*)?\x14")
_SLEEP_EDF = re.compile(r"((?:SC4|ST7)\d\d)\d\w\d-PSG", re.IGNORECASE)


@dataclasses.dataclass(frozen=True)
class EdfLayout(EdfHeader):
    """An open EDF file and where everything lies in it.

    Attributes:
        file: open, unbuffered and decompressed.
        begin: where the data records begin.
        held: how many whole data records there are.
    """

    file: Bytes
    begin: int
    held: int

    def blocks(self, first: int, last: int) -> Iterator[tuple[int, np.ndarray]]:
        """Data records from `first` to before `last`: the number of a first one, u8[record, byte].

        As many at once as fit into `CHUNK`; one at a time where they are larger.
        """
        rows = max(1, CHUNK // self.record_bytes)
        for record in range(first, last, rows):
            count = min(rows, last - record)
            held = self.part(record, 0, count * self.record_bytes)
            yield record, np.frombuffer(held, np.uint8).reshape(count, self.record_bytes)

    def part(self, record: int, at: int, count: int) -> bytes:
        """`count` bytes from byte `at` of a data record on.

        Raises:
            StimjaxError: they cannot be read, or the file has shrunk.
        """
        held = read(self.path, self.file, self.begin + record * self.record_bytes + at, count)
        if len(held) < count:
            raise StimjaxError(f"{self.path}: was cut off while it was read; copy it again")
        return held

    def column(self, signal: tuple[int, int], records: Iterable[int] | None = None) -> list[bytes]:
        """What data records (None: all) hold of a signal, given by first sample and samples."""
        at, count = (self.width * number for number in signal)
        if records is None and self.record_bytes <= _SPARSE:
            blocks = (block for _, block in self.blocks(0, self.held))
            return [row.tobytes() for block in blocks for row in block[:, at : at + count]]
        return [self.part(n, at, count) for n in (range(self.held) if records is None else records)]


@contextlib.contextmanager
def layout(path: Path) -> Iterator[EdfLayout]:
    """An EDF file, open and checked.

    A compressed one is decompressed into a temporary file, so that memory stays small.

    Raises:
        StimjaxError: the file is missing, no EDF file, damaged or truncated.
    """
    with opened(path, _check) as file:
        head = header.parse(path, _head(path, file))
        size = file.seek(0, 2)
        begin, notes = _begin(head, file, size)
        held, more = _held(head, file, begin, size)
        said = {field.name: getattr(head, field.name) for field in dataclasses.fields(head)}
        said["notes"] = (*head.notes, *notes, *more)
        yield EdfLayout(**said, file=file, begin=begin, held=held)


def peek(path: Path) -> EdfHeader:
    """The header of an EDF file, without a look at the rest.

    Raises:
        StimjaxError: as for `layout`, but for what only the rest of the file shows.
    """
    with stream(path) as file:
        return header.parse(path, _head(path, file))


def first_bytes(path: Path, count: int) -> bytes:
    """The first bytes of a file, decompressed; fewer where it ends.

    Raises:
        StimjaxError: it cannot be read.
    """
    with stream(path) as file:
        return read(path, file, 0, count)


def _head(path: Path, file: Bytes) -> bytes:
    """All bytes of the header, or of the start of a file that is no EDF file.

    Raises:
        StimjaxError: there are none.
    """
    first = read(path, file, 0, header.BLOCK)
    if not first:
        raise StimjaxError(f"{path}: is empty; copy it again from its source")
    return read(path, file, 0, header.size(first) or header.BLOCK)


def _check(path: Path, file: Bytes) -> None:
    header.parse(path, _head(path, file))


def _begin(head: EdfHeader, file: Bytes, size: int) -> tuple[int, list[str]]:
    """Where the data records begin, and what is odd about it.

    Right after the last field, by the format. Some headers are padded, some state a wrong size:
    the size of the file tells which.

    Raises:
        StimjaxError: it fits neither.
    """
    usual = header.BLOCK * (1 + len(head.signals) + len(head.annotations))
    stated = head.header_bytes
    records = head.records if head.records and head.records > 0 else None
    padded = _padded(head, file, usual, stated or usual, size)
    if stated == usual:
        said = f"its header is padded to {padded} bytes and says that it has {usual}"
        return padded, [said] if padded > usual else []

    def fits(begin: int) -> bool:
        left = size - begin
        whole = left > 0 and left % head.record_bytes == 0
        return left == records * head.record_bytes if records else whole

    if stated is not None and stated > usual and fits(stated):
        return stated, [f"its header is padded to {stated} bytes"]
    if fits(usual):
        return usual, [f"its header says that it has {stated} bytes; it has {usual}"]
    if stated == padded:
        return padded, [f"its header is padded to {stated} bytes"]
    raise StimjaxError(
        f"{head.path}: is a damaged EDF file (its header contradicts itself: {stated} bytes for "
        f"{usual // header.BLOCK - 1} signals); export it again"
    )


def _padded(head: EdfHeader, file: Bytes, usual: int, stated: int, size: int) -> int:
    """Where the blanks end that pad a header of `usual` bytes; `usual` where there are none."""
    records = head.records if head.records and head.records > 0 else 0
    end = stated if stated > usual else size - records * head.record_bytes
    if (not records and stated == usual) or not usual < end <= min(size, usual + CHUNK):
        return usual
    return usual if read(head.path, file, usual, end - usual).strip(b" ") else end


def _held(head: EdfHeader, file: Bytes, begin: int, size: int) -> tuple[int, list[str]]:
    """How many whole data records a file holds, and what is odd about it.

    Raises:
        StimjaxError: there are fewer than its header counts, or none.
    """
    there, rest = divmod(max(size - begin, 0), head.record_bytes)
    counted = head.records if head.records is not None and head.records > 0 else 0
    if there < counted:
        raise StimjaxError(
            f"{head.path}: is truncated ({counted * head.record_bytes - size + begin} bytes are "
            f"missing); its header is whole, and {there} of its {counted} data records; "
            "copy it again from its source"
        )
    used = counted + _uncounted(head, file, begin, range(counted, there))
    if not used:
        raise StimjaxError(f"{head.path}: holds no data record; leave it out")
    notes = []
    if not counted:
        notes.append(f"its recorder never closed it; the file holds {used} data records")
    elif used > counted:
        notes.append(f"its header counts {counted} data records, the file holds {used}: all count")
    left = (there - used) * head.record_bytes + rest
    if left:
        notes.append(f"the last {left} bytes are no data record and left out")
    return used, notes


def _uncounted(head: EdfHeader, file: Bytes, begin: int, records: range) -> int:
    """How many of `records`, which the header does not count, are no mere room.

    A recorder may reserve a file's room, filled with zeros or as erased memory is, and what
    follows the last data record of an EDF+ file without a time stamp is something else.
    """
    used, rows = records.start, max(1, CHUNK // head.record_bytes)
    for last in range(records.stop, records.start, -rows):
        first = max(records.start, last - rows)
        at, count = begin + first * head.record_bytes, (last - first) * head.record_bytes
        content = read(head.path, file, at, count)
        if content := content.rstrip(content[-1:] if content[-1:] in _ROOM else b""):
            used = first - (-len(content) // head.record_bytes)
            break
    if head.annotations:
        at = begin + head.width * head.annotations[0][0]
        stamped = [
            bool(_STAMP.match(read(head.path, file, at + record * head.record_bytes, 24)))
            for record in (0, *range(records.start, used))
        ]
        if stamped[0] and not all(stamped):
            used = records.start + stamped.index(False) - 1
    return used - records.start


def start(edf: EdfHeader) -> Start:
    """When a file begins, as far as its header tells; `times.start` says what is a default."""
    return times.start(edf.date, edf.clock)


def patient_code(edf: EdfHeader) -> str:
    """EDF+: the code, else the name ("X" is EDF+'s word for unknown); EDF: the whole field.

    Sleep-EDF's headers carry no code and a name that only says sex and age; its file names tell
    the subject (SC4ssN: subject ss, night N).
    """
    if match := _SLEEP_EDF.fullmatch(stem(edf.path)):
        return match[1]
    words = [part for part in edf.patient.split() if part != "X"]
    if not (edf.plus or people.has_plus_form(edf.patient)) or not words:
        return " ".join(words)
    code, _, _, name = people.patient_fields(edf.patient)
    return next((part for part in (code, name) if part != "X"), "")
