"""The teacher on disk: read back exactly or refused in one line; and whose seed is whose."""

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import chex
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from random_teacher import recorded
from scipy import special

from stimjax import config, models
from stimjax.batch import Batch, Spec
from stimjax.disk.documents import Member
from stimjax.errors import StimjaxError
from stimjax.learn import teacher
from stimjax.learn.teacher import Teacher
from stimjax.models import Params
from stimjax.prior.known import Known

STUDENTS_BELOW = 1_000_000_000  # every student's seed is a non-negative number below this


MEMBERS = (
    Member("mlp", 0, radius=0.0, weight=0.5, loss=0.3, accuracy=0.9),
    Member("cnn", 0, radius=0.0, weight=0.0, loss=None, accuracy=None),
)


@pytest.fixture(scope="module")
def known(spec: Spec, stacked: Callable[..., Params]) -> Teacher:
    params = {
        "members": (stacked("mlp", 0, 1), stacked("gru", 2)),
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
    known: Teacher, saved: Path, xor: Batch, made_up: Callable[[str, int], Params]
) -> None:
    labels = teacher.load(saved).probability(xor.x)
    np.testing.assert_array_equal(labels, known.probability(xor.x))
    total = np.zeros(labels.shape)
    for network, seed, weight in (("mlp", 0, 0.5), ("mlp", 1, 0.25), ("gru", 2, 0.75)):
        model = models.classifier(network, xor.spec.shape, 2)
        logits = model.apply(made_up(network, seed), jnp.asarray(xor.x))
        total += weight * special.log_softmax(np.asarray(logits, float), axis=1)
    np.testing.assert_allclose(labels, special.softmax(total, axis=1), atol=1e-5)


def test_equal_teachers_share_their_functions(known: Teacher, saved: Path) -> None:
    assert teacher.load(saved).model is known.model


def test_another_schema_is_refused(saved: Path) -> None:
    change(saved, schema=1)
    assert "schema 1, this version reads 5; train the teacher again" in refused(saved)


def test_an_unknown_network_is_refused(saved: Path) -> None:
    change(saved, networks=["mlp", "lstm9000"])
    assert "'lstm9000'" in refused(saved)


@pytest.mark.parametrize(
    "fields",
    [
        *({"networks": wrong} for wrong in (None, "mlp", [], [3, "gru"], [["mlp"], "gru"], [{}])),
        *({"counts": wrong} for wrong in (None, [2], [2, 0], [2, -1], [2, 1.0], [2, True])),
        *({"members": wrong} for wrong in (None, "mlp", [3], [{"network": "mlp"}])),
        *({"critic": wrong} for wrong in ({}, {"network": 3}, 5)),
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


@given(seed=st.integers(0, 10**12), candidates=st.integers(1, 50))
@hypothesis_settings(max_examples=200, deadline=None, derandomize=True)
def test_no_teacher_starts_where_a_student_does(seed: int, candidates: int) -> None:
    seeds = teacher.seeds(seed, candidates)
    assert len(set(seeds)) == candidates
    assert min(seeds) >= STUDENTS_BELOW
    assert max(seeds) < 2**32  # a key tells them all apart
    following = teacher.seeds(seed + 1, candidates)
    assert not set(seeds) & set(following)


def test_the_prior_is_kept_and_a_wrong_one_refused(known: Teacher, tmp_path: Path) -> None:
    prior = Known(config.Prior(part=0.3, sleepers=7), own=True)
    other = dataclasses.replace(known, prior=prior)
    assert other.digest != known.digest
    teacher.save(other, tmp_path / "one")
    assert teacher.load(tmp_path / "one").prior == prior
    change(tmp_path / "one", prior=dataclasses.asdict(prior.settings) | {"hours": -1.0})
    assert "prior.hours is -1" in refused(tmp_path / "one")


def test_nights_that_anybody_may_have_are_kept_with_it(known: Teacher, tmp_path: Path) -> None:
    spec = dataclasses.replace(known.spec, rate=1.0)
    prior = Known(recorded=(recorded(spec, 1), recorded(spec, 2, scored=False)))
    other = dataclasses.replace(known, prior=prior)
    assert other.digest != known.digest
    teacher.save(other, tmp_path / "one")
    loaded = teacher.load(tmp_path / "one").prior
    assert loaded == prior
    for one, found in zip(prior.recorded, loaded.recorded, strict=True):
        chex.assert_trees_all_equal(one.night, found.night)
    (tmp_path / "one" / "public-0001.safetensors").unlink()
    assert "public-*" in refused(tmp_path / "one")


def test_a_teacher_of_an_earlier_version_knows_no_prior(saved: Path) -> None:
    content = json.loads((saved / "teacher.json").read_text())
    del content["prior"], content["own_prior"], content["public"]
    (saved / "teacher.json").write_text(json.dumps(content))
    assert teacher.load(saved).prior == Known()
