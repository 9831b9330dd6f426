"""Each term against its formula in NumPy, and the gradients of those that need a batch."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from stimjax import models
from stimjax.batch import Batch, Channel, Spec, make, one_hot
from stimjax.config.recipes import Recipe, Terms
from stimjax.excite import kind, methods
from stimjax.excite.accept import Goal
from stimjax.excite.terms import LANES, TERMS, Excited, Term
from stimjax.excite.terms.disagreement import CAP
from stimjax.excite.terms.identity import identity
from stimjax.excite.terms.term import lazy, running
from stimjax.excite.views import augmented

SPEC = Spec(
    shape=(12, 2),
    classes=("a", "b", "c"),
    channels=(Channel("x", "", low=-4.0, high=4.0), Channel("y", "", low=-2.0, high=2.0)),
    rate=1.0,
    label_seconds=12.0,
)
N = 9
RNG = np.random.default_rng(0)
WINDOWS = RNG.normal(size=(N, *SPEC.shape)).astype(np.float32)
TARGET = np.arange(N) % 3


def network(x: jax.Array) -> tuple[jax.Array, tuple[jax.Array, ...]]:
    weights = jnp.asarray(np.random.default_rng(1).normal(size=(2, 5)), jnp.float32)
    last = jnp.asarray(np.random.default_rng(2).normal(size=(5, 3)), jnp.float32)
    hidden = jnp.tanh(x @ weights)
    return hidden.mean(axis=1) @ last, (hidden,)


def goals(label: np.ndarray | None = None, excited: np.ndarray | None = None) -> Goal:
    label = np.eye(3)[TARGET] if label is None else label
    excited = np.ones(N, bool) if excited is None else excited
    return Goal(
        jnp.asarray(TARGET, jnp.int32),
        jnp.asarray(label, jnp.float32),
        jnp.full(N, 0.9),
        jnp.asarray(excited),
        jnp.zeros(N, bool),
    )


def looked_at(
    window: jax.Array,
    goal: Goal,
    proxies: Callable[[jax.Array], jax.Array] | None = None,
) -> Excited:
    logits, hidden = network(window[None])
    return Excited(
        window,
        logits[0],
        tuple(layer[0] for layer in hidden),
        goal,
        teacher=lambda x: network(x[None])[0][0],
        proxies=proxies,
        key=jax.random.key(0),
    )


def values(
    term: Term,
    windows: Any = WINDOWS,
    goal: Goal | None = None,
    proxies: Callable[[jax.Array], jax.Array] | None = None,
    memory: Any = None,
) -> tuple[jax.Array, Any]:
    """What a term gives to each of the lanes, f32[lane], and its memory."""

    def one(window: jax.Array, goal: Goal, memory: Any) -> tuple[jax.Array, Any]:
        return term.value(looked_at(window, goal, proxies), memory)

    lanes = jax.vmap(one, (0, 0, None), (0, None), axis_name=LANES)
    return lanes(windows, goal or goals(), term.init() if memory is None else memory)


def only(**weights: float) -> Term:
    recipe = Recipe("noise", terms=Terms(**weights))
    return methods.method(SPEC, recipe, statistics()).objective


def windows_of(classes: int = 3, n: int = 60) -> Batch:
    x = np.random.default_rng(3).normal(size=(n, *SPEC.shape)) * 1.5 + 0.5
    return make(x, one_hot(np.arange(n) % classes, SPEC), SPEC)


class MadeUp:
    """A network as statistics ask it."""

    model = models.Model(lambda key: (), lambda p, x: network(x)[0], lambda p, x: network(x))
    params = ()
    models = ()

    def probability(self, x: Any) -> np.ndarray:
        return np.asarray(jax.nn.softmax(network(jnp.asarray(x))[0]))


@functools.cache
def statistics() -> dict[str, np.ndarray]:
    return kind.measured(kind.needs(TERMS.values()), windows_of(), MadeUp())


def softmax(x: Any) -> np.ndarray:
    return np.asarray(jax.nn.softmax(jnp.asarray(x)))


def test_cross_entropy_with_a_soft_label() -> None:
    label = RNG.dirichlet(np.ones(3), size=N)
    found, _ = values(only(cross_entropy=2.0), goal=goals(label))
    expected = -2 * (label * np.log(softmax(network(jnp.asarray(WINDOWS))[0]))).sum(axis=1)
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_disagreement_is_minus_the_capped_divergence() -> None:
    assert not np.asarray(values(only(disagreement=1.0))[0]).any()  # no proxies yet

    def proxies(x: jax.Array) -> jax.Array:
        logits = network(x[None])[0][0]
        return jnp.stack([logits, 0.5 * logits, 100 * jnp.roll(logits, 1)])

    found, _ = values(only(disagreement=1.0), proxies=proxies)
    p = softmax(network(jnp.asarray(WINDOWS))[0]).astype(float)
    logits = np.asarray(network(jnp.asarray(WINDOWS))[0], float)
    divergences = []
    for other in (logits, 0.5 * logits, 100 * np.roll(logits, 1, axis=1)):
        log_q = other - np.log(np.exp(other - other.max(1, keepdims=True)).sum(1, keepdims=True))
        log_q -= other.max(1, keepdims=True)
        divergences.append(np.minimum((p * (np.log(p) - log_q)).sum(axis=1), CAP))
    np.testing.assert_allclose(found, -np.mean(divergences, axis=0), rtol=1e-3, atol=1e-5)


def test_consistency_is_the_divergence_from_the_answer_to_the_augmented_window() -> None:
    found, _ = values(only(consistency=1.0))
    key = jax.random.key(0)  # as in `looked_at`
    changed = np.stack([augmented(SPEC)(jnp.asarray(x), key) for x in WINDOWS])
    p, q = (softmax(network(jnp.asarray(x))[0]).astype(float) for x in (WINDOWS, changed))
    expected = (p * np.log(p / q)).sum(axis=1)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-6)
    assert (expected > 1e-5).all()


def test_consistency_is_zero_for_a_teacher_that_hears_nothing() -> None:
    def one(window: jax.Array, goal: Goal) -> jax.Array:
        deaf = looked_at(window, goal)._replace(logits=jnp.ones(3), teacher=lambda x: jnp.ones(3))
        return only(consistency=1.0).value(deaf, only(consistency=1.0).init())[0]

    np.testing.assert_allclose(
        jax.vmap(one, axis_name=LANES)(jnp.asarray(WINDOWS), goals()), 0, atol=1e-6
    )


# Terms that need a batch: on the training windows themselves they vanish.


@pytest.mark.parametrize("name", ["features", "features_global", "moments", "embedding"])
def test_the_training_windows_have_their_own_statistics(name: str) -> None:
    train = windows_of()
    label = np.asarray(train.y)
    goal = Goal(
        jnp.asarray(label.argmax(axis=1), jnp.int32),
        jnp.asarray(label),
        jnp.zeros(len(train)),
        jnp.ones(len(train), bool),
        jnp.zeros(len(train), bool),
    )
    at_home, _ = values(only(**{name: 1.0}), jnp.asarray(train.x), goal)
    abroad, _ = values(only(**{name: 1.0}), jnp.asarray(train.x) + 1.0, goal)
    np.testing.assert_allclose(at_home, 0, atol=2e-5)
    assert (np.asarray(abroad) > 0.01).all()


def test_features_is_its_formula() -> None:
    known = statistics()
    found, _ = values(only(features=1.0))
    hidden = np.asarray(network(jnp.asarray(WINDOWS))[1][0], float)
    mean, variance = known["features.0.mean"], known["features.0.variance"]
    unit = np.sqrt(variance.mean(axis=0) + mean.var(axis=0)) + 1e-3
    expected = 0.0
    for c in range(3):
        rows = hidden[c == TARGET].reshape(-1, 5)
        off = (rows.mean(axis=0) - mean[c]) ** 2 + (rows.std(axis=0) - np.sqrt(variance[c])) ** 2
        expected += (off / unit**2).mean() / 3
    np.testing.assert_allclose(found, expected, rtol=1e-3)


def test_global_features_are_those_of_all_lanes_with_classes_as_frequent_as_in_them() -> None:
    """Against training windows drawn again so that classes are 3 : 2 : 1, as in the lanes."""
    excited = np.isin(np.arange(N), [0, 3, 6, 1, 4, 2])
    found, _ = values(only(features_global=1.0), goal=goals(excited=excited))
    train = windows_of()
    label = np.asarray(train.y).argmax(axis=1)
    rows = np.concatenate([np.repeat(np.flatnonzero(label == c), 3 - c) for c in range(3)])
    hidden = network(jnp.asarray(WINDOWS[excited])), network(jnp.asarray(train.x[rows]))
    here, wanted = (np.asarray(layers[0], float).reshape(-1, 5) for _, layers in hidden)
    unit = np.asarray(network(jnp.asarray(train.x))[1][0], float).reshape(-1, 5).std(axis=0) + 1e-3
    off = (here.mean(axis=0) - wanted.mean(axis=0)) ** 2
    off += (here.std(axis=0) - wanted.std(axis=0)) ** 2
    np.testing.assert_allclose(found, (off / unit**2).mean(), rtol=1e-3)
    by_class, _ = values(only(features=1.0), goal=goals(excited=excited))
    assert np.abs(by_class - found).max() > 0.005


def test_lanes_that_are_not_excited_do_not_count() -> None:
    excited = np.arange(N) < 6
    part = [values(only(features=1.0), goal=goals(excited=excited))[0][0]]
    changed = np.where(excited[:, None, None], WINDOWS, 50.0)
    part.append(values(only(features=1.0), changed, goals(excited=excited))[0][0])
    np.testing.assert_allclose(part[0], part[1], rtol=1e-5)


@pytest.mark.parametrize("name", ["features", "features_global", "moments", "embedding"])
def test_the_gradient_reaches_every_lane(name: str) -> None:
    """The lanes' own gradients, taken inside vmap, are those of the sum over all lanes."""
    term = only(**{name: 1.0})

    def total(x: jax.Array) -> jax.Array:
        return values(term, x)[0].sum()

    def lane(x: jax.Array, goal: Goal) -> jax.Array:
        def loss(x: jax.Array) -> jax.Array:
            return term.value(looked_at(x, goal), term.init())[0]

        return jax.grad(loss)(x)

    inside = jax.vmap(lane, axis_name=LANES)(jnp.asarray(WINDOWS), goals())
    rng = np.random.default_rng(5)
    direction = rng.normal(size=WINDOWS.shape).astype(np.float32)
    step = 1e-2
    slope = (
        float(total(jnp.asarray(WINDOWS + step * direction)))
        - float(total(jnp.asarray(WINDOWS - step * direction)))
    ) / (2 * step)
    found = float((np.asarray(inside) * direction).sum())
    assert found == pytest.approx(slope, rel=0.03, abs=1e-3)


def test_running_means_have_the_value_of_the_past_and_the_gradient_of_now() -> None:
    memory = (jnp.zeros((2, 3)), jnp.zeros(2))
    count = jnp.array([4.0, 0.0])
    batches = np.random.default_rng(0).normal(size=(5, 4, 3)).astype(np.float32)
    for rows in batches:
        sums = jnp.stack([rows.sum(axis=0), jnp.zeros(3)])
        mean, seen, memory = running(sums, count, memory, 0.5)
    weights = 0.5 ** np.arange(5)[::-1]
    expected = (weights[:, None] * batches.mean(axis=1)).sum(axis=0) / weights.sum()
    np.testing.assert_allclose(mean[0], expected, rtol=1e-5)
    assert seen.tolist() == [True, False]

    def first(sums: jax.Array) -> jax.Array:
        return running(sums, count, memory, 0.5)[0][0].sum()

    slope = jax.grad(first)(jnp.ones((2, 3)))
    np.testing.assert_allclose(slope[0], 1 / 4)


def test_only_terms_with_a_weight_are_computed() -> None:
    term = methods.method(SPEC, Recipe("noise", terms=Terms(cross_entropy=1.0)), {}).objective
    assert list(term.init()) == ["cross_entropy"]
    both, _ = values(only(cross_entropy=1.0, embedding=3.0))
    parts = [values(only(**{name: 1.0}))[0] for name in ("cross_entropy", "embedding")]
    np.testing.assert_allclose(both, parts[0] + 3 * parts[1], rtol=1e-5)


def posterior_term(logits: np.ndarray) -> float:
    excited = looked_at(jnp.asarray(WINDOWS[0]), jax.tree.map(lambda leaf: leaf[0], goals()))
    critic = jnp.asarray(logits, jnp.float32)
    return float(identity(excited._replace(critic=lambda window: critic)))


def test_identity_is_nothing_where_the_critic_cannot_tell_and_one_where_it_is_certain() -> None:
    assert posterior_term(np.zeros(7)) == pytest.approx(0, abs=1e-6)
    assert 0.8 < posterior_term(100 * np.eye(7)[2]) <= 1
    some = [posterior_term(sure * np.eye(7)[2]) for sure in (0.0, 0.5, 1.0, 2.0, 4.0)]
    assert some == sorted(some)


def test_identity_follows_its_formula() -> None:
    logits = np.array([1.0, -0.3, 0.2, 0.0])
    p = np.exp(logits) / np.exp(logits).sum()
    divergence = (p * np.log(p)).sum() + np.log(4)
    above = max(0.0, np.log(p.max() / (1 - p.max())) + np.log(3))
    expected = (divergence + above / (1 + above / np.log(4))) / (2 * np.log(4))
    assert posterior_term(logits) == pytest.approx(expected, rel=1e-4)


def test_a_lazy_term_counts_double_in_every_second_step_and_is_not_asked_in_the_others() -> None:
    def square(excited: Excited) -> jax.Array:
        return jnp.sum(excited.window**2)

    term = lazy(square, 2)
    excited = looked_at(jnp.asarray(WINDOWS[0]), jax.tree.map(lambda leaf: leaf[0], goals()))

    def value(window: jax.Array, turn: jax.Array) -> jax.Array:
        return term.value(excited._replace(window=window, turn=turn), ())[0]

    for turn, times in ((0, 2), (1, 0), (2, 2), (3, 0)):
        number, gradient = jax.value_and_grad(value)(excited.window, jnp.asarray(turn))
        assert float(number) == pytest.approx(times * float(square(excited)))
        np.testing.assert_allclose(gradient, 2 * times * excited.window, rtol=1e-6)
    # A block's lanes share the turn: a condition on it stays one, and is no choice of two results.
    lanes = jax.vmap(lambda window, turn: value(window, turn), (0, None))
    assert "cond" in str(jax.make_jaxpr(lanes)(WINDOWS, jnp.asarray(1)))


def test_identity_without_a_critic_is_an_error() -> None:
    excited = looked_at(jnp.asarray(WINDOWS[0]), jax.tree.map(lambda leaf: leaf[0], goals()))
    with pytest.raises(ValueError, match="critic"):
        identity(excited)
