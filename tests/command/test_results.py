"""What each verb writes and says."""

import dataclasses
import json
import re
import shutil
import stat

import pytest

from stimjax.config import settings
from stimjax.disk.documents import Audited
from stimjax.learn import limits


def test_each_verb_tells_its_result_on_standard_output(built):
    out = {verb: said[0] for verb, said in built[1].items()}
    assert out["simulate"] == "cohort: 6 recordings of 0.5 h\n"
    assert "train " in out["prepare"]
    assert "validation" in out["train"]
    assert out["synthesize"] == "release: 40 stimuli\n"
    assert re.match(r"release: ok, 40 stimuli \(normal \d+, apnea \d+\)\n", out["verify"])


def test_standard_error_holds_only_our_lines(built):
    ours = r"(simulating recordings|preparing windows|training the (teacher|identity critic)"
    ours += "|making stimuli)"
    rates = r"\d+ a second, [\d.]+ steps each, [-/\d]+ % accepted, \d+ min \d+ s left"
    for _, err in built[1].values():
        for line in err.splitlines():
            told = re.fullmatch(rf"{ours}(: \d+ of \d+( \({rates}\))?)?", line)
            summed = (
                r"scoring: .* from EDF\+ annotations \(\d\)|left out \d+ of \d+ labeled windows: .*"
                r"|release: its seed was given and is one that can be guessed, .*"
                r"|release: only 3 people are behind a statistic, .*"
            )
            assert told or re.fullmatch(summed, line), line


def test_settings_are_kept_beside_results_and_are_read_again(built, run, tmp_path):
    folder, _ = built
    prepared = settings.load(folder / "windows" / "config.yaml").prepare
    assert (prepared.channels, prepared.rate) == (("SpO2", "HR"), 1.0)
    trained = settings.load(folder / "teacher" / "config.yaml").teacher
    assert (trained.networks, trained.fit.steps) == (("mlp",), 20)
    words = ["--config", folder / "windows" / "config.yaml", "--max-missing", "0.9"]
    assert run("prepare", folder / "cohort", "--out", tmp_path / "again", *words)[0] == 0
    again = settings.load(tmp_path / "again" / "config.yaml").prepare
    assert (again.rate, again.max_missing) == (1.0, 0.9)


def test_private_folders_are_private_and_a_release_tells_no_path(built):
    folder, _ = built
    for name in ("windows", "teacher"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o700
    for path in (folder / "release").iterdir():
        content = path.read_bytes()
        for secret in (str(folder), "subject-0", "/cohort", "config.yaml"):
            assert secret.encode() not in content
    manifest = json.loads((folder / "release" / "manifest.json").read_text())
    assert "seed" not in manifest["method"] and manifest["count"] == 40
    place = folder / "private" / "release.seed.json"
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert json.loads(place.read_text())["seed"] == 3


def test_training_leaves_metrics_and_no_checkpoints(built):
    folder, _ = built
    metrics = json.loads((folder / "teacher" / "metrics.json").read_text())
    assert {"schema", "validation", "test", "versions"} <= metrics.keys()
    assert not (folder / ".teacher.training").exists()


@pytest.mark.usefixtures("built")
def test_compiled_programs_are_kept(tmp_path_factory):
    assert any((tmp_path_factory.getbasetemp() / "cache0" / "stimjax" / "jax").iterdir())


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("cohort", ["6 recordings", "subject-003", "SpO2", "0 h 30 min"]),
        ("cohort/subject-001.edf", ["SpO2", "Thor", "16 Hz", "subject-001", "scored events"]),
        ("windows", ["120 x 2", "SpO2, HR", "normal, apnea", "validation"]),
        ("teacher", ["mlp", "normal, apnea", "accuracy", "jax 0"]),
        ("release", ["40 in 2 files", "method    public", "range of each channel"]),
    ],
)
def test_inspect_shows_what_a_path_holds(built, run, name, words):
    status, out, err = run("inspect", built[0] / name)
    assert (status, err) == (0, "")
    for word in words:
        assert word in out


def test_inspect_says_that_a_seed_is_published_and_what_an_epsilon_allows(built, run, tmp_path):
    shutil.copytree(built[0] / "release", tmp_path / "release")
    path = tmp_path / "release" / "manifest.json"
    content = json.loads(path.read_text())
    assert "seed " not in run("inspect", tmp_path / "release")[1]
    path.write_text(json.dumps(content | {"method": content["method"] | {"seed": 3}}))
    assert "seed      is published" in run("inspect", tmp_path / "release")[1]
    spent = [{"what": "gradients", "noise": 2.0, "sampling": 1.0, "count": 3}]
    privacy = {"unit": "subject", "epsilon": 2.0, "delta": 1e-5, "expenses": spent}
    path.write_text(json.dumps(content | {"privacy": privacy}))
    said = run("inspect", tmp_path / "release")[1]
    assert limits.sentence(2.0, 1e-5, "subject") in said and "canaries" not in said
    audited = Audited(9, 0.1, 0.2, 0.3, 0.4)
    privacy["audited"] = dataclasses.asdict(audited)
    path.write_text(json.dumps(content | {"privacy": privacy}))
    assert str(audited) in run("inspect", tmp_path / "release")[1]


def test_the_same_seed_gives_the_same_release(built, process, easy):
    folder, _ = built
    words = ["synthesize", "teacher", "--out", "again", "--seed", 3, *easy]
    process(folder, *words).communicate(timeout=60)
    for path in (folder / "release").iterdir():
        assert path.read_bytes() == (folder / "again" / path.name).read_bytes()


def test_study_compares_students(built, run, tmp_path):
    folder, _ = built
    words = ["--train", folder / "windows", "--test", folder / "windows", "--seeds", 1]
    status, out, _ = run(
        "study", folder / "release", *words, "--out", tmp_path / "study", "--students", "knn"
    )
    assert status == 0
    assert re.search(r"knn +\d\.\d{3} +\d\.\d{3}", out)
    results = json.loads((tmp_path / "study" / "results.json").read_text())
    assert {row["trained_on"] for row in results["rows"]} == {"real", "stimuli", "prior"}
    assert run("inspect", tmp_path / "study")[1] == out
