"""Adversarial training: windows moved within an L2 ball to where the loss is highest.

Madry et al., "Towards deep learning models resistant to adversarial attacks", ICLR 2018: projected
gradient ascent, here in two steps along the normalized gradient, each as long as the radius. The
gradients of a network so trained look like what they stand for, which helps excitation.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

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


def largest(loss: Float[np.ndarray, "radius n"], subject: Int[np.ndarray, " n"]) -> int:
    """The last row whose loss is not above the smallest by more than one standard error.

    After Breiman et al. (Classification and Regression Trees, 1984, section 3.4.3), of the paired
    difference between sums over subjects, whose windows are alike; over windows if there is only
    one subject.

    Args:
        loss: of each window of the validation part, times its weight; a row for each radius, from
            the smallest radius to the largest. A row that is not finite is never taken.
        subject: whose window it is.
    """
    _, group = np.unique(subject, return_inverse=True)
    if group.max(initial=0) == 0:
        group = np.arange(len(subject))
    total = np.stack([np.bincount(group, row) for row in loss])
    sums, n = total.sum(axis=1), total.shape[1]
    finite = np.flatnonzero(np.isfinite(sums))
    last = best = int(finite[sums[finite].argmin()])
    for row in finite:
        difference = total[row] - total[best]
        if difference.sum() <= np.sqrt(n) * difference.std(ddof=int(n > 1)) * (1 + 1e-9):
            last = max(last, int(row))
    return last
