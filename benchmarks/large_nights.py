"""Nights as large as a polysomnography's, and pyedflib reading the channels that are used of them.

PYTHON large_nights.py write FOLDER NIGHTS HOURS
PYTHON large_nights.py read FILE.edf ...

A night has 24 channels at 256 Hz; 8 h of it are 0.36 GB. Chance fills it: speed and memory do not
depend on what was measured.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pyedflib

RATE = 256  # Hz
USED = (("Thor", "uV"), ("Abdo", "uV"), ("Flow", "uV"), ("SpO2", "%"), ("HR", "bpm"))
SIGNALS = (*USED, *((f"Sensor {number}", "uV") for number in range(19)))
HIGH = {"uV": 1000, "%": 100, "bpm": 250}
LOW = {"uV": -1000, "%": 0, "bpm": 0}
VALUES = {"uV": (-9000, 9000), "%": (28000, 30000), "bpm": (-17000, -14000)}  # digital
TEXT = 30  # samples of annotations a record
WIDTHS = (16, 80, 8, 8, 8, 8, 8, 80, 8, 32)


def write(path: Path, seed: int, hours: float) -> None:
    """Write a night of records of 1 s, with a stage each 30 s and a hypopnea each 4 min."""
    rng, seconds = np.random.default_rng(seed), round(3600 * hours)
    rows = [
        (label, "", unit, LOW[unit], HIGH[unit], -32768, 32767, "", RATE, "")
        for label, unit in SIGNALS
    ]
    rows.append(("EDF Annotations", "", "", -1, 1, -32768, 32767, "", TEXT, ""))
    size = 256 * (len(rows) + 1)
    general = ("0", f"S{seed} X X X", "Startdate X X X X", "01.01.01", "22.00.00", size)
    general += ("EDF+C", seconds, 1, len(rows))
    fields = list(zip(general, (8, 80, 80, 8, 8, 8, 44, 8, 8, 4), strict=True))
    for width, column in zip(WIDTHS, zip(*rows, strict=True), strict=True):
        fields += [(value, width) for value in column]
    with path.open("wb") as file:
        file.write(b"".join(str(value).encode().ljust(width) for value, width in fields))
        for first in range(0, seconds, 300):  # s at a time: what writes has to stay small
            count = min(300, seconds - first)
            columns = [rng.integers(*VALUES[unit], (count, RATE), "<i2") for _, unit in SIGNALS]
            lists = [
                remarks(second).ljust(2 * TEXT, b"\0") for second in range(first, first + count)
            ]
            columns.append(np.frombuffer(b"".join(lists), "<i2").reshape(count, TEXT))
            file.write(np.concatenate(columns, axis=1).tobytes())


def remarks(second: int) -> bytes:
    """The annotation list of a record: its time, and what begins in it."""
    text = f"+{second}\x14\x14\0"
    if second % 30 == 0:
        text += f"+{second}\x1530\x14Sleep stage 2\x14\0"
    if second % 240 == 10:
        text += f"+{second}\x1525\x14Hypopnea\x14\0"
    return text.encode()


def read(path: Path) -> int:
    """How many values the used channels of a night have."""
    with pyedflib.EdfReader(str(path)) as file:
        values = [file.readSignal(index) for index in range(len(USED))]
    return sum(map(len, values))


if __name__ == "__main__":
    if sys.argv[1] == "write":
        for number in range(int(sys.argv[3])):
            write(Path(sys.argv[2]) / f"night-{number}.edf", number, float(sys.argv[4]))
    else:
        print(sum(read(Path(name)) for name in sys.argv[2:]))
