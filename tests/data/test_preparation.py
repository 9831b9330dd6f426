"""The recipe of windows as data."""

import json
from pathlib import Path

import pytest
from night_files import Cohort

from stimjax.batch import Channel, Spec, save_spec
from stimjax.data import like as likes
from stimjax.data import preparation
from stimjax.data.plan import of_spec
from stimjax.errors import StimjaxError

SPEC = Spec(
    shape=(240, 2),
    classes=("normal", "apnea"),
    channels=(Channel("SpO2", "%", "fixed", 95.0, 4.0), Channel("flow", "", "recording")),
    rate=2.0,
    label_start=15.0,
    label_seconds=60.0,
)


def told(folder: Path) -> dict:
    return json.loads((folder / "spec.json").read_text())["preparation"]


def test_it_says_what_is_done_to_each_channel() -> None:
    recipe = preparation.of(SPEC)
    assert recipe is not None and recipe == json.loads(json.dumps(recipe, allow_nan=False))
    spo2, flow = recipe["channels"]
    assert (spo2["valid"], spo2["flat_seconds"], spo2["longest_gap_seconds"]) == (
        [50.0, 100.5],
        1800.0,
        None,
    )
    assert (spo2["normalization"], spo2["center"], spo2["scale"]) == ("fixed", 95.0, 4.0)
    assert (flow["valid"], flow["flat_seconds"], flow["longest_gap_seconds"]) == (None, 120, 10)
    assert (flow["clip"], flow["iqr_of_sd"]) == (10.0, 1.349)
    assert "airflow" in flow["sources"][1]["label"].split()
    assert recipe["windows"]["samples"] == 240 and "10 s" in recipe["windows"]["label"]


def test_windows_say_it_and_nothing_of_the_recordings(cohort: Cohort, windows_of) -> None:
    folder = windows_of(cohort, channels=("SpO2=SaO*", "SpO2"), max_missing=0.25)
    plan = likes.like(folder).plan
    assert told(folder) == json.loads(json.dumps(preparation.preparation(plan, 0.25)))
    assert "SaO*" not in json.dumps(told(folder)) and plan.wishes == ("SpO2",)


def test_windows_of_no_whole_number_of_samples_are_their_own_like(
    cohort: Cohort, windows_of
) -> None:
    for after in (0.0, 30.0):
        like = likes.like(windows_of(cohort, before=10.3, after=after))
        assert like.plan.length == like.spec.shape[0] == 70 + after


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda r: r["channels"][0].update(flat_seconds=60),
            r"preparation.channels.0.flat_seconds",
        ),
        (lambda r: r["resampling"].update(beta=6.0), r"preparation.resampling.beta is 6"),
        (lambda r: r["missing"].update(most=7), "is no share from 0 to 1"),
        (lambda r: r.clear(), r"preparation.missing.most is no share"),
    ],
)
def test_windows_of_other_rules_are_refused(tmp_path: Path, change, said: str) -> None:
    recipe = preparation.of(SPEC) or {}
    save_spec(SPEC, tmp_path, preparation=recipe)
    assert likes.like(tmp_path).max_missing == 0.5
    change(recipe)
    save_spec(SPEC, tmp_path, preparation=recipe)
    with pytest.raises(StimjaxError, match=said):
        likes.like(tmp_path)


def test_of_an_older_folder_the_default_or_what_its_settings_say(
    tmp_path: Path, cohort: Cohort, windows_of
) -> None:
    save_spec(SPEC, tmp_path)
    assert preparation.max_missing(tmp_path, of_spec(SPEC)) == 0.5
    folder = windows_of(cohort, max_missing=0.25)
    content = json.loads((folder / "spec.json").read_text())
    del content["preparation"]
    (folder / "spec.json").write_text(json.dumps(content))
    assert likes.like(folder).max_missing == 0.25


def test_images_have_none() -> None:
    assert preparation.of(Spec((8, 8, 1), ("a", "b"), (Channel("ink", ""),))) is None
