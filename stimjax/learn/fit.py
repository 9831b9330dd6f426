"""Train networks of one shape, many seeds at once: one jitted, vmapped step.

Everything that changes is in `State`, with a leading axis for the seeds; the order of the
training windows is a pure function of seed and step. A run that was interrupted and resumed from
a checkpoint therefore ends with the same bits as one that was not.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import jax
import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, Float, Int

from stimjax import config
from stimjax.batch import Batch
from stimjax.errors import StimjaxError
from stimjax.learn.predict import BLOCK, blocks
from stimjax.learn.step import Learner, cross_entropy, rates
from stimjax.machine import mesh
from stimjax.models import Model, Params

EACH = 32  # windows of a part of a batch at least


class DivergedError(StimjaxError):
    """No seed led anywhere: the loss was never finite."""


class State(NamedTuple):
    """The whole state of training; each leaf has a leading axis, one entry for each seed."""

    params: Params
    opt_state: Any
    best: Params
    best_loss: Float[Array, " seed"]
    stale: Int[Array, " seed"]  # looks since the last improvement
    key: Array  # u32[seed, 2], the data of a typed key
    step: Int[Array, " seed"]


class Fitted(NamedTuple):
    """What training gives.

    Attributes:
        params: of the best look, with a leading axis for the seeds.
        loss: best cross-entropy on the validation part, f32[seed].
        steps: gradient steps taken.
    """

    params: Params
    loss: np.ndarray
    steps: int


@dataclasses.dataclass(frozen=True)
class Run:
    """How training is carried out: what is asked of this machine, not of the networks.

    Attributes:
        checkpoint: a folder of checkpoints; training resumes from the newest one there.
        devices: how many share each batch at most; None for all cores of a CPU, or one
            accelerator. Their number changes the last bits of what is found.
        progress: called with steps done and steps at most.
    """

    checkpoint: Path | None = None
    devices: int | None = None
    progress: Callable[[int, int], None] = lambda step, steps: None


def fit(
    model: Model,
    train: Batch,
    validation: Batch,
    *,
    seeds: Sequence[int],
    settings: config.Fit,
    run: Run = Run(),
) -> Fitted:
    """Train `model` from each of `seeds` on `train`, keeping what is best on `validation`.

    The loss is the cross-entropy to `y`, soft or one-hot, weighted by `weight`.

    Args:
        model: the network.
        train: windows to learn from.
        validation: windows that choose the step whose parameters are kept.
        seeds: one network each, of initial weights, order of windows and dropout.
        settings: steps, rate and so on.
        run: checkpoints, devices, who follows it.

    Raises:
        DivergedError: the loss became NaN for every seed.
        StimjaxError: the checkpoint is damaged or of another run.
    """
    whole, by_block, batches = _shardings(mesh.shared(_parts(settings.batch), "part", run.devices))
    advance = _advance(model, settings, whole)
    state = _start(model.init, _learner(model, settings), jnp.asarray(seeds, jnp.uint32))
    manager = _manager(run.checkpoint)
    step = 0
    arrays = _put((train.x, train.y, train.weight), whole)
    held_out = _put((validation.x, validation.y, validation.weight), by_block)
    try:
        if manager is not None and (latest := manager.latest_step()) is not None:
            state, step = _restore(manager, latest, state), latest
        state = jax.device_put(state, whole)
        while step < settings.steps and int(state.stale.min()) < settings.patience:
            order = np.stack([_order(len(train), seed, step, settings) for seed in seeds])
            order = order.reshape(*order.shape[:2], _parts(settings.batch), -1)
            state = advance(state, arrays, held_out, jax.device_put(order, batches))
            step += settings.every
            if manager is not None:
                manager.save(step, args=ocp.args.StandardSave(state))
            run.progress(min(step, settings.steps), settings.steps)
    finally:
        if manager is not None:
            manager.close()  # waits until the last checkpoint is whole
    loss = np.asarray(state.best_loss)
    if not np.isfinite(loss).any():
        raise DivergedError(
            f"training diverged from all of {len(seeds)} seeds; lower the learning rate "
            f"({settings.rate:g})"
        )
    best = jax.tree.map(jnp.asarray, jax.device_get(state.best))  # on one device again
    return Fitted(best, loss, step)


# It runs once: what compiles in two thirds of the time is soonest done.
@functools.partial(
    jax.jit, static_argnums=(0, 1), compiler_options={"xla_backend_optimization_level": 1}
)
def _start(init: Callable[[Array], Params], learner: Learner, seeds: Array) -> State:
    keys = jax.vmap(jax.random.key)(seeds)
    params = jax.vmap(init)(keys)
    n = len(seeds)
    return State(
        params=params,
        opt_state=jax.vmap(learner.init)(params),
        best=params,
        best_loss=jnp.full(n, jnp.inf, jnp.float32),  # a weak type would compile a second program
        stale=jnp.zeros(n, jnp.int32),
        key=jax.random.key_data(keys),
        step=jnp.zeros(n, jnp.int32),
    )


def _parts(batch: int) -> int:
    """Into how many parts a batch is cut, however many devices there are to take them."""
    return max(1, math.gcd(batch, BLOCK) // EACH)


def _shardings(devices: Mesh) -> tuple[NamedSharding, ...]:
    """Of what every device has whole, of blocks [block, window], of batches [seed, step, part]."""
    axes = ((), (None, "part"), (None, None, "part"))
    return tuple(NamedSharding(devices, PartitionSpec(*names)) for names in axes)


def _put(arrays: Sequence[Array | np.ndarray], where: NamedSharding) -> tuple[Array, ...]:
    return tuple(jax.device_put(blocks(array), where) for array in arrays)


def _learner(model: Model, settings: config.Fit) -> Learner:
    return Learner(model.apply, settings.weight_decay, settings.noise, settings.radius)


@functools.cache  # the same function again, for which a program is compiled
def _advance(model: Model, settings: config.Fit, whole: NamedSharding) -> Callable[..., State]:
    """`settings.every` gradient steps and a look at the validation part, for all seeds."""
    learner, rate, apply = _learner(model, settings), rates(settings), model.apply
    parts = _parts(settings.batch)

    def one_seed(state: State, train: tuple[Array, ...], held_out: Any, order: Array) -> State:
        key = jax.random.wrap_key_data(state.key)

        def advance(carry: tuple[Any, Any, Array], index: Array) -> tuple[Any, None]:
            params, opt_state, count = carry
            x, y, weight = (a.reshape(-1, *a.shape[2:])[index] for a in train)
            noise_key, dropout_key = jax.random.split(jax.random.fold_in(key, count))
            keys = noise_key, jax.random.split(dropout_key, parts)
            after = learner.step(params, opt_state, (x, y, weight), keys, rate(count))
            return (*after, count + 1), None

        start = (state.params, state.opt_state, state.step)
        (params, opt_state, count), _ = jax.lax.scan(advance, start, order)
        held_out_x, held_out_y, held_out_weight = held_out
        logits = jax.lax.map(lambda x: apply(params, x), held_out_x)
        value = cross_entropy(logits, held_out_y, held_out_weight, jnp.sum(held_out_weight))
        # A seed that is done keeps what it has, however long the others go on.
        better = (value < state.best_loss) & (state.stale < settings.patience)
        best = jax.tree.map(lambda new, old: jnp.where(better, new, old), params, state.best)
        stale = jnp.where(better, 0, state.stale + 1)
        best_loss = jnp.where(better, value, state.best_loss)
        return State(params, opt_state, best, best_loss, stale, state.key, count)

    seeds = jax.vmap(one_seed, in_axes=(0, None, None, 0))
    return jax.jit(seeds, donate_argnums=0, out_shardings=whole)


def _order(n: int, seed: int, step: int, settings: config.Fit) -> np.ndarray:
    """Which of `n` windows the next `every` steps take, i32[every, batch].

    A stretch of the endless row of permutations that belongs to `seed`.
    """
    start, count = step * settings.batch, settings.every * settings.batch
    first, last = start // n, (start + count - 1) // n
    epochs = [np.random.default_rng([seed, e]).permutation(n) for e in range(first, last + 1)]
    row = np.concatenate(epochs)[start - first * n :][:count]
    return row.astype(np.int32).reshape(settings.every, settings.batch)


def _manager(folder: Path | None) -> ocp.CheckpointManager | None:
    if folder is None:
        return None
    options = ocp.CheckpointManagerOptions(max_to_keep=2, create=True)
    return ocp.CheckpointManager(folder.absolute(), options=options)


def _restore(manager: ocp.CheckpointManager, step: int, start: State) -> State:
    where = f"{manager.directory}/{step}"
    try:
        state = cast(State, manager.restore(step, args=ocp.args.StandardRestore(start)))
    except Exception as error:  # orbax raises whatever its storage layers raise
        reason = " ".join(str(error).split())[:200]
        raise StimjaxError(f"{where}: cannot be restored ({reason}); delete it") from error
    if not np.array_equal(state.key, start.key):
        raise StimjaxError(f"{where}: belongs to a run from other seeds; name another folder")
    return jax.tree.map(jnp.asarray, state)
