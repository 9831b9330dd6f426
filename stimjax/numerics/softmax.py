"""Softmax with the same bits on one device and on several."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


@jax.custom_jvp
def softmax(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """Softmax over the last axis, for attention.

    It multiplies by a reciprocal that stands there as such. Of a division by a sum, as in
    `jax.nn.softmax`, XLA makes one or the other, and not the same for one device and for several:
    releases would differ in their last bits. The derivative is written down because that of the
    reciprocal is a division for every weight: a training step would take a sixth longer.
    """
    weights = jnp.exp(x - x.max(axis=-1, keepdims=True))
    return weights * (1 / weights.sum(axis=-1, keepdims=True))


@softmax.defjvp
def _softmax_jvp(
    at: tuple[Float[Array, "..."]], along: tuple[Float[Array, "..."]]
) -> tuple[Array, Array]:
    (x,), (tangent,) = at, along
    weights = softmax(x)
    return weights, weights * (tangent - (weights * tangent).sum(axis=-1, keepdims=True))
