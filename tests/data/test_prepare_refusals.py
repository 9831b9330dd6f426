"""What cannot be prepared, said in one line; and what may be left out of a cohort."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from stimjax import batch, config
from stimjax.data import prepare, split
from stimjax.data.edf.writer import Trace, write_edf
from stimjax.errors import StimjaxError

MINUTES = 5


def night(
    path: Path,
    code: str,
    *,
    seed: int,
    spo2: np.ndarray | None = None,
    label: str = "SpO2",
    words: tuple[str, ...] = ("Normal", "Apnea"),
    seconds: int = 60 * MINUTES,
) -> Path:
    """Write a recording of SpO2; its minutes are scored with `words` in turn."""
    values = np.random.default_rng(seed).integers(60, 101, seconds).astype(float)
    values = values if spo2 is None else spo2
    scored = [
        (60.0 * m, 60.0, words[(m + seed) % len(words)])
        for m in range(max(1, seconds // 60))
        if words
    ]
    trace = Trace(label, "%", 1, values, 0.0, 127.0, (0, 127))
    write_edf(path, code, [trace], scored)
    return path


@pytest.fixture
def cohort(tmp_path: Path) -> Path:
    """Six good recordings of six subjects."""
    folder = tmp_path / "in"
    folder.mkdir()
    for i in range(6):
        night(folder / f"good-{i}.edf", f"S{i}", seed=i)
    return folder


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., tuple[Path, list[str]]]:
    """Prepare recordings; give the folder of windows and the notes."""

    def call(*inputs: Path, **fields) -> tuple[Path, list[str]]:
        folder, notes = tmp_path / "out", []
        folder.mkdir()
        prepare.prepare(list(inputs), config.Prepare(**fields), folder, note=notes.append)
        return folder, notes

    return call


def refused(notes: list[str]) -> list[str]:
    """The notes of recordings that were left out; others tell of those that were used."""
    return [note for note in notes if note.startswith("left out: ")]


def half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "truncated": (lambda p: half(night(p, "B", seed=50)), "is truncated"),
    "random": (lambda p: p.write_bytes(np.random.default_rng(0).bytes(3000)), "is no EDF file"),
    "empty": (lambda p: p.write_bytes(b""), "is empty"),
    "constant": (lambda p: night(p, "B", seed=50, spo2=np.full(300, 95.0)), "'SpO2' .*is constant"),
    "lost": (
        lambda p: night(p, "B", seed=50, spo2=np.tile([0.0, 30.0], 150)),
        "'SpO2' .*has no valid value",
    ),
    "mostly-lost": (
        lambda p: night(p, "B", seed=50, spo2=np.r_[np.zeros(280), np.arange(60, 80)] * 1.0),
        "none of its 5 labeled windows .*: 2 reach beyond the recording, 3 have more than 50% of a",
    ),
    "other-channel": (lambda p: night(p, "B", seed=50, label="Flow"), "has no channel 'SpO2'"),
    "unscored": (lambda p: night(p, "B", seed=50, words=()), "no scored event"),
    "other-events": (lambda p: night(p, "B", seed=50, words=("Snoring",)), "no scored event"),
    "short": (lambda p: night(p, "B", seed=50, seconds=20, words=("Hypopnea",)), "no labeled"),
    "twin": (lambda p: night(p, "B", seed=0), "holds the same signals as .*good-0.edf"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_recording_is_named_and_left_out_only_if_asked(cohort, run, kind):
    make, reason = BAD[kind]
    make(cohort / f"x-{kind}.edf")
    with pytest.raises(StimjaxError, match=reason) as error:
        run(cohort)
    message = str(error.value)
    assert f"x-{kind}" in message.split(":")[0] and "\n" not in message
    assert not list((cohort.parent / "out").glob("spec.json"))
    (cohort.parent / "out").rename(cohort.parent / "failed")
    folder, notes = run(cohort, skip_bad=True)
    assert refused(notes) == [f"left out: {message}"]
    made = json.loads((folder / "spec.json").read_text())["made"]
    assert (made["recordings"], made["skipped"], made["subjects"]) == (6, 1, 6)
    loaded = [batch.load(folder, part) for part in split.PARTS]
    assert sum(map(len, loaded)) == 6 * (MINUTES - 2)  # the first and last lack context


def test_several_bad_recordings_are_all_counted(cohort, run):
    for kind, (make, _) in BAD.items():
        make(cohort / f"x-{kind}.edf")
    folder, notes = run(cohort, skip_bad=True)
    assert [kind for kind in BAD if not any(f"x-{kind}" in note for note in notes)] == []
    assert len(refused(notes)) == len(BAD)
    made = json.loads((folder / "spec.json").read_text())["made"]
    assert (made["recordings"], made["skipped"]) == (6, len(BAD))


def test_the_copy_of_a_recording_that_was_left_out_is_used(cohort, run):
    night(cohort / "a-unscored.edf", "S0", seed=0, words=())
    folder, notes = run(cohort, skip_bad=True)
    assert len(refused(notes)) == 1 and "a-unscored" in refused(notes)[0]
    assert json.loads((folder / "spec.json").read_text())["made"]["recordings"] == 6


@pytest.mark.parametrize("kind", ["random", "lost"])
def test_nothing_but_bad_recordings(tmp_path, run, kind):
    for i in range(3):
        BAD[kind][0](tmp_path / f"{i}.edf")
    with pytest.raises(StimjaxError, match=r"^not one recording can be"):
        run(*sorted(tmp_path.glob("*.edf")), skip_bad=True)


def test_one_subject(tmp_path, run):
    files = [night(tmp_path / f"{i}.edf", "S1", seed=i) for i in range(4)]
    with pytest.raises(StimjaxError, match=r"^1 subjects leave none for train; .*--split random"):
        run(*files, subject_from="header")


def test_one_recording_can_only_be_split_at_random(tmp_path, run):
    file = night(tmp_path / "n.edf", "S1", seed=0, seconds=1800)
    with pytest.raises(StimjaxError, match="1 subjects leave none"):
        run(file)
    (tmp_path / "out").rename(tmp_path / "failed")
    folder, _ = run(file, split="random")
    assert sum(len(batch.load(folder, part)) for part in split.PARTS) == 30


@pytest.mark.parametrize(("word", "name"), [("Normal", "normal"), ("Hypopnea", "apnea")])
def test_one_class(tmp_path, run, word, name):
    files = [night(tmp_path / f"{i}.edf", f"S{i}", seed=i, words=(word,)) for i in range(6)]
    with pytest.raises(StimjaxError, match=f"^every window is of the class '{name}'; "):
        run(*files)


def test_a_class_that_only_the_test_subjects_have(tmp_path, run):
    files = [night(tmp_path / f"{i}.edf", f"S{i}", seed=i, words=("Normal",)) for i in range(5)]
    files.append(night(tmp_path / "5.edf", "S5", seed=5))
    with pytest.raises(StimjaxError, match=r"training part has no window of the class 'apnea'"):
        run(*files, test_subjects="S5")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"split": "random", "before": 15.0}, "--before and --after: context makes windows of"),
        ({"split": "random", "after": 1.0}, "--before and --after: context makes windows of"),
        ({"split": "random", "test_subjects": "S1"}, "--test-subjects: goes with --split subject"),
        ({"before": -1.0}, "must not be negative"),
        ({"rate": -4.0}, "must not be negative"),
        ({"validation": 0.6, "test": 0.4}, "--validation and --test: shares from 0 to 1"),
        ({"test": -0.1}, "--validation and --test: shares from 0 to 1"),
        ({"folds": 0}, "--fold 0 --folds 0: folds are numbered from 0"),
        ({"folds": 3, "fold": 3}, "--fold 3 --folds 3: folds are numbered from 0"),
        ({"fold": 1}, "--fold 1 --folds 1: folds are numbered from 0"),
        ({"folds": 2, "test_subjects": "S1"}, "with --folds every subject is tested once"),
        ({"folds": 2, "validation": 0.5}, "--validation and --folds 2: shares from 0 to 1"),
        ({"folds": 7}, "--folds 7: 6 subjects leave a fold with none"),
        ({"test_subjects": "S1,S77"}, "there is no subject 'S77'; stimjax inspect shows"),
        ({"test_subjects": "good-1,goad-2"}, "there is no subject 'goad-2'; did you mean good-2"),
        ({"test_subjects": "S0,S1,S2,S3,S4"}, "6 subjects leave none for train"),
        ({"channels": ("flow",)}, "no recording has a channel flow; there are SpO2"),
        ({"channels": ("SpO2", "flow")}, "has no channel 'flow'; it has SpO2"),
        ({"task": "stages"}, r"share none of the channels for stages \(EEG, EOG, EMG\)"),
    ],
)
def test_settings_that_make_no_sense(cohort, run, fields, reason):
    with pytest.raises(StimjaxError, match=reason) as error:
        run(cohort, **fields)
    assert "\n" not in str(error.value)
    late = ("leave none", "leave a fold", "it has")
    early = not any(words in reason for words in late)
    assert not early or not any((cohort.parent / "out").iterdir())  # said before hours of reading


def test_a_name_that_two_subjects_recordings_have(tmp_path, run):
    for i in range(6):
        (tmp_path / str(i)).mkdir()
        night(tmp_path / str(i) / f"night-{i // 2}.edf", f"S{i}", seed=i)
    with pytest.raises(StimjaxError, match=r"'night-1' is the name of recordings of 2 subjects"):
        run(tmp_path, subject_from="header", test_subjects="night-1")


def test_a_header_without_a_code(cohort, run):
    night(cohort / "nobody.edf", "", seed=9)
    with pytest.raises(StimjaxError, match=r"^nobody: its header names no subject; use"):
        run(cohort, subject_from="header")


@pytest.mark.parametrize(
    "asked", [("SaO2",), ("oxygen saturation",), ("SpO2=sp?2",), ("spo2", "SpO2")]
)
def test_channels_may_be_asked_for_by_any_of_their_names(cohort, run, asked):
    folder, _ = run(cohort, channels=asked)
    assert batch.load(folder, "train").spec.shape == (120, 1)


def test_windows_that_are_not_there(tmp_path):
    with pytest.raises(StimjaxError, match="is no folder of windows; `stimjax prepare` makes one"):
        batch.load(tmp_path / "none", "train")
    with pytest.raises(StimjaxError, match=r"spec\.json: is missing"):
        batch.load(tmp_path, "train")


def test_no_name_is_in_what_is_written(tmp_path, run):
    """Not in the private folder either: subjects are numbers from here on."""
    folder = tmp_path / "ZZFOLDER"
    folder.mkdir()
    for i in range(6):
        night(folder / f"ZZNIGHT{i}.edf", f"ZZCODE{i}", seed=i)
    for fields in ({"test_subjects": "ZZCODE1,ZZNIGHT2"}, {"split": "random"}):
        made, _ = run(folder, **fields)
        for path in made.iterdir():
            assert b"ZZ" not in path.read_bytes() and "ZZ" not in path.name
            assert str(tmp_path).encode() not in path.read_bytes()
        made.rename(tmp_path / f"made-{len(list(tmp_path.iterdir()))}")
