"""`stimjax prepare --like`: what is said, and that nothing is left of what is refused."""

import numpy as np
import pytest

from stimjax import batch
from stimjax.batch import Channel, Spec
from stimjax.command.main import main
from stimjax.data.edf.writer import Trace, write_edf
from stimjax.disk.store import load_arrays

CHANNELS = (Channel("SpO2", "%", "fixed", 95.0, 4.0, -6.0, 1.25),)
SPEC = Spec((60, 1), ("normal", "apnea"), CHANNELS, 1.0, 0.0, 60.0)


@pytest.fixture
def night(tmp_path):
    spo2 = np.random.default_rng(0).integers(80, 101, 600).astype(float)
    path = tmp_path / "night.edf"
    write_edf(path, "Q1", [Trace("Channel 3", "%", 1, spo2, 0.0, 127.0, (0, 127))], [])
    (tmp_path / "release").mkdir()
    batch.save_spec(SPEC, tmp_path / "release")
    return path


def test_a_night_becomes_windows_like_those_of_a_release(night, tmp_path, capsys):
    words = ["prepare", "--like", tmp_path / "release", night, "--channels", "SpO2=Channel*"]
    assert main([*map(str, words), "--out", str(tmp_path / "out")]) == 0
    assert "unscored  10" in capsys.readouterr().out
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o700
    assert load_arrays(tmp_path / "out/unscored-0000.safetensors")["x"].shape == (10, 60, 1)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            "--like RELEASE",
            "night.edf: has no channel 'SpO2', which the windows have; its signals ",
        ),
        ("--like RELEASE --rate 2", "--rate 2.0: the windows of --like have 1.0; leave it out"),
        ("--like RELEASE --channels flow=x", "the windows have no such channel; write NAME=LABEL"),
        ("--like EMPTY", "spec.json: is missing; name a release, or a folder that"),
    ],
)
def test_what_is_refused_is_said_in_one_line(night, tmp_path, capsys, options, said):
    options = options.replace("RELEASE", f"{tmp_path}/release").replace("EMPTY", str(tmp_path))
    assert main(["prepare", str(night), "--out", str(tmp_path / "out"), *options.split()]) == 2
    error = capsys.readouterr().err
    assert said in error and error.strip().count("stimjax: error") == 1
    assert not (tmp_path / "out").exists()
