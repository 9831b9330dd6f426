"""Recordings as windows like those of a release, held against what each recording holds."""

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from night_files import MINUTES, WORDS, Cohort, inside, truth

from stimjax import batch, config
from stimjax.batch import Channel, Spec
from stimjax.data import like as likes
from stimjax.data import people, prepare_like
from stimjax.data.edf.writer import Trace, write_edf
from stimjax.data.like import Like
from stimjax.disk.documents import Made
from stimjax.disk.store import load_arrays
from stimjax.errors import StimjaxError

BEFORE, AFTER = 15, 45
OTHERS = ("nights.csv", "people.json", "spec.json")  # beside the windows in a folder
Run = Callable[..., tuple[Path, list[str]]]
SPEC = Spec(
    shape=(120, 1),
    classes=("normal", "apnea"),
    channels=(Channel("SpO2", "%", "fixed", 95.0, 4.0, -6.0, 1.25),),
    rate=1.0,
    label_start=15.0,
    label_seconds=60.0,
)


@pytest.fixture
def like(tmp_path: Path) -> Like:
    folder = tmp_path / "release"
    folder.mkdir()
    batch.save_spec(SPEC, folder)
    return likes.like(folder)


@pytest.fixture
def run(tmp_path: Path, like: Like) -> Run:
    """Prepare recordings; give the folder of windows, and the notes."""

    def call(*paths: Path, how: Like = like, **fields) -> tuple[Path, list[str]]:
        folder, notes = tmp_path / f"out-{len(list(tmp_path.iterdir()))}", []
        folder.mkdir()
        settings = prepare_like.settings_of(config.Prepare(**fields), how)
        prepare_like.prepare(paths, how, settings, folder, note=notes.append)
        return folder, notes

    return call


def night(path: Path, seed: int, scored: bool = False, label: str = "SaO2") -> np.ndarray:
    """A recording, whose even minutes are apnea if it is scored."""
    spo2 = np.random.default_rng(seed).integers(60, 101, 60 * MINUTES).astype(float)
    path.parent.mkdir(exist_ok=True)
    minutes = [(60.0 * m, 60.0, WORDS[1 - m % 2]) for m in range(MINUTES)] if scored else []
    write_edf(path, path.stem, [Trace(label, "%", 1, spo2, 0.0, 127.0, (0, 127))], minutes)
    return spo2


def table(folder: Path) -> list[dict[str, str]]:
    with (folder / "nights.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_scored_recordings_become_a_test_part(run: Run, cohort: Cohort, like: Like) -> None:
    folder, notes = run(cohort.folder)
    windows = batch.load(folder, "test")
    assert windows.spec == SPEC and set(windows.columns) == {"start"}
    minutes = inside(BEFORE, AFTER)
    for number, code in enumerate(sorted(cohort.spo2)):
        own = windows[windows.subject == number]
        assert list(own.columns["start"]) == [60.0 * m for m in minutes]
        assert list(own.label) == [cohort.labels[code][m] for m in minutes]
        held = [truth(cohort.spo2[code], m, BEFORE, AFTER) for m in minutes]
        np.testing.assert_allclose(own.x[:, :, 0], (np.array(held) - 95) / 4, atol=1e-6)
    rows = table(folder)
    assert [row["recording"] for row in rows] == [str(p) for p in sorted(cohort.folder.iterdir())]
    assert [row["file"] for row in rows] == [f"test-{n:04d}.safetensors" for n in range(6)]
    assert all((row["windows"], row["left_out"]) == ("8", "2") for row in rows)
    assert "left out 12 of 60 labeled windows: 12 reach beyond the recording" in notes
    made = Made.load(folder)
    assert isinstance(made.settings, config.Prepare) and made.cohort is not None
    assert (made.settings.rate, made.settings.before, made.settings.after) == (1.0, 15.0, 45.0)
    assert list(made.cohort.parts) == ["test"] and made.cohort.parts["test"].windows == 48
    again = likes.like(folder)  # what they are like is told by them as well
    assert again == like and len(people.load(folder)) == 6


def test_a_single_recording_that_nobody_scored_will_do(run: Run, tmp_path: Path) -> None:
    spo2 = night(tmp_path / "in/one.edf", 5)
    folder, notes = run(tmp_path / "in/one.edf")
    arrays = load_arrays(folder / "unscored-0000.safetensors")
    assert set(arrays) == {"x", "subject", "weight", "start"}
    minutes = inside(BEFORE, AFTER)
    assert list(arrays["start"]) == [60.0 * m for m in minutes]
    held = np.array([truth(spo2, m, BEFORE, AFTER) for m in minutes])
    np.testing.assert_allclose(arrays["x"][:, :, 0], (held - 95) / 4, atol=1e-6)
    assert [note for note in notes if note.startswith("not scored")] == [
        "not scored: 1 recording, with 8 windows; 2 more were left out: 2 reach beyond the "
        "recording"
    ]
    with pytest.raises(StimjaxError, match="holds no test windows"):
        batch.load(folder, "test")


def test_scored_and_others_lie_side_by_side_for_any_number_of_workers(
    run: Run, tmp_path: Path, like: Like
) -> None:
    for number in range(4):
        night(tmp_path / f"in/n{number}x.edf", number, scored=number % 2 == 0)
    shutil.copy(tmp_path / "in/n1x.edf", tmp_path / "in/n4x.edf")
    night(tmp_path / "in/n5x.edf", 5, label="Druck")
    with pytest.raises(StimjaxError, match=r"n4x.edf: holds the same signals as .*n1x.edf"):
        run(tmp_path / "in", how=likes.asking(like, ("SpO2=Druck", "SpO2")))
    with pytest.raises(StimjaxError, match=r"n5x.edf: has no channel 'SpO2'.*'Druck'"):
        run(tmp_path / "in/n5x.edf")
    content = []
    for workers in (1, 2):
        folder, notes = run(tmp_path / "in", skip_bad=True, workers=workers)
        content.append({p.name: p.read_bytes() for p in folder.iterdir()})
        assert sum(note.startswith("left out: ") for note in notes) == 2
    names = [row["file"][:-12] for row in table(folder)]
    assert names == ["test-0000", "unscored-0001", "test-0002", "unscored-0003"]
    assert sorted(content[0]) == sorted([*(f"{n}.safetensors" for n in names), *OTHERS])
    content = [{k: v for k, v in one.items() if k not in OTHERS} for one in content]
    assert content[0] == content[1]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"rate": 2.0}, "--rate 2.0: the windows of --like have 1.0; leave it out"),
        ({"task": "stages"}, "--task stages: the windows of --like have apnea"),
        ({"before": 0.0}, "--before 0.0: the windows of --like have 15.0"),
        ({"max_missing": 0.1}, "--max-missing 0.1: the windows of --like have 0.5"),
        ({"split": "random"}, "--split: with --like nothing is split"),
        ({"test_subjects": "a"}, "--test-subjects: with --like nothing is split"),
        ({"public": ("a",)}, "--public: with --like nothing is split"),
    ],
)
def test_what_contradicts_is_refused(like: Like, fields, said: str) -> None:
    with pytest.raises(StimjaxError, match=said):
        prepare_like.settings_of(config.Prepare(**fields), like)


def test_what_agrees_is_not_refused(like: Like) -> None:
    settings = prepare_like.settings_of(config.Prepare(rate=1.0, after=45.0), like)
    assert (settings.rate, settings.before, settings.channels) == (1.0, 15.0, ("SpO2",))


def test_not_one_recording_that_can_be_used_is_an_error(run: Run, tmp_path: Path) -> None:
    night(tmp_path / "in/a.edf", 1)
    path = tmp_path / "in/a.edf"
    with path.open("r+b") as file:
        file.truncate(256 + 2 * 256 + 2 * 30)
    with pytest.raises(StimjaxError):
        run(path)
    with pytest.raises(StimjaxError, match="not one recording can be"):
        run(path, skip_bad=True)
