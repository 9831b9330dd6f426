"""The logistic function, with a derivative that XLA computes once."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


@jax.custom_jvp
def sigmoid(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """The logistic function, with a derivative that XLA keeps.

    That is a division. What is cheaper, such as `s * (1 - s)`, and all that leads to it, XLA
    computes again wherever it is used: behind the last layer of a generator that is in every
    weight's gradient.
    """
    return jax.nn.sigmoid(x)


@sigmoid.defjvp
def _sigmoid_jvp(
    at: tuple[Float[Array, "..."]], along: tuple[Float[Array, "..."]]
) -> tuple[Array, Array]:
    (x,), (tangent,) = at, along
    return sigmoid(x), tangent / (2 + jnp.exp(x) + jnp.exp(-x))
