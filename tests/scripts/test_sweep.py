"""`scripts/sweep.py`: a grid of configurations that resumes, survives failures and adds up."""

import dataclasses
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import submitit
from pyarrow import parquet
from submitit.core.utils import JobPaths, UncompletedJobError

from stimjax.data import prepare
from stimjax.disk import store
from stimjax.errors import StimjaxError
from stimjax.excite import guarantee

SCRIPTS = Path(__file__).parents[2] / "scripts"
PAPER = sorted((SCRIPTS / "ablations" / "paper").glob("*.yaml"))
PRIVACY = sorted((SCRIPTS / "ablations" / "privacy").glob("*.yaml"))
T_ONE = 12.7062  # 97.5 % of Student's t with one degree of freedom
GRID = """
prepare: {split: random, rate: 1.0, channels: [SpO2, HR]}
teacher: {networks: [mlp], candidates: 1, critic: none, fit: {steps: 20, every: 10, batch: 16}}
synthesis: {shard: 30, lanes: 8}
study: {students: [mlp, knn], baselines: [], seeds: 2, fit: {steps: 20, every: 10, batch: 16}}
simulation: {subjects: 5, hours: 1.0}
seeds: [3, 4]
grid:
  synthesis.count: [30, 60]
  study.labels: [soft, hard]
"""
ONE_SEED = GRID.replace("seeds: [3, 4]\n", "")


@pytest.fixture(scope="module")
def script(load_script):
    return load_script("sweep.py")


@pytest.fixture(scope="module")
def tables(script):
    return script.sweep_table


def asked(script, folder: Path, grid: str = GRID, **more):
    (folder / "grid.yaml").write_text(grid)
    return script.Asked(folder / "grid.yaml", folder / "out", **({"executor": "debug"} | more))


@pytest.fixture(scope="module")
def made(script, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("sweep")
    assert script.command(asked(script, folder)) == 0
    return folder


def rows(folder: Path, name: str = "table", **wanted) -> list[dict]:
    """The rows of a table that have the values `wanted`."""
    found = parquet.read_table(folder / "tables" / "grid" / f"{name}.parquet").to_pylist()
    return [row for row in found if row.items() >= wanted.items()]


def predictions(script, folder: Path, run, source: str, student: str):
    """What a run's student predicts, and the truth; fold 0."""
    (fold,) = script.folds_of(run, (), folder / "out")
    (row,) = (row for row in script.rows_of(run, fold) if row.source == source)
    found = store.load_arrays(fold.piece(row, student) / "predicted.safetensors")["probability"]
    truth = np.asarray(prepare.load(fold.windows, "test").y).argmax(axis=1)
    return found.argmax(axis=-1), truth


def test_the_table_holds_the_means_and_intervals_of_the_predictions(made, script):
    runs, _ = script.read_grid(made / "grid.yaml")
    assert [str(run) for run in runs[:3]] == [
        "configuration 0 (synthesis.count 30, study.labels soft), seed 3",
        "configuration 0 (synthesis.count 30, study.labels soft), seed 4",
        "configuration 1 (synthesis.count 30, study.labels hard), seed 3",
    ]
    keys = ("configuration", "student", "trained_on", "metric")
    table = [tuple(row[key] for key in keys) for row in rows(made / "out")]
    assert len(set(table)) == len(table)
    chosen = rows(made / "out", metric="accuracy", student="mlp")
    assert len(chosen) == 4 * 2  # configurations, sources
    for row in chosen:
        of_row = [run for run in runs if run.configuration == row["configuration"]]
        assert len(of_row) == row["repeats"] == 2
        assert of_row[0].swept == {name: row[name] for name in of_row[0].swept}
        accuracies = []
        for run in of_row:
            predicted, truth = predictions(script, made, run, row["trained_on"], "mlp")
            assert len(predicted) == 2  # the students' seeds
            accuracies.append((predicted == truth).mean())
        mean, half = np.mean(accuracies), T_ONE * abs(np.subtract(*accuracies)) / 2
        ends = [row["mean"], row["low"], row["high"]]
        np.testing.assert_allclose(ends, [mean, mean - half, mean + half], atol=1e-5)


def test_the_tidy_table_has_a_row_for_each_seed(made):
    chosen = rows(made / "out", "seeds", metric="kappa", configuration=2)
    assert {(row["synthesis.count"], row["study.labels"]) for row in chosen} == {(60, "soft")}
    keys = ("seed", "student", "trained_on", "student_seed")
    students = [("teacher", "real", 0)] + [
        (student, source, seed)
        for source in ("real", "stimuli")
        for student, seed in (("mlp", 0), ("mlp", 1), ("knn", 0))  # k-NN has no randomness
    ]
    found = [tuple(row[key] for key in keys) for row in chosen]
    assert found == [(seed, *student) for seed in (3, 4) for student in students]


def test_markdown_and_plot(made):
    folder = made / "out" / "tables" / "grid"
    table = rows(made / "out")
    text = (folder / "table.md").read_text()
    assert "| accuracy | kappa | repeats |" in text
    assert text.startswith("Means, and half of each 95 % interval (Student's t), over seeds")
    metrics = len({row["metric"] for row in table})
    assert sum(line.startswith("| 30 |") for line in text.splitlines()) == len(table) / 2 / metrics
    first, kappa = (
        next(row for row in table if row["metric"] == metric) for metric in ("accuracy", "kappa")
    )
    cells = [f"{row['mean']:.3f} ± {row['high'] - row['mean']:.3f}" for row in (first, kappa)]
    assert f"| 30 | soft | {first['student']} | real | {' | '.join(cells)} | 2 |" in text
    assert (folder / "accuracy.png").read_bytes().startswith(b"\x89PNG")


def test_runs_share_what_does_not_differ(made):
    pieces = made / "out" / "pieces"
    assert len(list(pieces.glob("recordings-*"))) == 1
    assert len(list(pieces.glob("data-*"))) == 2  # a split for each seed
    for place in pieces.glob("data-*/fold-0"):
        kinds = sorted(one.name.rpartition("-")[0] or one.name for one in place.iterdir())
        assert kinds == ["real", *["release"] * 2, *["stimuli"] * 4, "teacher", "windows"]
    assert (made / "out").stat().st_mode & 0o777 == 0o700


def test_what_is_there_is_not_made_again(made, script, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("made again")

    for name in ("make_windows", "make_teacher", "make_source", "make_students"):
        monkeypatch.setattr(script.ablations, name, refuse)
    assert script.command(asked(script, made)) == 0
    before = (made / "out" / "tables" / "grid" / "table.md").read_text()
    monkeypatch.undo()
    counted = []
    synthesize = script.ablations.synthesize.synthesize
    monkeypatch.setattr(
        script.ablations.synthesize,
        "synthesize",
        lambda *given, **more: counted.append(given[1].count) or synthesize(*given, **more),
    )
    grid = GRID.replace("[30, 60]", "[30, 60, 90]").replace("[soft, hard]", "[soft]")
    assert script.command(asked(script, made, grid)) == 0
    assert counted == [90, 90]
    after = (made / "out" / "tables" / "grid" / "table.md").read_text()
    assert set(line for line in before.splitlines() if "soft" in line) < set(after.splitlines())


def test_a_failure_is_reported_survived_and_tried_again(made, script, monkeypatch, capsys):
    grid = GRID.replace("[30, 60]", "[40, 60]").replace("[3, 4]", "[3]")
    synthesize = script.ablations.synthesize.synthesize

    def failing(teacher, settings, *given, **more):
        if settings.count == 40:
            raise RuntimeError("no more\nlight")
        return synthesize(teacher, settings, *given, **more)

    monkeypatch.setattr(script.ablations.synthesize, "synthesize", failing)
    assert script.command(asked(script, made, grid)) == 1
    said = capsys.readouterr().err.splitlines()
    failed = [line for line in said if line.startswith("failed: ")]
    assert failed == [
        f"failed: configuration {number} (synthesis.count 40, study.labels {labels}), seed 3: "
        "RuntimeError: no more light"
        for number, labels in enumerate(("soft", "hard"))
    ]
    assert "failed runs: 2; the same command tries them again" in said[-1]

    def counts() -> set[int]:
        return {row["synthesis.count"] for row in rows(made / "out", trained_on="stimuli")}

    assert counts() == {60}
    monkeypatch.undo()
    assert script.command(asked(script, made, grid)) == 0
    assert counts() == {40, 60}


def test_a_failure_of_windows_or_of_one_student(made, script, capsys):
    grid = ONE_SEED.replace("simulation: {subjects: 5, hours: 1.0}", "")
    recordings = next((made / "out" / "pieces").glob("recordings-*"))
    a, _ = grid.split("grid:")
    grid = a + "grid: {prepare.channels: [[EEG], [SpO2]], study.fit.rate: [1e-3, 1e30]}"
    words = asked(script, made, grid, data=(recordings,))
    assert script.command(dataclasses.replace(words, out=made / "failing")) == 1
    said = capsys.readouterr().err.splitlines()
    reasons = [line.partition(": ")[2] for line in said if line.startswith("failed: ")]
    assert len(reasons) == 3
    assert reasons[0].startswith("configuration 0 (prepare.channels EEG, study.fit.rate 0.001): no")
    assert "configuration 3 (prepare.channels SpO2, study.fit.rate 1e+30): " in reasons[2]
    assert "diverged" in reasons[2]
    table = rows(made / "failing", metric="accuracy", trained_on="stimuli")
    found = [(row["study.fit.rate"], row["student"], row["repeats"]) for row in table]
    assert found == [(1e-3, "mlp", 2), (1e-3, "knn", 1), (1e30, "knn", 1)]
    text = (made / "failing" / "tables" / "grid" / "table.md").read_text()
    assert "over seeds of the students, which share" in text


def test_folds_and_baselines(made, script, tmp_path):
    grid = ONE_SEED.replace("split: random", "split: random, folds: 2")
    grid = grid.replace("[mlp, knn], baselines: []", "[knn], baselines: [gaussian, noise]")
    grid = grid.replace("  study.labels: [soft, hard]\n", "").replace("[30, 60]", "[30]")
    (tmp_path / "out" / "pieces").mkdir(parents=True)
    recordings = next((made / "out" / "pieces").glob("recordings-*"))
    shutil.copytree(recordings, tmp_path / "out" / "pieces" / recordings.name)
    assert script.command(asked(script, tmp_path, grid)) == 0
    tidy = rows(tmp_path / "out", "seeds", metric="accuracy", student="knn")
    assert {row["student_seed"] for row in tidy} == {0} and {row["seed"] for row in tidy} == {None}
    values = {(row["trained_on"], row["fold"]): row["value"] for row in tidy}
    sources = ("real", "stimuli", "gaussian", "noise")
    assert set(values) == {(source, fold) for source in sources for fold in (0, 1)}
    for source in sources:
        (row,) = rows(tmp_path / "out", metric="accuracy", student="knn", trained_on=source)
        assert row["mean"] == pytest.approx((values[source, 0] + values[source, 1]) / 2)


def test_a_local_process_makes_what_is_missing(made, script, tmp_path):
    """The same through pickles, other processes and the command line."""
    out = tmp_path / "out"
    shutil.copytree(made / "out", out, symlinks=True)
    words = asked(script, tmp_path, executor="local")
    runs, _ = script.read_grid(words.grid)
    (fold,) = script.folds_of(runs[0], (), out)
    real = fold.piece(script.rows_of(runs[0], fold)[0], "knn")
    before = store.load_arrays(real / "predicted.safetensors")["probability"]
    shutil.rmtree(real)
    command = [sys.executable, str(SCRIPTS / "sweep.py"), str(words.grid), "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "students: 1 to make" in done.stderr
    np.testing.assert_array_equal(
        store.load_arrays(real / "predicted.safetensors")["probability"], before
    )
    done = subprocess.run([*command, "--data", "nothing"], capture_output=True, text=True)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr == (
        f"stimjax: error: {words.grid}: give either --data or a section `simulation`\n"
    )


def test_a_job_that_dies(script, tmp_path):
    class Killed:
        job_id = "12_3"
        paths = JobPaths(tmp_path / "%j", "12_3")

        def exception(self):
            return UncompletedJobError("it has not produced any output")

    (reason,) = script._reasons(Killed(), [None])
    assert reason.startswith("job 12_3 died; see ") and reason.endswith(".err")


def test_two_at_once(made, script):
    with (
        store.locked(made / "out"),
        pytest.raises(StimjaxError, match="another command is at work"),
    ):
        script.main(asked(script, made))
    assert script.command(asked(script, made)) == 0


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("synthesis.count:", "synthesis.cout:", "grid: there is no setting synthesis.cout; did"),
        ("synthesis.count:", "oven.count:", "grid: there is no setting oven"),
        ("synthesis.count:", "synthesis.count.more:", "grid: synthesis.count has to be a whole n"),
        ("[30, 60]", "[30, many]", "grid: synthesis.count has to be a whole number, not 'many'"),
        ("[30, 60]", "[30, 0]", "grid: synthesis.count is 0; it has to be at least 1"),
        ("[30, 60]", "30", r"grid: synthesis.count has to be a list of values \(\[a, b\]\)"),
        ("[30, 60]", "[]", "grid: synthesis.count has to be a list of values"),
        ("[30, 60]", "[30, 60, 30]", r"grid: a value stands twice \(.* 0 \(synthesis.count 30, "),
        ("[soft, hard]", "[soft, squishy]", "grid: study.labels has to be soft or hard, not 'squi"),
        ("study.labels: [soft, hard]", "study.students: [mlp]", "grid: study.students has to be a"),
        ("study.labels: [soft, hard]", "teacher.critic: [cnnn]", "grid: teacher.critic: there is "),
        (
            "study.labels: [soft, hard]",
            "teacher.dp.networks: [[cnn], [gru, resent]]",
            r"grid: teacher.dp.networks: there is no network 'resent'; did you mean resnet\?",
        ),
        (
            "study.labels: [soft, hard]",
            "synthesis.recipe.generator: [dense, convv]",
            r"grid: synthesis.recipe.generator: there is no generator 'convv'; did you mean conv\?",
        ),
        ("study.labels: [soft, hard]", "study.seed: [1]", "grid: study.seed is set by seeds"),
        ("seeds: [3, 4]", "seeds: 3", "seeds has to be a list of different whole numbers"),
        ("seeds: [3, 4]", "seeds: [3, 3]", "seeds has to be a list of different whole numbers"),
        ("seeds: [3, 4]", "seeds: [-3]", "seeds: -3 is not from 0 to"),
        ("lanes: 8", "lines: 8", "there is no setting synthesis.lines"),
        ("networks: [mlp]", "networks: [mpl]", "teacher.networks: there is no network 'mpl'; did"),
        ("[mlp, knn]", "[mlp, oracle]", "study.students: there is no student 'oracle'; choose"),
        ("baselines: []", "baselines: [x]", "study.baselines: there is no baseline 'x'; choose"),
        ("lanes: 8", "method: magic", "synthesis.method: there is no method 'magic'; choose"),
        ("split: random", "folds: 3, fold: 1", "configuration 0: all 3 folds are tested"),
        ("simulation: {subjects: 5, hours: 1.0}", "", "give either --data or a section `simulat"),
    ],
)
def test_a_grid_that_says_what_it_cannot(script, tmp_path, old, new, said):
    assert old in GRID
    with pytest.raises(StimjaxError, match=rf"grid\.yaml: {said}") as caught:
        script.main(asked(script, tmp_path, GRID.replace(old, new, 1)))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("grid", ["", "grid: {}", "grid: [1]", "grid:"])
def test_an_empty_grid(script, tmp_path, grid):
    with pytest.raises(StimjaxError, match=r"grid\.yaml: grid has to be"):
        script.main(asked(script, tmp_path, grid))


def test_words_that_cannot_be(script, tmp_path, monkeypatch):
    with pytest.raises(StimjaxError, match="nowhere: is missing"):
        grid = GRID.replace("simulation: {subjects: 5, hours: 1.0}", "")
        script.main(asked(script, tmp_path, grid, data=(tmp_path / "nowhere",)))
    with pytest.raises(StimjaxError, match="--slurm partition: has to be KEY=VALUE"):
        script.main(asked(script, tmp_path, slurm=("partition",)))
    with pytest.raises(StimjaxError, match="--executor debug: Unknown argument 'partitoin'"):
        script.main(asked(script, tmp_path, slurm=("partitoin=gpu",)))
    monkeypatch.setattr(submitit.SlurmExecutor, "affinity", classmethod(lambda _: -1))
    with pytest.raises(StimjaxError, match='--executor slurm: Could not detect "srun"'):
        script.main(asked(script, tmp_path, executor="slurm"))


def test_slurm_gets_what_is_asked_for(script, tmp_path, monkeypatch):
    monkeypatch.setattr(submitit.SlurmExecutor, "affinity", classmethod(lambda _: 2))
    words = ("partition=gpu", "timeout_min=90", "mem_gb=4", "gpus_per_node=1")
    found = script.open_executor(
        asked(script, tmp_path, executor="slurm", workers=3, slurm=words)
    ).parameters
    expected = {"partition": "gpu", "time": 90, "mem": "4GB", "gpus_per_node": 1}
    assert expected | {"array_parallelism": 3} == {
        name: found[name] for name in (*expected, "array_parallelism")
    }


@pytest.mark.parametrize("path", PAPER, ids=lambda path: path.name)
def test_the_ablations_of_the_paper(script, path):
    runs, simulated = script.read_grid(path)
    assert not simulated and len(runs) >= 2 * 5
    for run in runs:
        assert run.job.synthesis.method == "paper"
        assert run.job.teacher.networks == ("cnn",) and not run.job.teacher.ensemble
    assert len({run.configuration for run in runs}) * 5 == len(runs)


@pytest.mark.parametrize("path", PRIVACY, ids=lambda path: path.name)
def test_the_curves_of_privacy_ask_for_what_can_be_had(script, path):
    pytest.importorskip("jax_privacy", reason="the extra `privacy` is not installed")
    runs, simulated = script.read_grid(path)
    assert simulated == (path.name != "hugcdn2014.yaml") and len(runs) >= 3
    for run in runs:
        guarantee.refuse_job(run.job)


def test_what_a_file_says_of_a_recipe_goes_over_each_method(script, tmp_path):
    (tmp_path / "grid.yaml").write_text(
        "synthesis: {method: paper, recipe: {tries: 7}}\n"
        "grid: {synthesis.method: [paper, invert], synthesis.recipe.lowest: [8e-1]}\n"
    )
    paper, invert = (
        run.job.synthesis.recipe for run in script.read_grid(tmp_path / "grid.yaml")[0]
    )
    assert (paper.tries, invert.tries) == (7, 7) and paper.lowest == invert.lowest == 0.8
    assert (paper.source, invert.source) == ("generator", "mixture")


def test_seeds_are_of_every_section_but_the_cohort(script, tmp_path):
    (tmp_path / "grid.yaml").write_text(GRID)
    for run in script.read_grid(tmp_path / "grid.yaml")[0]:
        job = run.job
        seeds = (job.prepare.seed, job.teacher.seed, job.synthesis.seed, job.study.seed)
        assert set(seeds) == {run.seed} and job.simulation.seed == 0


def record(setting, seed: int | None, value: float | None, **more):
    about = {"fold": 0, "student": "mlp", "family": "deep", "trained_on": "stimuli"}
    about |= {"student_seed": 0, "metric": "accuracy", "configuration": 0}
    return about | {"teacher.networks": setting, "seed": seed, "value": value} | more


def test_means_over_folds_come_before_those_over_seeds(tables):
    values = {0: (0.5, 0.7), 1: (0.9, 0.8), 2: (None, 0.7)}
    records = [
        record(["cnn", "gru"], seed, value, fold=fold)
        for seed, both in values.items()
        for fold, value in enumerate(both)
    ]
    found = tables.tidy(records, ["teacher.networks"])
    (row,) = tables.table(found, ["teacher.networks"], "seed")
    assert row["teacher.networks"] == "cnn, gru" and row["repeats"] == 3
    means = [0.6, 0.85, 0.7]
    half = 4.302653 * np.std(means, ddof=1) / np.sqrt(3)  # Student's t, two degrees of freedom
    assert row["mean"] == pytest.approx(np.mean(means))
    assert row["low"] == pytest.approx(np.mean(means) - half)
    assert row["high"] == pytest.approx(np.mean(means) + half)


def test_a_metric_that_is_never_defined_has_no_number(tables):
    settings = ["teacher.networks"]
    found = tables.tidy([record(["cnn"], None, None)], settings)
    means = tables.table(found, settings, "student_seed")
    assert "| cnn | mlp | stimuli | - | - | 0 |" in tables.markdown(means, settings, "student_seed")


@pytest.mark.parametrize(
    ("values", "scale", "labels"),
    [
        ([1, 100], "log", None),
        ([0.1, 0.2], "linear", None),
        ([0, 100], "linear", None),
        ([["cnn"], ["mlp", "gru"]], "linear", ["cnn", "mlp, gru"]),
        ([True, False], "linear", ["true", "false"]),
        ([None, 3.0], "linear", ["null", "3.0"]),
    ],
)
def test_the_axis_of_the_plot(tables, values, scale, labels):
    settings = ["teacher.networks", "study.labels"]
    records = [
        record(value, None, 0.5 + 0.1 * i, configuration=2 * i + k) | {"study.labels": label}
        for i, value in enumerate(values)
        for k, label in enumerate(("soft", "hard"))
    ]
    means = tables.table(tables.tidy(records, settings), settings, "student_seed")
    figure = tables.plot(means, settings)
    assert [one.get_title("left") for one in figure.axes] == [
        "study.labels soft",
        "study.labels hard",
    ]
    assert figure.axes[0].get_xscale() == scale
    if labels:
        assert [tick.get_text() for tick in figure.axes[0].get_xticklabels()] == labels
