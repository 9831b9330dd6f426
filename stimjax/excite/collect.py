"""What a shard's lanes emit, gathered on the device until every class has its places filled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float, Int

from stimjax import batch
from stimjax.batch import Array, Batch, Spec
from stimjax.excite import lanes
from stimjax.excite.lanes import Emitted, Method, Networks, State

ENOUGH = 40  # shards' worth of candidates after which places of a rare class go to the others


class Places(NamedTuple):
    """How many of a shard's stimuli may have each class as their most probable one.

    Attributes:
        size: stimuli in the shard.
        each: places of each class, i64[class]; all `size` where there is no limit.
        first: the row of a class's first place, i64[class]; None where there is no limit, and
            stimuli stand as they come.
        share: of all weight, by class, f64[class]; None where every stimulus weighs 1.
    """

    size: int
    each: np.ndarray
    first: np.ndarray | None
    share: np.ndarray | None = None


class Counts(NamedTuple):
    """What a shard has so far; all i32, by class where there is an axis.

    Attributes:
        filled: places that are taken.
        spares: stimuli without a place that were kept.
        accepted: tries for a class that were accepted.
        failed: tries for a class that were given up.
        hits: accepted ones that the teacher calls as wanted.
        steps: of all lanes together.
    """

    filled: Int[Array, " classes"]
    spares: Int[Array, ""]
    accepted: Int[Array, " classes"]
    failed: Int[Array, " classes"]
    hits: Int[Array, " classes"]
    steps: Int[Array, ""]


class Collected(NamedTuple):
    """A shard that is being filled.

    Attributes:
        x: windows, class by class where classes have places.
        y: their labels.
        spare_x: windows without a place; one row that stays empty where there is no limit.
        spare_y: their labels.
        counts: how many of these are there.
    """

    x: Float[jax.Array, "size ..."]
    y: Float[jax.Array, "size classes"]
    spare_x: Float[jax.Array, "spare ..."]
    spare_y: Float[jax.Array, "spare classes"]
    counts: Counts


def places(
    balance: Literal["none", "uniform", "prior", "weighted"],
    size: int,
    classes: int,
    statistics: Mapping[str, np.ndarray],
) -> Places:
    """The places of a shard of `size` stimuli.

    Args:
        balance: `none` (no limit), `uniform`, `prior` (as in the training windows), or `weighted`
            (uniform places, and the weights of the prior).
        size: stimuli in all.
        classes: how many there are.
        statistics: the teacher's; holds the prior.
    """
    if balance == "none" or classes == 1:
        return Places(size, np.full(classes, size), None)
    uniform = np.full(classes, 1 / classes)
    prior = uniform if balance == "uniform" else np.asarray(statistics["classes.prior"], float)
    exact = size * (prior if balance == "prior" else uniform)
    each = np.floor(exact).astype(int)
    each[np.argsort(each - exact, kind="stable")[: size - each.sum()]] += 1
    return Places(size, each, np.cumsum(each) - each, prior if balance == "weighted" else None)


def empty(at: Places, shape: tuple[int, ...]) -> Collected:
    """A shard without stimuli, of windows of `shape`."""
    classes = len(at.each)
    # Not none: an array without elements makes jax 0.11 crash as it compiles for several devices.
    spare = 1 if at.first is None else at.size
    none, nothing = jnp.zeros(classes, jnp.int32), jnp.zeros((), jnp.int32)
    return Collected(
        x=jnp.zeros((at.size, *shape)),
        y=jnp.zeros((at.size, classes)),
        spare_x=jnp.zeros((spare, *shape)),
        spare_y=jnp.zeros((spare, classes)),
        counts=Counts(none, nothing, none, none, none, nothing),
    )


def take(collected: Collected, emitted: Emitted, at: Places) -> Collected:
    """Keep what a step of the lanes gave and still has a place, in the order of the lanes.

    Args:
        collected: the shard so far.
        emitted: with a leading axis of lanes.
        at: the places.
    """
    x, y, spare_x, spare_y, counts = collected
    accepted, classes = emitted.accepted, len(at.each)
    label = emitted.probability.argmax(axis=-1)
    by_label = jax.nn.one_hot(label, classes, dtype=jnp.int32) * accepted[:, None]
    if at.first is None:
        kept = accepted
        row = counts.filled.sum() + jnp.cumsum(accepted) - 1
    else:
        rank = (jnp.cumsum(by_label, axis=0) * by_label).sum(axis=1) - 1  # within its class
        kept = accepted & (rank < (jnp.asarray(at.each) - counts.filled)[label])
        row = (jnp.asarray(at.first) + counts.filled)[label] + rank
        beside = accepted & ~kept
        spare_row = _only(beside, counts.spares + jnp.cumsum(beside) - 1, at.size)
        spare_x = spare_x.at[spare_row].set(emitted.window, mode="drop")
        spare_y = spare_y.at[spare_row].set(emitted.probability, mode="drop")
        counts = counts._replace(spares=counts.spares + beside.sum(dtype=jnp.int32))
    row = _only(kept, row, at.size)
    wanted = jax.nn.one_hot(emitted.target, classes, dtype=jnp.int32)
    counts = counts._replace(
        filled=counts.filled + (by_label * kept[:, None]).sum(axis=0),
        accepted=counts.accepted + (wanted * accepted[:, None]).sum(axis=0),
        failed=counts.failed + (wanted * emitted.failed[:, None]).sum(axis=0),
        hits=counts.hits + (wanted * by_label).sum(axis=0),
        steps=counts.steps + len(accepted),
    )
    x = x.at[row].set(emitted.window, mode="drop")
    return Collected(x, y.at[row].set(emitted.probability, mode="drop"), spare_x, spare_y, counts)


def _only(chosen: Bool[Array, " lane"], row: Int[Array, " lane"], size: int) -> Array:
    """`row` where `chosen`, elsewhere one that does not exist."""
    return jnp.where(chosen, row, size)


def full(counts: Counts, at: Places) -> Bool[Array, ""]:
    """Whether the shard has what it needs."""
    filled = counts.filled.sum()
    enough = counts.accepted.sum() >= ENOUGH * at.size
    return (filled >= at.size) | (enough & (filled + counts.spares >= at.size))


def fill(
    method: Method,
    networks: Networks,
    at: Places,
    steps: Int[Array, ""],
    state: State,
    collected: Collected,
) -> tuple[State, Collected]:
    """Advance the lanes until the shard is full, at most so many `steps`; none if it is."""

    def unfinished(carry: tuple[Array, State, Collected]) -> Array:
        return (carry[0] > 0) & ~full(carry[2].counts, at)

    def step(carry: tuple[Array, State, Collected]) -> tuple[Array, State, Collected]:
        left, state, collected = carry
        state, emitted = lanes.advance(method, networks, state)
        return left - 1, state, take(collected, emitted, at)

    return jax.lax.while_loop(unfinished, step, (steps, state, collected))[1:]


def stimuli(collected: Collected, at: Places, spec: Spec, seed: list[int]) -> Batch:
    """The stimuli of a full shard; shuffled if classes had places, as they stand class by class.

    Args:
        collected: of NumPy arrays.
        at: the places.
        spec: of the windows.
        seed: of the order.
    """
    if at.first is None:
        return batch.make(collected.x, collected.y, spec)
    filled = np.minimum(collected.counts.filled, at.each)
    rows = np.concatenate([first + np.arange(n) for first, n in zip(at.first, filled, strict=True)])
    lacking = at.size - len(rows)
    x = np.concatenate([collected.x[rows], collected.spare_x[:lacking]])
    y = np.concatenate([collected.y[rows], collected.spare_y[:lacking]])
    order = np.random.default_rng(seed).permutation(len(x))
    weight = None if at.share is None else _weights(y.argmax(axis=1), at.share)[order]
    return batch.make(x[order], y[order], spec, weight=weight)


def _weights(label: Int[np.ndarray, " n"], share: np.ndarray) -> Float[np.ndarray, " n"]:
    """What each stimulus weighs for its class to have its `share` of all weight; 1 on average."""
    count = np.bincount(label, minlength=len(share))
    each = share / np.maximum(count, 1)
    return len(label) * each[label] / (share * (count > 0)).sum()
