"""Recordings that cannot be used, and results that were damaged."""

import json
import re
import shutil

import numpy as np
import pytest

from stimjax.data.edf.writer import Trace, write_edf

UNITS = {"SpO2": "%", "HR": "bpm"}


def recording(path, *, channels=("SpO2", "HR"), minutes=30, seed=0, subject=None, scored=True):
    """A recording whose saturation falls in every third minute, scored as apnea."""
    rng = np.random.default_rng(seed)
    low = np.repeat(np.arange(minutes) % 3 == 0, 60)
    values = {"SpO2": 96 - 8 * low + rng.normal(0, 1, low.size), "HR": rng.normal(60, 5, low.size)}
    traces = [Trace(name, UNITS[name], 1, values[name], 0.0, 127.0, (0, 127)) for name in channels]
    events = [(60.0 * m, 60.0, "Obstructive apnea") for m in range(0, minutes, 3)]
    path.parent.mkdir(exist_ok=True)
    write_edf(path, subject or path.stem, traces, events if scored else [])


def cohort(folder, count=6):
    for number in range(count):
        recording(folder / f"night-{number}.edf", seed=number)
    return folder


def no_signals(path):
    head = b"0".ljust(8) + b"X".ljust(80) + b"X".ljust(80) + b"01.01.2022.00.00"
    path.write_bytes(head + b"256".ljust(8) + b" " * 44 + b"0".ljust(8) + b"1".ljust(8) + b"0   ")


def truncated(path):
    recording(path)
    path.write_bytes(path.read_bytes()[:700])


BAD = {
    "empty.edf": lambda path: path.write_bytes(b""),
    "random.edf": lambda path: path.write_bytes(np.random.default_rng(0).bytes(5000)),
    "truncated.edf": truncated,
    "no-signals.edf": no_signals,
    "picture.edf": lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n" * 100),
    "notes.txt": lambda path: path.write_text("not a recording"),
    "empty.hea": lambda path: path.write_bytes(b""),
    "no-channel.edf": lambda path: recording(path, channels=("HR",), seed=8),
    "unscored.edf": lambda path: recording(path, scored=False, seed=9),
    "copy.edf": lambda path: shutil.copy(path.parent / "good" / "night-0.edf", path),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_recording_is_named_and_skipped_only_when_asked(refused, run, tmp_path, name, left):
    good, bad = cohort(tmp_path / "good"), tmp_path / name
    BAD[name](bad)
    words = ["prepare", good, bad, "--channels", "SpO2", "--out", tmp_path / "out"]
    assert bad.stem in refused(*words)
    assert left() == sorted(["good", name])
    if name in ("notes.txt", "no-signals.edf"):
        return  # not a recording at all: never one that could be left out
    status, _, err = run(*words, "--skip-bad")
    assert status == 0
    assert "left out: " in err
    assert bad.stem in err


@pytest.mark.parametrize("name", ["empty.edf", "random.edf", "truncated.edf", "no-signals.edf"])
def test_inspect_refuses_a_bad_recording(refused, tmp_path, name):
    BAD[name](tmp_path / name)
    assert name.partition(".")[0] in refused("inspect", tmp_path / name)


def test_a_cohort_that_cannot_be_split_is_refused(refused, tmp_path, left):
    recording(tmp_path / "one" / "night.edf")
    recording(tmp_path / "one" / "again.edf", subject="night", seed=1)
    words = ["prepare", tmp_path / "one", "--out", tmp_path / "out"]
    assert "subject" in refused(*words)
    cohort(tmp_path / "all")
    words = ["prepare", tmp_path / "all", "--out", tmp_path / "out", "--test-subjects", "nigth-0"]
    assert "did you mean night-0" in refused(*words)
    assert left() == sorted(["one", "all"])


@pytest.mark.parametrize("name", ["stimuli-00001.safetensors", "README.md", "spec.json"])
def test_verify_finds_one_changed_byte(built, run, tmp_path, name):
    shutil.copytree(built[0] / "release", tmp_path / "release")
    content = bytearray((tmp_path / "release" / name).read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "release" / name).write_bytes(content)
    status, out, err = run("verify", tmp_path / "release")
    assert (status, out) == (1, "")
    assert re.fullmatch(rf"stimjax: .*{re.escape(name)}: was changed or damaged.*\n", err)


def test_verify_finds_what_is_no_release(run, built, tmp_path):
    for path in (tmp_path / "none", tmp_path, built[0] / "windows"):
        status, out, err = run("verify", path)
        assert (status, out, err.count("\n")) == (1, "", 1)


def test_a_teacher_of_another_version_or_damaged_is_refused(built, refused, tmp_path, left):
    teacher = tmp_path / "teacher"
    shutil.copytree(built[0] / "teacher", teacher)
    words = ["synthesize", teacher, "--out", tmp_path / "out"]
    about = json.loads((teacher / "teacher.json").read_text())
    (teacher / "teacher.json").write_text(json.dumps(about | {"schema": 99}))
    assert "has schema 99" in refused(*words)
    (teacher / "teacher.json").write_text(json.dumps(about | {"networks": ["perceptron"]}))
    assert "'perceptron'" in refused(*words)
    (teacher / "teacher.json").write_text(json.dumps(about))
    shutil.rmtree(teacher / "checkpoint")
    assert "cannot be restored" in refused(*words)
    assert "cannot be restored" in refused("inspect", teacher)
    assert left() == sorted(["teacher"])


def test_folders_that_hold_something_else_are_refused(built, refused, tmp_path):
    folder, out = built[0], tmp_path / "out"
    assert "teacher.json: is missing" in refused("synthesize", folder / "windows", "--out", out)
    assert "spec.json: is missing" in refused("train", folder / "cohort", "--out", out)
    assert "no train windows" in refused("train", folder / "release", "--out", out)
    damaged = tmp_path / "damaged"
    shutil.copytree(folder / "windows", damaged)
    (damaged / "spec.json").write_text(
        (damaged / "spec.json").read_text().replace('"windows"', '"widows"')
    )
    assert "spec.json: is damaged" in refused("inspect", damaged)


def test_lanes_that_do_not_fit_into_the_memory_that_is_granted(
    refused, built, tmp_path, left, easy
):
    words = ["synthesize", built[0] / "teacher", "--out", tmp_path / "release", *easy]
    told = refused(*words, "--device-memory=1e-6")
    assert "which has 0.001 MB; use fewer --lanes or a smaller --shard" in told
    assert "above 0" in refused(*words, "--device-memory=0")
    assert left() == []
