import os

import numpy as np
import pyedflib
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stimjax.data import reader
from stimjax.data.edf.layout import layout
from stimjax.data.recording import Event
from stimjax.errors import StimjaxError

RATES = {"SpO2": 1, "EEG C4-A1": 64, "Resp Thorax": 8}


@pytest.fixture
def written(tmp_path):
    """A file that pyedflib wrote, and what was written."""
    random = np.random.default_rng(0)
    values = {label: random.uniform(0, 90, 120 * rate) for label, rate in RATES.items()}
    path = tmp_path / "night.edf"
    with pyedflib.EdfWriter(str(path), 3, file_type=pyedflib.FILETYPE_EDFPLUS) as file:
        file.setPatientCode("P7")
        file.setPatientName("Jane_Doe")
        for index, (label, rate) in enumerate(RATES.items()):
            unit = {"SpO2": "%", "EEG C4-A1": "mV"}.get(label, "V")
            header = {"label": label, "dimension": unit, "sample_frequency": rate}
            limits = {"physical_min": -100.0, "physical_max": 100.0}
            digital = {"digital_min": -32768, "digital_max": 32767}
            file.setSignalHeader(
                index, header | limits | digital | {"transducer": "", "prefilter": ""}
            )
        file.writeSamples(list(values.values()))
        file.writeAnnotation(20.25, 12.5, "Obstructive apnea")
        file.writeAnnotation(3, -1, "Lights off")
        file.writeAnnotation(50, 30, "Sleep stage N2")
    return path, values


def test_reads_what_pyedflib_wrote(written):
    path, values = written
    recording = reader.read(path)
    assert recording.header == reader.header(path)
    assert recording.header.subject == "P7"
    assert recording.header.name == "night"
    assert recording.header.duration == 120
    assert recording.header.rates == {"SpO2": 1, "EEG C4-M1": 64, "chest": 8}
    step = 200 / 65535
    saturation, brain, chest = recording.signals.values()
    for signal, factor, truth in zip((saturation, brain, chest), (1, 1000, 1), values.values()):  # noqa: B905
        assert signal.values.dtype == np.float32
        np.testing.assert_allclose(signal.values / factor, truth, atol=step)
        assert (signal.low, signal.high) == (-100 * factor, 100 * factor)
    assert (saturation.unit, brain.unit, chest.unit) == ("%", "uV", "V")
    assert (brain.label, brain.rate) == ("EEG C4-A1", 64)
    assert recording.events == (
        Event("lights.off", 3.0, 0.0),
        Event("apnea.obstructive", 20.25, 12.5),
        Event("stage.N2", 50, 30),
    )


def test_only_the_named_channels_are_loaded(written):
    path, _ = written
    recording = reader.read(path, ["C4:M1", "SaO2"])
    assert list(recording.signals) == ["EEG C4-M1", "SpO2"]
    assert set(recording.header.rates) == {"SpO2", "EEG C4-M1", "chest"}
    with pytest.raises(StimjaxError, match=r"night\.edf: has no channel 'flow'; it has SpO2, EEG"):
        reader.read(path, ["SpO2", "flow"])


@pytest.mark.parametrize(
    ("label", "unit", "physical", "expected_unit", "low", "high"),
    [
        ("SpO2", "", ("0", "1"), "%", 0, 100),
        ("SpO2", "%", ("100", "0"), "%", 0, 100),
        ("EMG chin", "V", ("-0.001", "0.001"), "uV", -1000, 1000),
        ("EOG(L)", "\xb5V", ("-250", "250"), "uV", -250, 250),
        ("EEG Fpz-Cz", "", ("-1", "1"), "", -1, 1),
        ("ECG", "mV", ("-5", "5"), "mV", -5, 5),
    ],
)
def test_units(raw_edf, raw_signal, label, unit, physical, expected_unit, low, high):
    # Every file is read twice: as EDF by pyedflib, as EDF+D by our own code.
    signal = raw_signal(label, [[-32768, 0, 32767]], unit, physical)
    for options in ({}, {"reserved": "EDF+D", "stamps": ["0"]}):
        (read,) = reader.read(raw_edf(signals=[signal], **options)).signals.values()
        assert read.unit == expected_unit
        assert read.low == pytest.approx(low)
        assert read.high == pytest.approx(high)
        ends = (low, high) if float(physical[0]) < float(physical[1]) else (high, low)
        assert read.values[[0, 2]] == pytest.approx(ends)


def test_the_first_of_two_flows_is_read(raw_edf, raw_signal):
    signals = [
        raw_signal("Thermistor", [[1, 1]], physical=("-32768", "32767")),
        raw_signal("Nasal Pressure", [[2, 2]], physical=("-32768", "32767")),
    ]
    flow = reader.read(raw_edf(signals=signals)).signals["flow"]
    assert flow.label == "Thermistor"
    assert flow.values.tolist() == [1, 1]


SIGNALS = {
    "slow": [[10, 11], [20, 21], [30, 31]],  # 2 samples in 2 s
    "fast": [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]],
}


@pytest.mark.parametrize("reserved", ["EDF+D", "EDF+C"])
def test_gaps_are_nan_and_nothing_is_joined(raw_edf, raw_signal, reserved):
    limits = ("-32768", "32767")
    path = raw_edf(
        signals=[raw_signal(label, data, physical=limits) for label, data in SIGNALS.items()],
        reserved=reserved,
        seconds="2",
        stamps=["0.5", "2.5", "9.5"],
        annotations=[("9.5", "10", "Hypopnea")],
    )
    recording = reader.read(path)
    nan = np.nan
    slow = [10, 11, 20, 21, nan, nan, nan, nan, nan, 30, 31]
    fast = [*range(8), *[nan] * 10, 8, 9, 10, 11]
    np.testing.assert_array_equal(recording.signals["slow"].values, np.array(slow, np.float32))
    np.testing.assert_array_equal(recording.signals["fast"].values, np.array(fast, np.float32))
    assert recording.header.duration == reader.header(path).duration == 11
    assert recording.events == (Event("hypopnea", 9, 10),)  # 9 s after the first sample


def test_discontinuous_without_a_gap_is_as_continuous(raw_edf, raw_signal):
    signals = [raw_signal("SpO2", [[1, 2], [3, 4], [5, 6]])]
    both = [
        reader.read(raw_edf(f"{kind}.edf", signals=signals, reserved=kind, stamps=["0", "1", "2"]))
        for kind in ("EDF+C", "EDF+D")
    ]
    values = [recording.signals["SpO2"].values for recording in both]
    np.testing.assert_allclose(*values, rtol=1e-6)


@pytest.mark.parametrize("odd", [{"date": "99.99.99"}, {"patient": "Jos\xe9"}])
def test_what_offends_pyedflib_is_read_all_the_same(raw_edf, raw_signal, odd):
    signals = [raw_signal("SpO2", [[-32768, 32767], [0, 32767]])]
    path = raw_edf(signals=signals, **odd)
    with pytest.raises(OSError, match="not EDF"):
        pyedflib.EdfReader(str(path))
    values = reader.read(path).signals["SpO2"].values
    assert values == pytest.approx([0, 100, 50, 100], abs=1e-3)


def test_trailing_bytes_do_no_harm(raw_edf):
    path = raw_edf(reserved="EDF+C", stamps=["0"])
    path.write_bytes(path.read_bytes() + b"tail")
    assert reader.read(path).header.duration == 1


@pytest.mark.parametrize(
    ("name", "plus", "patient", "subject"),
    [
        ("n", True, "S12 F 01-JAN-1950 Jane_Doe", "S12"),
        ("n", True, "X F X Jane_Doe", "Jane_Doe"),
        ("n", True, "X X X X", ""),
        ("n", False, "Patient 7", "Patient 7"),
        ("n", False, "", ""),
        ("SC4001E0-PSG", False, "X F X Female_33yr", "SC400"),
        ("ST7022J0-PSG", True, "X M X Male_30yr", "ST702"),
    ],
)
def test_subject(raw_edf, name, plus, patient, subject):
    options = {"reserved": "EDF+C", "stamps": ["0"]} if plus else {}
    assert reader.header(raw_edf(f"{name}.edf", patient=patient, **options)).subject == subject


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"records": "-1"}, r"never closed it \(-1 data records\); export it again"),
        ({"records": "0"}, "holds no data record; leave it out"),
        ({"records": "9"}, "is truncated .32 bytes are missing.; copy it again"),
        ({"records": "many"}, "is a damaged EDF file .its number of data records is 'many'"),
        ({"seconds": "0"}, "is a damaged EDF file .its data records last 0 s"),
        ({"seconds": "nan"}, "is a damaged EDF file .its duration of a data record is 'nan'"),
        ({"signals": []}, "holds no signal; leave it out"),
        ({"signals": [], "stamps": ["0"]}, "holds annotations only; name the recording"),
        ({"header_bytes": "256"}, "is a damaged EDF file .its header contradicts itself"),
        ({"version": "1"}, "is no EDF file"),
        ({"version": "\xffBIOSEMI"}, "is a BDF file; convert it to EDF"),
        ({"reserved": "EDF+D"}, "data record 0 has no time stamp; export it again"),
        ({"reserved": "EDF+D", "stamps": [""]}, "data record 0 has no time stamp"),
        ({"reserved": "EDF+D", "stamps": ["5", "3"]}, "the time stamps of its data records"),
        ({"reserved": "EDF+D", "stamps": ["0", "9999999"]}, "the time stamps of its data records"),
    ],
)
def test_a_bad_file_is_one_clear_line(raw_edf, raw_signal, capfd, fields, message):
    if len(fields.get("stamps", ())) > 1:
        fields = fields | {"signals": [raw_signal("SpO2", [[1, 2]] * 2)]}
    path = raw_edf(**fields)
    with pytest.raises(StimjaxError, match=message) as caught:
        reader.read(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "limits", [{"digital_range": ("5", "5")}, {"physical": ("1", "1.0")}, {"digital": [[]]}]
)
def test_a_signal_without_a_range_is_an_error(raw_edf, raw_signal, limits):
    with pytest.raises(StimjaxError, match="'SpO2'"):
        reader.read(raw_edf(signals=[raw_signal("SpO2", **limits)]))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty; copy it again"),
        (b"0       ", "is truncated within its header"),
        (np.random.default_rng(1).bytes(5000), "is no EDF file"),
        (b"PK\x03\x04 a zip file" * 100, "is no EDF file"),
    ],
)
def test_other_content_is_one_clear_line(tmp_path, capfd, content, message):
    path = tmp_path / "night.edf"
    path.write_bytes(content)
    for function in (reader.header, reader.read):
        with pytest.raises(StimjaxError, match=message):
            function(path)
    assert capfd.readouterr() == ("", "")


def test_no_file_and_a_folder(tmp_path):
    with pytest.raises(StimjaxError, match="no such file"):
        reader.read(tmp_path / "none.edf")
    with pytest.raises(StimjaxError, match="is a folder"):
        layout(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_permission(raw_edf):
    path = raw_edf()
    path.chmod(0)
    with pytest.raises(StimjaxError, match="cannot be read"):
        reader.read(path)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(st.tuples(st.integers(0, 767), st.integers(0, 255)), min_size=1, max_size=4),
    st.sampled_from(["EDF+C", "EDF+D", ""]),
)
def test_whatever_bytes_a_header_has_only_our_error_comes(raw_edf, raw_signal, changes, reserved):
    signals = [raw_signal("SpO2", [[1, 2], [3, 4]])]
    path = raw_edf(signals=signals, reserved=reserved, stamps=["0", "5"])
    content = bytearray(path.read_bytes())
    for position, value in changes:
        content[position] = value
    path.write_bytes(content)
    try:
        reader.read(path)
    except StimjaxError as error:
        assert "\n" not in str(error)


def test_hugcdn_as_pyedflib_reads_it(shared_data):
    for path in sorted((shared_data / "hugcdn2014").glob("*.edf"))[::12]:
        recording = reader.read(path)
        with pyedflib.EdfReader(str(path)) as file:
            onsets, durations, texts = file.readAnnotations()
            values = file.readSignal(0)
        kinds = {"Normal": "minute.normal", "Apnea": "minute.apnea"}
        expected = zip((kinds[text] for text in texts), onsets, durations, strict=True)
        assert recording.events == tuple(Event(*event) for event in expected)
        np.testing.assert_array_equal(recording.signals["SpO2"].values, values.astype(np.float32))
        assert recording.header.subject == path.stem
        assert (recording.signals["SpO2"].low, recording.signals["SpO2"].high) == (0, 110)
        assert recording.signals["HR"].unit == "bpm"
