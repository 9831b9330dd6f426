"""Pipelines in a row: halves, seeds, training together, releases of every kind."""

import jax
import numpy as np
import pytest

from stimjax import config
from stimjax.batch import Batch, Channel, Spec, check, make, one_hot
from stimjax.learn import fit, teacher
from stimjax.privacy import pipelines
from stimjax.privacy.pipelines import Trained
from stimjax.recipes import RECIPES

SIGNAL = Spec((24, 2), ("a", "b", "c"), (Channel("x", "", low=-4, high=4),) * 2, rate=1.0)
IMAGE = Spec((8, 8, 1), ("a", "b", "c"), (Channel("x", "", low=-4, high=4),))


def windows(spec: Spec, n: int, seed: int = 0) -> Batch:
    rng = np.random.default_rng(seed)
    label = np.arange(n) % 3
    x = rng.normal(size=(n, *spec.shape)) + label.reshape(-1, *[1] * len(spec.shape)) - 1
    return make(np.clip(x, -4, 4), one_hot(label, spec), spec)


@pytest.mark.parametrize("units", [2, 5, 60])
def test_every_unit_is_in_half_of_the_pipelines_and_every_pipeline_has_half(units: int) -> None:
    inside = pipelines.halves(16, units, 3)
    assert (inside.sum(axis=0) == 8).all()
    assert abs(inside.sum(axis=1) - units / 2).max() <= 0.5
    assert not np.array_equal(inside, pipelines.halves(16, units, 4))


def test_seeds_are_apart_from_teachers_students_and_each_other() -> None:
    found = [s for part in pipelines.PARTS for seed in (0, 1) for s in each(part, seed)]
    assert len(set(found)) == len(found)
    assert min(found) > max(teacher.seeds(10**9 - 1, 1)) and max(found) < 2**32


def each(part: str, seed: int) -> list[int]:
    return pipelines.seeds(seed, part, 100)


def test_networks_together_are_networks_alone() -> None:
    batch = windows(SIGNAL, 90)
    rows = [np.arange(30), np.arange(20, 90)]
    settings = config.Fit(steps=8, batch=16)
    model = pipelines.network("mlp", SIGNAL)
    together = pipelines.train(model, batch, rows, [5, 6], settings)
    answers = fit.predict(model, together, batch.x)
    alone = pipelines.train(model, batch, rows[1:], [6], settings)
    assert fit.predict(model, alone, batch.x)[0] == pytest.approx(answers[1], abs=1e-4)
    assert np.abs(answers[1] - answers[0]).max() > 0.01


@pytest.mark.parametrize(
    ("name", "spec"),
    [("paper", SIGNAL), ("adversarial", SIGNAL), ("mixture", IMAGE)],
)
def test_releases_of_every_method(name: str, spec: Spec) -> None:
    batch = windows(spec, 240)
    rows = [np.arange(240), np.arange(60)]  # of one group and of more
    model = pipelines.network("mlp", spec)
    params = jax.vmap(model.init)(jax.random.split(jax.random.key(0), 2))
    release = pipelines.drawn(RECIPES[name], 200)
    first, second = release(Trained(batch, rows, model, params, [1, 2]))
    for stimuli in (first, second):
        assert 200 <= len(stimuli) < 200 + RECIPES[name].lanes
        check(stimuli, name)
        assert np.abs(stimuli.x).max() <= 4
    assert not np.allclose(first.x, second.x)
    assert second.y == pytest.approx(fit.predict(model, params, second.x)[1], abs=1e-5)


def test_log_odds_of_the_class() -> None:
    batch = windows(SIGNAL, 20)
    model = pipelines.network("mlp", SIGNAL)
    params = jax.vmap(model.init)(jax.random.split(jax.random.key(0), 2))
    label = np.asarray(batch.y).argmax(axis=1)
    probability = fit.predict(model, params, batch.x)
    p = probability[:, np.arange(20), label]
    found = pipelines.log_odds(model, params, np.asarray(batch.x), label)
    assert found == pytest.approx(np.log(p / (1 - p)), rel=1e-3, abs=1e-4)
