"""The paper's loop, written again as the paper tells it, against `lanes`.

One stimulus after the other, an explicit Adam, no vmap, no scan, no optax. Shared with the
package: the generator network and the documented order in which keys are split.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from stimjax import config, models
from stimjax.excite import lanes
from stimjax.excite.lanes import Emitted, Method
from stimjax.learn.teacher import Teacher
from stimjax.models import Params

STEPS = 120
SEEDS = (0, 1, 2)


class Loop(NamedTuple):
    """What the sequential loop saw at each of its steps."""

    windows: np.ndarray
    probability: np.ndarray
    target: np.ndarray
    accepted: np.ndarray
    failed: np.ndarray


def paper(teacher: Teacher, settings: config.Synthesis, seed: int) -> Loop:
    spec = teacher.spec
    network = models.generator(settings.generator, spec.shape, settings.latent)

    def render(weights: Params, z: jax.Array, dropout: jax.Array | None = None) -> jax.Array:
        return spec.low + network.apply(weights, z[None], dropout)[0] * (spec.high - spec.low)

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

    def draw(z_key: jax.Array, goal_key: jax.Array) -> tuple[jax.Array, jax.Array, float]:
        class_key, threshold_key = jax.random.split(goal_key)
        z = jax.random.normal(z_key, (settings.latent,))
        target = jax.random.randint(class_key, (), 0, len(spec.classes))
        share = float(jax.random.uniform(threshold_key))
        return z, target, settings.lowest + share * (settings.highest - settings.lowest)

    key, weights_key, z_key, goal_key = jax.random.split(jax.random.key(seed), 4)
    weights, tree = jax.tree.flatten(init(weights_key))
    weights = [np.asarray(w) for w in weights]
    m = [np.zeros_like(w) for w in weights]
    v = [np.zeros_like(w) for w in weights]
    t, seen = 0, []
    while t < STEPS:
        z, target, threshold = draw(z_key, goal_key)  # a new stimulus; weights, m, v, t go on
        for attempt in range(1, settings.tries + 1):
            key, dropout_key, z_key, goal_key = jax.random.split(key, 4)
            gradient = jax.tree.leaves(slope(tree.unflatten(weights), z, target, dropout_key))
            t += 1
            for i, g in enumerate(map(np.asarray, gradient)):
                m[i] = 0.9 * m[i] + 0.1 * g
                v[i] = 0.999 * v[i] + 0.001 * g**2
                corrected = m[i] / (1 - 0.9**t), v[i] / (1 - 0.999**t)
                weights[i] = weights[i] - settings.rate * corrected[0] / (
                    np.sqrt(corrected[1]) + 1e-8
                )
            window, probability = look(tree.unflatten(weights), z)
            accepted = bool(probability[target] > threshold)
            failed = not accepted and attempt == settings.tries
            seen.append((window, probability, target, accepted, failed))
            if accepted or failed or t == STEPS:
                break
        if seen[-1][-1]:
            weights = [np.asarray(w) for w in jax.tree.leaves(init(jax.random.fold_in(key, 4)))]
    return Loop(*(np.stack(column) for column in zip(*seen, strict=True)))


@pytest.fixture(scope="module")
def together(teacher: Teacher, method: Method) -> Emitted:
    """Three lanes as a block, [step, lane]."""

    @jax.jit
    def run(keys: jax.Array) -> Emitted:
        state = jax.vmap(lambda key: lanes.init(method, key))(keys)
        network = lambda x: teacher.model.apply(teacher.params, x)  # noqa: E731
        return lanes.block(method, network, state, STEPS)[1]

    return jax.device_get(run(jax.vmap(jax.random.key)(jnp.array(SEEDS))))


@pytest.mark.parametrize("lane", range(len(SEEDS)))
def test_a_lane_is_the_papers_loop(
    teacher: Teacher, settings: config.Synthesis, together: Emitted, lane: int
) -> None:
    loop = paper(teacher, settings, SEEDS[lane])
    np.testing.assert_array_equal(together.accepted[:, lane], loop.accepted)
    np.testing.assert_array_equal(together.failed[:, lane], loop.failed)
    np.testing.assert_array_equal(together.target[:, lane], loop.target)
    np.testing.assert_allclose(together.window[:, lane], loop.windows, atol=2e-3)
    np.testing.assert_allclose(together.probability[:, lane], loop.probability, atol=2e-3)
    assert loop.accepted.sum() >= 3 and loop.failed.sum() >= 3  # else nothing was compared


def test_lanes_differ(together: Emitted) -> None:
    assert len({together.window[:, lane].tobytes() for lane in range(len(SEEDS))}) == len(SEEDS)
