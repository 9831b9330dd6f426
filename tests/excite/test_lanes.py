"""What holds at every step of every lane, checked over the whole history of a block."""

from typing import Any, NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from stimjax.config import Synthesis
from stimjax.excite import lanes
from stimjax.excite.lanes import Emitted, LaneState, Method
from stimjax.learn.teacher import Teacher

LANES, STEPS = 5, 80


class History(NamedTuple):
    """`before[t]` is the state that step t took, `after[t]` what it left; leaves [step, lane]."""

    before: LaneState
    emitted: Emitted
    after: LaneState


@pytest.fixture(scope="module")
def history(teacher: Teacher, method: Method) -> History:
    def step(state: LaneState, _: None) -> tuple[LaneState, History]:
        network = lambda x: teacher.model.apply(teacher.params, x)  # noqa: E731
        after, emitted = lanes.block(method, network, state, 1)
        return after, History(state, jax.tree.map(lambda a: a[0], emitted), after)

    @jax.jit
    def run(keys: jax.Array) -> History:
        state = jax.vmap(lambda key: lanes.init(method, key))(keys)
        return jax.lax.scan(step, state, length=STEPS)[1]

    history = run(jax.random.split(jax.random.key(5), LANES))
    keys = [s._replace(key=jax.random.key_data(s.key)) for s in (history.before, history.after)]
    return jax.device_get(History(keys[0], history.emitted, keys[1]))


def at(tree: Any, where: Any) -> Any:
    return jax.tree.map(lambda leaf: leaf[where], tree)


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
    history: History, settings: Synthesis
) -> None:
    emitted, goal = history.emitted, history.before.goal
    np.testing.assert_array_equal(emitted.target, goal.target)
    wanted = np.take_along_axis(emitted.probability, goal.target[..., None], -1)[..., 0]
    np.testing.assert_array_equal(emitted.accepted, wanted > goal.threshold)
    assert (goal.threshold >= settings.lowest).all()
    assert (goal.threshold <= settings.highest).all()


def test_tries_are_counted_and_end_at_the_limit(history: History, settings: Synthesis) -> None:
    tries, emitted = history.before.tries, history.emitted
    assert (tries[0] == 0).all()
    assert (tries < settings.tries).all()
    last = tries == settings.tries - 1
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
        fresh = jax.device_get(init(jax.random.fold_in(key, 4)))
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


def test_a_block_is_its_lanes_alone(history: History, teacher: Teacher, method: Method) -> None:
    @jax.jit
    def alone(state: LaneState) -> Emitted:
        network = lambda x: teacher.model.apply(teacher.params, x)  # noqa: E731
        return lanes.block(method, network, state, STEPS)[1]

    first = at(history.before, 0)
    for lane in range(2):
        state = at(first, slice(lane, lane + 1))
        state = state._replace(key=jax.random.wrap_key_data(jnp.asarray(state.key)))
        emitted = at(alone(state), (slice(None), 0))
        expected = at(history.emitted, (slice(None), lane))
        np.testing.assert_array_equal(emitted.accepted, expected.accepted)
        np.testing.assert_array_equal(emitted.failed, expected.failed)
        np.testing.assert_allclose(emitted.window, expected.window, atol=2e-3)


@pytest.mark.parametrize("failed", [(), (0,), (1, 3), (0, 1, 2, 3, 4)])
def test_restart_touches_only_failed_lanes(
    history: History, method: Method, failed: tuple[int, ...]
) -> None:
    state = at(history.before, 10)
    state = state._replace(key=jax.random.wrap_key_data(jnp.asarray(state.key)))
    mask = np.isin(np.arange(LANES), failed)
    after = lanes.restart(method, state, jnp.asarray(mask))
    for one, two in zip(jax.tree.leaves(state.params), jax.tree.leaves(after.params), strict=True):
        differs = np.asarray(one != two).reshape(LANES, -1).any(axis=1)
        assert not differs[~mask].any()
        assert differs[mask].all() or one.ndim == 2  # a bias starts at zero and may have stayed
    chex.assert_trees_all_equal(after._replace(params=0, key=0), state._replace(params=0, key=0))
    assert (after.key == state.key).all()
