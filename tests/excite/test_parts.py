"""The parts that a method is composed of, each on its own."""

import dataclasses
from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from scipy import stats

from stimjax import config, models
from stimjax.batch import Channel, Spec, make
from stimjax.config.recipes import RECIPES, Recipe, Terms
from stimjax.errors import StimjaxError
from stimjax.excite import accept, kind, lanes, methods, parametrization
from stimjax.excite.accept import Goal
from stimjax.excite.sources.generator import point
from stimjax.excite.terms import Excited
from stimjax.excite.terms.cross_entropy import cross_entropy
from stimjax.numerics.adam import adam, reciprocal_root

DRAWS = 5000
CHANCE = 1e-3  # what a right program fails with, had its seed not been fixed


def excited(logits: np.ndarray | jax.Array, target: int) -> Excited:
    logits = jnp.asarray(logits, jnp.float32)
    label = jax.nn.one_hot(target, len(logits))
    goal = Goal(jnp.asarray(target), label, jnp.asarray(0.9), *map(jnp.asarray, (True, False)))
    key = jax.random.key(0)
    return Excited(jnp.full((4, 1), 2.0), logits, (), goal, lambda x: x, None, key)


def of(classes: int) -> Spec:
    return Spec((5, 1), tuple(map(str, range(classes))), (Channel("x", ""),))


@pytest.fixture(scope="module")
def goals() -> Goal:
    draw = accept.acceptance(of(5), RECIPES["paper"], {}).draw
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
    recipe = dataclasses.replace(RECIPES["paper"], tries=7)
    acceptance = accept.acceptance(of(2), recipe, {})
    threshold, yes, no = jnp.asarray(0.75, jnp.float32), jnp.array(True), jnp.array(False)
    goal = Goal(jnp.array(1), jnp.eye(2)[1], threshold, yes, no)
    given = np.array([[0.25, 0.75], [0.2, 0.8], [0.8, 0.2], [np.nan, np.nan]], np.float32)
    one = jnp.ones((), jnp.int32)
    found = [bool(acceptance.reached(goal, jnp.asarray(p), one)) for p in given]
    assert found == [False, True, False, False]
    assert acceptance.tries == 7


def test_reached_at_the_end_or_at_once_if_not_excited() -> None:
    acceptance = accept.acceptance(of(2), Recipe(tries=3), {})
    for excited_, expected in ((True, [False, False, True]), (False, [True, True, True])):
        flags = jnp.asarray(excited_), jnp.array(False)
        goal = Goal(jnp.array(1), jnp.eye(2)[1], jnp.array(0.75), *flags)
        tries = jnp.arange(1, 4)
        found = [bool(acceptance.reached(goal, jnp.array([0.5, 0.5]), t)) for t in tries]
        assert found == expected


PRIOR = {"classes.prior": np.array([0.7, 0.2, 0.1], np.float32)}


def many(recipe: Recipe, classes: int, known: dict[str, np.ndarray]) -> Goal:
    draw = accept.acceptance(of(classes), recipe, known).draw
    return jax.jit(jax.vmap(draw))(jax.random.split(jax.random.key(3), DRAWS))


def test_targets_follow_the_prior_and_some_are_not_excited() -> None:
    found = many(Recipe(balance="prior", unexcited=0.25), 3, PRIOR)
    counts = np.bincount(found.target, minlength=3)
    assert stats.chisquare(counts, DRAWS * PRIOR["classes.prior"]).pvalue > CHANCE
    assert stats.binomtest(int((~found.excited).sum()), DRAWS, 0.25).pvalue > CHANCE


class Answers:
    """A labeler of known answers."""

    model, params = models.classifier("mlp", (5, 1), 3), None
    models = ()

    def __init__(self, probability: np.ndarray) -> None:
        self._probability = probability

    def probability(self, x: Any) -> np.ndarray:
        return self._probability


def test_labels_follow_the_teachers_own_confidence() -> None:
    rng = np.random.default_rng(0)
    scored = rng.integers(0, 3, 3000)
    y = np.eye(3, dtype=np.float32)[scored]
    probability = np.stack([rng.dirichlet(1 + 6 * row) for row in y]).astype(np.float32)
    train = make(np.zeros((3000, 5, 1)), y, Spec((5, 1), ("a", "b", "c"), (Channel("x", ""),)))
    known = kind.measured((accept.PRIOR, accept.CONFIDENCE), train, Answers(probability))
    np.testing.assert_allclose(known["classes.prior"], np.bincount(scored) / 3000, atol=1e-6)
    found = many(Recipe(targets="histogram", tries=1), 3, known)
    np.testing.assert_allclose(found.label.sum(axis=1), 1, rtol=1e-5)
    for c in range(3):
        drawn = np.asarray(found.label)[np.asarray(found.target) == c]
        real = probability[scored == c]
        levels = np.linspace(0.05, 0.95, 10)
        quantiles = [np.quantile(a[:, c], levels) for a in (drawn, real)]
        np.testing.assert_allclose(quantiles[0], quantiles[1], atol=0.03)
        np.testing.assert_allclose(drawn.mean(axis=0), real.mean(axis=0), atol=0.02)


def test_a_start_is_standard_normal() -> None:
    draw = jax.vmap(point(10), (0, None))
    keys = jax.random.split(jax.random.key(1), 500)
    z = np.asarray(draw(keys, jnp.array(0)), float)
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


def test_unknown_methods_generators_and_parts_that_do_not_fit_are_one_line(spec: Spec) -> None:
    with pytest.raises(StimjaxError, match=r"^there is no method 'papers'; choose one of paper, "):
        methods.recipe(config.Synthesis(method="papers"))
    paper = RECIPES["paper"]
    with pytest.raises(StimjaxError, match="no network 'fancy'"):
        methods.method(spec, dataclasses.replace(paper, generator="fancy"), {})
    with pytest.raises(
        StimjaxError, match="source noise does not go with parametrization generator"
    ):
        methods.method(spec, dataclasses.replace(paper, source="noise"), {})
    with pytest.raises(StimjaxError, match=r"holds no statistic .*train it again"):
        methods.method(spec, RECIPES["mixture"], {})


def test_every_use_of_private_data_is_named() -> None:
    assert len(methods.uses(config.Synthesis("probe"))) == 4  # labels, ranges, prior; its people
    for name, recipe in RECIPES.items():
        said = " ".join(methods.uses(config.Synthesis(recipe=recipe)))
        assert ("gradients" in said) == bool(recipe.tries), name
        free = name in ("paper", "probe", "public")
        assert said.startswith(methods.STATISTICS) != free, name
        assert ("hidden unit" in said) == bool(recipe.terms.features), name


@pytest.fixture(scope="module")
def spec() -> Spec:
    channels = (Channel("gray", "1", low=0.0, high=255.0), Channel("mask", "1", low=-1.0, high=0.0))
    return Spec(shape=(5, 4, 2), classes=("0", "1"), channels=channels)


def test_a_rendered_window_spans_the_range_of_each_channel(spec: Spec) -> None:
    part = parametrization.generator("dense", spec, 3)
    z = jnp.array([1e4, -1e4, 1e4])
    keys = jax.random.split(jax.random.key(0), 20)
    params = jax.jit(jax.vmap(lambda key: part.init(key, z)))(keys)
    windows = np.asarray(jax.jit(jax.vmap(part.render, (0, None)))(params, z))
    assert windows.shape == (20, *spec.shape)
    assert (windows >= spec.low).all() and (windows <= spec.high).all()
    assert (np.ptp(windows, axis=(0, 1, 2)) > 0.9 * (spec.high - spec.low)).all()
    middle = np.asarray(jax.vmap(part.render, (0, None))(params, 0 * z))  # no bias: a sigmoid of 0
    expected = np.broadcast_to((spec.low + spec.high) / 2, windows.shape)
    np.testing.assert_allclose(middle, expected, rtol=1e-5)


def test_a_generator_in_bfloat16_is_rounded_only_while_it_is_optimized(spec: Spec) -> None:
    exact = parametrization.generator("dense", spec, 3)
    rounded = parametrization.generator("dense", spec, 3, "bfloat16")
    key, z = jax.random.key(0), jnp.ones(3)
    params = exact.init(key, z)
    chex.assert_trees_all_equal(rounded.init(key, z), params)
    chex.assert_trees_all_equal(rounded.render(params, z), exact.render(params, z))
    optimized, expected = (part.render(params, z, key) for part in (rounded, exact))
    assert optimized.dtype == jnp.float32
    differ = np.abs(optimized - expected) / (spec.high - spec.low)
    assert 0 < differ.max() < 0.01


@pytest.mark.parametrize("name", ["window", "cosine"])
def test_a_linear_parametrization_starts_at_the_source(spec: Spec, name: str) -> None:
    part = getattr(parametrization, name)(spec)
    rng = np.random.default_rng(0)
    start = jnp.asarray(rng.uniform(spec.low, spec.high, spec.shape), jnp.float32)
    params = part.init(jax.random.key(0), start)
    np.testing.assert_allclose(part.render(params, start), start, rtol=1e-4, atol=1e-3)
    far = part.render(jax.tree.map(lambda a: 1e3 * a, params), start)
    assert (far >= spec.low).all() and (far <= spec.high).all()
    if name == "cosine":
        import scipy.fft

        unit = (spec.high - spec.low) / 10
        expected: Any = scipy.fft.dctn(np.asarray(start, float) / unit, axes=(0, 1), norm="ortho")
        np.testing.assert_allclose(params, expected, rtol=1e-3, atol=1e-3)


def test_components_move_the_start_within_their_span(spec: Spec) -> None:
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.normal(size=(40, 3)))[0].T.astype(np.float32)
    spread = np.array([3.0, 2.0, 1.0], np.float32)
    known = {
        "components.basis": basis,
        "components.center": np.zeros(40, np.float32),
        "components.spread": spread,
    }
    part = parametrization.components(spec, known)
    start = jnp.broadcast_to(jnp.asarray((spec.low + spec.high) / 2), spec.shape)
    params = part.init(jax.random.key(0), start)
    np.testing.assert_allclose(part.render(params, start), start)
    moved = part.render(params + jnp.array([0.02, -0.01, 0.03]), start) - start
    np.testing.assert_allclose(moved.ravel() @ basis.T, [0.06, -0.02, 0.03], atol=1e-4)


def test_rounding_is_to_the_channels_resolution() -> None:
    channels = (
        Channel("SpO2", "%", center=95.0, scale=5.0, low=-6.0, high=1.0, resolution=0.2),
        Channel("flow", "", "recording", low=-5.0, high=5.0),
    )
    spec = Spec((30, 2), ("a", "b"), channels, 1.0, 0.0, 30.0)
    x = np.random.default_rng(0).uniform(spec.low, spec.high, spec.shape).astype(np.float32)
    found = np.asarray(parametrization.rounded(jnp.asarray(x), spec))
    percent = found[:, 0] * 5 + 95
    np.testing.assert_allclose(percent, np.round(x[:, 0] * 5 + 95), atol=1e-3)
    np.testing.assert_array_equal(found[:, 1], x[:, 1])


def test_the_paper_is_what_the_paper_says(spec: Spec) -> None:
    """Its numbers, from the text: T in U[0.75, 0.9999], 50 tries, Adam with 1e-3, one term."""
    recipe = RECIPES["paper"]
    numbers = (recipe.lowest, recipe.highest, recipe.tries, recipe.rate)
    assert numbers == (0.75, 0.9999, 50, 1e-3) and recipe.optimizer == "adam"
    assert recipe.terms == Terms(cross_entropy=1.0) and recipe.targets == "class"
    assert methods.method(spec, recipe, {}).parametrization.keeps
    assert (recipe.generator, recipe.latent) == ("am_generator", 512)  # of its authors' code


def test_sign_descent_takes_steps_of_one_length_and_remembers_nothing() -> None:
    params = {"w": jnp.array([1.0, -2.0, 3.0])}
    optimizer = methods.OPTIMIZERS["sign"](0.5)
    state = optimizer.init(params)
    updates, after = optimizer.update({"w": jnp.array([1e-9, -7.0, 0.0])}, state, params)
    chex.assert_trees_all_equal(updates, {"w": jnp.array([-0.5, 0.5, 0.0])})
    assert all(leaf.size < 2 for leaf in jax.tree.leaves((state, after)))  # a count at most


def test_a_recipe_chooses_the_optimizer(spec: Spec) -> None:
    def kept(optimizer: Any) -> list[Any]:
        recipe = dataclasses.replace(RECIPES["paper"], optimizer=optimizer)
        method = methods.method(spec, recipe, {})
        state = jax.eval_shape(lambda: lanes.start(method, jax.random.key(0), 4))
        return jax.tree.leaves(state.lanes.opt_state)

    assert sum(leaf.size for leaf in kept("adam")) > 100 * sum(leaf.size for leaf in kept("sign"))


def test_a_reciprocal_root_is_that_of_float64() -> None:
    x = np.geomspace(1e-16, 1e36, 100_001).astype(np.float32)
    expected = 1 / np.sqrt(x.astype(float))
    np.testing.assert_allclose(reciprocal_root(jnp.asarray(x)), expected, rtol=5e-6)


def test_adam_is_optaxs_but_for_rounding() -> None:
    rng = np.random.default_rng(0)
    params = {"w": jnp.ones((3, 2)), "b": jnp.zeros(2)}
    ours, theirs = adam(1e-2), optax.adam(1e-2, eps=0.0, eps_root=1e-16)
    states = [ours.init(params), theirs.init(params)]
    for scale in (1e-3, 1.0, 100.0, 1e-8, 0.0, 1.0):
        gradient = jax.tree.map(
            lambda leaf, s=scale: jnp.asarray(s * rng.normal(size=leaf.shape), jnp.float32), params
        )
        updates = []
        for i, optimizer in enumerate((ours, theirs)):
            update, states[i] = optimizer.update(gradient, states[i], params)
            updates.append(update)
        chex.assert_trees_all_close(*updates, rtol=2e-5)
