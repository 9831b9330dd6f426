"""Which part a window is in, and what is measured on the training part alone."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from night_files import CODES, MINUTES, WORDS, Cohort, inside, made_of, parts

from stimjax import batch, config
from stimjax.batch import load_spec
from stimjax.data import prepare, split
from stimjax.data.edf.writer import Trace, write_edf
from stimjax.data.split import Shares


def test_no_subject_is_in_two_parts_even_with_several_nights(cohort, windows_of):
    rng = np.random.default_rng(1)
    for name, code in list(CODES.items()):
        second = rng.integers(60, 101, 60 * MINUTES).astype(float)
        cohort.add(f"{name}-second", code, second, rng.permutation(MINUTES) % 2)
    for seed in range(4):
        folder = windows_of(cohort, seed=seed)
        subjects = {name: set(part.subject.tolist()) for name, part in parts(folder).items()}
        assert sorted(itertools.chain(*subjects.values())) == list(range(6))
        assert all(subjects.values())
        made = made_of(folder)
        assert (made["recordings"], made["subjects"]) == (12, 6)
        for name, part in parts(folder).items():
            told = made["parts"][name]
            assert told["subjects"] == sorted(subjects[name])
            assert told["windows"] == len(part) == 2 * 8 * len(subjects[name])
            assert list(told["classes"].values()) == part.y.sum(axis=0).tolist()


@pytest.mark.parametrize("wanted", ["S2, S5", "night-b,night-e"])
def test_named_subjects_are_the_test(cohort, windows_of, wanted):
    folder = windows_of(cohort, test_subjects=wanted)
    assert set(batch.load(folder, "test").subject.tolist()) == {1, 4}
    assert "S2" not in (folder / "spec.json").read_text()


def test_a_missing_code_does_not_part_the_nights_of_another_subject(cohort, windows_of):
    rng = np.random.default_rng(1)
    for name, code in (("second", "S1"), ("unknown", "")):
        values = rng.integers(60, 101, 60 * MINUTES).astype(float)
        cohort.add(name, code, values, rng.permutation(MINUTES) % 2)
    assert made_of(windows_of(cohort))["subjects"] == 7
    assert made_of(windows_of(cohort, subject_from="file"))["subjects"] == 8


def test_a_random_split_gives_every_window_to_one_part(cohort, windows_of):
    folder = windows_of(cohort, split="random")
    got = parts(folder)
    for code, spo2 in cohort.spo2.items():
        windows = {tuple(spo2[60 * m : 60 * m + 60]): cohort.labels[code][m] for m in range(10)}
        its = [part[part.subject == cohort.number(code)] for part in got.values()]
        found = [tuple(x) for part in its for x in part.x[..., 0] * 4 + 95]
        assert sorted(found) == sorted(windows)
        labels = np.concatenate([part.y[:, 1] for part in its])
        assert [windows[window] for window in found] == labels.tolist()
    shares = [len(part) / 60 for part in got.values()]
    np.testing.assert_allclose(shares, [0.6, 0.15, 0.25], atol=0.11)


def test_the_seed_makes_the_split(cohort, windows_of):
    content = {
        seed: {p.name: p.read_bytes() for p in windows_of(cohort, seed=s).iterdir()}
        for seed, s in (("0", 0), ("again", 0), ("1", 1))
    }
    assert content["0"] == content["again"]
    assert set(content["0"]) != set(content["1"])


def channel_range(folder: Path) -> tuple[float, float]:
    (channel,) = load_spec(folder).channels
    return channel.low, channel.high


def test_the_range_is_that_of_the_training_part(cohort, windows_of):
    folder = windows_of(cohort, test_subjects="S1")
    values = batch.load(folder, "train").x
    expected = np.percentile(values, [0.5, 99.5])
    np.testing.assert_allclose(channel_range(folder), expected, atol=0.25)  # 1 %: a sample
    held_out = [*made_of(folder)["parts"]["validation"]["subjects"], cohort.number("S1")]
    for code, name in {code: name for name, code in CODES.items()}.items():
        if cohort.number(code) in held_out:
            spo2 = cohort.spo2[code] / 2 + 0.5 + 25  # 55 to 75 %, mostly
            cohort.add(name, code, np.round(np.where(spo2 > 70, 52, spo2)), cohort.labels[code])
    assert channel_range(windows_of(cohort, test_subjects="S1")) == channel_range(folder)


def test_the_range_of_a_random_split_is_that_of_the_training_windows(cohort, windows_of):
    before = channel_range(windows_of(cohort, split="random"))
    for index, (name, code) in enumerate(CODES.items()):
        which = split.at_random(MINUTES, index, Shares(0.15, 0.25, 0))
        spo2 = cohort.spo2[code].reshape(MINUTES, 60).copy()
        spo2[which > 0] = 50 + np.arange(60) % 2
        cohort.add(name, code, spo2.reshape(-1), cohort.labels[code])
    assert channel_range(windows_of(cohort, split="random")) == before


def test_the_resolution_is_that_of_the_training_part(cohort, windows_of) -> None:
    """Halves in a test recording are nobody's business, and in a training recording they count."""
    before = windows_of(cohort)
    assert load_spec(before).channels[0].resolution == 0.25

    def finer(part: str) -> float:
        number = int(parts(before)[part].subject[0])
        (name,) = (n for n, code in CODES.items() if cohort.number(code) == number)
        old = (cohort.folder / f"{name}.edf").read_bytes()
        scored = [(60.0 * m, 60.0, WORDS[k]) for m, k in enumerate(cohort.labels[CODES[name]])]
        trace = Trace("SaO2", "%", 1, cohort.spo2[CODES[name]] - 0.5, 0.0, 127.0, (0, 254))
        write_edf(cohort.folder / f"{name}.edf", CODES[name], [trace], scored)
        after = windows_of(cohort)
        assert made_of(after)["parts"] == made_of(before)["parts"]
        (cohort.folder / f"{name}.edf").write_bytes(old)
        return load_spec(after).channels[0].resolution

    assert {part: finer(part) for part in split.PARTS} == {
        "train": 0.0,
        "validation": 0.25,
        "test": 0.25,
    }


@pytest.mark.parametrize("kind", ["subject", "random"])
def test_over_the_folds_every_window_is_tested_once(cohort, windows_of, kind):
    tested, numbers = [], set()
    minutes = inside(15, 45) if kind == "subject" else range(MINUTES)
    for fold in range(3):
        folder = windows_of(cohort, split=kind, folds=3, fold=fold, validation=0.2)
        made = made_of(folder)
        assert (made["settings"]["folds"], made["settings"]["fold"]) == (3, fold)
        part = parts(folder)
        assert sum(map(len, part.values())) == len(minutes) * len(CODES)
        for name in ("train", "validation"):
            if kind == "subject":
                assert not set(part[name].subject) & set(part["test"].subject)
        test = part["test"]
        # The SpO2 of the labeled minute says whose it is, in every fold with the same number.
        start = round(load_spec(folder).label_start)
        for window, subject in zip(test.x[:, start : start + 60, 0], test.subject, strict=True):
            tested.append((int(subject), window.tobytes()))
        numbers |= set(test.subject.tolist())
    assert len(tested) == len(set(tested)) == len(minutes) * len(CODES)
    assert numbers == set(range(len(CODES)))
    for code, spo2 in cohort.spo2.items():
        values = ((spo2 - 95) / 4).astype(np.float32).reshape(MINUTES, 60)
        its = {window for subject, window in tested if subject == cohort.number(code)}
        assert its == {values[minute].tobytes() for minute in minutes}


def test_patients_folders_keep_their_nights_together(tmp_path, windows_of):
    """B1: the same file names in a folder for each patient, without codes."""
    cohort, rng, notes = Cohort(tmp_path / "in"), np.random.default_rng(0), []
    for patient in range(6):
        for night in (1, 2):
            (cohort.folder / f"patient{patient}").mkdir(parents=True, exist_ok=True)
            spo2 = rng.integers(60, 101, 60 * MINUTES).astype(float)
            name = f"patient{patient}/night{night}"
            cohort.add(name, "", spo2, rng.permutation(MINUTES) % 2)
    (tmp_path / "out").mkdir()
    prepare.prepare([cohort.folder], config.Prepare(), tmp_path / "out", note=notes.append)
    made = made_of(tmp_path / "out")
    assert (made["recordings"], made["subjects"]) == (12, 6)
    told = [set(made["parts"][part]["subjects"]) for part in split.PARTS]
    assert not told[0] & told[1] and not told[0] & told[2] and not told[1] & told[2]
    assert any("told apart by folder in 12 recordings (6 persons)" in note for note in notes)


def test_a_subjects_file_joins_nights_and_is_written_nowhere(cohort, windows_of, tmp_path):
    lines = [f"{name},{'AB'[i % 2] if i < 2 else name}" for i, name in enumerate(CODES)]
    file = tmp_path / "ZZwho.csv"
    file.write_text("recording,subject\n" + "\n".join(lines).replace("night-b,B", "night-b,A"))
    folder = windows_of(cohort, subjects=str(file))
    assert made_of(folder)["subjects"] == 5
    settings = made_of(folder)["settings"]
    assert not {"subjects", "workers", "test_subjects"} & set(settings)
    assert all(b"ZZ" not in path.read_bytes() for path in folder.iterdir())
