"""Adam, fast on a CPU, and with bits that do not depend on how many devices a program is for."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float

Params = Any  # a pytree of arrays


def adam(rate: float) -> optax.GradientTransformation:
    """Adam (Kingma and Ba, 2015): `optax.adam(rate, eps=0, eps_root=1e-16)`, within 1e-5 of it.

    Optax divides the moments by one number a lane. XLA turns such a division into a product with
    the reciprocal or leaves it, one way in a program for one device and another in a program for
    several, and the same shard would come out in two versions. Here the reciprocals are written.
    What keeps the root from zero stands under it, or there would be a division.
    """
    first, second, tiny = 0.9, 0.999, 1e-16

    def init(params: Params) -> optax.ScaleByAdamState:
        mu, nu = (jax.tree.map(jnp.zeros_like, params) for _ in range(2))
        return optax.ScaleByAdamState(jnp.zeros((), jnp.int32), mu, nu)

    def update(updates: Params, state: Any, params: Params = None, **_: Any) -> tuple[Params, Any]:
        del params  # Adam does not look at them
        count = state.count + 1
        mu = jax.tree.map(lambda m, g: first * m + (1 - first) * g, state.mu, updates)
        nu = jax.tree.map(lambda v, g: second * v + (1 - second) * g**2, state.nu, updates)
        mu_scale, nu_scale = -rate / (1 - first**count), 1 / (1 - second**count)
        updates = jax.tree.map(
            lambda m, v: mu_scale * m * reciprocal_root(nu_scale * v + tiny), mu, nu
        )
        return updates, optax.ScaleByAdamState(count, mu, nu)

    return optax.GradientTransformation(init, update)


def reciprocal_root(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """`1 / sqrt(x)` of positive float32 numbers, within 5e-6 of it.

    Half the exponent, negated, by integer arithmetic (Lomont, "Fast inverse square root", 2003),
    and two of Newton's steps. For a CPU, whose root and division take as long as all the rest of
    Adam.
    """
    bits = jax.lax.bitcast_convert_type(x, jnp.int32)
    root = jax.lax.bitcast_convert_type(0x5F3759DF - (bits >> 1), jnp.float32)
    for _ in range(2):
        root = root * (1.5 - 0.5 * x * root * root)
    return root
