"""The generators: networks from a latent vector to one window with values between 0 and 1.

Each takes `z f32[n, latent]` and gives `f32[n, *shape]`. The paper does not publish its
generator; these two are ours.
"""

from __future__ import annotations

import math

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from stimjax.models.layers import Conv
from stimjax.numerics.dropout import Dropout
from stimjax.numerics.sigmoid import sigmoid

# Uniform: a generator is drawn afresh whenever a lane fails, and a normal draw costs far more.
UNIFORM = nn.initializers.glorot_uniform()


class DenseGenerator(nn.Module):
    """Two hidden layers, of `width` and 3/2 `width` rectified units, and a sigmoid."""

    shape: tuple[int, ...]
    width: int = 64
    dropout: float = 0.1

    @nn.compact
    def __call__(self, z: Float[Array, "n latent"], train: bool) -> Float[Array, "n ..."]:
        first, second = self.width, self.width * 3 // 2
        # One draw for both layers: in a step of lanes a draw takes as long as a layer.
        kept = Dropout(self.dropout)(jnp.ones((z.shape[0], first + second), z.dtype), train)
        z = nn.relu(nn.Dense(first, kernel_init=UNIFORM)(z)) * kept[:, :first]
        z = nn.relu(nn.Dense(second, kernel_init=UNIFORM)(z)) * kept[:, first:]
        x = sigmoid(nn.Dense(math.prod(self.shape), kernel_init=UNIFORM)(z))
        return x.reshape(-1, *self.shape)


class ConvGenerator(nn.Module):
    """A coarse window, doubled in length `depth` times with a convolution after each, sigmoid."""

    shape: tuple[int, ...]
    width: int = 32
    depth: int = 3
    dropout: float = 0.1

    @nn.compact
    def __call__(self, z: Float[Array, "n latent"], train: bool) -> Float[Array, "n ..."]:
        *axes, channels = self.shape
        coarse = [math.ceil(size / 2**self.depth) for size in axes]
        x = nn.relu(nn.Dense(math.prod(coarse) * self.width, kernel_init=UNIFORM)(z))
        x = Dropout(self.dropout)(x, train)
        x = x.reshape(-1, *coarse, self.width)
        for _ in range(self.depth):
            for axis in range(1, x.ndim - 1):
                x = jnp.repeat(x, 2, axis)
            x = nn.relu(Conv(self.width, 3)(x))
        x = x[(slice(None), *(slice(size) for size in axes))]
        return sigmoid(nn.Dense(channels, kernel_init=UNIFORM)(x))
