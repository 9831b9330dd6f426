import shutil
import socket
import struct
import warnings

import numpy as np
import pytest

from stimjax.data import reader, wfdb
from stimjax.data.recording import Event
from stimjax.data.scoring import rules
from stimjax.errors import StimjaxError

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import wfdb as package


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    def refuse(*_):
        raise AssertionError("a reader asked the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture
def record(tmp_path):
    """Write a record of respiration and SpO2 with labels; give the path of its header."""

    def write(name="a01r", rate=4.0, minutes="NAAN", apn="a01r", label_rate=None, stated=True):
        time = np.arange(int(60 * rate * len(minutes)))
        digital = np.stack([time % 65536 - 32768, 90 + time % 10], axis=1)
        label_rate = label_rate or rate
        at = np.int64(label_rate * 60) * np.arange(len(minutes))
        folder = str(tmp_path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            package.wrsamp(
                name, rate, ["mV", "%"], ["Resp C", "SpO2"], d_signal=digital, fmt=["16", "16"],
                adc_gain=[20000.0, 1.0], baseline=[0, 0], write_dir=folder,
            )  # fmt: skip
            package.wrann(
                apn, "apn", at, list(minutes), fs=label_rate if stated else None, write_dir=folder
            )
        return tmp_path / f"{name}.hea"

    return write


def test_reads_what_wfdb_wrote(record):
    recording = reader.read(record())
    assert recording.header == reader.header(record())
    assert recording.header.subject == "a01"
    assert recording.header.duration == 240
    assert recording.header.rates == {"chest": 4, "SpO2": 4}
    chest, saturation = recording.signals["chest"], recording.signals["SpO2"]
    assert chest.values.dtype == np.float32
    assert np.isnan(chest.values[0])  # -32768 marks an invalid sample
    np.testing.assert_allclose(chest.values[1:], (np.arange(1, 960) - 32768) / 20000, rtol=1e-6)
    assert (chest.low, chest.high, chest.unit) == (-32767 / 20000, 32767 / 20000, "mV")
    assert chest.label == "Resp C"
    assert (saturation.low, saturation.high, saturation.unit) == (-np.inf, np.inf, "%")
    assert recording.scored.notes == ()
    kinds = ["minute.normal", "minute.apnea", "minute.apnea", "minute.normal"]
    assert recording.events == tuple(
        Event(kind, 60.0 * minute, 60.0) for minute, kind in enumerate(kinds)
    )
    assert [label for *_, label in rules.spans(recording, "apnea")] == [0, 1, 1, 0]


def test_channels_in_the_order_of_the_wish(record):
    recording = reader.read(record(), ["SaO2", "thorax"])
    assert list(recording.signals) == ["SpO2", "chest"]
    assert recording.signals["SpO2"].values[:3].tolist() == [90, 91, 92]
    with pytest.raises(StimjaxError, match="has no channel 'flow'; it has chest, SpO2"):
        reader.read(record(), ["flow"])


def test_labels_keep_their_own_rate(record):
    """A record that was decimated beside the original labels at 100 Hz."""
    recording = reader.read(record(rate=1.0, apn="a01", label_rate=100.0))
    assert [event.onset for event in recording.events] == [0, 60, 120, 180]


def test_labels_at_an_unknown_other_rate_are_an_error(record):
    path = record(rate=1.0, apn="a01", label_rate=100.0, stated=False)
    with pytest.raises(StimjaxError, match=r"a01\.apn: its labels are 6000 s apart, not 60"):
        reader.read(path)


def word(code, number=0):
    return struct.pack("<H", (code << 10) + number)


def noted(text):
    return word(22) + word(63, len(text)) + text + bytes(len(text) % 2)


MINUTES = word(1) + word(8, 240) + word(8, 240) + word(1, 240)  # N A A N at 4 Hz
SKIPPED = word(1) + (word(59) + struct.pack("<hH", 0, 240) + word(8)) * 2 + word(1, 240)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (MINUTES, ""),
        (SKIPPED, ""),  # wfdb waits for ever where a definition is none
        (noted(b"## made by hand") + MINUTES, ""),
        (noted(b"## time resolution: 4") + noted(b"## annotation type definitions") + MINUTES, ""),
        (noted(b"## annotation type definitions") + noted(b"42 a") + MINUTES, "1 annotations are"),
        (
            noted(b"## not by wfdb") * 3 + noted(b"checked") + MINUTES,
            "1 annotations are no label A or N",
        ),
        (MINUTES + word(28), "1 annotations are no label A or N; they do not count"),
        (word(1) + word(60, 3) + word(61, 1) + word(62, 2) + MINUTES[2:], ""),
    ],
)
def test_labels_with_definitions_and_more(record, content, said):
    path = record()
    path.with_suffix(".apn").write_bytes(content + b"\0\0")
    scored = reader.scored(path)
    kinds = ["minute.normal", "minute.apnea", "minute.apnea", "minute.normal"]
    assert [event.kind for event in scored.events] == kinds
    assert [event.onset for event in scored.events] == [0, 60, 120, 180]
    assert said in " ".join(scored.notes) and bool(said) == bool(scored.notes)


@pytest.mark.parametrize("labels", ["a01er", "a01", "a01r"])
def test_labels_of_the_same_subject_serve(record, labels):
    assert len(reader.read(record("a01er", apn=labels)).events) == 4


@pytest.mark.parametrize(
    ("name", "subject"), [("a01r", "a01"), ("a01er", "a01"), ("a01", "a01"), ("slumber", "slumber")]
)
def test_subject(name, subject):
    assert wfdb.subject(name) == subject


@pytest.mark.parametrize("first", ["a01r 2 4", "a01r 2 4.0", "# made by hand\na01r 2 4"])
def test_a_length_that_the_header_does_not_say(record, first):
    path = record()
    held = reader.read(path)
    path.write_text(first + "\n" + path.read_text().partition("\n")[2])
    recording = reader.read(path)
    assert recording.header.duration == held.header.duration == 240
    assert recording.header.notes == (
        "its header does not say its length; its files hold 960 samples",
    )
    for name, signal in held.signals.items():
        np.testing.assert_array_equal(recording.signals[name].values, signal.values)


def damage(path, how):
    content = path.read_bytes()
    if how == "missing":
        path.unlink()
    else:
        half, junk = content[: len(content) // 2 + 1], np.random.default_rng(0).bytes(300)
        path.write_bytes({"empty": b"", "truncated": half, "random": junk}[how])


@pytest.mark.parametrize("ending", ["hea", "dat", "apn"])
@pytest.mark.parametrize("how", ["missing", "empty", "truncated", "random"])
def test_damage_is_one_clear_line(record, capfd, ending, how):
    path = record()
    damage(path.with_suffix(f".{ending}"), how)
    if (ending, how) == ("apn", "missing"):  # nobody scored it: that is no damage
        assert reader.read(path).events == ()
        return
    named = (
        "hea"
        if (ending, how) in {("dat", "empty"), ("dat", "truncated"), ("dat", "random")}
        else ending
    )
    with pytest.raises(StimjaxError) as caught:
        reader.read(path)
    message = str(caught.value)
    assert message.startswith(f"{path.with_suffix('.' + named)}: ")
    assert "; " in message  # the remedy
    assert "\n" not in message
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a01r 2 100\na01r.dat 16 200 16 0 0 0 0 Resp C\n", "describes fewer than its 2 signals"),
        ("a01r 1 4 0\na01r.dat 16 200 16 0 0 0 0 Resp C\n", "does not say its rate and length"),
        ("a01r 1\na01r.dat 16 200 16 0 0 0 0 Resp C\n", "does not say its rate and length"),
        ("a01r 0 100 1000\n", "holds no signal"),
        ("a01r/2 1 100 1000\na 500\nb 500\n", "of its own, but joins 2 segments"),
        ("a01r 1 100 0\n~ 0 200/mV 16 0 0 0 0 Resp C\n", "is the layout of several segments"),
        (
            f"a01r 1 4 9\na01r.dat 16 200(0)/mV 16 {10**12} 0 0 0 Resp\n",
            "its adc_zero is no 32-bit",
        ),
    ],
)
def test_an_incomplete_header_is_an_error(record, content, message):
    path = record()
    path.write_text(content)
    with pytest.raises(StimjaxError, match=message):
        reader.header(path)


@pytest.mark.parametrize(("bits", "held"), [(12, 12), (16, 16), (0, 16), (99999999, 16)])
def test_a_converter_clips_where_its_bits_end_or_those_stored(record, bits, held):
    path = record()
    lines = path.read_text().splitlines()
    lines[1] = f"a01r.dat 16 200.0(0)/mV {bits} 0 0 0 0 Resp C"
    path.write_text("\n".join(lines))
    (signal,) = reader.read(path, ["Resp C"]).signals.values()
    assert signal.high == (2 ** (held - 1) - 1) / 200


def test_apnea_ecg(shared_data):
    folder = shared_data / "apnea-ecg"
    apnea = {
        "a01": 470,
        "a02": 420,
        "a03": 246,
        "a04": 453,
        "b01": 19,
        "c01": 0,
        "c02": 1,
        "c03": 0,
    }
    minutes = 0
    for name, count in apnea.items():
        recording = reader.read(folder / f"{name}r.hea")
        spans = rules.spans(recording, "apnea")
        assert recording.header.subject == name
        assert recording.header.rates == dict.fromkeys(("chest", "abdomen", "flow", "SpO2"), 1)
        assert sum(label for *_, label in spans) == count
        minutes += len(spans)
        chest = recording.signals["chest"]
        assert np.nanmin(chest.values) >= np.float32(chest.low)
    assert minutes == 3955


def test_original_layout_with_decimated_signals(shared_data, tmp_path):
    for ending in ("hea", "dat"):
        shutil.copy(shared_data / "apnea-ecg" / f"b01r.{ending}", tmp_path)
    shutil.copy(shared_data / "apnea-ecg" / "b01r.apn", tmp_path / "b01.apn")
    assert len(reader.read(tmp_path / "b01r.hea").events) == 487
