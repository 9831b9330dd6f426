"""`stimjax audit`, the audit of a whole run, its gate, and inputs that cannot be audited."""

import json
import shutil
import stat

import pytest

FAST = ["--attacks", "nearest", "attribute", "dcr", "files"]


@pytest.fixture(scope="module")
def audited(built, tmp_path_factory):
    from stimjax.command import main

    folder, _ = built
    out = tmp_path_factory.mktemp("audit") / "audit"
    windows = str(folder / "windows")
    words = ["audit", str(folder / "release"), "--train", windows, "--holdout", windows]
    words += ["--recordings", str(folder / "cohort"), "--out", str(out), *FAST]
    assert main.main(words) == 0
    return json.loads((out / "privacy.json").read_text())


def test_privacy_json_is_as_promised(audited):
    assert audited["schema"] == 1
    assert audited["epsilon"] is None and audited["delta"] is None
    for entry in audited["attacks"]:
        fields = {"attack", "metric", "value", "ci", "chance", "real_data", "planted_leak"}
        assert fields <= set(entry)
    assert {entry["attack"] for entry in audited["attacks"]} == set(FAST[1:])
    assert all(side["subjects"] > 0 for side in audited["on"].values())


def test_a_holdout_in_a_folder_of_its_own_has_subjects_of_its_own(built, run, tmp_path):
    folder, _ = built
    run("simulate", tmp_path / "cohort", "--subjects", 9, "--hours", 0.2, "--seed", 5)
    alike = ("--channels", "SpO2,HR", "--rate", 1)
    run("prepare", tmp_path / "cohort", "--out", tmp_path / "others", *alike)
    known = sorted(tmp_path.glob("others/test-*"))
    status, _, _ = run(
        *("audit", folder / "release", "--train", folder / "windows"),
        *("--holdout", tmp_path / "others", "--out", tmp_path / "audit", "--attacks", "attribute"),
    )
    assert status == 0
    audit = json.loads((tmp_path / "audit" / "privacy.json").read_text())
    assert audit["on"]["others"]["subjects"] == len(known)
    (sex,) = (e for e in audit["attacks"] if e["metric"] == "advantage_on_sex")
    assert "nobody in the test part" not in sex["note"]


def test_files_name_nobody_and_the_search_would_have_found_it(audited):
    (entry,) = (entry for entry in audited["attacks"] if entry["attack"] == "files")
    assert entry["value"] == 0 and entry["planted_leak"] > 0


def test_an_audit_goes_on_where_the_seed_is_gone(built, run, tmp_path, easy):
    folder, _ = built
    release, seed = tmp_path / "release", tmp_path / "private" / "release.seed.json"
    words = ("--out", release, "--method", "mixture", "--seed", 3, *easy)
    assert run("synthesize", folder / "teacher", *words)[0] == 0
    windows = ("--train", folder / "windows", "--holdout", folder / "windows")
    kept, values = seed.read_text(), []
    for content in (kept, "{", None):
        out = tmp_path / f"audit-{len(values)}"
        seed.unlink() if content is None else seed.write_text(content)
        words = ("--out", out, "--attacks", "seed", "dcr", "--shadows", 2)
        status, said, err = run("audit", release, *windows, *words)
        assert status == 0, err
        found = json.loads((out / "privacy.json").read_text())["attacks"]
        by = {(e["metric"], e["level"]): e for e in found}
        assert any(e["attack"] == "dcr" for e in found)
        values.append((by["auc_with_seed", "subject"], said))
    (there, said), (damaged, _), (gone, why) = values
    assert there["value"] is not None and "The seed is private because" in said
    assert damaged["value"] is gone["value"] is None
    assert "the file of the seed is damaged" in damaged["note"]
    assert "the file of the seed is gone" in gone["note"] and gone["note"][1:] in why


def test_what_headers_tell_of_people_is_audited_too(audited):
    (sex,) = (e for e in audited["attacks"] if e["metric"] == "advantage_on_sex")
    assert sex["note"].startswith(("right for", "needs two values"))


def test_real_windows_in_the_place_of_the_release_are_found(audited):
    (entry,) = (
        entry
        for entry in audited["attacks"]
        if (entry["attack"], entry["metric"], entry["level"]) == ("nearest", "auc", "window")
    )
    assert entry["real_data"] > 0.9


def test_a_changed_release_is_refused(built, refused, tmp_path):
    folder, _ = built
    release = shutil.copytree(folder / "release", tmp_path / "release")
    shard = release / "stimuli-00000.safetensors"
    shard.write_bytes(shard.read_bytes()[:-4] + b"abcd")
    windows = folder / "windows"
    said = refused(
        *("audit", release, "--train", windows, "--holdout", windows, "--out", tmp_path / "a")
    )
    assert shard.name in said
    assert not (tmp_path / "a").exists()


def test_windows_of_a_random_split_are_refused(built, run, refused, tmp_path):
    folder, _ = built
    windows = tmp_path / "windows"
    options = ["--channels", "SpO2,HR", "--rate", "1", "--split", "random", "--out", windows]
    assert run("prepare", folder / "cohort", *options)[0] == 0
    said = refused(
        *("audit", folder / "release", "--train", windows, "--holdout", windows),
        *("--out", tmp_path / "audit"),
    )
    assert "of its subjects are in the training part too" in said and "--split subject" in said


@pytest.fixture
def one_tested(built, run, tmp_path):
    """Windows of four simulated people, one of whom is tested."""
    folder, _ = built
    recordings = sorted((folder / "cohort").glob("*.edf"))[:4]
    windows = tmp_path / "windows"
    assert run("prepare", *recordings, "--channels=SpO2,HR", "--rate=1", "--out", windows)[0] == 0
    return windows


def test_one_subject_is_refused(built, refused, one_tested, tmp_path):
    release = built[0] / "release"
    sides = ("--train", one_tested, "--holdout", one_tested)
    said = refused("audit", release, *sides, "--out", tmp_path / "audit")
    assert "the test part has 1 subject(s) and the training part 2" in said
    assert "prepare more recordings" in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["windows"]


@pytest.mark.slow
def test_a_run_in_which_one_subject_is_tested_goes_without_an_audit(built, run, tmp_path):
    recordings = sorted((built[0] / "cohort").glob("*.edf"))[:4]
    bounds = tmp_path / "bounds.yaml"
    bounds.write_text("secrets_found: 0\n")
    words = whole_run(built[0], tmp_path / "out", bounds)
    words[words.index("--data") + 1 : words.index("--out")] = recordings
    status, _, err = run(*words, "--tradeoff.strengths", "0.5", "--teacher.critic=mlp")
    assert status == 3
    assert not (tmp_path / "out" / "private" / "tradeoff").exists()
    assert "no audit: the test part has one subject; give more recordings" in err
    assert "not published: no audit was made" in err
    assert not (tmp_path / "out" / "release").exists()


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (["--attacks", "nearest", "voodoo"], "voodoo"),
        (["--shadows", "3"], "even"),
        (["--copied", "0"], "copied"),
    ],
)
def test_wrong_options_are_refused(built, refused, tmp_path, option, said):
    folder, _ = built
    windows = folder / "windows"
    words = ["audit", folder / "release", "--train", windows, "--holdout", windows]
    assert said in refused(*words, "--out", tmp_path / "audit", *option)
    assert not (tmp_path / "audit").exists()


def whole_run(folder, out, bounds):
    """Words of a whole run that takes little time."""
    fit = [f"--{part}.fit.{name}" for part in ("teacher", "study") for name in ("steps=20",)]
    fit += ["--teacher.fit.every=10", "--study.fit.every=10"]
    return [
        *("run", "--data", folder / "cohort", "--out", out, "--require-privacy", bounds),
        *("--channels", "SpO2,HR", "--rate", "1", *fit),
        *("--teacher.networks", "mlp", "--teacher.candidates=1", "--teacher.critic=none"),
        *("--teacher.prior.sleepers=4", "--teacher.prior.hours=0.5"),
        *("--synthesis.count=40", "--synthesis.shard=20", "--synthesis.lanes=4"),
        *("--study.students", "logistic", "--study.seeds=1", "--study.baselines"),
        *("--audit.attacks", "nearest", "files"),
    ]


@pytest.fixture
def nothing_needed(monkeypatch):
    """No attack has to be in an audit: shadow releases take too long for a test."""
    from stimjax.privacy import gate

    monkeypatch.setattr(gate, "NEEDED", ())


def test_a_release_without_the_attacks_that_it_needs_is_not_published(built, run, tmp_path):
    folder, _ = built
    bounds = tmp_path / "bounds.yaml"
    bounds.write_text("secrets_found: 0\n")
    status, _, err = run(*whole_run(folder, tmp_path / "out", bounds))
    assert status == 3 and "lira_labels was not tried" in err and "lira_refit" not in err
    mixture = [*whole_run(folder, tmp_path / "other", bounds), "--synthesis.method=mixture"]
    status, _, err = run(*mixture)
    assert status == 3 and "lira_refit was not tried" in err and "lira_labels was not" in err


def test_a_release_beyond_the_bounds_is_not_published(built, run, tmp_path, nothing_needed):
    folder, _ = built
    bounds = tmp_path / "bounds.yaml"
    bounds.write_text("nearest.auc.window: 0.01\nsecrets_found: 0\n")
    status, _, err = run(*whole_run(folder, tmp_path / "out", bounds))
    assert status == 3
    lines = [line for line in err.splitlines() if "not published" in line]
    assert len(lines) == 1 and "nearest auc window" in lines[0]
    assert not (tmp_path / "out" / "release").exists()
    private = tmp_path / "out" / "private"
    assert (private / "refused" / "manifest.json").exists()
    assert sorted(path.name for path in private.glob("*.json")) == ["refused.seed.json"]
    page = (tmp_path / "out" / "report.html").read_text()
    assert "nothing was published" in page and "nearest auc window: reaches" in page


def test_a_release_within_the_bounds_is_published(built, run, tmp_path, nothing_needed):
    folder, _ = built
    bounds = tmp_path / "bounds.yaml"
    bounds.write_text("secrets_found: 0\nauc_with_seed: 0.6\n")
    words = ("--tradeoff.strengths", "0", "0.5", "--teacher.critic=mlp", "--synthesis.method=probe")
    status, _, err = run(*whole_run(folder, tmp_path / "out", bounds), *words)
    assert status == 0, err
    assert "auc_with_seed: is kept, for the source generic has no statistics" in err
    assert (tmp_path / "out" / "release" / "manifest.json").exists()
    kept = tmp_path / "out" / "private" / "release.seed.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    seed = str(json.loads(kept.read_text())["seed"])
    holders = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert [path for path in holders if seed.encode() in path.read_bytes()] == [kept]
    assert (tmp_path / "out" / "audit" / "privacy.json").exists()
    page = (tmp_path / "out" / "report.html").read_text()
    assert "What it tells of people" in page
    assert "What inhibition costs" in page and "distance to the nearest stimulus" in page
    tried = tmp_path / "out" / "private" / "tradeoff"
    made = [
        json.loads((one / "release" / "manifest.json").read_text())
        for one in sorted(tried.iterdir())
    ]
    assert [one["method"]["inhibit"] for one in made] == [0.0, 0.5]
    assert not (tmp_path / "out" / "tradeoff").exists()  # what is published is one release
    assert "anonymous" not in page.lower().replace("anonymization", "")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--split=random"], "needs an audit"),
        (["--audit.attacks"], "needs an audit"),
        (["--teacher.critic=none"], "needs an identity critic"),
        (["--tradeoff.strengths", "1.5"], "from 0 to 1"),
    ],
)
def test_a_tradeoff_that_cannot_be_measured_is_refused_before_any_work(
    built, refused, left, tmp_path, options, said
):
    words = ["run", "--data", built[0] / "cohort", "--out", tmp_path / "out"]
    assert said in refused(*words, "--tradeoff.strengths", "0.5", *options)
    assert left() == []


def test_bounds_that_cannot_be_read_are_refused_before_any_work(built, refused, tmp_path):
    folder, _ = built
    bounds = tmp_path / "bounds.yaml"
    bounds.write_text("auc: high\n")
    assert "auc has to be a number" in refused(*whole_run(folder, tmp_path / "out", bounds))
