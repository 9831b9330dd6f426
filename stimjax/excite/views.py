"""Views: a stimulus mixed with another and shaken, for the teacher to label anew."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array

from stimjax.batch import Spec

NOISE = 0.1  # standard deviation, as in training


def view(spec: Spec) -> Callable[[Array, Array, Array], Array]:
    """`(window, other, key) -> view`: at least half of it is `window`; within the range of `spec`.

    After mixup (Zhang et al., ICLR 2018), of which this takes the windows only: what to call the
    mixture is for the teacher to say.
    """
    low, high = jnp.asarray(spec.low), jnp.asarray(spec.high)

    def mix(window: Array, other: Array, key: Array) -> Array:
        share_key, noise_key = jax.random.split(key)
        share = jax.random.uniform(share_key, minval=0.5, maxval=1.0)
        noise = NOISE * jax.random.normal(noise_key, window.shape)
        return jnp.clip(share * window + (1 - share) * other + noise, low, high)

    return mix
