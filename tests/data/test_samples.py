"""Recordings that others wrote: the sample files of wfdb-python, pyedflib and edfio.

`STIMJAX_SAMPLES=FOLDER:FOLDER pytest -m slow tests/data/test_samples.py` reads every EDF, BDF and
WFDB file in these folders, such as clones of the three packages, and compares what it reads with
what pyedflib and wfdb give. What cannot be read has to be refused in one line.
"""

import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pyedflib
import pytest

from stimjax.data import reader
from stimjax.data.edf import annotations, layout
from stimjax.errors import StimjaxError

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import wfdb

pytestmark = pytest.mark.slow

NAME = "STIMJAX_SAMPLES"
FOLDERS = [Path(folder) for folder in os.environ.get(NAME, "").split(os.pathsep) if folder]
ENDINGS = (".edf", ".bdf", ".hea")
FILES = sorted(
    file for folder in FOLDERS for file in folder.rglob("*") if file.suffix.lower() in ENDINGS
)
# Why files of these packages are refused; any other reason is a fault of the reader.
REFUSALS = (
    "holds annotations only",
    "no such file; copy it beside",
    "is the layout of several segments",
    "of its own, but joins",
    "does not say its rate and length",
    "describes fewer than its",
)


@pytest.mark.skipif(not FOLDERS, reason=f"{NAME} names no folders of sample files")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
@pytest.mark.filterwarnings("ignore")
def test_samples_of_others(path):
    try:
        recording = reader.read(path)
    except StimjaxError as error:
        assert str(error).startswith(str(path.parent)) and "\n" not in str(error)
        assert any(reason in str(error) for reason in REFUSALS), error
        return
    compare = _with_wfdb if path.suffix == ".hea" else _with_pyedflib
    compare(path, recording)


def _with_pyedflib(path: Path, recording) -> None:
    try:
        peer = pyedflib.EdfReader(str(path))
    except OSError as error:
        pytest.skip(f"pyedflib does not read it: {error}")
    with peer:
        labels = [label.strip() for label in peer.getSignalLabels()]
        ordinary = [label for label in labels if label != "EDF Annotations"]  # of a plain EDF file
        assert [signal.label for signal in recording.header.signals] == ordinary
        for held in recording.signals.values():
            if " - " in held.label:  # two signals of the file: `montage` has tests of its own
                continue
            number = labels.index(held.label)
            rate = peer.samples_in_datarecord(number) / peer.datarecord_duration
            assert held.rate == pytest.approx(rate)
            values = peer.readSignal(number) * _factor(held.unit, peer.getPhysicalDimension(number))
            span = abs(held.high - held.low)
            np.testing.assert_allclose(held.values, values, rtol=1e-6, atol=1e-6 * span)
        if ordinary != labels:  # pyedflib reads no annotations in a plain EDF file
            return
        onsets, durations, texts = peer.readAnnotations()
    with layout.layout(path) as edf:
        remarks = annotations.read(edf).remarks
    # pyedflib counts from the first data record, stimjax here from the header's start time.
    assert sorted(" ".join(text.split()) for text in texts) == sorted(one.text for one in remarks)
    assert [d if d >= 0 else None for d in durations] == [one.duration for one in remarks]
    shifts = np.array([one.onset for one in remarks]) - onsets
    assert np.ptp(shifts) < 1e-3 if len(shifts) else True


def _factor(ours: str, theirs: str) -> float:
    return 1e3 if (ours, theirs.strip()) == ("uV", "mV") else 1.0


def _with_wfdb(path: Path, recording) -> None:
    record: Any = wfdb.rdrecord(str(path.with_suffix("")), smooth_frames=False)
    assert [signal.label for signal in recording.header.signals] == record.sig_name
    for held in recording.signals.values():
        if " - " in held.label:
            continue
        number = record.sig_name.index(held.label)
        assert held.rate == pytest.approx(record.fs * record.samps_per_frame[number])
        values = record.e_p_signal[number] * _factor(held.unit, record.units[number])
        np.testing.assert_allclose(held.values, values, rtol=1e-6)


@pytest.mark.skipif(not FOLDERS, reason=f"{NAME} names no folders of sample files")
def test_the_folders_hold_files_of_each_form():
    assert {path.suffix.lower() for path in FILES} >= set(ENDINGS)
