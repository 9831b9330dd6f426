"""Odd headers that are read all the same, with a note, and the layout that they give."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimjax.data import reader
from stimjax.data.edf import fields
from stimjax.errors import StimjaxError

WIDE = ("-32768", "32767")


def notes(path):
    return " | ".join(reader.header(path).notes)


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("1", 1), ("+1.", 1), ("-0,5", -0.5), (".5", 0.5), ("1e-2", 0.01), ("1.0000001", 1.0000001),
        ("1.000,5", 1000.5), ("-1,234,567.25", -1234567.25), ("1.5,5", None), ("1,00.5", None),
        ("", None), ("1_0", None), ("nan", None), ("1e999", None), ("1,2,3", None), ("1 2", None),
        ("0x10", None), ("²", None),
    ],
)  # fmt: skip
def test_real_numbers(written, number):
    assert fields.real(written) == number


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("28,800", 28800),
        ("28.800", 28800),
        ("-1,048,576", -1048576),
        ("256.0", 256),
        ("256,0", 256),
        ("-1", -1),
        ("2.5", None),
        ("", None),
    ],
)
def test_whole_numbers(written, number):
    assert fields.whole(written) == number


@given(st.floats(-1e6, 1e6).map(lambda x: round(x, 3)))
def test_a_comma_is_a_point(value):
    assert fields.real(f"{value:f}".replace(".", ",")) == fields.real(f"{value:f}")


@pytest.mark.parametrize(
    "field", [b"\nFlow\x1b  ", b"Flow    ", b"Flow\0\0\0\0", b"\0\0Flow  ", b"Flow\0old"]
)
def test_texts_end_at_a_zero_byte(field):
    assert fields.text(field) == "Flow"


@pytest.mark.parametrize("records", ["-1", "0", "", "-7", "many"])
def test_records_that_nobody_counted_are_counted_by_the_size(raw_edf, raw_signal, records):
    signals = [raw_signal("SpO2", [[1, 2], [3, 4], [5, 6]], physical=WIDE)]
    path = raw_edf(signals=signals, records=records, tail=b"\1")
    assert reader.read(path).signals["SpO2"].values.tolist() == [1, 2, 3, 4, 5, 6]
    assert "never closed it; the file holds 3 data records" in notes(path)
    assert "the last 1 bytes are no data record" in notes(path)


@pytest.mark.parametrize("kind", [{}, {"reserved": "EDF+C", "stamps": ["0", "1", "2"]}])
def test_more_records_than_the_header_counts_are_read(raw_edf, raw_signal, kind):
    signals = [raw_signal("SpO2", [[1, 2], [3, 4], [5, 6]], physical=WIDE)]
    path = raw_edf(signals=signals, records="1", **kind)
    recording = reader.read(path)
    assert recording.signals["SpO2"].values.tolist() == [1, 2, 3, 4, 5, 6]
    assert recording.header.duration == 3
    assert "counts 1 data records, the file holds 3" in notes(path)


@pytest.mark.parametrize("records", ["2", "-1"])
@pytest.mark.parametrize("room", [b"\0", b"\xff"])
def test_reserved_room_is_no_record(raw_edf, raw_signal, records, room):
    signals = [raw_signal("SpO2", [[1, 2], [3, 4]], physical=WIDE)]
    path = raw_edf(signals=signals, records=records, tail=room * (4 * 700000))
    assert reader.read(path).signals["SpO2"].values.tolist() == [1, 2, 3, 4]
    assert "the last 2800000 bytes" in notes(path)


def test_what_follows_without_a_time_stamp_is_no_record(raw_edf):
    path = raw_edf(reserved="EDF+C", stamps=["0"], tail=b"made by a program" * 20)
    assert reader.header(path).duration == 1
    assert "bytes are no data record and left out" in notes(path)


def test_a_file_without_any_record(raw_edf, raw_signal):
    path = raw_edf(signals=[raw_signal("SpO2", [[0, 0]])], records="-1")
    with pytest.raises(StimjaxError, match="holds no data record"):
        reader.read(path)


@pytest.mark.parametrize(
    ("fields", "note"),
    [
        ({"padding": 256}, "padded to 768 bytes"),
        ({"padding": 100, "records": "-1"}, "padded to 612 bytes"),
        ({"padding": 256, "header_bytes": "512"}, "padded to 768 bytes and says that it has 512"),
        ({"padding": 250, "header_bytes": "512"}, "padded to 762 bytes and says that it has 512"),
        ({"padding": 256, "records": "1"}, "padded to 768 bytes"),
        ({"header_bytes": "256"}, "says that it has 256 bytes; it has 512"),
        ({"header_bytes": " "}, "says that it has None bytes; it has 512"),
        ({"header_bytes": "9999"}, "says that it has 9999 bytes; it has 512"),
    ],
)
def test_header_sizes_that_are_wrong(raw_edf, raw_signal, fields, note):
    path = raw_edf(signals=[raw_signal("SpO2", [[1, 2], [3, 4]], physical=WIDE)], **fields)
    assert reader.read(path).signals["SpO2"].values.tolist() == [1, 2, 3, 4]
    assert note in notes(path)


@pytest.mark.parametrize(
    ("physical", "digital", "values"),
    [
        (("0", "100"), ("32767", "-32768"), [100, 0]),
        (("100", "0"), ("-32768", "32767"), [100, 0]),
        (("100", "0"), ("32767", "-32768"), [0, 100]),
        (("-0,5", "0,5"), ("-32768", "32767"), [-0.5, 0.5]),
        (("0\x009", "1"), ("-32768", "32767"), [0, 1]),
        (("0", "100"), ("-32,768", "32,767"), [0, 100]),
        (("0", "100"), ("-32.768", "32.767"), [0, 100]),
        (("0", "1.000,0"), ("-32768,0", "32767.0"), [0, 1000]),
    ],
)
def test_ranges(raw_edf, raw_signal, physical, digital, values):
    signal = raw_signal("Chest", [[-32768, 32767]], "", physical, digital)
    assert reader.read(raw_edf(signals=[signal])).signals["chest"].values == pytest.approx(values)


def test_oddities_of_ranges_are_said(raw_edf, raw_signal):
    turned = raw_signal("Chest", [[1, 2]], digital_range=("32767", "-32768"))
    comma = raw_signal("Abdomen", [[1, 2]], physical=("-0,5", "0,5"))
    zero = raw_signal("HR\0\0", [[1, 2]])
    apart = raw_signal("EMG", [[1, 2]], digital_range=("-32,768", "32,767"))
    said = notes(raw_edf(signals=[turned, comma, zero, apart]))
    assert "numbers with thousands apart (such as '-32,768')" in said
    assert "'Chest' has its digital limits reversed" in said
    assert "numbers with commas, read as points (such as '-0,5')" in said
    assert "zero bytes where blanks belong" in said


@pytest.mark.parametrize(
    ("dead", "why"),
    [
        ({"physical": ("0", "0")}, "its range is empty (0 to 0"),
        ({"digital_range": ("7", "7")}, "digital 7 to 7"),
        ({"physical": ("?", "0")}, "'?' is no limit of its range"),
        ({"digital_range": ("0", "65535")}, "does not fit into 16 bits"),
        ({"physical": ("-1e308", "1e308")}, "beyond any measure"),
        ({"digital_range": ("0", "1e-99")}, "beyond any measure"),
    ],
)
def test_one_dead_channel_does_not_stop_the_others(raw_edf, raw_signal, dead, why):
    signals = [raw_signal("Flow", [[5, 5]], **dead), raw_signal("SpO2", [[1, 2]], physical=WIDE)]
    path = raw_edf(signals=signals)
    assert list(reader.read(path).signals) == ["SpO2"]
    assert [signal.label for signal in reader.header(path).signals] == ["Flow", "SpO2"]
    assert why in notes(path)
    with pytest.raises(StimjaxError, match=r"'Flow' cannot be used .*; it has SpO2"):
        reader.read(path, ["airflow"])


def test_of_two_flows_the_usable_one_is_taken(raw_edf, raw_signal):
    dead = raw_signal("Flow", [[5, 5]], physical=("0", "0"))
    path = raw_edf(signals=[dead, raw_signal("Nasal Pressure", [[1, 2]], physical=WIDE)])
    assert reader.read(path, ["flow"]).signals["flow"].label == "Nasal Pressure"


@pytest.mark.parametrize(
    ("clock", "seconds"),
    [("22.30.05", 81005), ("22:30:05", 81005), ("223005", 81005), ("9.30.05", 34205),
     ("25.00.00", None), ("XX.XX.XX", None), ("", None)],
)  # fmt: skip
def test_the_clock(raw_edf, clock, seconds):
    assert reader.header(raw_edf(clock=clock)).start.clock == seconds


def test_a_start_after_the_header_s(raw_edf):
    start = reader.header(raw_edf(reserved="EDF+C", stamps=["7201.5"], date="05.03.20")).start
    assert (start.clock, str(start.day)) == (1, "2020-03-06")  # from 22.00.00 on the fifth
    assert reader.header(raw_edf(reserved="EDF+C", stamps=["9" * 30])).start.clock == 79200


def test_data_records_below_a_second(raw_edf, raw_signal):
    signals = [raw_signal("SpO2", [[1], [2], [3]], physical=WIDE)]
    path = raw_edf(signals=signals, seconds="0.1", reserved="EDF+C", stamps=["0", "0.1", "0.2"])
    header = reader.header(path)
    assert header.rates["SpO2"] == pytest.approx(10) and header.duration == pytest.approx(0.3)
    assert header.notes == ()


@pytest.mark.parametrize("records", ["1", "4"])
def test_a_data_record_larger_than_what_is_read_at_once(raw_edf, raw_signal, records, monkeypatch):
    monkeypatch.setattr("stimjax.data.edf.samples.CHUNK", 10)
    rows = [list(range(20 * r, 20 * r + 20)) for r in range(int(records))]
    signals = [raw_signal("HR", [[7, 7]] * len(rows)), raw_signal("SpO2", rows, physical=WIDE)]
    values = reader.read(raw_edf(signals=signals), ["SpO2"]).signals["SpO2"].values
    assert values.tolist() == list(range(20 * len(rows)))
