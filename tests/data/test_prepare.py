"""Windows on disk against the signals and scorings that were written."""

import tracemalloc

import night_files
import numpy as np
import pyedflib
import pytest
from night_files import CODES, WORDS, Cohort, inside, made_of, parts, truth

from stimjax import config
from stimjax.batch import load_spec
from stimjax.data import people, prepare
from stimjax.data.edf.writer import Trace, write_edf
from stimjax.errors import StimjaxError


def test_words_of_the_user_are_read_and_recorded(cohort, windows_of, monkeypatch):
    whole = made_of(windows_of(cohort))
    assert "events" not in whole["settings"]  # older folders do not have it
    for word, own in (("Kurve flach", "apnea"), ("Ereignis 7", "apnea minute")):
        monkeypatch.setattr(night_files, "WORDS", ("Normal", word))
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


def test_what_headers_tell_of_people_is_kept_by_number(cohort, windows_of):
    told = people.load(windows_of(cohort))
    assert set(told) == set(range(len(cohort.spo2)))
    assert {person.device for person in told.values()} == {"stimjax-simulator"}


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
