"""The teacher on disk: read back exactly or refused in one line; and whose seed is whose."""

import dataclasses
import json
import shutil
from pathlib import Path

import chex
import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from stimjax import config, models
from stimjax.batch import Batch, Spec
from stimjax.learn import fit, teacher
from stimjax.learn.teacher import Teacher
from stimjax.models import Params
from stimjax.store import StimjaxError

STUDENTS_BELOW = 1_000_000_000  # every student's seed is a non-negative number below this


def made_up(network: str, spec: Spec, seed: int) -> Params:
    """Parameters of the right shapes, at no cost."""
    model = models.classifier(network, spec.shape, len(spec.classes))
    rng = np.random.default_rng(seed)
    return jax.tree.map(
        lambda leaf: jax.numpy.asarray(rng.normal(size=leaf.shape), leaf.dtype),
        jax.eval_shape(model.init, jax.random.key(0)),
    )


@pytest.fixture(scope="module")
def known(spec: Spec) -> Teacher:
    return Teacher("mlp", made_up("mlp", spec, 0), spec)


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
    assert (loaded.network, loaded.spec) == (known.network, known.spec)
    chex.assert_trees_all_equal(loaded.params, known.params)
    chex.assert_trees_all_equal_shapes_and_dtypes(loaded.params, known.params)
    assert not [path.name for path in saved.iterdir() if "tmp" in path.name]


def test_a_loaded_teacher_labels_like_the_saved_one(
    known: Teacher, saved: Path, xor: Batch
) -> None:
    labels = teacher.load(saved).probability(xor.x)
    np.testing.assert_array_equal(labels, known.probability(xor.x))
    logits = np.asarray(known.model.apply(known.params, jax.numpy.asarray(xor.x)), float)
    expected = np.exp(logits - logits.max(1, keepdims=True))
    np.testing.assert_allclose(labels, expected / expected.sum(1, keepdims=True), atol=1e-5)


def test_another_schema_is_refused(saved: Path) -> None:
    change(saved, schema=2)
    assert "schema 2, this version reads 1; train the teacher again" in refused(saved)


def test_an_unknown_network_is_refused(saved: Path) -> None:
    change(saved, network="lstm9000")
    assert "'lstm9000'" in refused(saved)


@pytest.mark.parametrize("network", [None, 3, ["mlp"], {}])
def test_a_network_that_is_no_name_is_refused(saved: Path, network: object) -> None:
    change(saved, network=network)
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
    change(saved, network="cnn")
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


# Training and seeds


def test_the_best_candidate_on_validation_is_kept(
    xor: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def chosen(model: models.Model, *parts: Batch, **kwargs: object) -> fit.Fitted:
        assert kwargs["seeds"] == teacher.seeds(4, 3)
        stacked = [made_up("mlp", xor.spec, seed) for seed in range(3)]
        params = jax.tree.map(lambda *leaves: jax.numpy.stack(leaves), *stacked)
        return fit.Fitted(params, np.array([0.5, np.nan, 0.3]), 10)

    monkeypatch.setattr(fit, "fit", chosen)
    settings = config.Teacher(network="mlp", candidates=3, seed=4)
    trained = teacher.train(xor, xor, settings)
    chex.assert_trees_all_equal(trained.params, made_up("mlp", xor.spec, 2))
    with pytest.raises(StimjaxError, match="no network 'cnm'"):
        teacher.train(xor, xor, dataclasses.replace(settings, network="cnm"))


@given(seed=st.integers(0, 10**12), candidates=st.integers(1, 50))
@hypothesis_settings(max_examples=200, deadline=None, derandomize=True)
def test_no_teacher_starts_where_a_student_does(seed: int, candidates: int) -> None:
    seeds = teacher.seeds(seed, candidates)
    assert len(set(seeds)) == candidates
    assert min(seeds) >= STUDENTS_BELOW
    assert max(seeds) < 2**32  # a key tells them all apart
    following = teacher.seeds(seed + 1, candidates)
    assert not set(seeds) & set(following)
