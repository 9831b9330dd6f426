"""`stimjax inspect` of recordings: nothing in them is silent."""

import json

import numpy as np
import pytest

from stimjax.command import inspect
from stimjax.data.edf.writer import Trace, write_edf

STAGES = [(30.0 * i, 30.0, "Sleep stage N2") for i in range(20)]
REMARKS = [(100.0, 20.0, "Obstructive Apnea"), (200.0, 0.5, "blorp"), (300.0, 0.5, "blorp")]


@pytest.fixture
def night(tmp_path):
    """A recording with a signal that no name is known for, and with words that nobody knows."""
    path = tmp_path / "nights" / "first.edf"
    path.parent.mkdir()
    values = np.random.default_rng(0).normal(95, 1, 600)
    labels = ("SpO2", "SaO2", "Wonder")
    traces = [Trace(label, "%", 1, values + i, 0.0, 120.0) for i, label in enumerate(labels)]
    write_edf(path, "P01", traces, [*STAGES, *REMARKS])
    return path


def shown(run, path):
    status, out, err = run("inspect", path)
    assert (status, err) == (0, "")
    return out


def test_all_that_a_recording_holds_is_shown(night, run):
    lines = [" ".join(line.split()) for line in shown(run, night).splitlines()]
    assert "subject P01 (by its patient code)" in lines
    assert "duration 0 h 10 min, from 22:00" in lines
    assert "SpO2 SaO2 1 Hz %" in lines  # the second of a kind
    assert any(line.endswith("Wonder 1 Hz %") for line in lines)
    assert "scored events: 21" in lines and "apnea.obstructive 1" in lines
    assert "stages, respiratory events first.edf EDF+ annotations" in lines
    assert "'blorp' 2" in lines


def test_as_an_object(night, run):
    status, out, err = run("inspect", night, "--json")
    assert (status, err) == (0, "")
    told = json.loads(out)
    assert told["subject"] == "P01" and told["subject_from"] == "patient code"
    assert told["duration_seconds"] == 600
    assert told["signals"][1] == {
        "label": "SaO2",
        "name": "SpO2",
        "unit": "%",
        "rate": 1.0,
        "fault": "",
    }
    assert [signal["label"] for signal in told["signals"]] == ["SpO2", "SaO2", "Wonder"]
    assert {source["file"] for source in told["scoring"]} == {"first.edf"}
    assert all(source["shift_seconds"] == 0 for source in told["scoring"])
    assert told["events"] == {"apnea.obstructive": 1, "stage.N2": 20}
    assert told["ignored"] == {"blorp": 2}
    assert isinstance(told["notes"], list)


def test_a_folder_as_an_object_names_what_cannot_be_used(night, run):
    (night.parent / "torn.edf").write_bytes(night.read_bytes()[:3000])
    status, out, _ = run("inspect", night.parent, "--json")
    assert status == 0
    first, torn = json.loads(out)["recordings"]
    assert first["subject"] == "P01" and "truncated" in torn["error"]
    lines = shown(run, night.parent)
    assert "P01" in lines and "patient code" in lines and "cannot be used" in lines


@pytest.mark.parametrize("kind", ["windows", "teacher", "release"])
def test_what_stimjax_wrote_is_shown_as_its_documents(built, run, kind):
    status, out, err = run("inspect", built[0] / kind, "--json")
    shown = json.loads(out)
    assert (status, err, shown["kind"]) == (0, "", kind)
    for name, content in shown["documents"].items():
        assert content == json.loads((built[0] / kind / name).read_text())
    assert shown["documents"]


def test_all_that_is_described_has_its_documents():
    assert all(own.kind and own.documents for own in inspect._own().values())
