"""A table of methods: pieces that resume and add up to the results of a study."""

from pathlib import Path

import numpy as np
import pytest

from stimjax import batch, config
from stimjax.disk import store
from stimjax.errors import StimjaxError
from stimjax.experiments import rows, setups
from stimjax.job import cohort
from stimjax.machine.progress import Reporter
from stimjax.students import metrics

SETUPS = sorted((Path(__file__).parents[2] / "scripts" / "ablations").glob("*.yaml"))
SETUP = """
prepare: {split: random, folds: 2, rate: 1.0, channels: [SpO2, HR]}
teacher: {networks: [mlp], candidates: 1, critic: none, fit: {steps: 20, every: 10, batch: 16}}
synthesis: {method: mixture, count: 60, shard: 30, lanes: 8}
study: {students: [mlp, knn], seeds: 2, fit: {steps: 20, every: 10, batch: 16}}
rows:
  mixture: {}
  components: {source: components}
  gaussian: {source: gaussian, folds: 1}
"""


@pytest.fixture(scope="module")
def recordings(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("recordings")
    cohort.simulate_recordings(folder, config.Simulation(subjects=5, hours=1.0), Reporter())
    return folder


def fill(folder: Path, recordings: Path, setup: str = SETUP, **chosen) -> None:
    (folder / "setup.yaml").write_text(setup)
    setups.fill(folder / "setup.yaml", (recordings,), folder / "out", **chosen)


@pytest.fixture(scope="module")
def made(recordings, tmp_path_factory) -> Path:
    """Fold 1 first, one row of it alone, then all the rest."""
    folder = tmp_path_factory.mktemp("table")
    fill(folder, recordings, folds=(1,), rows=("mixture",))
    first = store.read_json(folder / "out" / "mixture" / "study" / "results.json")
    assert {row["fold"] for row in first["rows"]} == {1}
    assert not (folder / "out" / "components").exists()
    fill(folder, recordings)
    return folder


def test_results_are_those_of_the_predictions_of_all_folds(made):
    out = made / "out"
    results = store.read_json(out / "mixture" / "study" / "results.json")
    assert len(results["rows"]) == 2 * 2 * (2 + 1)  # folds, sources, seeds (k-NN has one)
    (entry,) = (one for one in results["summary"] if one["student"] == "knn")
    right = dict.fromkeys(("real", "mixture"), 0)
    tests = [batch.load(out / f"fold-{k}" / "windows", "test") for k in (0, 1)]
    for fold, test in enumerate(tests):
        for row in right:
            place = out / f"fold-{fold}" / row / "knn" / "predicted.safetensors"
            predicted = store.load_arrays(place)["probability"]
            assert predicted.shape == (1, len(test), 2)
            right[row] += (predicted[0].argmax(axis=1) == test.y.argmax(axis=1)).sum()
            found = metrics.evaluate(predicted[0], test).accuracy
            source = "real" if row == "real" else "stimuli"
            assert found == next(
                one["accuracy"]
                for one in results["rows"]
                if (one["student"], one["fold"], one["trained_on"]) == ("knn", fold, source)
            )
    lost = (right["real"] - right["mixture"]) / sum(map(len, tests))
    assert entry["accuracy_gap"] == pytest.approx(lost)
    assert 0.5 < results["made"]["from_stimuli"] < 1.5
    assert results["made"]["seconds"] > 0 and len(results["made"]["uses"]) > 3


def test_a_baseline_is_named_and_may_have_fewer_folds(made):
    results = store.read_json(made / "out" / "gaussian" / "study" / "results.json")
    assert {row["trained_on"] for row in results["rows"]} == {"real", "gaussian"}
    assert {row["fold"] for row in results["rows"]} == {0}
    assert results["teacher"] is None and "made" not in results


def test_folds_share_neither_seeds_nor_teachers(made):
    seeds = [
        (made / "out" / f"fold-{k}" / "mixture" / "mlp" / "config.yaml").read_text().split("seed: ")
        for k in (0, 1)
    ]
    numbers = [{line.split()[0] for line in text[1:]} for text in seeds]
    assert not numbers[0] & numbers[1]


def test_what_is_there_is_not_made_again(made, recordings, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("made again")

    monkeypatch.setattr(rows.studies, "student", refuse)
    monkeypatch.setattr(rows.synthesize, "synthesize", refuse)
    monkeypatch.setattr(rows.stages, "train_teacher", refuse)
    fill(made, recordings)
    more = SETUP.replace("  mixture: {}", "  mixture: {}\n  probe: {synthesis: {method: probe}}")
    with pytest.raises(AssertionError, match="made again"):  # what was added is
        fill(made, recordings, more)


def test_one_row_against_another(made, recordings):
    fill(made, recordings, rows=("mixture",), against="components")
    found = store.read_json(made / "out" / "mixture" / "against-components" / "results.json")
    assert {row["trained_on"] for row in found["rows"]} == {"components", "stimuli"}
    (entry,) = (one for one in found["summary"] if one["student"] == "knn")
    assert entry["trained_on"] == "stimuli"
    right = {"components": [], "mixture": []}
    for fold in (0, 1):
        test = batch.load(made / "out" / f"fold-{fold}" / "windows", "test")
        truth = np.asarray(test.y).argmax(axis=1)
        for row, gathered in right.items():
            piece = made / "out" / f"fold-{fold}" / row / "knn" / rows.PREDICTED
            predicted = store.load_arrays(piece)["probability"][0].argmax(axis=1)
            gathered.extend(predicted == truth)
    lost = np.mean(right["components"]) - np.mean(right["mixture"])
    assert entry["accuracy_gap"] == pytest.approx(lost)


def test_pieces_of_other_settings_are_refused(made, recordings):
    other = SETUP.replace("count: 60", "count: 61")
    with pytest.raises(StimjaxError, match="mixture/mlp: was made with other settings; delete"):
        fill(made, recordings, other)
    other = SETUP.replace("split: random", "split: subject")
    with pytest.raises(StimjaxError, match="windows: was made with other settings"):
        fill(made, recordings, other)


@pytest.mark.parametrize(
    ("setup", "said"),
    [
        ("rows: {}", "rows has to be"),
        (SETUP.replace("source: components", "source: dreams"), r"components.source is 'dreams'"),
        (SETUP.replace("folds: 1}", "folds: 3}"), r"rows.gaussian.folds is 3; there are 2"),
        (SETUP.replace("mixture: {}", "mixture: {prepare: {rate: 2}}"), "same windows"),
        (SETUP.replace("mixture: {}", "mixture: {synthesis: {cout: 2}}"), "no setting synthesis.c"),
        (SETUP.replace("[mlp, knn]", "[oracle]"), "no student 'oracle'"),
    ],
)
def test_a_setup_that_says_what_it_cannot(recordings, tmp_path, setup, said):
    with pytest.raises(StimjaxError, match=said):
        fill(tmp_path, recordings, setup)


def test_rows_and_folds_that_are_not_there(recordings, tmp_path):
    with pytest.raises(StimjaxError, match="no row 'mix'; choose from real, mixture"):
        fill(tmp_path, recordings, rows=("mix",))
    with pytest.raises(StimjaxError, match="no row 'mix'"):
        fill(tmp_path, recordings, against="mix")
    with pytest.raises(StimjaxError, match="no fold 2"):
        fill(tmp_path, recordings, folds=(2,))


@pytest.mark.parametrize("path", SETUPS, ids=lambda path: path.name)
def test_every_setup_can_be_read(path):
    read, _ = setups.read_setup(path)
    assert read[0].name == "real" and len(read) > 1


def test_windows_of_another_program(made, recordings):
    setup = SETUP + "  gan: {source: given, folds: 1}\n"
    with pytest.raises(StimjaxError, match=r"gan/source/windows\.safetensors: is missing"):
        fill(made, recordings, setup, rows=("gan",))
    train = batch.load(made / "out" / "fold-0" / "windows", "train")
    place = made / "out" / "fold-0" / "gan" / "source"
    place.mkdir(parents=True)
    arrays = {"x": np.asarray(train.x) * 1.5, "y": np.asarray(train.y)}
    store.save_arrays(place / "windows.safetensors", arrays)
    fill(made, recordings, setup, rows=("gan",))
    results = store.read_json(made / "out" / "gan" / "study" / "results.json")
    assert {row["trained_on"] for row in results["rows"]} == {"real", "gan"}


def idx(array: np.ndarray, path: Path) -> Path:
    sizes = np.array(array.shape, ">u4").tobytes()
    path.write_bytes(bytes([0, 0, 8, array.ndim]) + sizes + array.astype("u1").tobytes())
    return path


def test_images(tmp_path):
    label = np.arange(150) % 10
    pixels = np.random.default_rng(0).integers(0, 50, (150, 6, 6)) + 20 * label[:, None, None]
    data = idx(pixels, tmp_path / "images"), idx(label, tmp_path / "labels")
    setup = """
images: {train: 100, validation: 20}
study: {students: [knn]}
rows: {gaussian: {source: gaussian, synthesis: {count: 300}}}
"""
    (tmp_path / "setup.yaml").write_text(setup)
    setups.fill(tmp_path / "setup.yaml", data, tmp_path / "out")
    results = store.read_json(tmp_path / "out" / "gaussian" / "study" / "results.json")
    assert results["test"]["windows"] == 30 and results["test"]["split"] == "random"
    assert min(row["accuracy"] for row in results["rows"]) > 0.5
    with pytest.raises(StimjaxError, match="two files"):
        setups.fill(tmp_path / "setup.yaml", data[:1], tmp_path / "out")
    (tmp_path / "setup.yaml").write_text(setup.replace("train", "trial"))
    with pytest.raises(StimjaxError, match="images has to be"):
        setups.fill(tmp_path / "setup.yaml", data, tmp_path / "out")
