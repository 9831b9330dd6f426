"""Whatever happened to a file: a value or one clear line, soon, and within its own memory.

`pytest -m slow tests/data/test_mutations.py` reads 100,000 mutated files a reader. A failure names
the number of the file; the same number makes the same file again.
"""

import gzip
import math
import signal
import time
import tracemalloc
import warnings
from pathlib import Path

import mutations
import numpy as np
import pytest

from stimjax.data import reader
from stimjax.errors import StimjaxError

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import wfdb

FEW, MANY = 150, 100_000
SLOWEST = 20.0  # s for one file: nothing hangs, however busy the machine is
EVERY = 25  # of so many files the memory of one is looked at
RECORDINGS = (".edf", ".bdf", ".gz", ".hea")
SPARE = 8 * 2**20  # bytes that reading anything takes

NSRR = b"""<?xml version="1.0"?><PSGAnnotation><EpochLength>30</EpochLength><ScoredEvents>
<ScoredEvent><EventType/><EventConcept>Recording Start Time</EventConcept><Start>0</Start>
<Duration>120.0</Duration><ClockTime>00.00.00 22.00.00</ClockTime></ScoredEvent>
<ScoredEvent><EventType>Respiratory|Respiratory</EventType>
<EventConcept>Obstructive apnea|Obstructive Apnea</EventConcept><Start>20.5</Start>
<Duration>22.5</Duration><SignalLocation>ABDO RES</SignalLocation></ScoredEvent>
<ScoredEvent><EventType>Stages|Stages</EventType><EventConcept>Stage 2 sleep|2</EventConcept>
<Start>30.0</Start><Duration>60.0</Duration></ScoredEvent></ScoredEvents></PSGAnnotation>
"""
PROFUSION = b"""<?xml version="1.0"?><CMPStudyConfig><EpochLength>30</EpochLength><ScoredEvents>
<ScoredEvent><Name>Central Apnea</Name><Start>25</Start><Duration>12</Duration></ScoredEvent>
</ScoredEvents><SleepStages><SleepStage>0</SleepStage><SleepStage>2</SleepStage>
<SleepStage>5</SleepStage></SleepStages></CMPStudyConfig>
"""
CSV = b"""onset,duration,text
10.5,20,Obstructive Apnea
30,30,Sleep stage N2
60,30,Sleep stage R
"""
BIDS = b"onset\tduration\ttrial_type\n0\t30\tsleep_stage_W\n30\t30\tN2\n60\t12.5\tHypopnea\n"
LUNA = b"""# OA | obstructive apnea
class\tinstance\tchannel\tstart\tstop\tmeta
OA\t.\t.\t22:00:30\t22:00:50\t.
N2\t.\t.\t30\t60\t.
"""
STAGES = b"W\nN1\nN2\nN2\nR\n"


def edf(plus: str = "EDF+C", annotations: bool = True, width: int = 2) -> bytes:
    """Two minutes of two signals at different rates with a list of annotations.

    Samples have `width` bytes: 3 for BDF.
    """
    records, text = (
        120,
        ("+10\x1520\x14Obstructive Apnea\x14\0", "+30\x1530\x14Sleep stage N2\x14\0"),
    )
    rows = [("SpO2", "%", "0", "100", 1), ("Flow", "uV", "-100", "100", 4)]
    if annotations:
        rows.insert(1, (f"{plus[:3] or 'EDF'} Annotations", "", "-1", "1", 30))
    most = 2 ** (8 * width - 1)
    widths = (16, 80, 8, 8, 8, 8, 8, 80, 8, 32)
    columns = [
        [label, "", unit, low, high, str(-most), str(most - 1), "", str(count), ""]
        for label, unit, low, high, count in rows
    ]
    head = "".join(
        text.ljust(width)
        for text, width in zip(
            ("0" if width == 2 else "\xffBIOSEMI", "P1 F 01-JAN-1980 A",
             "Startdate 05-MAR-2020 X X X", "05.03.20", "22.00.00",
             str(256 * (len(rows) + 1)), plus, str(records), "1", str(len(rows))),
            mutations.EDF_FIELDS, strict=True,
        )
    )  # fmt: skip
    head += "".join(c[i].ljust(w) for i, w in enumerate(widths) for c in columns)
    rng = np.random.default_rng(0)
    body = []
    for record in range(records):
        for label, *_, count in rows:
            if label.endswith("Annotations"):
                stamp = f"+{record}\x14\x14\0" + (text[record // 60] if record % 60 == 0 else "")
                body.append(stamp.encode().ljust(width * count, b"\0"))
            else:
                numbers = rng.integers(-most, most, count).astype("<i4")
                body.append(numbers.view(np.uint8).reshape(-1, 4)[:, :width].tobytes())
    return head.encode("latin-1") + b"".join(body)


def beside(name: str, content: bytes) -> dict[str, bytes]:
    """A good recording, and a file of scoring that is going to be mutated."""
    return {"night.edf": edf(""), name: content}


def wfdb_files(folder: Path) -> dict[str, bytes]:
    """A record with labels for each minute."""
    digital = np.stack([np.arange(480) % 99, 90 + np.arange(480) % 10], axis=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wfdb.wrsamp(
            "a01r", 4.0, ["mV", "%"], ["Resp C", "SpO2"], d_signal=digital, fmt=["16", "16"],
            adc_gain=[200.0, 1.0], baseline=[0, 0], write_dir=str(folder),
        )  # fmt: skip
        wfdb.wrann("a01r", "apn", np.array([0, 240]), ["N", "A"], fs=4.0, write_dir=str(folder))
        wfdb.wrann(
            "a01r", "st", np.array([0, 120, 240]), ["\""] * 3, aux_note=["2 OA", "W", "R"],
            fs=4.0, write_dir=str(folder),
        )  # fmt: skip
    return {path.name: path.read_bytes() for path in folder.iterdir()}


# A reader: its files, the one that is mutated, and how.
CASES = {
    "EDF": (lambda _: {"night.edf": edf("", annotations=False)}, "night.edf", mutations.edf),
    "EDF+C": (lambda _: {"night.edf": edf()}, "night.edf", mutations.edf),
    "EDF+D": (lambda _: {"night.edf": edf("EDF+D")}, "night.edf", mutations.edf),
    "BDF+C": (lambda _: {"night.bdf": edf("BDF+C", width=3)}, "night.bdf", mutations.edf),
    "gzip": (lambda _: {"night.edf.gz": gzip.compress(edf())}, "night.edf.gz", mutations.packed),
    "NSRR": (lambda _: beside("night-nsrr.xml", NSRR), "night-nsrr.xml", mutations.text),
    "Profusion": (lambda _: beside("night.edf.XML", PROFUSION), "night.edf.XML", mutations.text),
    "CSV": (lambda _: beside("night.csv", CSV), "night.csv", mutations.text),
    "BIDS": (lambda _: beside("night_events.tsv", BIDS), "night_events.tsv", mutations.text),
    "annot": (lambda _: beside("night.annot", LUNA), "night.annot", mutations.text),
    "eannot": (lambda _: beside("night.eannot", STAGES), "night.eannot", mutations.text),
    "WFDB header": (wfdb_files, "a01r.hea", mutations.text),
    "WFDB labels": (wfdb_files, "a01r.apn", mutations.anything),
    "WFDB notes": (wfdb_files, "a01r.st", mutations.anything),
}


def check(folder: Path, name: str, count: int, mutate) -> None:
    """Read `count` mutations of a file of a folder."""
    good = (folder / name).read_bytes()
    recording = next(path for path in folder.iterdir() if path.suffix in RECORDINGS)
    for number in range(count):
        content = mutate(good, np.random.default_rng([number, len(good)]))
        (folder / name).write_bytes(content)
        watched = number % EVERY == 0
        if watched:
            tracemalloc.start()
        begun = time.monotonic()
        try:
            need = _read(recording)
        except StimjaxError as error:
            need = 0
            assert "\n" not in str(error) and str(folder) in str(error), number
        except Exception as error:
            raise AssertionError(f"mutation {number} of {name}: {content!r:.300}") from error
        finally:
            peak = tracemalloc.get_traced_memory()[1] if watched else 0
            tracemalloc.stop()
        assert time.monotonic() - begun < SLOWEST, number
        assert peak <= 2 * (need + len(content)) + SPARE, number


def _read(path: Path) -> int:
    """Read a recording, check that all in it is sound, and give the bytes of its signals."""
    recording = reader.read(path)
    assert math.isfinite(recording.header.duration) and recording.header.duration > 0
    for event in recording.events:
        assert math.isfinite(event.onset) and 0 <= event.duration < math.inf
    for held in recording.signals.values():
        assert held.values.dtype == np.float32 and held.rate > 0
        assert abs(len(held.values) - recording.header.duration * held.rate) <= 1
    return sum(held.values.nbytes for held in recording.signals.values())


@pytest.fixture
def no_hang():
    """An alarm that no reader survives."""

    def ring(*_):
        raise TimeoutError("a reader hangs")

    before = signal.signal(signal.SIGALRM, ring)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("count", [FEW, pytest.param(MANY, marks=pytest.mark.slow)])
@pytest.mark.usefixtures("no_hang")
def test_any_file_gives_a_value_or_one_clear_line(tmp_path, case, count):
    files, name, mutate = CASES[case]
    signal.alarm(60 if count == FEW else 7200)
    for file, content in files(tmp_path).items():
        (tmp_path / file).write_bytes(content)
    check(tmp_path, name, count, mutate)
