"""What counts as a recording: compressed files, BDF, `.rec`, and what a memory card holds."""

import gzip

import pytest

from stimjax.data import reader
from stimjax.data.recording import Event, stem
from stimjax.errors import StimjaxError

WIDE = ("-32768", "32767")


@pytest.fixture
def packed(raw_edf, raw_signal):
    """A compressed recording with 4 s of heart rate."""

    def write(name="night.edf.gz", **fields):
        signals = [raw_signal("HR", [[61, 62], [63, 64]], "bpm", WIDE)]
        path = raw_edf(name, signals=signals, seconds="2", **fields)
        path.write_bytes(gzip.compress(path.read_bytes()))
        return path

    return write


@pytest.mark.parametrize("name", ["night.edf.gz", "night.EDF.GZ", "night.rec.gz", "night.bdf.gz"])
def test_compressed_files(packed, tmp_path, name):
    path = packed(name, reserved="EDF+C", stamps=["0", "2"], annotations=[("1", "2", "Hypopnea")])
    recording = reader.read(path)
    assert recording.header == reader.header(path)
    assert recording.header.name == stem(path) == "night"
    assert recording.signals["HR"].values.tolist() == [61, 62, 63, 64]
    assert recording.events == (Event("hypopnea", 1, 2),)
    assert reader.find([tmp_path]) == [path]


def test_a_compressed_file_beside_the_same_one_decompressed(packed, tmp_path):
    path = packed()
    plain = path.with_suffix("")
    plain.write_bytes(gzip.decompress(path.read_bytes()))
    assert reader.find([tmp_path]) == [plain]
    assert reader.find([path]) == [path]


def test_secrets_of_a_compressed_file(packed):
    held = list(reader.secrets(packed(patient="Jane Doe")))
    assert {"Jane Doe", "night", "night.edf.gz"} <= {secret.value for secret in held}
    assert any(isinstance(s.value, bytes) and b"Jane Doe" in s.value for s in held)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda content: content[:-20], "cannot be decompressed .* copy it again"),
        (lambda content: content[:40], "cannot be decompressed"),
        (lambda content: content[:60] + b"\xff" * 40 + content[100:], "decompressed|damaged"),
        (lambda content: content[:-8] + b"\0" * 8, "cannot be decompressed .CRC check failed"),
        (lambda content: gzip.decompress(content), "cannot be decompressed .Not a gzipped file"),
        (lambda content: gzip.compress(gzip.decompress(content)[:-1]), "is truncated .1 bytes"),
        (lambda content: gzip.compress(bytes(10**6)), "is no EDF file"),
        (lambda content: gzip.compress(b""), "is empty"),
        (lambda content: b"", "is empty"),
    ],
)
def test_spoiled_compressed_files(packed, tmp_path, spoil, message):
    path = packed()
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(StimjaxError, match=message) as caught:
        reader.read(path)
    assert "\n" not in str(caught.value)
    assert reader.find([tmp_path]) == [path]  # reading it says what is wrong


@pytest.mark.parametrize(
    ("name", "reserved", "plus"),
    [("night.bdf", "24BIT", {}), ("night.edf", "", {}), ("a.BDF", "BDF+C", {"stamps": ["0"]})],
)
def test_bdf(raw_edf, raw_signal, name, reserved, plus):
    limits = ("-8388608", "8388607")
    numbers = [-8388608, -65537, -256, -1, 0, 1, 255, 65536, 8388607]
    signals = [
        raw_signal("EEG C4-A1", [numbers], "uV", limits, limits),
        raw_signal("Status", [[7]]),
    ]
    path = raw_edf(
        name, version="\xffBIOSEMI", reserved=reserved, width=3, signals=signals,
        annotation_label="BDF Annotations", **plus,
    )  # fmt: skip
    recording = reader.read(path)
    assert recording.signals["EEG C4-M1"].values.tolist() == numbers
    assert recording.header.rates["EEG C4-M1"] == 9 and recording.header.notes == ()


def test_bdf_with_a_gap(raw_edf, raw_signal):
    signals = [
        raw_signal("HR", [[300000], [-5]], "", ("-8388608", "8388607"), ("-8388608", "8388607"))
    ]
    path = raw_edf(
        "n.bdf", version="\xffBIOSEMI", reserved="BDF+D", width=3, signals=signals,
        stamps=["0", "2"], annotation_label="BDF Annotations",
    )  # fmt: skip
    values = reader.read(path).signals["HR"].values
    assert values[[0, 2]].tolist() == [300000, -5] and values[1] != values[1]


def test_a_truncated_bdf(raw_edf):
    path = raw_edf("n.bdf", version="\xffBIOSEMI", width=3, records="2")
    with pytest.raises(StimjaxError, match=r"is truncated .6 bytes are missing.; .* 1 of its 2"):
        reader.read(path)


@pytest.fixture
def card(raw_edf, raw_signal):
    """The memory card of a CPAP device, as far as its kinds of files go."""
    checksum = raw_signal("Crc16", [[7]])
    nothing = {"reserved": "EDF+D", "stamps": ["0"], "seconds": "0"}
    flow = [raw_signal("Flow.40ms", [[1] * 50]), checksum]
    days = [raw_signal(label, [[1]]) for label in ("AHI", "MaskOn", "Leak.95")]
    raw_edf("20200101_BRP.edf", signals=flow, seconds="2")
    raw_edf("20200101_EVE.edf", signals=[checksum], **nothing)
    raw_edf("20200101_CSL.edf", signals=[], **nothing)
    path = raw_edf("STR.edf", signals=[*days, checksum], seconds="86400")
    for name in ("STR.crc", "Identification.json", "Journal.dat", "other.rec", "._STR.edf"):
        path.with_name(name).write_text("something else entirely")
    (path.parent / ".Trashes").mkdir()
    (path.parent / ".Trashes" / "old.edf").write_text("")
    return path.parent


def test_a_memory_card(card):
    assert reader.find([card]) == [card / "20200101_BRP.edf"]
    assert reader.find(sorted(card.glob("[!._]*.edf"))) == [card / "20200101_BRP.edf"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("20200101_EVE.edf", "holds annotations only"),
        ("20200101_CSL.edf", "holds annotations only"),
        ("STR.edf", "is a summary .1 values in 86400 s., not a night; leave it out"),
        ("other.rec", "is no EDF file"),
    ],
)
def test_what_a_card_holds_besides_is_one_clear_line(card, name, message):
    with pytest.raises(StimjaxError, match=rf"{name}: {message}"):
        reader.read(card / name)
    if name != "other.rec":
        with pytest.raises(StimjaxError, match=f"holds no recording .{name} {message}"):
            reader.find([card / name])


def test_a_recording_in_a_rec_file(raw_edf, tmp_path):
    path = raw_edf("NIGHT.REC", patient="P7")
    assert reader.find([tmp_path]) == [path]
    assert reader.read(path).header.subject == "P7"


def test_a_scoring_with_a_dummy_signal_of_no_length_is_no_night(raw_edf, raw_signal):
    fields = {"reserved": "EDF+C", "stamps": ["0"], "seconds": "0"}
    with pytest.raises(StimjaxError, match="holds annotations only"):
        reader.read(raw_edf(signals=[raw_signal("dummy", [[0]])], **fields))
