"""One EDF+C file: traces, and annotations of onset, duration and text."""

from __future__ import annotations

import dataclasses
import datetime
import errno
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyedflib

from stimjax.data.people import Person

# A fixed clock: the same seed gives the same bytes.
START = datetime.datetime(2001, 1, 1, 22, 0, 0)


@dataclasses.dataclass(frozen=True)
class Trace:
    """A channel to be written.

    Attributes:
        label: at most 16 characters.
        unit: as EDF spells it.
        rate: samples a second.
        values: a whole number of seconds of samples; clipped to the range.
        low, high: the physical range.
        levels: the digital values that `low` and `high` are stored as.
        sensor: what EDF calls the transducer, at most 80 characters.
    """

    label: str
    unit: str
    rate: int
    values: np.ndarray
    low: float
    high: float
    levels: tuple[int, int] = (-32767, 32767)
    sensor: str = "simulated"

    def digital(self) -> np.ndarray:
        """The values as they are stored, i32[second, rate]."""
        low, high = self.levels
        share = (np.clip(self.values, self.low, self.high) - self.low) / (self.high - self.low)
        return np.round(low + share * (high - low)).astype(np.int32).reshape(-1, self.rate)


def write_edf(
    path: Path,
    subject: str,
    traces: Sequence[Trace],
    annotations: Sequence[tuple[float, float, str]],
    equipment: str = "stimjax-simulator",
    person: Person | None = None,
) -> None:
    """Write an EDF+C file with data records of one second.

    Args:
        path: of the file.
        subject: the patient code in the header.
        traces: all of the same length in seconds.
        annotations: onset and duration in s (steps of 0.1 ms are kept) and text, in any order;
            one fits into each second of the recording.
        equipment: in the header.
        person: whose sex and age (as a birthdate) go into the header.

    Raises:
        OSError: the file cannot be written.
    """
    with pyedflib.EdfWriter(str(path), len(traces), file_type=pyedflib.FILETYPE_EDFPLUS) as file:
        file.setStartdatetime(START)
        file.setPatientCode(subject)
        file.setEquipment(equipment)
        if person is not None and person.sex:
            file.setSex({"F": 0, "M": 1}[person.sex])
        if person is not None and person.age is not None:
            file.setBirthdate(START.date().replace(year=START.year - person.age))
        file.setSignalHeaders(
            [
                {
                    "label": trace.label,
                    "dimension": trace.unit,
                    "sample_frequency": trace.rate,
                    "physical_min": trace.low,
                    "physical_max": trace.high,
                    "digital_min": trace.levels[0],
                    "digital_max": trace.levels[1],
                    "transducer": trace.sensor,
                    "prefilter": "",
                }
                for trace in traces
            ]
        )
        records = np.concatenate([trace.digital() for trace in traces], axis=1)
        for record in records:
            if file.blockWriteDigitalSamples(record) < 0:
                raise _torn(path)
        for onset, duration, text in sorted(annotations):
            file.writeAnnotation(onset, duration, text)
    _check_whole(path, len(records))


def _check_whole(path: Path, records: int) -> None:
    """Hold the file's size against its header: pyedflib does not say when a disk is full."""
    with path.open("rb") as file:
        header = file.read(256)
        channels = int(header[252:256] or 0)
        file.seek(256 + 216 * channels)  # the samples in a record of each channel
        samples = [int(file.read(8) or 0) for _ in range(channels)]
    size = 256 * (1 + channels) + records * 2 * sum(samples)
    if int(header[236:244] or 0) != records or path.stat().st_size != size:
        raise _torn(path)


def _torn(path: Path) -> OSError:
    return OSError(errno.ENOSPC, f"{path.name} could not be written whole; is the disk full?")
