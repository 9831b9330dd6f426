"""Dropout in few instructions, for the steps of lanes."""

from __future__ import annotations

import math

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


class Dropout(nn.Module):
    """Inverted dropout (Srivastava et al., 2014): some values zero, the others larger in exchange.

    It compares the random words themselves: flax makes numbers from 0 to 1 of them first. The mask
    is an exponential, which XLA keeps. What is cheaper it computes again wherever it is used,
    random words and all: with weights for each window, as here, in every weight's gradient.
    """

    rate: float

    @nn.compact
    def __call__(self, x: Float[Array, "..."], train: bool) -> Float[Array, "..."]:
        if not train or not self.rate:
            return x
        words = jax.random.bits(self.make_rng("dropout"), x.shape, jnp.uint32)
        kept = words < jnp.uint32(round((1 - self.rate) * 2**32))
        return x * jnp.exp(jnp.where(kept, -math.log(1 - self.rate), -jnp.inf)).astype(x.dtype)
