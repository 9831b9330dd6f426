"""Lanes against the paper's loop written again, and what holds at every step of every lane."""

from typing import Any, NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from stimjax import models
from stimjax.config.recipes import Recipe
from stimjax.excite import lanes
from stimjax.excite.lanes import Emitted, LaneState, Method
from stimjax.learn.teacher import Teacher
from stimjax.models import Params

# Of lanes from the keys 1 and 2 a probability rounds to 1 at some step, and the gradient to noise,
# of which Adam makes whole steps: there is nothing to compare after that.
SEEDS = (0, 3, 4, 5)
LANES, STEPS = len(SEEDS), 110


class History(NamedTuple):
    """`before[t]` is the state that step t took, `after[t]` what it left; leaves [step, lane]."""

    before: LaneState
    emitted: Emitted
    after: LaneState


@pytest.fixture(scope="module")
def history(teacher: Teacher, method: Method) -> History:
    networks = lanes.Networks(lambda x: teacher.model.hidden(teacher.params, x))

    def step(state: LaneState, _: None) -> tuple[LaneState, History]:
        before = lanes.State(state, memory, jnp.zeros((), jnp.int32))
        after, emitted = lanes.advance(method, networks, before)
        return after.lanes, History(state, emitted, after.lanes)

    memory = method.objective.init()

    @jax.jit
    def run(seeds: jax.Array) -> History:
        state = jax.vmap(lambda seed: lanes.init(method, jax.random.key(seed)))(seeds)
        return jax.lax.scan(step, state, length=STEPS)[1]

    history = run(jnp.asarray(SEEDS))
    keys = [s._replace(key=jax.random.key_data(s.key)) for s in (history.before, history.after)]
    return jax.device_get(History(keys[0], history.emitted, keys[1]))


# The paper's loop: one stimulus after the other, an explicit Adam, no vmap, no scan, no optax.
# Shared with the package: the generator network, and the documented order in which keys are split.


class Loop(NamedTuple):
    """What the sequential loop saw at each of its steps."""

    windows: np.ndarray
    probability: np.ndarray
    target: np.ndarray
    accepted: np.ndarray
    failed: np.ndarray


def paper(teacher: Teacher, recipe: Recipe, seed: int) -> Loop:
    spec = teacher.spec
    low, high = jnp.asarray(spec.low), jnp.asarray(spec.high)
    network = models.generator(recipe.generator, spec.shape, recipe.latent)

    def render(weights: Params, z: jax.Array, dropout: jax.Array | None = None) -> jax.Array:
        return low + network.apply(weights, z[None], dropout)[0] * (high - low)

    def teach(x: jax.Array) -> jax.Array:
        logits = teacher.model.apply(teacher.params, x[None])[0]
        return jnp.exp(logits) / jnp.exp(logits).sum()

    @jax.jit
    def slope(weights: Params, z: jax.Array, target: jax.Array, dropout: jax.Array) -> Params:
        return jax.grad(lambda w: -jnp.log(teach(render(w, z, dropout))[target]))(weights)

    @jax.jit
    def look(weights: Params, z: jax.Array) -> tuple[jax.Array, jax.Array]:
        window = render(weights, z)
        return window, teach(window)

    init = jax.jit(network.init)
    split = jax.jit(jax.random.split, static_argnums=1)

    def draw(z_key: jax.Array, goal_key: jax.Array) -> tuple[jax.Array, jax.Array, float]:
        class_key, threshold_key, *_ = jax.random.split(goal_key, 4)
        z = jax.random.normal(z_key, (recipe.latent,))
        target = jax.random.choice(class_key, len(spec.classes))
        share = float(jax.random.uniform(threshold_key))
        return z, target, recipe.lowest + share * (recipe.highest - recipe.lowest)

    key, weights_key, z_key, goal_key = split(jax.random.key(seed), 4)
    weights, tree = jax.tree.flatten(init(weights_key))
    weights = [np.asarray(w) for w in weights]
    m = [np.zeros_like(w) for w in weights]
    v = [np.zeros_like(w) for w in weights]
    t, seen = 0, []
    while t < STEPS:
        z, target, threshold = draw(z_key, goal_key)  # a new stimulus; weights, m, v, t go on
        for attempt in range(1, recipe.tries + 1):
            key, dropout_key, z_key, goal_key = split(key, 4)
            gradient = jax.tree.leaves(slope(tree.unflatten(weights), z, target, dropout_key))
            t += 1
            for i, g in enumerate(map(np.asarray, gradient)):
                m[i] = 0.9 * m[i] + 0.1 * g
                v[i] = 0.999 * v[i] + 0.001 * g**2
                mean, square = m[i] / (1 - 0.9**t), v[i] / (1 - 0.999**t)
                weights[i] = weights[i] - recipe.rate * mean / np.sqrt(square + 1e-16)
            window, probability = look(tree.unflatten(weights), z)
            accepted = bool(probability[target] > threshold)
            failed = not accepted and attempt == recipe.tries
            seen.append((window, probability, target, accepted, failed))
            if accepted or failed or t == STEPS:
                break
        if seen[-1][-1]:
            weights = [np.asarray(w) for w in jax.tree.leaves(init(jax.random.fold_in(key, 4)))]
    return Loop(*(np.stack(column) for column in zip(*seen, strict=True)))


def at(tree: Any, where: Any) -> Any:
    return jax.tree.map(lambda leaf: leaf[where], tree)


@pytest.mark.parametrize("lane", range(LANES))
def test_each_lane_of_a_block_is_the_papers_loop(
    teacher: Teacher, recipe: Recipe, history: History, lane: int
) -> None:
    loop, found = paper(teacher, recipe, SEEDS[lane]), at(history.emitted, (slice(None), lane))
    np.testing.assert_array_equal(found.accepted, loop.accepted)
    np.testing.assert_array_equal(found.failed, loop.failed)
    np.testing.assert_array_equal(found.target, loop.target)
    np.testing.assert_allclose(found.window, loop.windows, atol=2e-4)
    np.testing.assert_allclose(found.probability, loop.probability, atol=2e-4)
    assert loop.accepted.sum() >= 3 and loop.failed.sum() >= 3  # else nothing was compared


def test_lanes_differ(history: History) -> None:
    windows = history.emitted.window
    assert len({windows[:, lane].tobytes() for lane in range(LANES)}) == LANES


# What holds at every step


def changed(before: Any, after: Any) -> np.ndarray:
    """Whether anything in a tree with leaves [step, lane, ...] changed, bool[step, lane]."""
    return np.any(
        [
            (one != two).reshape(STEPS, LANES, -1).any(axis=-1)
            for one, two in zip(jax.tree.leaves(before), jax.tree.leaves(after), strict=True)
        ],
        axis=0,
    )


def test_the_history_sees_everything(history: History) -> None:
    emitted = history.emitted
    assert emitted.accepted.sum() > 20 and emitted.failed.sum() > 10
    assert set(emitted.target[emitted.accepted].tolist()) == {0, 1, 2}
    assert not (emitted.accepted & emitted.failed).any()


def test_what_is_emitted_is_labeled_by_the_teacher(history: History, teacher: Teacher) -> None:
    windows = history.emitted.window.reshape(-1, *teacher.spec.shape)
    expected = teacher.probability(windows).reshape(STEPS, LANES, 3)
    np.testing.assert_allclose(history.emitted.probability, expected, atol=1e-5)


def test_windows_stay_in_the_range_of_each_channel(history: History, teacher: Teacher) -> None:
    slack = 1e-6 * (teacher.spec.high - teacher.spec.low)
    assert (history.emitted.window >= teacher.spec.low - slack).all()
    assert (history.emitted.window <= teacher.spec.high + slack).all()


def test_accepted_exactly_where_the_target_exceeds_the_threshold(
    history: History, recipe: Recipe
) -> None:
    emitted, goal = history.emitted, history.before.goal
    np.testing.assert_array_equal(emitted.target, goal.target)
    wanted = (emitted.probability * np.eye(3)[np.asarray(goal.target)]).sum(axis=-1)
    np.testing.assert_array_equal(emitted.accepted, wanted > goal.threshold)
    assert (goal.threshold >= recipe.lowest).all()
    assert (goal.threshold <= recipe.highest).all()


def test_tries_are_counted_and_end_at_the_limit(history: History, recipe: Recipe) -> None:
    tries, emitted = history.before.tries, history.emitted
    assert (tries[0] == 0).all()
    assert (tries < recipe.tries).all()
    last = tries == recipe.tries - 1
    np.testing.assert_array_equal(emitted.failed, ~emitted.accepted & last)
    done = emitted.accepted | emitted.failed
    np.testing.assert_array_equal(history.after.tries, np.where(done, 0, tries + 1))


def test_start_and_goal_are_kept_until_the_lane_is_done(history: History) -> None:
    before, after = history.before, history.after
    done = history.emitted.accepted | history.emitted.failed
    np.testing.assert_array_equal(changed(before.start, after.start), done)
    np.testing.assert_array_equal(changed(before.goal.threshold, after.goal.threshold), done)
    assert not changed(before.goal.target, after.goal.target)[~done].any()
    assert changed(before.key, after.key).all()


def test_keys_starts_and_thresholds_never_come_again(history: History) -> None:
    keys = history.before.key.reshape(-1, 2)
    assert len(np.unique(keys, axis=0)) == STEPS * LANES
    done = history.emitted.accepted | history.emitted.failed
    for drawn in (history.after.start[..., :1], history.after.goal.threshold[..., None]):
        fresh = drawn[done].ravel()
        assert len(np.unique(fresh)) > 0.99 * len(fresh)


def test_the_same_weights_go_on_after_an_acceptance(history: History, method: Method) -> None:
    """What is left after the step still renders what was emitted, unless the lane failed."""
    render = jax.jit(jax.vmap(method.parametrization.render))
    flat = jax.tree.map(lambda a: a.reshape(-1, *a.shape[2:]), history.after.params)
    windows = np.asarray(render(flat, history.before.start.reshape(STEPS * LANES, -1)))
    windows = windows.reshape(history.emitted.window.shape)
    same = np.isclose(windows, history.emitted.window, rtol=1e-4, atol=1e-4).all(axis=(2, 3))
    np.testing.assert_array_equal(same, ~history.emitted.failed)


def test_after_a_failure_the_weights_are_fresh(history: History, method: Method) -> None:
    init = jax.jit(method.parametrization.init)
    where = np.argwhere(history.emitted.failed)[:10]
    for t, lane in where:
        key = jax.random.wrap_key_data(jnp.asarray(history.after.key[t, lane]))
        fresh = jax.device_get(init(jax.random.fold_in(key, 4), history.after.start[t, lane]))
        chex.assert_trees_all_close(at(history.after.params, (t, lane)), fresh, rtol=1e-6)
        for used in jax.random.split(key, 4):  # what the next step will draw from
            assert (
                jax.random.key_data(used).tolist()
                != jax.random.key_data(jax.random.fold_in(key, 4)).tolist()
            )
    kernels = [at(history.after.params, tuple(w))["Dense_0"]["kernel"].tobytes() for w in where]
    assert len(set(kernels)) == len(kernels)


def test_the_optimizer_never_starts_again(history: History) -> None:
    """Its moments are those of Adam over all steps so far, failures or not."""
    before, after = history.before.opt_state, history.after.opt_state
    np.testing.assert_array_equal(after.count.T, [np.arange(1, STEPS + 1)] * LANES)
    assert not changed(after.mu, jax.tree.map(lambda a: np.roll(a, -1, 0), before.mu))[:-1].any()
    for mu_0, mu_1, nu_0, nu_1 in zip(
        *(jax.tree.leaves(tree) for tree in (before.mu, after.mu, before.nu, after.nu)), strict=True
    ):
        gradient = (mu_1 - 0.9 * mu_0) / 0.1
        expected = 0.999 * nu_0 + 0.001 * gradient**2
        np.testing.assert_allclose(nu_1, expected, rtol=1e-3, atol=1e-3 * float(nu_1.max()))


def test_restart_touches_only_failed_lanes(history: History, method: Method) -> None:
    state = at(history.before, 8)  # no lane has failed yet, and all biases have moved
    state = state._replace(key=jax.random.wrap_key_data(jnp.asarray(state.key)))
    restart = jax.jit(lambda state, failed: lanes.restart(method, state, failed))
    for failed in [(), (0,), (1, 3), (0, 1, 2, 3)]:
        mask = np.isin(np.arange(LANES), failed)
        after = restart(state, jnp.asarray(mask))
        for one, two in zip(
            jax.tree.leaves(state.params), jax.tree.leaves(after.params), strict=True
        ):
            differs = (np.asarray(one) != np.asarray(two)).reshape(LANES, -1).any(axis=1)
            np.testing.assert_array_equal(differs, mask)
        rest = [s._replace(params=0, key=jax.random.key_data(s.key)) for s in (state, after)]
        chex.assert_trees_all_equal(*rest)


def test_however_many_lanes_restart_at_a_time_they_get_the_same_weights(
    history: History, method: Method, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = at(history.before, 8)
    state = state._replace(key=jax.random.wrap_key_data(jnp.asarray(state.key)))
    failed = jnp.asarray([True, False, True, True])
    found = []
    for part in (LANES, LANES // 2, 1):  # one lane at a time, two, all
        monkeypatch.setattr(lanes, "RESTARTED", part)
        found.append(jax.jit(lambda s: lanes.restart(method, s, failed).params)(state))
    chex.assert_trees_all_equal(*found)
