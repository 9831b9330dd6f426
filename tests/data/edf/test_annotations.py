"""Annotation lists as recorders write them, wherever in a data record they lie."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stimjax.data import reader
from stimjax.data.edf import annotations
from stimjax.data.edf.layout import layout
from stimjax.data.recording import Event, Remark

APNEA = Event("apnea.obstructive", 60.5, 20.5)
WORD = b"Obstructive Apnea"


@pytest.fixture
def held(raw_edf):
    """What is read of the bytes of a data record's annotation signal: remarks and notes."""

    def read(content):
        with layout(raw_edf(reserved="EDF+C", stamps=["0"], lists=[content])) as edf:
            return annotations.read(edf)[1:]

    return read


@pytest.mark.parametrize("reserved", ["", "EDF+C", "EDF+D"])
@pytest.mark.parametrize("position", [0, 1, 2, 3])
@pytest.mark.parametrize("width", [2, 3])
def test_every_position_of_the_annotation_signal(raw_edf, raw_signal, reserved, position, width):
    wide = ("-32768", "32767")
    data = {"Chest": [[1, 2], [3, 4]], "SpO2": [[90], [91]], "HR": [[60], [61]]}
    path = raw_edf(
        signals=[raw_signal(label, rows, "", wide, wide) for label, rows in data.items()],
        version="0" if width == 2 else "\xffBIOSEMI",
        reserved=reserved.replace("EDF", "EDF" if width == 2 else "BDF"),
        stamps=["0", "1"],
        position=position,
        width=width,
        annotations=[("0.5", "1", "Hypopnea")],
    )
    recording = reader.read(path)
    assert recording.signals["chest"].values.tolist() == [1, 2, 3, 4]
    assert recording.signals["SpO2"].values.tolist() == [90, 91]
    assert recording.signals["HR"].values.tolist() == [60, 61]
    assert recording.events == (Event("hypopnea", 0.5, 1),)


@pytest.mark.parametrize(
    "label",
    [
        "EDF annotations",
        "EDFAnnotations",
        "edf ANNOTATIONS",
        "EDF_Annotations",
        "EDF Annotation",
        "EDF+ Annotations",
        "EDF Annot.",
        "Annotations",
        "EDF Annotation 2",
    ],
)
def test_labels_of_the_annotation_signal(raw_edf, label):
    path = raw_edf(
        stamps=["0"], annotation_label=label, annotations=[("60.5", "20.5", WORD.decode())]
    )
    recording = reader.read(path)
    assert recording.events == (APNEA,)
    assert list(recording.signals) == ["SpO2"]
    assert f"its signal {label!r} is read as EDF+ annotations" in recording.header.notes


@pytest.mark.parametrize(
    "content",
    [
        b"+60.5\x1520.5\x14%s\x14\0",
        b"+60,5\x1520,5\x14%s\x14\0",
        b"+60.5\x15+20.5\x14%s\x14\0",
        b"60.5\x1520.5\x14%s\x14\0",
        b"+60.5\x1520.5\x14%s\x14",
        b"+60.5\x1520.5\x14%s",
        b" +60.5 \x15 20.5 \x14 %s \r\n\x14\0",
        b"\r\n+60.5\r\n\x15\n20.5\x14%s\x14\0",
        b"+060.50\x15020.500\x14%s\x14\0",
        b"+60.5\x1520.5\x14\x14%s\x14\0",
        b"+6.05E+01\x15205e-1\x14%s\x14\0",
        b"+60.5s\x1520.5 sec\x14%s\x14\0",
        b"+60.5\x1520.5\x14\xef\xbb\xbf%s\x14\0",
    ],
)  # fmt: skip
def test_lists_that_mean_one_thing_only(held, content):
    expected = Remark(60.5, 20.5, WORD.decode())
    assert held(content % WORD) == ((expected,), ())


def test_thousands(held):
    apnea, lights = Remark(1060.5, 1020, WORD.decode()), Remark(1.06, None, "Lights off")
    content = b"+1,060.5\x151,020.0\x14%s\x14\0+1,060\x14Lights off\x14\0" % WORD
    assert held(content) == ((apnea, lights), ())


@pytest.mark.parametrize("onset", [b"+60 20", b"+00:01:00", b"+1,2,3", b"+6 0.5", b"+60m", b"x"])
def test_an_onset_that_nobody_knows_is_counted(held, onset):
    remarks, notes = held(b"%s\x155\x14%s\x14\0" % (onset, WORD))
    assert not remarks and notes[0].startswith("1 annotation lists could not be read")
    assert WORD.decode() in notes[0]


@pytest.mark.parametrize(
    ("content", "note"),
    [
        (b"+60.5\x14%s\x14\0", None),
        (b"+60.5\x15\x14%s\x14\0", None),
        (b"+60.5\x15 \x14%s\x14\0", None),
        (b"+60.5\x15-1\x14%s\x14\0", "1 annotations have a negative duration, read as none"),
        (
            b"+60.5\x15?\x14%s\x14\0",
            "1 annotations have a duration that is no number",
        ),
    ],
)
def test_lists_without_a_duration(held, content, note):
    expected = Remark(60.5, None, WORD.decode())
    remarks, notes = held(content % WORD)
    assert remarks == (expected,)
    assert notes[0].startswith(note) if note else not notes


@pytest.mark.parametrize(
    "first",
    [b"+10\x155\x14Hypopnea\x14", b"10\x155\x14Hypopnea\x14", b"+10\x155\x14Hypopnea\x14\r\n"],
)
@pytest.mark.parametrize("second", [b"+60.5\x1520.5\x14%s\x14", b"60,5\x1520.5\x14%s\x14\0"])
def test_lists_without_a_final_zero(held, first, second):
    hypopnea = Remark(10, 5, "Hypopnea")
    remarks, notes = held(first + second % WORD)
    assert remarks == (hypopnea, Remark(60.5, 20.5, WORD.decode())) and not notes


def test_a_signed_onset_without_a_final_zero(held):
    remarks, _ = held(b"+10\x14Lights off\x14+60.5\x14Lights on\x14\0")
    assert remarks == (Remark(10, None, "Lights off"), Remark(60.5, None, "Lights on"))


def test_several_texts_and_numbers_among_them(held):
    remarks, _ = held(b"+10\x155\x14Hypopnea\x144\x14+3\x14\0")
    assert sorted(remark.text for remark in remarks) == ["+3", "4", "Hypopnea"]


def test_what_cannot_be_read_is_counted(raw_edf):
    bad = b"soon\x1510\x14Apnea\x14\0+5\x1510\0++7\x14Apnea\x14\0+1e5x\x14Apnea\x14\0"
    scored = reader.read(raw_edf(reserved="EDF+C", stamps=["0"], lists=[bad])).scored
    assert scored.notes == (
        "night.edf: 4 annotation lists could not be read (such as 'soon 10 Apnea')",
    )
    assert scored.events == ()


@pytest.mark.parametrize(
    ("text", "decoded"),
    [
        ("Hypopnée".encode(), "Hypopnée"),
        ("Hypopnée".encode("cp1252"), "Hypopnée"),
        ("Signal d’apnée".encode("cp1252"), "Signal d’apnée"),
        (b"\x81pn\xe9e", "pnée"),
        ("低通气".encode(), "低通气"),
        (b"two\tlines\r\nand \x1b[31m red", "two lines and [31m red"),
    ],
)
def test_encodings(held, text, decoded):
    (remark,), _ = held(b"+1\x14" + text + b"\x14\0")
    assert remark.text == decoded


def test_an_event_in_place_of_a_time_stamp_is_no_time_stamp(raw_edf, raw_signal):
    path = raw_edf(
        signals=[raw_signal("SpO2", [[1, 2]] * 3)],
        reserved="EDF+C",
        stamps=["", "", ""],
        lists=[b"+500\x1510\x14Hypopnea\x14\0"],
    )
    recording = reader.read(path)
    assert recording.events == (Event("hypopnea", 500, 10),)
    assert recording.header.notes == ("its data records have no time stamps",)


@settings(
    max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(st.binary(max_size=100) | st.text("+-0123456789.,\x14\x15\0 A\n", max_size=100))
def test_any_bytes_give_remarks_with_numbers(held, content):
    remarks, notes = held(content if isinstance(content, bytes) else content.encode())
    for remark in remarks:
        assert np.isfinite(remark.onset) and remark.text.isprintable()
        assert remark.duration is None or 0 <= remark.duration < np.inf
    assert all("\n" not in note for note in notes)


@given(st.text("+-01.9\x14\0 ", max_size=30))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_stamp_alone_is_the_stamp_that_its_list_states(raw_edf, written):
    with layout(raw_edf(reserved="EDF+C", stamps=[""], lists=[written.encode()])) as edf:
        np.testing.assert_array_equal(annotations.read(edf).stamps, annotations.stamps(edf))


@pytest.mark.parametrize("written", ["12", "12.5", "0.0001", "12."])
def test_a_stamp_alone_gives_no_remark(raw_edf, written):
    with layout(raw_edf(reserved="EDF+C", stamps=[written])) as edf:
        assert annotations.read(edf) == ([float(written)], (), ())
