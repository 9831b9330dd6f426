"""Adversarial training: windows moved within an L2 ball to where the loss is highest.

Madry et al., "Towards deep learning models resistant to adversarial attacks", ICLR 2018: projected
gradient ascent, here in two steps along the normalized gradient, each as long as the radius. The
gradients of a network so trained look like what they stand for, which helps excitation.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

STEPS = 2


def move(
    loss: Callable[[Array], Array], x: Float[Array, "n ..."], radius: float
) -> Float[Array, "n ..."]:
    """The windows `x`, each moved by at most `radius` (L2, over the whole window) to raise `loss`.

    A window on which the loss does not depend stays where it is.
    """
    moved = x
    for _ in range(STEPS):
        gradient = jax.grad(loss)(moved)
        change = moved + radius * gradient / _length(gradient) - x
        moved = x + change * jnp.minimum(1.0, radius / _length(change))
    return jax.lax.stop_gradient(moved)


def _length(x: Array) -> Array:
    """The L2 norm of each window, never 0; its axes are kept."""
    squares = jnp.sum(x**2, axis=tuple(range(1, x.ndim)), keepdims=True)
    return jnp.sqrt(jnp.maximum(squares, 1e-30))
