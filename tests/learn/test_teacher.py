"""The teacher on disk: read back exactly or refused in one line; and whose seed is whose."""

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from scipy import special

from stimjax import config, models
from stimjax.batch import Batch, Spec
from stimjax.learn import fit, pooling, teacher
from stimjax.learn.teacher import Teacher
from stimjax.models import Params
from stimjax.store import StimjaxError

STUDENTS_BELOW = 1_000_000_000  # every student's seed is a non-negative number below this


def made_up(network: str, spec: Spec, seed: int) -> Params:
    """Parameters of the right shapes, at no cost."""
    model = models.classifier(network, spec.shape, len(spec.classes))
    rng = np.random.default_rng(seed)
    return jax.tree.map(
        lambda leaf: jnp.asarray(0.3 * rng.normal(size=leaf.shape), leaf.dtype),
        jax.eval_shape(model.init, jax.random.key(0)),
    )


def stacked(network: str, spec: Spec, *seeds: int) -> Params:
    return jax.tree.map(
        lambda *leaves: jnp.stack(leaves), *(made_up(network, spec, seed) for seed in seeds)
    )


MEMBERS = (
    {"network": "mlp", "candidate": 0, "weight": 0.5, "loss": 0.3, "accuracy": 0.9},
    {"network": "cnn", "candidate": 0, "weight": 0.0, "loss": None, "accuracy": None},
)


@pytest.fixture(scope="module")
def known(spec: Spec) -> Teacher:
    params = {
        "members": (stacked("mlp", spec, 0, 1), stacked("gru", spec, 2)),
        "weights": (jnp.array([0.5, 0.25]), jnp.array([0.75])),
    }
    statistics = {"a.mean": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.ones(1)}
    return Teacher(("mlp", "gru"), params, spec, statistics, MEMBERS)


@pytest.fixture(scope="module")
def original(known: Teacher, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("teacher")
    teacher.save(known, folder)
    return folder


@pytest.fixture
def saved(original: Path, tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    return Path(shutil.copytree(original, tmp_path / "teacher"))


def change(folder: Path, **fields: object) -> None:
    path = folder / "teacher.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def refused(folder: Path) -> str:
    with pytest.raises(StimjaxError) as error:
        teacher.load(folder)
    message = str(error.value)
    assert "\n" not in message and str(folder) in message
    return message


def test_what_was_saved_is_loaded_exactly(known: Teacher, saved: Path) -> None:
    loaded = teacher.load(saved)
    assert (loaded.networks, loaded.spec) == (known.networks, known.spec)
    assert loaded.members == known.members
    chex.assert_trees_all_equal(loaded.params, known.params)
    chex.assert_trees_all_equal_shapes_and_dtypes(loaded.params, known.params)
    assert loaded.statistics.keys() == known.statistics.keys()
    for name, array in known.statistics.items():
        assert loaded.statistics[name].dtype == array.dtype
        np.testing.assert_array_equal(loaded.statistics[name], array)
    assert not [path.name for path in saved.iterdir() if "tmp" in path.name]


def test_a_teacher_without_statistics_needs_no_file(known: Teacher, tmp_path: Path) -> None:
    teacher.save(dataclasses.replace(known, statistics={}), tmp_path)
    assert not (tmp_path / "statistics.safetensors").exists()
    assert teacher.load(tmp_path).statistics == {}


def test_a_loaded_teacher_labels_like_the_saved_one(
    known: Teacher, saved: Path, xor: Batch
) -> None:
    labels = teacher.load(saved).probability(xor.x)
    np.testing.assert_array_equal(labels, known.probability(xor.x))
    total = np.zeros(labels.shape)
    for network, seed, weight in (("mlp", 0, 0.5), ("mlp", 1, 0.25), ("gru", 2, 0.75)):
        model = models.classifier(network, xor.spec.shape, 2)
        logits = model.apply(made_up(network, xor.spec, seed), jnp.asarray(xor.x))
        total += weight * special.log_softmax(np.asarray(logits, float), axis=1)
    np.testing.assert_allclose(labels, special.softmax(total, axis=1), atol=1e-5)


def test_equal_teachers_share_their_functions(known: Teacher, saved: Path) -> None:
    assert teacher.load(saved).model is known.model


def test_another_schema_is_refused(saved: Path) -> None:
    change(saved, schema=1)
    assert "schema 1, this version reads 3; train the teacher again" in refused(saved)


def test_an_unknown_network_is_refused(saved: Path) -> None:
    change(saved, networks=["mlp", "lstm9000"])
    assert "'lstm9000'" in refused(saved)


@pytest.mark.parametrize(
    "fields",
    [
        *({"networks": wrong} for wrong in (None, "mlp", [], [3, "gru"], [["mlp"], "gru"], [{}])),
        *({"counts": wrong} for wrong in (None, [2], [2, 0], [2, -1], [2, 1.0], [2, True])),
        *({"members": wrong} for wrong in (None, "mlp", [3])),
        *({"statistics": wrong} for wrong in (None, ["a.mean"], [3], "b")),
    ],
    ids=str,
)
def test_a_wrong_description_is_refused(saved: Path, fields: dict[str, object]) -> None:
    change(saved, **fields)
    refused(saved)


@pytest.mark.parametrize("content", [None, [], {}, {"shape": [5, 2]}])
def test_a_wrong_spec_is_refused(saved: Path, content: object) -> None:
    change(saved, spec=content)
    refused(saved)


def test_a_missing_teacher_is_refused(tmp_path: Path) -> None:
    assert "missing" in refused(tmp_path)


def test_a_damaged_description_is_refused(saved: Path) -> None:
    path = saved / "teacher.json"
    path.write_bytes(path.read_bytes()[:50])
    refused(saved)


def test_a_missing_checkpoint_is_refused(saved: Path) -> None:
    shutil.rmtree(saved / "checkpoint")
    assert "checkpoint: cannot be restored" in refused(saved)


def test_a_checkpoint_of_another_network_is_refused(saved: Path) -> None:
    change(saved, networks=["cnn", "gru"])
    assert "checkpoint: cannot be restored" in refused(saved)


@pytest.mark.parametrize("keep", [0, 30])
def test_a_truncated_checkpoint_is_refused(saved: Path, keep: int) -> None:
    for file in (saved / "checkpoint").rglob("*"):
        if file.is_file():
            file.write_bytes(file.read_bytes()[:keep])
    assert "checkpoint: cannot be restored" in refused(saved)


def test_truncated_numbers_are_refused(saved: Path) -> None:
    """Only the largest file is cut: the one that holds the parameters."""
    files = [file for file in (saved / "checkpoint").rglob("*") if file.is_file()]
    largest = max(files, key=lambda file: file.stat().st_size)
    largest.write_bytes(largest.read_bytes()[: largest.stat().st_size // 2])
    assert "checkpoint: cannot be restored" in refused(saved)


def test_another_number_of_networks_is_refused(saved: Path) -> None:
    change(saved, counts=[1, 1])
    assert "checkpoint: cannot be restored" in refused(saved)


def test_missing_or_damaged_statistics_are_refused(saved: Path) -> None:
    path = saved / "statistics.safetensors"
    path.write_bytes(path.read_bytes()[:-3])
    assert "statistics.safetensors: is damaged" in refused(saved)
    path.unlink()
    assert "statistics.safetensors: is missing" in refused(saved)


# Training and seeds

SETTINGS = config.Teacher(networks=("mlp", "gru"), candidates=3, seed=4)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, xor: Batch) -> dict[str, Any]:
    """Candidates with made-up parameters and losses instead of trained ones."""
    asked: dict[str, Any] = {
        "losses": [[0.5, np.inf, 0.3], [0.4, 0.6, 0.7]],
        "seeds": [],
        "radii": [],
    }

    def made(model: models.Model, *parts: Batch, **kwargs: Any) -> fit.Fitted:
        i = len(asked["seeds"])
        asked["seeds"].append(kwargs["seeds"])
        asked["radii"].append(kwargs["settings"].radius)
        if not np.isfinite(asked["losses"][i]).any():
            raise fit.DivergedError("training diverged")
        kwargs["progress"](10, kwargs["settings"].steps)
        params = stacked(
            SETTINGS.networks[0 if "same" in asked else i],
            xor.spec,
            *(10 * i + j for j in range(3)),
        )
        return fit.Fitted(params, np.array(asked["losses"][i]), 10)

    monkeypatch.setattr(fit, "fit", made)
    return asked


def test_without_an_ensemble_the_best_candidate_on_validation_is_kept(
    xor: Batch, asked: dict[str, Any]
) -> None:
    trained = teacher.train(xor, xor, dataclasses.replace(SETTINGS, ensemble=False))
    assert trained.networks == ("mlp",)
    chex.assert_trees_all_equal(trained.params["members"], (stacked("mlp", xor.spec, 2),))
    assert trained.params["weights"][0].tolist() == [1.0]
    assert [m["weight"] for m in trained.members] == [0, 0, 1, 0, 0, 0]
    assert [m["loss"] for m in trained.members] == [0.5, None, 0.3, 0.4, 0.6, 0.7]
    assert [(m["network"], m["candidate"]) for m in trained.members][2:4] == [
        ("mlp", 2),
        ("gru", 0),
    ]
    json.dumps(trained.members, allow_nan=False)


def test_an_ensemble_holds_what_counts_and_nothing_that_diverged(
    xor: Batch, asked: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def chosen(logs: np.ndarray, y: np.ndarray, weight: np.ndarray) -> np.ndarray:
        assert logs.shape == (5, len(xor), 2)
        for place, (network, seed) in {1: ("mlp", 2), 2: ("gru", 10)}.items():
            model = models.classifier(network, xor.spec.shape, 2)
            logits = np.asarray(model.apply(made_up(network, xor.spec, seed), jnp.asarray(xor.x)))
            np.testing.assert_allclose(logs[place], special.log_softmax(logits, 1), atol=1e-4)
        return np.array([0.3, 0.5, 0.0, 0.9, 0.0])

    monkeypatch.setattr(pooling, "choose", chosen)
    seen = []
    trained = teacher.train(xor, xor, SETTINGS, progress=lambda *at: seen.append(at))
    assert seen == [(10, 3000), (1510, 3000)]
    assert trained.networks == ("mlp", "gru")
    chex.assert_trees_all_equal(
        trained.params["members"], (stacked("mlp", xor.spec, 0, 2), stacked("gru", xor.spec, 11))
    )
    weights = [m["weight"] for m in trained.members]
    assert weights == [0.3, 0, 0.5, 0, 0.9, 0]
    np.testing.assert_allclose(np.concatenate(trained.params["weights"]), [0.3, 0.5, 0.9])


def test_a_family_that_diverged_is_left_out_and_all_of_them_are_one_line(
    xor: Batch, asked: dict[str, Any]
) -> None:
    asked["losses"] = [[np.inf] * 3, [0.4, 0.6, 0.7]]
    trained = teacher.train(xor, xor, SETTINGS)
    assert trained.networks == ("gru",)
    assert [m["loss"] for m in trained.members][:4] == [None, None, None, 0.4]
    asked["losses"], asked["seeds"] = [[np.inf] * 3] * 2, []
    with pytest.raises(StimjaxError, match="diverged"):
        teacher.train(xor, xor, SETTINGS)


def test_the_radius_is_chosen_on_validation(xor: Batch, asked: dict[str, Any]) -> None:
    """Made-up networks label by chance, so that no radius is clearly worse; one diverges."""
    settings = dataclasses.replace(SETTINGS, radii=(0.5, 0.0, 2.0), networks=("mlp",))
    asked["losses"], asked["same"] = [[0.3, 0.4, 0.5]] * 2 + [[np.inf] * 3], True
    seen = []
    trained = teacher.train(xor, xor, settings, progress=lambda *at: seen.append(at))
    assert {m["radius"] for m in trained.members} == {0.5}
    assert asked["radii"] == [0.0, 0.5, 2.0]
    assert seen == [(10, 4500), (1510, 4500)]


def test_every_candidate_has_a_seed_of_its_own(xor: Batch, asked: dict[str, Any]) -> None:
    teacher.train(xor, xor, dataclasses.replace(SETTINGS, networks=("mlp", "gru", "mlp")))
    assert [len(row) for row in asked["seeds"]] == [3, 3]  # a name twice is one family
    assert [seed for row in asked["seeds"] for seed in row] == teacher.seeds(4, 6)


@pytest.mark.parametrize("change", [{"networks": ()}, {"candidates": 0}, {"networks": ("cnm",)}])
def test_settings_that_give_no_teacher_are_one_line(xor: Batch, change: dict[str, Any]) -> None:
    with pytest.raises(StimjaxError, match=r"at least one network|no network 'cnm'"):
        teacher.train(xor, xor, dataclasses.replace(SETTINGS, **change))


@given(seed=st.integers(0, 10**12), candidates=st.integers(1, 50))
@hypothesis_settings(max_examples=200, deadline=None, derandomize=True)
def test_no_teacher_starts_where_a_student_does(seed: int, candidates: int) -> None:
    seeds = teacher.seeds(seed, candidates)
    assert len(set(seeds)) == candidates
    assert min(seeds) >= STUDENTS_BELOW
    assert max(seeds) < 2**32  # a key tells them all apart
    following = teacher.seeds(seed + 1, candidates)
    assert not set(seeds) & set(following)
