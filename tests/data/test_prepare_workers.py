"""However many processes prepare, the windows are the same."""

import shutil

import numpy as np
import pytest
from night_files import CODES, MINUTES

from stimjax import config
from stimjax.data import prepare
from stimjax.data.recording import Header, SignalHeader
from stimjax.errors import StimjaxError
from stimjax.machine import runtime


def test_the_windows_are_the_same_for_any_number_of_workers(cohort, tmp_path):
    """Byte for byte, with what is said of them, and with a copy among the recordings."""
    (cohort.folder / "bad.edf").write_bytes(b"0" * 2000)
    shutil.copy(cohort.folder / "night-a.edf", cohort.folder / "night-y.edf")
    content, said = [], []
    for workers in (1, 2, 3):
        folder, notes = tmp_path / f"workers-{workers}", []
        folder.mkdir()
        done = []
        prepare.prepare(
            [cohort.folder],
            config.Prepare(skip_bad=True, workers=workers),
            folder,
            note=notes.append,
            progress=lambda *now, done=done: done.append(now),
        )
        assert done == [(i + 1, 7) for i in range(7)]
        content.append({path.name: path.read_bytes() for path in folder.iterdir()})
        said.append(notes)
    assert content[0] == content[1] == content[2]
    assert said[0] == said[1] == said[2]
    assert sum("left out: " in note for note in said[0]) == 2


def test_the_first_bad_recording_in_order_is_the_one_that_is_named(cohort, windows_of):
    for name in ("night-b", "night-e"):
        path = cohort.folder / f"{name}.edf"
        cohort.add(name, CODES[name], np.full(60 * MINUTES, 95.0), cohort.labels[CODES[name]])
        assert path.exists()
    for workers in (1, 2):
        with pytest.raises(StimjaxError, match=r"^night-b: .* is constant"):
            windows_of(cohort, workers=workers)


def test_processes_are_started_where_they_pay():
    def header(hours: float) -> Header:
        return Header("n", "", 3600 * hours, {}, signals=(SignalHeader("x", "x", "", 1000.0),))

    count = runtime.cores()
    assert prepare.processes([header(0.1)] * 5, config.Prepare()) == 1
    assert prepare.processes([header(8.0)] * 99, config.Prepare()) == count
    assert prepare.processes([header(8.0)], config.Prepare()) == 1
    assert prepare.processes([header(0.1)] * 5, config.Prepare(workers=3)) == 3
    assert prepare.processes([header(0.1)] * 2, config.Prepare(workers=30)) == 2
