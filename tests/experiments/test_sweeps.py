"""A sweep: a grid of configurations that resumes, survives failures and adds up."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from pyarrow import parquet

from stimjax import batch
from stimjax.disk import store
from stimjax.errors import StimjaxError
from stimjax.excite import synthesize
from stimjax.experiments import grids, sweeps
from stimjax.experiments import rows as experiment_rows
from stimjax.experiments.jobs import Workers

DEBUG = Workers("debug")  # in this process
T_ONE = 12.7062  # 97.5 % of Student's t with one degree of freedom
GRID = """
prepare: {split: random, rate: 1.0, channels: [SpO2, HR]}
teacher: {networks: [mlp], candidates: 1, critic: none, fit: {steps: 20, every: 10, batch: 16}}
synthesis: {method: probe, shard: 30, lanes: 8}
study: {students: [mlp, knn], baselines: [], seeds: 2, fit: {steps: 20, every: 10, batch: 16}}
simulation: {subjects: 5, hours: 1.0}
seeds: [3, 4]
grid:
  synthesis.count: [30, 60]
  study.labels: [soft, hard]
"""
ONE_SEED = GRID.replace("seeds: [3, 4]\n", "")


def sweep(folder: Path, grid: str = GRID, data=(), workers=DEBUG, out=None) -> list[str]:
    (folder / "grid.yaml").write_text(grid)
    out = out or folder / "out"
    return sweeps.sweep(folder / "grid.yaml", data, out, workers)


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("sweep")
    assert sweep(folder) == []
    return folder


def rows(folder: Path, name: str = "table", **wanted) -> list[dict]:
    """The rows of a table that have the values `wanted`."""
    found = parquet.read_table(folder / "tables" / "grid" / f"{name}.parquet").to_pylist()
    return [row for row in found if row.items() >= wanted.items()]


def predictions(folder: Path, run, source: str, student: str):
    """What a run's student predicts, and the truth; fold 0."""
    (fold,) = grids.folds_of(run, (), folder / "out")
    (row,) = (row for row in grids.rows_of(run, fold) if row.source == source)
    found = store.load_arrays(fold.piece(row, student) / "predicted.safetensors")["probability"]
    truth = np.asarray(batch.load(fold.windows, "test").y).argmax(axis=1)
    return found.argmax(axis=-1), truth


def test_the_table_holds_the_means_and_intervals_of_the_predictions(made):
    runs, _ = grids.read_grid(made / "grid.yaml")
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
            predicted, truth = predictions(made, run, row["trained_on"], "mlp")
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


def test_what_is_there_is_not_made_again(made, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("made again")

    for name in ("make_windows", "make_teacher", "make_source", "make_students"):
        monkeypatch.setattr(experiment_rows, name, refuse)
    assert sweep(made) == []
    before = (made / "out" / "tables" / "grid" / "table.md").read_text()
    monkeypatch.undo()
    counted = []
    whole = synthesize.synthesize
    monkeypatch.setattr(
        synthesize,
        "synthesize",
        lambda *given, **more: counted.append(given[1].count) or whole(*given, **more),
    )
    grid = GRID.replace("[30, 60]", "[30, 60, 90]").replace("[soft, hard]", "[soft]")
    assert sweep(made, grid) == []
    assert counted == [90, 90]
    after = (made / "out" / "tables" / "grid" / "table.md").read_text()
    assert set(line for line in before.splitlines() if "soft" in line) < set(after.splitlines())


def test_a_failure_is_reported_survived_and_tried_again(made, monkeypatch):
    grid = GRID.replace("[30, 60]", "[40, 60]").replace("[3, 4]", "[3]")
    whole = synthesize.synthesize

    def failing(teacher, settings, *given, **more):
        if settings.count == 40:
            raise RuntimeError("no more\nlight")
        return whole(teacher, settings, *given, **more)

    monkeypatch.setattr(synthesize, "synthesize", failing)
    assert sweep(made, grid) == [
        f"configuration {number} (synthesis.count 40, study.labels {labels}), seed 3: "
        "RuntimeError: no more light"
        for number, labels in enumerate(("soft", "hard"))
    ]

    def counts() -> set[int]:
        return {row["synthesis.count"] for row in rows(made / "out", trained_on="stimuli")}

    assert counts() == {60}
    monkeypatch.undo()
    assert sweep(made, grid) == []
    assert counts() == {40, 60}


@pytest.mark.slow
def test_a_failure_of_windows_or_of_one_student(made):
    grid = ONE_SEED.replace("simulation: {subjects: 5, hours: 1.0}", "")
    recordings = next((made / "out" / "pieces").glob("recordings-*"))
    a, _ = grid.split("grid:")
    grid = a + "grid: {prepare.channels: [[EEG], [SpO2]], study.fit.rate: [1e30]}"
    reasons = sweep(made, grid, data=(recordings,), out=made / "failing")
    assert len(reasons) == 2
    assert reasons[0].startswith("configuration 0 (prepare.channels EEG, study.fit.rate 1e+30): no")
    assert "configuration 1 (prepare.channels SpO2, study.fit.rate 1e+30): " in reasons[1]
    assert "diverged" in reasons[1]
    table = rows(made / "failing", metric="accuracy", trained_on="stimuli")
    found = [(row["prepare.channels"], row["student"], row["repeats"]) for row in table]
    assert found == [("SpO2", "knn", 1)]
    text = (made / "failing" / "tables" / "grid" / "table.md").read_text()
    assert "over seeds of the students, which share" in text


@pytest.mark.slow
def test_folds_and_baselines(made, tmp_path):
    grid = ONE_SEED.replace("split: random", "split: random, folds: 2")
    grid = grid.replace("[mlp, knn], baselines: []", "[knn], baselines: [gaussian, noise]")
    grid = grid.replace("  study.labels: [soft, hard]\n", "").replace("[30, 60]", "[30]")
    (tmp_path / "out" / "pieces").mkdir(parents=True)
    recordings = next((made / "out" / "pieces").glob("recordings-*"))
    shutil.copytree(recordings, tmp_path / "out" / "pieces" / recordings.name)
    assert sweep(tmp_path, grid) == []
    tidy = rows(tmp_path / "out", "seeds", metric="accuracy", student="knn")
    assert {row["student_seed"] for row in tidy} == {0} and {row["seed"] for row in tidy} == {None}
    values = {(row["trained_on"], row["fold"]): row["value"] for row in tidy}
    sources = ("real", "stimuli", "gaussian", "noise")
    assert set(values) == {(source, fold) for source in sources for fold in (0, 1)}
    for source in sources:
        (row,) = rows(tmp_path / "out", metric="accuracy", student="knn", trained_on=source)
        assert row["mean"] == pytest.approx((values[source, 0] + values[source, 1]) / 2)


def test_a_local_process_makes_what_is_missing(made, tmp_path):
    """The same through pickles and other processes."""
    out = tmp_path / "out"
    shutil.copytree(made / "out", out, symlinks=True)
    (tmp_path / "grid.yaml").write_text(GRID)
    runs, _ = grids.read_grid(tmp_path / "grid.yaml")
    (fold,) = grids.folds_of(runs[0], (), out)
    real = fold.piece(grids.rows_of(runs[0], fold)[0], "knn")
    before = store.load_arrays(real / "predicted.safetensors")["probability"]
    shutil.rmtree(real)
    assert sweep(tmp_path, workers=Workers("local")) == []
    np.testing.assert_array_equal(
        store.load_arrays(real / "predicted.safetensors")["probability"], before
    )


def test_two_at_once(made):
    with (
        store.locked(made / "out"),
        pytest.raises(StimjaxError, match="another command is at work"),
    ):
        sweep(made)
    assert sweep(made) == []


def test_recordings_that_are_not_there(tmp_path):
    with pytest.raises(StimjaxError, match=r"grid\.yaml: give either --data or a section `simulat"):
        sweep(tmp_path, data=(tmp_path,))
    grid = GRID.replace("simulation: {subjects: 5, hours: 1.0}", "")
    with pytest.raises(StimjaxError, match=r"grid\.yaml: give either --data or a section `simulat"):
        sweep(tmp_path, grid)
    with pytest.raises(StimjaxError, match="nowhere: is missing"):
        sweep(tmp_path, grid, data=(tmp_path / "nowhere",))
    assert not (tmp_path / "out").exists()
