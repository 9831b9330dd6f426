"""Nights in the form of windows that are there, held against nights whose values are known."""

import json
from pathlib import Path

import numpy as np
import pytest
from night_files import MINUTES, WORDS, Cohort, parts

from stimjax.batch import Channel, Spec, save_spec
from stimjax.data import like as likes
from stimjax.data.edf.writer import Trace, write_edf
from stimjax.data.like import Like
from stimjax.errors import StimjaxError

BEFORE, AFTER = 15, 45
SPO2 = Channel("SpO2", "%", "fixed", 95.0, 4.0, -6.0, 1.25)


def spec(**fields) -> Spec:
    given = {"shape": (120, 1), "classes": ("normal", "apnea"), "channels": (SPO2,)}
    return Spec(**{**given, "rate": 1.0, "label_start": 15.0, "label_seconds": 60.0, **fields})


def like_of(folder: Path, **fields) -> Like:
    folder.mkdir(exist_ok=True)
    save_spec(spec(**fields), folder)
    return likes.like(folder)


def values(seconds: int) -> np.ndarray:
    return np.random.default_rng(7).integers(60, 101, seconds).astype(float)


def write(path: Path, spo2: np.ndarray, scored=(), label: str = "SaO2", unit: str = "%") -> Path:
    write_edf(path, "Q1", [Trace(label, unit, 1, spo2, 0.0, 127.0, (0, 127))], scored)
    return path


def test_a_night_gives_the_windows_that_were_made_of_it(cohort: Cohort, windows_of) -> None:
    folder = windows_of(cohort, max_missing=0.25)
    like = likes.like(folder)
    assert like.max_missing == 0.25 and like.plan.wishes == ("SpO2",)
    test = parts(folder)["test"]
    for number in np.unique(test.subject):
        code = sorted(cohort.spo2)[number]
        path = next(p for p in cohort.folder.iterdir() if code.encode() in p.read_bytes()[:80])
        night = likes.night(path, like)
        own = test[test.subject == number]
        np.testing.assert_array_equal(night.x, own.x)
        np.testing.assert_array_equal(night.label[night.why == ""], own.label)


def test_every_minute_of_an_unscored_night_has_a_place(tmp_path: Path) -> None:
    spo2 = values(60 * MINUTES + 30)
    spo2[180:270] = 0  # a lost probe: more than half of the window of minute 3
    night = likes.night(write(tmp_path / "a.edf", spo2), like_of(tmp_path / "like"))
    np.testing.assert_array_equal(night.start, 60.0 * np.arange(MINUTES))
    assert (night.label == likes.NOT_SCORED).all()
    assert list(night.why) == ["outside", *[""] * 2, "masked", *[""] * 5, "outside"]
    for x, start in zip(night.x, night.start[night.why == ""], strict=True):
        own = spo2[int(start) - BEFORE : int(start) + 60 + AFTER]
        there = own > 0
        np.testing.assert_allclose(x[there, 0], (own[there] - 95) / 4, atol=1e-6)


def test_scored_spans_stand_where_they_are_and_others_fill_what_is_left(tmp_path: Path) -> None:
    scored = [(70.0, 60.0, WORDS[1]), (130.0, 60.0, WORDS[0]), (330.0, 60.0, WORDS[1])]
    path = write(tmp_path / "a.edf", values(600), scored)
    night = likes.night(path, like_of(tmp_path / "like"))
    assert list(night.start) == [0, 70, 130, 190, 250, 330, 390, 450, 510]
    assert list(night.label) == [-1, 1, 0, -1, -1, 1, -1, -1, -1]
    assert len(night.x) == (night.why == "").sum()


def test_labels_of_the_own_files_may_be_asked_for(tmp_path: Path) -> None:
    like = like_of(tmp_path / "like")
    path = write(tmp_path / "a.edf", values(600), label="Channel 7")
    with pytest.raises(
        StimjaxError, match=r"no channel 'SpO2'.*'Channel 7'.*--channels 'SpO2'=LABEL"
    ):
        likes.night(path, like)
    asked = likes.asking(like, ("spo2=Chan*", "SaO2=nothing"))
    assert asked.plan.wishes == ("SpO2=Chan*", "SpO2=nothing")
    assert likes.night(path, asked).x.shape == (8, 120, 1)
    assert likes.asking(like, ()) == like
    with pytest.raises(StimjaxError, match=r"'flow=Druck': the windows have no such channel"):
        likes.asking(like, ("flow=Druck",))


def test_what_no_window_can_be_cut_of_is_refused(tmp_path: Path) -> None:
    like = like_of(tmp_path / "like")
    for seconds in (50, 119):
        with pytest.raises(StimjaxError, match=r"short.edf: is too short: a window takes 120 s"):
            likes.night(write(tmp_path / "short.edf", values(seconds)), like)
    lost = np.where(np.arange(600) % 60 < 50, 0, values(600))
    with pytest.raises(StimjaxError, match=r"none of its 10 windows can be used: .* missing"):
        likes.night(write(tmp_path / "lost.edf", lost), like)
    with pytest.raises(StimjaxError, match="is in 'mV'"):
        likes.night(write(tmp_path / "unit.edf", values(600), unit="mV"), like)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"shape": (8, 8, 1), "rate": None, "label_seconds": None}, "its windows are images"),
        ({"classes": ("no", "yes")}, r"its classes \(no, yes\) are of no task"),
        ({"label_seconds": 20.0}, "its labels speak of 20 s of a window"),
        (
            {"channels": (Channel("SpO2", "%", "fixed", 90.0, 4.0),)},
            "its channel .SpO2. was norm.* by other rules",
        ),
    ],
)
def test_windows_that_no_recording_becomes_are_refused(tmp_path, fields, said) -> None:
    with pytest.raises(StimjaxError, match=f"spec.json: {said}"):
        like_of(tmp_path / "like", **fields)


def test_a_folder_without_a_spec_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StimjaxError, match=r"spec.json: is missing; name a release"):
        likes.like(tmp_path)
    (tmp_path / "spec.json").write_text(json.dumps({"schema": 1, "spec": {}}))
    with pytest.raises(StimjaxError, match="the spec is wrong"):
        likes.like(tmp_path)
