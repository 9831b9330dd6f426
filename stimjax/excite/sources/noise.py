"""Uniform noise: every value independent, anywhere in the range of its channel."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from stimjax.batch import Spec
from stimjax.config.recipes import Recipe
from stimjax.excite.kind import Kind, Statistics
from stimjax.excite.sources.source import Source


def make(spec: Spec, statistics: Statistics, recipe: Recipe) -> Source:
    """Draws f32[*shape], signals and images alike. Uses the range of each channel."""
    del statistics, recipe
    low, high = jnp.asarray(spec.low), jnp.asarray(spec.high)

    def draw(key: Array, target: Array) -> Float[Array, "..."]:
        del target
        return jax.random.uniform(key, spec.shape, minval=low, maxval=high)

    return draw


NOISE = Kind(make, free=True)
