"""The parts that a method is composed of, each on its own."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from scipy import stats

from stimjax import config
from stimjax.batch import Channel, Spec
from stimjax.excite import accept, methods, objective, parametrization, source
from stimjax.excite.accept import Goal
from stimjax.excite.adam import adam
from stimjax.excite.terms import Excited
from stimjax.excite.terms.cross_entropy import cross_entropy
from stimjax.store import StimjaxError

DRAWS = 5000
CHANCE = 1e-3  # what a right program fails with, had its seed not been fixed


def excited(logits: np.ndarray | jax.Array, target: int) -> Excited:
    goal = Goal(jnp.asarray(target), jnp.asarray(0.9))
    return Excited(jnp.full((4, 1), 2.0), jnp.asarray(logits, jnp.float32), goal)


@pytest.fixture(scope="module")
def goals() -> Goal:
    draw = accept.confidence(5, 0.75, 0.9999, 50).draw
    return jax.jit(jax.vmap(draw))(jax.random.split(jax.random.key(0), DRAWS))


def test_targets_are_uniform(goals: Goal) -> None:
    counts = np.bincount(goals.target, minlength=5)
    assert len(counts) == 5
    assert stats.chisquare(counts).pvalue > CHANCE


def test_thresholds_are_uniform(goals: Goal) -> None:
    threshold = np.asarray(goals.threshold, float)
    assert threshold.min() >= 0.75 and threshold.max() <= 0.9999
    assert stats.kstest(threshold, stats.uniform(0.75, 0.2499).cdf).pvalue > CHANCE


def test_targets_tell_nothing_of_thresholds(goals: Goal) -> None:
    parts = [np.asarray(goals.threshold)[np.asarray(goals.target) == c] for c in range(5)]
    assert stats.kruskal(*parts).pvalue > CHANCE


def test_reached_is_strictly_more_than_the_threshold() -> None:
    acceptance = accept.confidence(2, 0.5, 0.9, 7)
    goal = Goal(jnp.asarray(1), jnp.asarray(0.75, jnp.float32))
    given = np.array([[0.25, 0.75], [0.2, 0.8], [0.8, 0.2], [np.nan, np.nan]], np.float32)
    found = [bool(acceptance.reached(goal, jnp.asarray(p))) for p in given]
    assert found == [False, True, False, False]
    assert acceptance.tries == 7


def test_a_start_is_standard_normal() -> None:
    draw = jax.vmap(source.latent(10))
    z = np.asarray(draw(jax.random.split(jax.random.key(1), 500)), float)
    assert z.shape == (500, 10)
    assert stats.kstest(z.ravel(), "norm").pvalue > CHANCE
    correlation = np.corrcoef(z.T) - np.eye(10)
    assert np.abs(correlation).max() < 0.2


def test_cross_entropy_is_its_closed_form_and_slope_its_finite_difference() -> None:
    rng = np.random.default_rng(0)
    for target in range(4):
        logits = 3 * rng.normal(size=4)

        def value(at: np.ndarray, target: int = target) -> float:
            return float(np.log(np.exp(at).sum()) - at[target])

        def found(at: jax.Array, target: int = target) -> jax.Array:
            return cross_entropy(excited(at, target))

        at = jnp.asarray(logits, jnp.float32)
        np.testing.assert_allclose(found(at), value(logits), rtol=1e-5, atol=1e-6)
        slope = [(value(logits + h) - value(logits - h)) / 2e-6 for h in 1e-6 * np.eye(4)]
        np.testing.assert_allclose(jax.grad(found)(at), slope, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("logits", [[1e4, 0.0], [-1e4, 1e4], [0.0, 0.0]])
def test_cross_entropy_stays_finite_for_sure_teachers(logits: list[float]) -> None:
    value, slope = jax.value_and_grad(lambda at: cross_entropy(excited(at, 1)))(jnp.array(logits))
    chex.assert_tree_all_finite((value, slope))
    assert float(value) == pytest.approx(np.logaddexp(logits[0], logits[1]) - logits[1], rel=1e-6)


def test_objective_is_the_weighted_sum_of_its_terms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(objective.TERMS, "level", lambda e: e.window.mean())
    logits = np.array([0.3, -1.0, 2.0])
    at = excited(logits, 0)
    entropy = np.log(np.exp(logits).sum()) - 0.3
    for weights, expected in [
        ({"cross_entropy": 1.0}, entropy),
        ({"cross_entropy": 2.0, "level": -0.5}, 2 * entropy - 0.5 * 2),
        ({"level": 3.0}, 6.0),
        ({"level": 3.0, "cross_entropy": 0.0}, 6.0),
    ]:
        np.testing.assert_allclose(objective.weighted(weights)(at), expected, rtol=1e-5)


def test_unknown_terms_methods_and_generators_are_one_line(spec: Spec) -> None:
    with pytest.raises(StimjaxError, match=r"^there is no term 'cross'; choose from cross_entropy"):
        objective.weighted({"cross_entropy": 1.0, "cross": 1.0})
    with pytest.raises(StimjaxError, match="choose from cross_entropy"):
        objective.weighted({})
    with pytest.raises(StimjaxError, match=r"^there is no method 'papers'; choose one of paper$"):
        methods.method(spec, config.Synthesis(method="papers"))
    with pytest.raises(StimjaxError, match="no network 'fancy'"):
        methods.method(spec, config.Synthesis(generator="fancy"))


@pytest.fixture(scope="module")
def spec() -> Spec:
    channels = (Channel("gray", "1", low=0.0, high=255.0), Channel("mask", "1", low=-1.0, high=0.0))
    return Spec(shape=(5, 4, 2), classes=("0", "1"), channels=channels)


def test_a_rendered_window_spans_the_range_of_each_channel(spec: Spec) -> None:
    part = parametrization.generator("dense", spec, 3)
    params = jax.jit(jax.vmap(part.init))(jax.random.split(jax.random.key(0), 20))
    z = jnp.array([1e4, -1e4, 1e4])
    windows = np.asarray(jax.jit(jax.vmap(part.render, (0, None)))(params, z))
    assert windows.shape == (20, *spec.shape)
    assert (windows >= spec.low).all() and (windows <= spec.high).all()
    assert (np.ptp(windows, axis=(0, 1, 2)) > 0.9 * (spec.high - spec.low)).all()
    middle = np.asarray(jax.vmap(part.render, (0, None))(params, 0 * z))  # no bias: a sigmoid of 0
    expected = np.broadcast_to((spec.low + spec.high) / 2, windows.shape)
    np.testing.assert_allclose(middle, expected, rtol=1e-5)


def test_the_paper_is_what_the_paper_says(spec: Spec) -> None:
    """Its numbers, from the text: T in U[0.75, 0.9999], 50 tries, Adam with 1e-3."""
    settings = config.Synthesis()
    numbers = (settings.lowest, settings.highest, settings.tries, settings.rate)
    assert numbers == (0.75, 0.9999, 50, 1e-3)
    method = methods.method(spec, settings)
    assert method.acceptance.tries == 50
    assert set(methods.USES) == set(methods.METHODS)


def test_adam_is_optaxs_but_for_rounding() -> None:
    rng = np.random.default_rng(0)
    params = {"w": jnp.ones((3, 2)), "b": jnp.zeros(2)}
    ours, theirs = adam(1e-2), optax.adam(1e-2)
    states = [ours.init(params), theirs.init(params)]
    for scale in (1e-3, 1.0, 100.0, 1e-8, 0.0, 1.0):
        gradient = jax.tree.map(
            lambda leaf, s=scale: jnp.asarray(s * rng.normal(size=leaf.shape), jnp.float32), params
        )
        updates = []
        for i, optimizer in enumerate((ours, theirs)):
            update, states[i] = optimizer.update(gradient, states[i], params)
            updates.append(update)
        chex.assert_trees_all_close(*updates, rtol=1e-4)
