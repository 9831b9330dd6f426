"""Byte search: every planted name is found, in every form; nothing is found by chance."""

import base64
import datetime
from typing import Any

import numpy as np
import pyedflib
import pytest

from stimjax import batch
from stimjax.batch import Channel, Spec
from stimjax.errors import StimjaxError
from stimjax.privacy.attacks import files
from stimjax.privacy.attacks.files import Secret

NAME = Secret("patient name", "Miller_Anna")
SHORT = Secret("patient code", "ND12")
FIRST = Secret("first bytes of a recording", bytes(range(1, 200)))


@pytest.fixture
def published(tmp_path):
    folder = tmp_path / "release"
    (folder / "report").mkdir(parents=True)
    rng = np.random.default_rng(0)
    windows = batch.make(
        rng.normal(size=(2000, 60, 2)), np.full((2000, 2), 0.5), Spec((60, 2), ("a", "b"), ())
    )
    batch.save(windows, folder, "stimuli-00000")
    (folder / "manifest.json").write_text('{"release": 1, "seed": 0.123456}\n')
    (folder / "README.md").write_text("Windows of a long night, patient data are not in it.\n")
    (folder / "report" / "report.html").write_text("<p>kappa is 0.7</p>\n")
    return folder


def count(published, *secrets) -> Any:
    (finding,) = files.search(published, secrets)
    assert finding.metric == "secrets_found" and finding.level == "file"
    for secret in secrets:
        if isinstance(secret.value, str) and len(secret.value) > 3:
            assert secret.value not in finding.note
    return finding


def test_a_clean_release_holds_no_secret(published):
    names = [Secret("recording name", f"ND{i}") for i in range(10, 90)]
    codes = [Secret("patient code", str(i)) for i in (123456, 345678)]
    finding = count(published, NAME, SHORT, FIRST, Secret("patient name", "Long"), *names, *codes)
    assert finding.value == 0 and finding.chance == 0 and finding.interval is None


FORMS = {
    "plain": b"... Miller_Anna ...",
    "upper": b"MILLER_ANNA",
    "lower": b"miller_anna",
    "utf-16": "Miller_Anna".encode("utf-16"),
    "utf-16-be": "Miller_Anna".encode("utf-16-be"),
    "base64": b'<img src="data:image/png;base64,' + base64.b64encode(b"\x89PNG12 Miller_Anna 34"),
    "base64, in the middle of more": b"QQQ" + base64.b64encode(b"1234567 Miller_Anna of the night"),
    "base64, lines": base64.encodebytes(b"-" * 50 + b"Miller_Anna" + b"-" * 50),
    "base64, url": base64.urlsafe_b64encode(b"\xff\xfe\xfb\xff" * 9 + b"Miller_Anna and more"),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("file", ["report/report.html", "stimuli-00000.safetensors", "new.bin"])
def test_a_name_is_found_in_every_form_and_file(published, form, file):
    path = published / file
    content = path.read_bytes() if path.exists() else b""
    half = len(content) // 2
    path.write_bytes(content[:half] + b"\n" + FORMS[form] + b"\n" + content[half:])
    finding = count(published, NAME, FIRST)
    assert finding.value == 1
    assert f"{file}: patient name" in finding.note


def test_a_name_with_an_accent_is_found_escaped_too(published):
    secret = Secret("patient name", "Zoë <Öz>")
    for text in ('"Zo\\u00eb <\\u00d6z>"', "Zoë &lt;Öz&gt;"):
        (published / "new.json").write_text(text)
        assert count(published, secret).value == 1
    (published / "new.json").write_bytes("Zoë <Öz>".encode("latin-1"))
    assert count(published, secret).value == 1


def test_first_bytes_and_names_of_files_are_found(published):
    path = published / "stimuli-00000.safetensors"
    path.write_bytes(path.read_bytes()[:1001] + bytes(range(1, 200)) + b"...")
    assert count(published, FIRST).value == 1
    (published / "miller_anna.txt").write_text("nothing")
    finding = count(published, NAME)
    assert finding.value == 1 and "miller" not in finding.note


def test_short_codes_count_as_words_of_a_text(published):
    (published / "new.txt").write_text("xND12y 1.ND12 nd123")
    assert count(published, SHORT).value == 0
    (published / "new.txt").write_text("of nd12_r, apnea")
    assert count(published, SHORT).value == 1
    (published / "new.txt").unlink()
    header = (published / "stimuli-00000.safetensors").read_bytes()
    named = header[:8] + header[8:].replace(b'"subject"', b'"ND12", "subject"', 1)
    (published / "stimuli-00000.safetensors").write_bytes(named)
    assert count(published, SHORT).value == 1


@pytest.mark.parametrize(
    "value", ["C1", "SpO2", "Anonymous", "1234", "----", "Apnea", "", b"short"]
)
def test_strings_that_tell_of_nobody_are_not_sought(published, value):
    (published / "new.txt").write_text(f"{value} {value}")
    finding = count(published, Secret("x", value))
    assert finding.value == 0 and "1 more are too short or too plain" in finding.note


def test_headers_give_names_codes_and_dates_in_all_formats(tmp_path):
    path = tmp_path / "night-7.edf"
    with pyedflib.EdfWriter(str(path), 1) as writer:
        writer.setPatientCode("MCH-0234567")
        writer.setPatientName("Anna_Miller")
        writer.setBirthdate(datetime.date(1951, 5, 2))
        writer.setStartdatetime(datetime.datetime(2014, 3, 31, 22, 5))
        writer.setTechnician("Smithson")
        writer.setSignalHeader(0, {"label": "SpO2", "dimension": "%", "sample_frequency": 1})
        writer.writeSamples([np.full(10, 95.0)])
    (tmp_path / "a01r.hea").write_text(
        "a01r 1 1 9 22:05:00 31/03/2014\na01r.dat 16 ...\n# Age: 51\n"
    )
    batch.save_spec(Spec((60, 1), ("a", "b"), (Channel("SpO2", "%"),)), tmp_path)
    values = {s.value for s in files.secrets_of(tmp_path, [path, tmp_path / "a01r.hea"])}
    assert values >= {
        *("night-7", "night-7.edf", "MCH-0234567", "Anna_Miller", "Anna Miller", "Miller"),
        *("31.03.14", "2014-03-31", "31-MAR-2014", "1951-05-02", "02.05.51", "02-MAY-1951"),
        *("Smithson", path.read_bytes()[:256], "a01", "a01r.dat", "Age: 51"),
    }


def test_what_cannot_be_read_is_one_line(tmp_path):
    with pytest.raises(StimjaxError, match="no such folder"):
        files.search(tmp_path / "nowhere", [NAME])


def test_real_recordings_have_secrets_that_a_copy_of_them_gives_away(shared_data, tmp_path):
    recordings = sorted((shared_data / "hugcdn2014").glob("C*.edf"))[:5]
    batch.save_spec(Spec((60, 1), ("a", "b"), (Channel("SpO2", "%"),)), tmp_path)
    secrets = files.secrets_of(tmp_path, recordings)
    (tmp_path / "copy.bin").write_bytes(b"..." + recordings[2].read_bytes())
    finding = count(tmp_path, *secrets)
    assert finding.value >= 2 and "first bytes" in finding.note


def test_a_thousand_secrets_are_searched_for_at_once(tmp_path):
    data = np.random.default_rng(0).normal(size=2_500_000).astype(np.float32)
    (tmp_path / "stimuli.bin").write_bytes(data.tobytes())
    secrets = [Secret("recording name", f"subject-{i}-{i * 7919 % 997}") for i in range(1000)]
    assert count(tmp_path, *secrets).value == 0
    (tmp_path / "more.bin").write_bytes(data.tobytes()[:999] + str(secrets[700].value).encode())
    assert count(tmp_path, *secrets).value == 1
