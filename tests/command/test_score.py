"""From a release to scored nights, as a third party types it; and what cannot be scored."""

import csv
import dataclasses
import json
from pathlib import Path

import numpy as np
import pyedflib
import pytest
from one_night import APNEA, LOST, MINUTES, SPEC, dipping, stimuli, write_night, write_release

from stimjax import config
from stimjax.command import main
from stimjax.data.edf.writer import Trace, write_edf
from stimjax.nights import viewer
from stimjax.trained import model as models

OTHER = dataclasses.replace(SPEC, shape=(120, 1), rate=2.0)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def fitted(folder: Path, student: str = "logistic", spec=SPEC) -> Path:
    made = models.fit(stimuli(spec=spec), student, config.Study())
    folder.mkdir()
    models.save(made, folder)
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fitted(tmp_path_factory.mktemp("models") / "model")


@pytest.fixture
def nights(tmp_path: Path) -> Path:
    """Three nights: one scored, one that nobody scored, one of the same name in another folder."""
    folder = tmp_path / "nights"
    (folder / "more").mkdir(parents=True)
    write_night(folder / "a.edf", dipping())
    write_night(folder / "b.edf", dipping((8,)), scored=False)
    write_night(folder / "more" / "a.edf", dipping((1, 2)))
    return folder


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """No page of a night is drawn, which takes most of the time."""
    monkeypatch.setattr(viewer, "page", lambda *night: "")


def test_from_a_release_to_a_night_nobody_scored_in_three_commands(tmp_path: Path, run) -> None:
    release, night = write_release(tmp_path / "release"), tmp_path / "night.edf"
    write_night(night, dipping(), scored=False)
    made, out = tmp_path / "model", tmp_path / "scored"
    assert run("verify", release)[0] == 0
    assert run("fit", release, "--student", "logistic", "--out", made)[0] == 0
    status, said, err = run("score", made, night, "--out", out)
    assert status == 0 and "night  7.7" in said and "mild" in said
    assert "nobody scored these nights" in err and not (out / "agreement.csv").exists()
    found = rows(out / "night.csv")
    assert [k for k, row in enumerate(found) if row["class"] == "apnea"] == list(APNEA)
    assert found[LOST]["not_scored"] == "masked"
    (in_sum,) = rows(out / "nights.csv")
    assert float(in_sum["apnea_minutes_an_hour"]) == pytest.approx(5 * 60 / 39, abs=1e-3)
    assert in_sum["severity_by_minutes"] == "mild"
    with pyedflib.EdfReader(str(out / "night.edf")) as file:
        onset, _, text = file.readAnnotations()
    assert [t / 60 for t, s in zip(onset, text, strict=True) if s.startswith("apnea")] == list(
        APNEA
    )
    assert (out.stat().st_mode & 0o777, (out / "night.html").exists()) == (0o700, True)


def test_from_nothing_to_a_scored_night_in_three_commands(tmp_path: Path, run, plain) -> None:
    """Of a release that is there; the slow test makes it as well."""
    release, night, out = write_release(tmp_path / "r"), tmp_path / "nights", tmp_path / "out"
    assert run("simulate", night, "--subjects", 1, "--hours", 0.5, "--seed", 4)[0] == 0
    assert run("fit", release, "--student", "logistic", "--out", tmp_path / "m")[0] == 0
    assert run("score", tmp_path / "m", night, "--out", out)[0] == 0
    (in_sum,) = rows(out / "nights.csv")
    assert int(in_sum["minutes"]) == 30 and float(in_sum["low"]) <= float(in_sum["high"])
    assert (out / "agreement.json").exists()


@pytest.mark.slow
def test_from_nothing_at_all_to_a_scored_night_in_three_commands(tmp_path: Path, run) -> None:
    demo, out = tmp_path / "demo", tmp_path / "out"
    small = ["--hours=0.5", "--subjects=6", "--synthesis.count=200", "--teacher.fit.steps=20"]
    small += ["--teacher.networks=mlp", "--teacher.candidates=1", "--teacher.prior.sleepers=4"]
    small += ["--study.students=logistic", "--study.baselines", "--audit.attacks", "dcr"]
    assert run("demo", "--out", demo, *small)[0] == 0
    fit = ["--student", "mlp", "--fit.steps=20", "--fit.every=10"]
    assert run("fit", demo / "release", *fit, "--out", tmp_path / "m")[0] == 0
    nights = demo / "private" / "recordings"
    assert run("score", tmp_path / "m", nights, "--out", out)[0] == 0
    assert len(rows(out / "nights.csv")) == 6


def test_nights_of_one_name_and_agreement_of_two_models(
    model: Path, nights: Path, tmp_path: Path, run, plain
) -> None:
    out = tmp_path / "out"
    other = fitted(tmp_path / "model", "knn")  # the same name as the first
    status, said, _ = run("score", model, nights, "--out", out, "--beside", other)
    assert status == 0 and "agreement with scorers, 2 nights" in said
    assert [row["name"] for row in rows(out / "nights.csv")] == ["a", "b", "a-2"]
    agreement = json.loads((out / "agreement.json").read_text())
    assert agreement["models"] == ["model", "model-2"]
    assert [one["name"] for one in agreement["nights"]] == ["a", "a-2"]
    scorer = 60 * len(APNEA) / (MINUTES - 1)
    assert agreement["nights"][0]["scorer"] == pytest.approx(scorer)
    assert agreement["nights"][0]["models"][0] == pytest.approx(scorer)
    by = {(row["model"], row["measure"]): row for row in rows(out / "agreement.csv")}
    truth = np.zeros((2, MINUTES), bool)
    truth[:, list(APNEA)] = True
    called = np.zeros_like(truth)
    called[0, list(APNEA)] = called[1, [1, 2]] = True
    left = np.arange(MINUTES) != LOST
    truth, called = truth[:, left].ravel(), called[:, left].ravel()
    seen, chance = (truth == called).mean(), 0.0
    for value in (False, True):
        chance += (truth == value).mean() * (called == value).mean()
    kappa = float(by["model", "kappa by minute"]["value"])
    assert kappa == pytest.approx((seen - chance) / (1 - chance))
    assert "agreement with scorers" in run("inspect", out)[1]
    assert "a-2.html" in (out / "index.html").read_text()
    assert run("score", model, nights, "--out", out)[0] == 2  # it is not empty
    assert run("score", model, nights / "b.edf", "--out", out, "--overwrite")[0] == 0
    assert len(rows(out / "nights.csv")) == 1


def test_a_bad_night_stops_all_or_is_named(
    model: Path, nights: Path, tmp_path: Path, run, refused, plain
) -> None:
    whole = (nights / "b.edf").read_bytes()
    (nights / "b.edf").write_bytes(whole[:-500])
    assert "b.edf" in refused("score", model, nights, "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    status, _, err = run("score", model, nights, "--out", tmp_path / "out", "--skip-bad")
    assert status == 0 and "left out: " in err
    assert list(json.loads((tmp_path / "out" / "nights.json").read_text())["failed"]) == ["b.edf"]
    assert "b.edf could not be scored" in (tmp_path / "out" / "index.html").read_text()
    line = refused("score", model, nights / "b.edf", "--out", tmp_path / "no", "--skip-bad")
    assert "not one night could be scored" in line


def test_nights_and_models_that_do_not_fit(
    model: Path, nights: Path, tmp_path: Path, refused
) -> None:
    flow = tmp_path / "flow.edf"
    wave = np.sin(np.arange(1200.0))
    write_edf(flow, "Q", [Trace("Flow", "cmH2O", 1, wave, -2, 2)], [])
    out = ("--out", tmp_path / "out")
    assert "SpO2" in refused("score", model, flow, *out)
    assert "no such channel" in refused("score", model, nights, "--channels", "HR=Pulse", *out)
    other = fitted(tmp_path / "other", spec=OTHER)
    assert "of another kind" in refused("score", model, nights, "--beside", other, *out)
    assert "name the nights" in refused("score", model, *out)
    assert "none.edf" in refused("score", model, tmp_path / "none.edf", *out)
    assert "model.json" in refused("score", nights, nights, *out)
    assert not (tmp_path / "out").exists()


def test_a_model_that_was_changed_scores_nothing(nights: Path, tmp_path: Path, refused) -> None:
    changed = fitted(tmp_path / "changed")
    spec = changed / "spec.json"
    spec.write_text(spec.read_text().replace("SpO2", "SpO3"))
    assert "spec.json" in refused("score", changed, nights, "--out", tmp_path / "out")


def test_a_night_unlike_the_stimuli_is_said_to_be(model: Path, tmp_path: Path, run) -> None:
    odd = 75 + 20 * np.sign(np.sin(np.arange(60.0 * MINUTES)))  # no saturation jumps so
    write_night(tmp_path / "odd.edf", odd, scored=False)
    status, said, err = run("score", model, tmp_path / "odd.edf", "--out", tmp_path / "out")
    assert status == 0 and "outside" in said and "Do not trust its numbers" in err
    assert 'role="alert"' in (tmp_path / "out" / "odd.html").read_text()
    assert rows(tmp_path / "out" / "nights.csv")[0]["outside"] == "1"


def test_help_says_what_is_private(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["score", "--help"]) == 0
    assert "mode 0700" in " ".join(capsys.readouterr().out.split())
