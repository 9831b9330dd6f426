"""Windows on disk against the signals and scorings that were written."""

import contextlib
import itertools
import json
import shutil
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyedflib
import pytest

from stimjax import batch, config
from stimjax.batch import Batch, load_spec
from stimjax.data import people, plan, prepare, split
from stimjax.data.edf.writer import Trace, write_edf
from stimjax.data.recording import Header, SignalHeader
from stimjax.data.split import Shares
from stimjax.errors import StimjaxError
from stimjax.machine import runtime

MINUTES = 10
WORDS = ("Normal", "Apnea")
# Named so that the order of the codes is not the order of the files.
CODES = {"night-a": "S6", "night-b": "S2", "night-c": "S4", "night-d": "S1", "night-e": "S5"} | {
    "night-f": "S3"
}


class Cohort:
    """Recordings in a folder, and what was written into them, by patient code."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.spo2: dict[str, np.ndarray] = {}
        self.labels: dict[str, np.ndarray] = {}

    def add(self, name: str, code: str, spo2: np.ndarray, labels: np.ndarray) -> None:
        self.spo2[code], self.labels[code] = spo2, labels
        scored = [(60.0 * m, 60.0, WORDS[label]) for m, label in enumerate(labels)]
        traces = [Trace("SaO2", "%", 1, spo2, 0.0, 127.0, (0, 127))]
        write_edf(self.folder / f"{name}.edf", code, traces, scored)

    def number(self, code: str) -> int:
        return sorted(self.spo2).index(code)


@pytest.fixture
def cohort(tmp_path: Path) -> Cohort:
    (tmp_path / "in").mkdir()
    made, rng = Cohort(tmp_path / "in"), np.random.default_rng(0)
    for i, (name, code) in enumerate(CODES.items()):
        labels = (rng.permutation(MINUTES) < 2 + i).astype(int)
        made.add(name, code, rng.integers(60, 101, 60 * MINUTES).astype(float), labels)
    return made


@pytest.fixture
def windows_of(tmp_path: Path) -> Callable[..., Path]:
    """Prepare a cohort with some settings; give the folder of windows."""

    def run(cohort: Cohort, **fields) -> Path:
        folder = tmp_path / f"out-{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        prepare.prepare([cohort.folder], config.Prepare(**fields), folder)
        return folder

    return run


def parts(folder: Path) -> dict[str, Batch]:
    return {name: batch.load(folder, name) for name in split.PARTS}


def made_of(folder: Path) -> dict:
    return json.loads((folder / "spec.json").read_text())["made"]


def inside(before: int, after: int) -> list[int]:
    """The minutes whose windows need no time outside the recording."""
    return [m for m in range(MINUTES) if 60 * m >= before and 60 * m + 60 + after <= 60 * MINUTES]


def truth(spo2: np.ndarray, minute: int, before: int, after: int) -> np.ndarray:
    """What a window must hold."""
    return spo2[60 * minute - before : 60 * minute + 60 + after]


def test_words_of_the_user_are_read_and_recorded(cohort, windows_of, monkeypatch):
    whole = made_of(windows_of(cohort))
    assert "events" not in whole["settings"]  # older folders do not have it
    for word, own in (("Kurve flach", "apnea"), ("Ereignis 7", "apnea minute")):
        monkeypatch.setitem(globals(), "WORDS", ("Normal", word))
        for code, name in zip(CODES.values(), CODES, strict=True):
            cohort.add(name, code, cohort.spo2[code], cohort.labels[code])
        with pytest.raises(StimjaxError, match="every window is of the class 'normal'"):
            windows_of(cohort)
        made = made_of(windows_of(cohort, events={word: own}))
        assert made["settings"]["events"] == {word: own}
        assert made["parts"] == whole["parts"]


@pytest.mark.parametrize(("before", "after"), [(None, None), (0.0, 0.0), (30.0, 7.0)])
def test_windows_hold_the_signal_and_the_scoring_of_their_minute(cohort, windows_of, before, after):
    folder = windows_of(cohort, before=before, after=after)
    b, a = (15, 45) if before is None else (int(before), int(after))
    spec = load_spec(folder)
    assert spec.shape == (b + 60 + a, 1)
    assert (spec.rate, spec.label_start, spec.label_seconds) == (1.0, b, 60.0)
    assert spec.classes == ("normal", "apnea")
    (channel,) = spec.channels
    assert (channel.name, channel.unit, channel.center, channel.scale) == ("SpO2", "%", 95, 4)
    assert channel.resolution == 0.25  # whole percents
    seen = set()
    for part in parts(folder).values():
        for code, spo2 in cohort.spo2.items():
            its = part[part.subject == cohort.number(code)]
            if len(its):
                seen.add(code)
                expected = [truth(spo2, minute, b, a) for minute in inside(b, a)]
                np.testing.assert_array_equal(its.x[..., 0] * 4 + 95, expected)
                np.testing.assert_array_equal(its.y, np.eye(2)[cohort.labels[code][inside(b, a)]])
                assert (its.weight == 1).all()
    assert seen == set(CODES.values())


def test_windows_with_too_much_missing_are_left_out_and_the_rest_stays_in_place(cohort, windows_of):
    spo2 = cohort.spo2["S6"].copy()
    spo2[100:210] = 0  # a lost probe
    cohort.add("night-a", "S6", spo2, cohort.labels["S6"])
    for most in (0.3, 0.5, 0.625, 1.0):  # the second window lacks exactly 75 of 120 s
        folder = windows_of(cohort, max_missing=most)
        its = [part[part.subject == cohort.number("S6")] for part in parts(folder).values()]
        (its,) = [part for part in its if len(part)]
        missing = {m: (truth(spo2, m, 15, 45) == 0).mean() for m in inside(15, 45)}
        keep = [m for m in missing if missing[m] <= most]
        assert (len(keep) < len(missing)) == (most < 0.9)
        np.testing.assert_array_equal(its.y[:, 1], cohort.labels["S6"][keep])
        for window, minute in zip(its.x[..., 0], keep, strict=True):
            expected = truth(spo2, minute, 15, 45)
            good = expected > 0
            np.testing.assert_array_equal((window * 4 + 95)[good], expected[good])
            assert window.min() * 4 + 95 >= 60
        assert made_of(folder)["masked"]["SpO2"]["lost"] == 110


def test_channels_of_several_rates_stay_aligned_in_time(tmp_path, windows_of):
    cohort = Cohort(tmp_path / "in")
    cohort.folder.mkdir()
    onset = 7.25  # the scoring starts between two samples of the slower channel
    t = {rate: np.arange(600 * rate) / rate for rate in (1, 16)}

    def chirp(t: np.ndarray) -> np.ndarray:
        return np.sin(2 * np.pi * (0.02 * t + 2e-4 * t**2))

    for i in range(5):
        sign = (1 - 2 * (i % 2)) * (1 - i / 10)  # no two alike
        traces = [
            Trace("Thor", "mV", 16, sign * chirp(t[16]), -2.0, 2.0),
            Trace("SpO2", "%", 1, np.round(90 + 6 * np.sin(t[1] / 60)), 0.0, 127.0, (0, 127)),
        ]
        scored = [(onset + 60 * m, 60.0, WORDS[(m + i) % 2]) for m in range(9)]
        write_edf(cohort.folder / f"n{i}.edf", f"S{i}", traces, scored)
    folder = windows_of(cohort)
    spec = load_spec(folder)
    assert [c.name for c in spec.channels] == ["chest", "SpO2"]
    assert spec.rate == 4 and spec.channels[1].resolution == 0  # SpO2 was interpolated
    for part in parts(folder).values():
        # The first scored minute lacks 7.75 s of context.
        for number, x in enumerate(part[part.subject == part.subject[0]].x, start=1):
            at = onset + 60 * number - 15 + np.arange(480) / 4
            inside = (at > 3) & (at < 590)
            fit = np.polyfit(chirp(at[inside]), x[inside, 0], 1)
            error = np.polyval(fit, chirp(at[inside])) - x[inside, 0]
            assert np.abs(error).max() < 0.01 * abs(fit[0])
            smooth = 90 + 6 * np.sin(at[inside] / 60)
            assert np.abs(x[inside, 1] * 4 + 95 - smooth).max() < 0.8  # whole percents, rounded


def test_stages(tmp_path, windows_of):
    cohort, rng, truth = Cohort(tmp_path / "in"), np.random.default_rng(0), {}
    cohort.folder.mkdir()
    stages = ("W", "N1", "N2", "N3", "R")
    for i in range(5):
        eeg = np.clip(rng.normal(0, 40, 300 * 100), -200, 200)
        truth[i] = np.roll(np.repeat(np.arange(5), 2), i)
        scored = [(30.0 * e, 30.0, f"Sleep stage {stages[s]}") for e, s in enumerate(truth[i])]
        traces = [Trace("EEG C4-A1", "uV", 100, eeg, -200.0, 200.0)]
        write_edf(cohort.folder / f"n{i}.edf", f"S{i}", traces, scored)
    folder = windows_of(cohort, task="stages")
    spec = load_spec(folder)
    assert (spec.shape, spec.rate, spec.classes) == ((30 * 64, 1), 64, stages)
    assert spec.channels[0].name == "EEG C4-M1"
    for part in parts(folder).values():
        for number in set(part.subject.tolist()):
            its = part[part.subject == number]
            np.testing.assert_array_equal(its.y.argmax(axis=1), truth[number])


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


def test_what_headers_tell_of_people_is_kept_by_number(cohort, windows_of):
    told = people.load(windows_of(cohort))
    assert set(told) == set(range(len(cohort.spo2)))
    assert {person.device for person in told.values()} == {"stimjax-simulator"}


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


def test_memory_does_not_grow_with_the_number_of_recordings(raw_edf, raw_signal, tmp_path):
    rate, minutes, count = 16, 120, 16
    night = 3 * 4 * rate * 60 * minutes  # bytes of one recording's samples as f32
    noise = np.random.default_rng(0).integers(-9000, 9000, (minutes, 60 * rate))
    files = [
        raw_edf(
            f"n{number}.edf",
            signals=[
                raw_signal(label, np.roll(noise, number * (i + 1)), "mV", ("-3", "3"))
                for i, label in enumerate(("Thor", "Abdo", "Flow"))
            ],
            patient=f"S{number} X X X",
            reserved="EDF+C",
            seconds="60",
            stamps=[str(60 * record) for record in range(minutes)],
            annotations=[("600", "1800", "Apnea")],
        )
        for number in range(count)
    ]
    peak = {}
    for used in (3, 4, count):  # the first time fills caches
        folder = tmp_path / f"out-{used}"
        folder.mkdir()
        tracemalloc.start()
        prepare.prepare(files[:used], config.Prepare(), folder)
        peak[used] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak[count] - peak[4] < night  # twelve nights more
    assert peak[4] < 12 * night


def test_real_recordings(shared_data, tmp_path):
    files = sorted((shared_data / "hugcdn2014").glob("D*.edf"))[:5]
    folder = tmp_path / "out"
    folder.mkdir()
    done = []
    prepare.prepare(
        files,
        config.Prepare(channels=("SpO2",), seed=1),
        folder,
        progress=lambda *now: done.append(now),
    )
    assert done == [(i + 1, 5) for i in range(5)]
    found = parts(folder)
    codes = sorted(path.stem for path in files)
    for path in files:
        with pyedflib.EdfReader(str(path)) as file:
            onsets, _, texts = file.readAnnotations()
            spo2 = file.readSignal(file.getSignalLabels().index("SpO2"))
        number = codes.index(path.stem)
        (its,) = [p[p.subject == number] for p in found.values() if (p.subject == number).any()]
        wanted = [int(onset) for onset in onsets]
        kept = []
        for onset, text in zip(wanted, texts, strict=True):
            at = np.arange(onset - 15, onset + 105)
            if at[0] < 0 or at[-1] >= len(spo2):
                continue
            values = spo2[at]
            good = (values >= 50) & (values <= 100.5)
            if good.mean() >= 0.5:
                kept.append((text == "Apnea", values, good))
        assert [label for label, _, _ in kept] == (its.y[:, 1] == 1).tolist()
        for window, (_, values, good) in zip(its.x[..., 0] * 4 + 95, kept, strict=True):
            np.testing.assert_allclose(window[good], values[good], atol=1e-4)


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


def test_independently_no_recording_has_a_say_in_another(cohort, windows_of) -> None:
    """What a subject-level guarantee rests on: another night changes its own windows alone."""
    rng = np.random.default_rng(1)
    for number in range(8):  # more, so that each part has some by the hash of their names
        labels = (rng.permutation(MINUTES) < 3).astype(int)
        spo2 = rng.integers(60, 101, 60 * MINUTES).astype(float)
        cohort.add(f"more-{number}", f"T{number}", spo2, labels)
    asked = {"independent": True, "channels": ("SpO2",), "rate": 1.0, "subject_from": "header"}
    before = windows_of(cohort, **asked)
    spec = load_spec(before)
    assert (spec.channels[0].low, spec.channels[0].high) == (-6.25, 1.25)
    assert spec.channels[0].resolution == 0.0
    # All in order of severity, and far out of the usual range.
    changed = cohort.number("T0")
    cohort.add("more-0", "T0", np.where(np.arange(600) % 7 < 3, 51.0, 100.0), np.ones(MINUTES, int))
    after = windows_of(cohort, **asked)
    assert load_spec(after) == spec
    for name in split.PARTS:
        one, other = parts(before)[name], parts(after)[name]
        one, other = one[one.subject != changed], other[other.subject != changed]
        np.testing.assert_array_equal(one.x, other.x)
        np.testing.assert_array_equal(one.subject, other.subject)


@pytest.mark.parametrize("by", ["header", "file"])
def test_independently_a_person_more_moves_nobody(cohort, windows_of, by) -> None:
    """Neighbors of a guarantee: the file of one more is the first, in a folder, all apnea."""
    rng = np.random.default_rng(2)
    for number in range(8):
        spo2 = rng.integers(60, 101, 60 * MINUTES).astype(float)
        cohort.add(f"more-{number}", f"T{number}", spo2, np.arange(MINUTES) % 2)
    asked = {"independent": True, "channels": ("SpO2",), "rate": 1.0, "subject_from": by}
    before = windows_of(cohort, **asked)
    (cohort.folder / "aaa").mkdir()
    night = cohort.folder / "aaa" / "aaa.edf"
    scored = [(60.0 * m, 60.0, WORDS[1]) for m in range(MINUTES)]
    spo2 = rng.integers(60, 80, 60 * MINUTES).astype(float)
    write_edf(night, "A0", [Trace("SaO2", "%", 1, spo2, 0.0, 127.0, (0, 127))], scored)
    after = windows_of(cohort, **asked)
    for name in split.PARTS:
        one, other = ({x.tobytes() for x in parts(folder)[name].x} for folder in (before, after))
        more = other - one
        assert one <= other and len(more) in (0, len(inside(15, 45)))


def test_independently_a_random_split_is_refused(cohort, windows_of) -> None:
    """A person more would move other people's windows: each is dealt by its recording's place."""
    asked = {"independent": True, "channels": ("SpO2",), "subject_from": "header"}
    with pytest.raises(StimjaxError, match=r"--independent: a random split .* --split subject"):
        windows_of(cohort, split="random", **asked)


def test_independently_it_has_to_be_said_what_tells_persons_apart(cohort, windows_of, tmp_path):
    asked = {"independent": True, "channels": ("SpO2",)}
    with pytest.raises(StimjaxError, match="say --subject-from header, --subject-from file, or"):
        windows_of(cohort, **asked)
    table = tmp_path / "subjects.csv"
    lines = [f"{name},{code}" for name, code in CODES.items()]
    table.write_text("\n".join(["recording,subject", *lines]))
    windows_of(cohort, subjects=str(table), test_subjects="S1", **asked)


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


def test_independently_channels_have_to_be_named(cohort, windows_of) -> None:
    with pytest.raises(StimjaxError, match=r"--channels, such as .*SpO2"):
        windows_of(cohort, independent=True, subject_from="header")


def test_independently_the_rate_is_a_fixed_one(cohort, windows_of) -> None:
    with contextlib.suppress(StimjaxError):  # a part may be empty by the hash of the names
        asked = {"channels": ("SpO2",), "subject_from": "header", "test_subjects": "S1"}
        folder = windows_of(cohort, independent=True, **asked)
        assert load_spec(folder).rate == plan.MOST_RATE["apnea"]


def test_independently_a_copy_stops_the_work_instead_of_being_left_out(cohort, windows_of) -> None:
    shutil.copy(cohort.folder / "night-a.edf", cohort.folder / "night-z.edf")
    asked = {"channels": ("SpO2",), "skip_bad": True, "subject_from": "file"}
    with pytest.raises(StimjaxError, match="same signals"):
        windows_of(cohort, independent=True, **asked)
    windows_of(cohort, **asked)


def test_the_windows_are_the_same_for_any_number_of_workers(cohort, tmp_path):
    """Byte for byte, with what is said of them, and with a copy among the recordings."""
    (cohort.folder / "bad.edf").write_bytes(b"0" * 2000)
    shutil.copy(cohort.folder / "night-a.edf", cohort.folder / "night-y.edf")
    content, said = [], []
    for workers in (1, 2, 3):
        folder, notes = tmp_path / f"workers-{workers}", []
        folder.mkdir()
        done = []
        prepare.prepare(
            [cohort.folder],
            config.Prepare(skip_bad=True, workers=workers),
            folder,
            note=notes.append,
            progress=lambda *now, done=done: done.append(now),
        )
        assert done == [(i + 1, 7) for i in range(7)]
        content.append({path.name: path.read_bytes() for path in folder.iterdir()})
        said.append(notes)
    assert content[0] == content[1] == content[2]
    assert said[0] == said[1] == said[2]
    assert sum("left out: " in note for note in said[0]) == 2


def test_the_first_bad_recording_in_order_is_the_one_that_is_named(cohort, windows_of):
    for name in ("night-b", "night-e"):
        path = cohort.folder / f"{name}.edf"
        cohort.add(name, CODES[name], np.full(60 * MINUTES, 95.0), cohort.labels[CODES[name]])
        assert path.exists()
    for workers in (1, 2):
        with pytest.raises(StimjaxError, match=r"^night-b: .* is constant"):
            windows_of(cohort, workers=workers)


def test_processes_are_started_where_they_pay():
    def header(hours: float) -> Header:
        return Header("n", "", 3600 * hours, {}, signals=(SignalHeader("x", "x", "", 1000.0),))

    count = runtime.cores()
    assert prepare._workers([header(0.1)] * 5, config.Prepare()) == 1
    assert prepare._workers([header(8.0)] * 99, config.Prepare()) == count
    assert prepare._workers([header(8.0)], config.Prepare()) == 1
    assert prepare._workers([header(0.1)] * 5, config.Prepare(workers=3)) == 3
    assert prepare._workers([header(0.1)] * 2, config.Prepare(workers=30)) == 2


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
