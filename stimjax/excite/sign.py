"""Steps along the signs of the gradient: an optimizer without a state; lanes hold less."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import optax

from stimjax.models import Params


def sign(rate: float) -> optax.GradientTransformation:
    """SignSGD (Bernstein et al., ICML 2018): each step is what Adam's first one would be."""

    def update(updates: Params, state: Any, params: Params = None, **_: Any) -> tuple[Params, Any]:
        del params
        return jax.tree.map(lambda g: -rate * jnp.sign(g), updates), state

    return optax.GradientTransformation(lambda params: optax.EmptyState(), update)
