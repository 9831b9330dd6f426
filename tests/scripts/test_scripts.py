"""Each script as a user runs it, on little."""

import json
import math

import pytest

from stimjax import config
from stimjax.disk import store
from stimjax.job import cohort, stages
from stimjax.learn import limits
from stimjax.machine.progress import Reporter

JOB = """
prepare: {split: random, rate: 1.0, channels: [SpO2, HR]}
teacher: {networks: [mlp], candidates: 1, critic: none, fit: {steps: 20, every: 10, batch: 16}}
synthesis: {method: probe, count: 30, shard: 30, lanes: 8}
study: {students: [knn], baselines: [], seeds: 1, fit: {steps: 20, every: 10, batch: 16}}
"""
FIT = ["--teacher.fit.steps=20", "--teacher.fit.every=10", "--teacher.fit.batch=16"]


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recordings")
    cohort.simulate_recordings(folder, config.Simulation(subjects=6, hours=1.0), Reporter())
    return folder


def test_sweep(run_script, recordings, tmp_path):
    grid = JOB + "grid: {prepare.channels: [[SpO2], [EEG]]}\n"
    (tmp_path / "grid.yaml").write_text(grid)
    words = ("grid.yaml", "--data", recordings, "--out", "out", "--executor", "debug")
    done = run_script("sweep.py", tmp_path, *words)
    assert done.returncode == 1, done.stderr
    first, last = done.stderr.splitlines()[-2:]
    assert first.startswith("failed: configuration 1 (prepare.channels EEG): no")
    assert last == (
        "failed runs: 1; the same command tries them again, and out/jobs holds what the jobs said"
    )
    written = {path.name for path in (tmp_path / "out" / "tables" / "grid").iterdir()}
    assert written == {"seeds.parquet", "table.parquet", "table.md", "accuracy.png"}
    done = run_script("sweep.py", tmp_path, "grid.yaml", "--out", "none")
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr == (
        "stimjax: error: grid.yaml: give either --data or a section `simulation`\n"
    )


@pytest.mark.slow
def test_ablations_and_their_table(run_script, recordings, tmp_path):
    (tmp_path / "setup.yaml").write_text(JOB + "rows: {mixture: {}}\n")
    words = ("setup.yaml", "--data", recordings, "--out", "out")
    done = run_script("ablations/run.py", tmp_path, *words)
    assert done.returncode == 0, done.stderr
    file = "out/mixture/study/results.json"
    done = run_script("table.py", tmp_path, file)
    assert done.returncode == 0 and done.stdout.startswith("| student | real | stimuli |")
    done = run_script("table.py", tmp_path, file, f"ours={file}")
    assert "\n| mixture | 1 x 1 |" in done.stdout and "\n| ours | 1 x 1 |" in done.stdout
    done = run_script("ablations/run.py", tmp_path, *words, "--rows", "mix")
    assert done.returncode == 1
    assert done.stderr == "stimjax: error: there is no row 'mix'; choose from real, mixture\n"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ([], "name results.json of a study; NAME=FILE names it in the table"),
        (["a/b/r.json", "a/b/r.json"], "two files are called a; say NAME=FILE"),
        (["a/b/r.json"], "a file is no results.json of this version (KeyError('rows'))"),
    ],
)
def test_files_that_make_no_table(run_script, tmp_path, words, reason):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "r.json").write_text(json.dumps({}))
    done = run_script("table.py", tmp_path, *words)
    assert (done.returncode, done.stderr) == (1, f"stimjax: error: {reason}\n")


def test_audit_dp(run_script, tmp_path):
    """All units take part in all steps, so that the noise is known; here it hides nothing."""
    pytest.importorskip("jax_privacy", reason="the extra `privacy` is not installed")
    words = ["--units=8", "--dp.batch=8", "--dp.steps=3", "--dp.windows=1", "--dp.networks=mlp"]
    words += ["--dp.prior=0", "--dp.canaries=40", "--epsilons", "100"]
    done = run_script("audit_dp.py", tmp_path, *words)
    assert done.returncode == 0, done.stderr
    header, rule, row = done.stdout.splitlines()
    assert header.startswith("| epsilon | noise | shown |") and set(rule) <= {"|", "-"}
    epsilon, noise, *shown = row.strip("| ").split(" | ")[:6]
    expected = math.sqrt(3) / limits.mu_of(100.0, config.Dp().delta)
    assert (epsilon, noise) == ("100", f"{expected:.2f}")
    assert 0.5 < float(shown[0]) == float(shown[1]) < float(shown[2]) == float(shown[3]) < 8


def test_audit_dp_refuses_a_setting_before_any_work(run_script, tmp_path):
    done = run_script("audit_dp.py", tmp_path, "--epsilons", "8", "-1")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("stimjax: error: dp.epsilon is -1.0; it has to be ")
    assert done.stderr.count("\n") == 1


@pytest.mark.slow
def test_images(run_script, tmp_path):
    words = ["--teacher.networks=mlp", "--teacher.candidates=1", *FIT, "--study.students=knn"]
    words += ["--teacher.critic=none", "--synthesis.count=40", "--synthesis.lanes=4"]
    done = run_script("images.py", tmp_path, "--out", "out", "--train=300", *words)
    assert done.returncode == 0, done.stderr
    results = store.read_json(tmp_path / "out" / "study" / "results.json")
    assert {row["student"] for row in results["rows"]} == {"knn"}
    done = run_script("images.py", tmp_path, "--out", "none", "--images", "x")
    assert done.stderr == "stimjax: error: give --images and --labels, or neither\n"


@pytest.mark.slow
def test_tradeoff(run_script, recordings, tmp_path):
    windows, teacher = tmp_path / "windows", tmp_path / "teacher"
    windows.mkdir()
    teacher.mkdir()
    preparation = config.Prepare(rate=1.0, channels=("SpO2", "HR"), validation=0.2, test=0.4)
    cohort.prepare_windows((recordings,), windows, preparation, Reporter())
    fit = config.Fit(steps=20, every=10, batch=16)
    training = config.Teacher(networks=("mlp",), candidates=1, critic="mlp", fit=fit)
    stages.train_teacher(windows, teacher, training, Reporter())
    words = ["--windows", windows, "--teacher", teacher, "--out", "out", "--strengths", "0", "0.5"]
    words += ["--synthesis.method=probe", "--synthesis.count=40", "--synthesis.lanes=4"]
    words += ["--study.students=knn"]
    done = run_script("tradeoff.py", tmp_path, *words, "--audit.attacks", "nearest")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == (tmp_path / "out" / "tradeoff.md").read_text().strip()
    assert (tmp_path / "out" / "tradeoff.svg").exists()
