"""Scoring in the notes of WFDB annotators."""

import math
import struct
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimjax.data import reader
from stimjax.data.recording import Event
from stimjax.data.scoring import notes
from stimjax.errors import StimjaxError

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import wfdb as package


@pytest.fixture
def record(tmp_path):
    """Write a record of 10 minutes and an annotator with notes; give the path of its header."""

    def write(annotator=None, marks=(), name="slp01a"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            package.wrsamp(
                name, 10.0, ["%"], ["SpO2"], d_signal=np.full((6000, 1), 94), fmt=["16"],
                adc_gain=[1.0], baseline=[0], write_dir=str(tmp_path),
            )  # fmt: skip
            if annotator:
                package.wrann(
                    name, annotator, np.array([round(10 * at) for at, _ in marks]),
                    ['"'] * len(marks), aux_note=[text for _, text in marks],
                    write_dir=str(tmp_path),
                )  # fmt: skip
        return tmp_path / f"{name}.hea"

    return write


def test_a_record_without_labels_is_read(record):
    path = record()
    recording = reader.read(path)
    assert recording.events == ()
    assert [signal.label for signal in recording.header.signals] == ["SpO2"]


def test_epochs_of_slpdb(record):
    marks = [
        (0, "W"),
        (30, "1"),
        (60, "2 HA"),
        (90, "4 OA L"),
        (120, "R"),
        (150, "MT"),
        (180, "3 X"),
    ]
    scored = reader.scored(record("st", marks))
    assert scored.events == (
        Event("stage.W", 0, 30), Event("stage.N1", 30, 30), Event("arousal", 60, 30),
        Event("hypopnea", 60, 30), Event("stage.N2", 60, 30), Event("apnea.obstructive", 90, 30),
        Event("stage.N3", 90, 30), Event("stage.R", 120, 30), Event("stage.unscored", 150, 30),
        Event("apnea.obstructive", 180, 30), Event("arousal", 180, 30), Event("stage.N3", 180, 30),
    )  # fmt: skip
    assert scored.sources[0].kind == "WFDB annotator st"
    assert scored.notes == ("slp01a.st: 3 epochs have events, which count for all their 30 s",)


def test_brackets_of_the_challenge(record):
    marks = [
        (0, "W"), (60, "N1"), (70, "(resp_obstructiveapnea"), (90, "N2"),
        (92.5, "resp_obstructiveapnea)"), (100, "(resp_hypopnea"), (120, "resp_hypopnea)"),
    ]  # fmt: skip
    scored = reader.scored(record("arousal", marks, name="tr03-0005"))
    assert scored.events == (
        Event("stage.W", 0, 60), Event("stage.N1", 60, 30), Event("apnea.obstructive", 70, 22.5),
        Event("stage.N2", 90, 30), Event("hypopnea", 100, 20),
    )  # fmt: skip


@pytest.mark.parametrize("annotator", ["resp", "ecg"])
def test_other_annotators(record, annotator):
    scored = reader.scored(record(annotator, [(0, "W"), (30, "N1"), (40, "Hypopnea")]))
    assert {event.kind for event in scored.events} >= {"stage.W", "stage.N1"}
    assert scored.sources[0].file == f"slp01a.{annotator}"


def test_brackets_around_several_words(record):
    scored = reader.scored(
        record("resp", [(100, "(obstructive apnea"), (130, "obstructive apnea)")])
    )
    assert scored.events == (Event("apnea.obstructive", 100, 30),)


def test_brackets_that_do_not_close_are_counted(record):
    marks = [(0, "resp_hypopnea)"), (10, "(resp_hypopnea"), (30, "N2")]
    scored = reader.scored(record("arousal", marks))
    assert scored.events == (Event("stage.N2", 30, 30),)
    assert scored.notes == (
        "slp01a.arousal: 1 events begin and never end; they do not count",
        "slp01a.arousal: 1 events end and never began; they do not count",
    )


@pytest.mark.parametrize("annotator", ["st", "arousal", "ecg"])
def test_a_truncated_annotator_is_refused(record, annotator):
    path = record(annotator, [(0, "W"), (30, "1")]).with_suffix(f".{annotator}")
    path.write_bytes(path.read_bytes()[:-2])
    with pytest.raises(StimjaxError, match=rf"slp01a\.{annotator}: is truncated; copy it again"):
        reader.scored(path.with_suffix(".hea"))


@pytest.mark.parametrize("content", [b"", b"time;value\r\n1;2\n", "Zeit;Flu\xdf".encode()])
def test_a_text_that_ends_as_an_annotator(record, content):
    path = record("st", [(0, "W"), (30, "1")])
    path.with_suffix(".resp").write_bytes(content)
    scored = reader.scored(path)
    assert [event.kind for event in scored.events] == ["stage.W", "stage.N1"]
    assert scored.notes == ("slp01a.resp: is empty or a text, no WFDB annotator; it is not read",)


def test_an_empty_annotator_of_stages_is_refused(record):
    path = record("st", [(0, "W")])
    path.with_suffix(".st").write_bytes(b"")
    with pytest.raises(StimjaxError, match=r"slp01a\.st: is truncated"):
        reader.scored(path)


def test_a_table_beside_a_record(record, tmp_path):
    (tmp_path / "slp01a_events.csv").write_text("onset,duration,event\n60,20,Hypopnea\n")
    assert reader.scored(record()).events == (Event("hypopnea", 60, 20),)


@given(st.binary(max_size=60))
def test_any_bytes_are_marks_or_an_error(content):
    try:
        listed = notes.read(content, 100.0)
        assert all(math.isfinite(one.onset) and one.code > 0 for one in listed)
    except ValueError as error:
        assert "it " in str(error)


def test_an_annotator_at_a_rate_of_its_own():
    rate = b"## time resolution: 50"
    content = struct.pack("<HH", 22 << 10, (63 << 10) + len(rate)) + rate
    content += struct.pack("<HhH", 59 << 10, 1, 0) + struct.pack("<HH", 22 << 10, (63 << 10) + 1)
    content += b"W\0\0\0"
    assert notes.read(content, 100.0) == [(65536 / 50, 22, "W")]


@pytest.mark.parametrize("rate", ["0", "0.0", "9" * 400, "0." + "0" * 400 + "1"])
def test_an_annotator_at_a_rate_that_is_none(rate):
    note = f"## time resolution: {rate}".encode()
    content = struct.pack("<HH", 22 << 10, (63 << 10) + len(note)) + note + bytes(len(note) % 2)
    with pytest.raises(ValueError, match="samples a second"):
        notes.read(content + b"\0\0", 100.0)


marks = st.lists(
    st.tuples(st.floats(0, 600), st.text(max_size=8) | st.sampled_from(["(a", "a)", "2 HA", "W"]))
)


@given(marks)
def test_any_notes_are_remarks(listed):
    for form in (notes.epochs, notes.brackets):
        remarks, said = form(sorted(listed))
        assert all(remark.duration is None or remark.duration >= 0 for remark in remarks)
        assert len(remarks) <= 4 * len(listed)
        assert all("\n" not in note for note in said)
