"""Stimuli that are made together and resemble each other."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from stimjax.excite.terms import LANES, Excited


def diversity(excited: Excited) -> Float[Array, ""]:
    """How alike this lane's window is to those of the other lanes that want its class (ours).

    A mean of `exp(-distance^2 / mean distance^2)`: 1 if all are the same.
    """
    flat = excited.window.ravel()
    everyone = jax.lax.all_gather(flat, LANES)
    target = jax.lax.all_gather(excited.goal.target, LANES)
    other = (target == excited.goal.target) & (jnp.arange(len(target)) != jax.lax.axis_index(LANES))
    distance = jnp.sum((everyone - flat) ** 2, axis=1)
    scale = jax.lax.stop_gradient(jnp.sum(distance * other) / jnp.maximum(other.sum(), 1))
    alike = jnp.exp(-distance / jnp.maximum(scale, 1e-6))
    return jnp.sum(alike * other) / jnp.maximum(other.sum(), 1)
