"""Moved windows: how far, which way, and what a training with them leaves unchanged."""

import dataclasses

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stimjax import models
from stimjax.batch import Batch
from stimjax.config import Fit
from stimjax.learn import fit, robust
from stimjax.learn.step import cross_entropy

MODEL = models.classifier("cnn", (5, 2), 2, {"width": 8, "depth": 1})
PARAMS = jax.tree.map(lambda leaf: 3 * leaf, MODEL.init(jax.random.key(0)))
WEIGHT, Y = jnp.array([1.0, 2.0, 0.5, 1e-3, 1.0, 0.0]), jax.nn.one_hot(jnp.arange(6) % 2, 2)


@jax.jit
def loss_of(x: jax.Array) -> jax.Array:
    return cross_entropy(MODEL.apply(PARAMS, x), Y, WEIGHT, WEIGHT.sum())


def lengths(change: jax.Array) -> np.ndarray:
    return np.linalg.norm(np.asarray(change).reshape(len(change), -1), axis=1)


@given(radius=st.floats(1e-3, 10), seed=st.integers(0, 1000))
@settings(max_examples=8, deadline=None, derandomize=True)
def test_a_window_moves_at_most_the_radius_and_loses(radius: float, seed: int) -> None:
    x = jax.random.normal(jax.random.key(seed), (6, 5, 2))
    moved = robust.move(loss_of, x, radius)
    chex.assert_tree_all_finite(moved)
    assert (lengths(moved - x) <= radius * (1 + 1e-4) + 1e-5).all()
    np.testing.assert_array_equal(moved[5], x[5])  # of weight 0
    assert float(loss_of(moved)) >= float(loss_of(x)) - 1e-6


def test_of_a_linear_loss_it_is_the_worst_window() -> None:
    x, slope = jnp.ones((2, 5, 2)), jax.random.normal(jax.random.key(0), (2, 5, 2))
    moved = robust.move(lambda x: jnp.sum(slope * x), x, 0.5)
    expected = x + 0.5 * slope / lengths(slope)[:, None, None]
    np.testing.assert_allclose(moved, expected, rtol=1e-5)


def test_no_gradient_flows_through_the_change() -> None:
    def moved(scale: jax.Array) -> jax.Array:
        return robust.move(lambda x: jnp.sum(scale * x**2), jnp.ones((1, 5, 2)), 0.5).sum()

    assert float(jax.grad(moved)(jnp.ones(()))) == 0


def test_training_uses_the_radius(xor: Batch) -> None:
    """A network so trained loses less when its windows are moved."""
    plain = Fit(steps=150, batch=16, rate=1e-2, noise=0.0, every=50, patience=10)
    x, y, weight = (jnp.asarray(a) for a in (xor.x, xor.y, xor.weight))
    found = []
    for asked in (plain, dataclasses.replace(plain, radius=1.0)):
        fitted = fit.fit(MODEL, xor, xor[:200], seeds=[1], settings=asked)
        params = jax.tree.map(lambda leaf: leaf[0], fitted.params)

        @jax.jit
        def loss(x: jax.Array, params: models.Params = params) -> jax.Array:
            return cross_entropy(MODEL.apply(params, x), y, weight, weight.sum())

        found.append(float(loss(robust.move(loss, x, 1.0))))
    assert found[1] < 0.8 * found[0]


@pytest.mark.parametrize("radius", [0.0, 0.5])
def test_only_a_radius_costs_gradients(xor: Batch, radius: float) -> None:
    calls = []

    def apply(params: models.Params, x: jax.Array, key: jax.Array | None = None) -> jax.Array:
        calls.append(x.shape)
        return MODEL.apply(params, x, key)

    once = Fit(steps=1, batch=4, every=1, radius=radius)
    fit.fit(models.Model(MODEL.init, apply), xor, xor[:20], seeds=[0], settings=once)
    assert calls.count((4, 5, 2)) == (1 if radius == 0 else 1 + robust.STEPS)


def test_the_largest_radius_that_costs_nothing_is_chosen() -> None:
    rng = np.random.default_rng(0)
    subject = np.repeat(np.arange(10), 30)
    smallest = rng.uniform(0, 1, 300)
    same = smallest + 0.02 * rng.normal(size=300)
    worse = smallest + 0.1 + 0.02 * rng.normal(size=300)
    assert robust.largest(np.stack([smallest, same, worse]), subject) == 1
    assert robust.largest(np.stack([smallest, worse, same]), subject) == 2
    assert robust.largest(np.stack([worse, same, smallest]), subject) == 2
    assert robust.largest(np.stack([smallest, np.full(300, np.inf)]), subject) == 0
    assert robust.largest(np.stack([smallest, smallest]), subject) == 1
    # Ten subjects with a loss of their own are less evidence than 300 windows.
    by_subject = smallest + rng.normal(0.01, 0.1, 10)[subject]
    assert robust.largest(np.stack([smallest, by_subject]), subject) == 1
    assert (
        robust.largest(
            np.stack([smallest, by_subject - by_subject.mean() + smallest.mean() + 0.02]),
            np.zeros(300, int),
        )
        == 0
    )
