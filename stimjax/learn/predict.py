"""What networks answer where no gradient is needed, a block of windows at a time.

Every block has the same number of windows, so that one program serves any number of them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator

import jax
import numpy as np
from jaxtyping import Array, Float

from stimjax.batch import Batch
from stimjax.models import Model, Params

BLOCK = 256  # windows that go through a network at once


def probabilities(
    model: Model, params: Params, x: Float[Array | np.ndarray, "n ..."]
) -> np.ndarray:
    """Class probabilities f32[seed, n, class] of networks with a leading seed axis, in float32."""
    return np.asarray(_predict(model.apply, jax.nn.softmax, params, blocks(x)))[:, : len(x)]


def log_probabilities(
    model: Model, params: Params, x: Float[Array | np.ndarray, "n ..."]
) -> np.ndarray:
    """The logarithms of what `probabilities` gives, finite where a probability is rounded to 0."""
    return np.asarray(_predict(model.apply, jax.nn.log_softmax, params, blocks(x)))[:, : len(x)]


def in_blocks(
    train: Batch, ask: Callable[[Array], list[Array]]
) -> Iterator[tuple[slice, list[np.ndarray]]]:
    """What `ask` gives for the windows of `train`; of each block as soon as it is there.

    For answers that would be too many to hold at once.

    Args:
        train: the windows.
        ask: from windows to arrays with a row for each.

    Yields:
        The rows of a block, and its arrays.
    """
    program = jax.jit(ask)
    for start in range(0, len(train), BLOCK):
        part = np.asarray(train.x[start : start + BLOCK])
        answers = program(_filled(part, BLOCK))
        yield slice(start, start + BLOCK), [np.asarray(a)[: len(part)] for a in answers]


def blocks(array: Array | np.ndarray) -> np.ndarray:
    """Blocks `[block, BLOCK, ...]`, filled up with zeros (a weight of zero: not counted).

    The number of blocks is rounded up to four leading steps of every power of two, so that a
    slightly different number of windows compiles nothing anew.
    """
    count = -(-len(array) // BLOCK)
    step = max(1, 2 ** (count.bit_length() - 3))
    count = -(-count // step) * step
    return _filled(array, count * BLOCK).reshape(count, BLOCK, *array.shape[1:])


def _filled(array: Array | np.ndarray, rows: int) -> np.ndarray:
    out = np.zeros((rows, *array.shape[1:]), np.float32)
    out[: len(array)] = array
    return out


@functools.partial(jax.jit, static_argnums=(0, 1))
def _predict(
    apply: Callable[..., Array], finish: Callable[[Array], Array], params: Params, x: Array
) -> Array:
    def one_seed(params: Params) -> Array:
        logits = jax.lax.map(lambda block: apply(params, block), x)
        return finish(logits.reshape(-1, logits.shape[-1]))

    return jax.vmap(one_seed)(params)
