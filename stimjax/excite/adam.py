"""Adam in a form whose bits do not depend on how many devices a program is compiled for."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import optax

from stimjax.models import Params


def adam(rate: float) -> optax.GradientTransformation:
    """Adam (Kingma and Ba, 2015) as `optax.adam` computes it, but for the last bit.

    Optax divides the moments by one number a lane. XLA turns such a division into a product with
    the reciprocal or leaves it, one way in a program for one device and another in a program for
    several, and the same shard would come out in two versions. Here the reciprocals are written.
    """
    first, second = 0.9, 0.999

    def init(params: Params) -> optax.ScaleByAdamState:
        mu, nu = (jax.tree.map(jnp.zeros_like, params) for _ in range(2))
        return optax.ScaleByAdamState(jnp.zeros((), jnp.int32), mu, nu)

    def update(updates: Params, state: Any, params: Params = None, **_: Any) -> tuple[Params, Any]:
        del params  # Adam does not look at them
        count = state.count + 1
        mu = jax.tree.map(lambda m, g: first * m + (1 - first) * g, state.mu, updates)
        nu = jax.tree.map(lambda v, g: second * v + (1 - second) * g**2, state.nu, updates)
        mu_scale, nu_scale = -rate / (1 - first**count), 1 / (1 - second**count)
        updates = jax.tree.map(lambda m, v: mu_scale * m / (jnp.sqrt(nu_scale * v) + 1e-8), mu, nu)
        return updates, optax.ScaleByAdamState(count, mu, nu)

    return optax.GradientTransformation(init, update)
