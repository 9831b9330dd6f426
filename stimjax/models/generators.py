"""The generators: networks from a latent vector to one window with values between 0 and 1.

Each takes `z f32[n, latent]` and gives `f32[n, *shape]`. The paper does not print its generator:
`AMGenerator` is that of its authors' code for MNIST, the other two are ours.
"""

from __future__ import annotations

import math
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from stimjax.models.layers import Conv, Transposed
from stimjax.numerics.dropout import Dropout
from stimjax.numerics.sigmoid import sigmoid

# Uniform: a generator is drawn afresh whenever a lane fails, and a normal draw costs far more.
UNIFORM = nn.initializers.glorot_uniform()
AM_SLOPE = 0.3  # of the authors' generator below zero
COARSE = 16  # places of an axis, at most, that the authors' generator starts from


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


class AMGenerator(nn.Module):
    """The generator of the paper's authors, as their code for MNIST has it (AM-Stimuli).

    Two dense layers to a coarse window, transposed convolutions that double each axis, four more
    that do not; leaky rectifiers, a sigmoid. At the default width and 28 x 28: dense 512 (with a
    rectifier) and 3,920, which are 7 x 7 x 80, then 128 (2 x 2, stride 2), 64 (4 x 4, stride 2),
    three of 32 and one of the window's channels (4 x 4).

    Ours: signals, with the same over time alone; and windows of more than 64 places along an axis,
    which are doubled more often by layers like the second. What is too long is cut.

    Attributes:
        shape: of a window.
        width: of the last layers but one.
        dropout: after both dense layers.
        drawn: biases are drawn too, as the authors draw all anew for a generator that failed: those
            of a layer with n of them uniformly within sqrt(3 / n). Else they are zero.
    """

    shape: tuple[int, ...]
    width: int = 32
    dropout: float = 0.2
    drawn: bool = False

    @nn.compact
    def __call__(self, z: Float[Array, "n latent"], train: bool) -> Float[Array, "n ..."]:
        bias = _within_its_number if self.drawn else nn.initializers.zeros
        *axes, channels = self.shape
        doublings = max(2, math.ceil(math.log2(max(axes) / COARSE)))
        coarse = [math.ceil(size / 2**doublings) for size in axes]
        depth = 5 * self.width // 2

        x = nn.relu(nn.Dense(16 * self.width, kernel_init=UNIFORM, bias_init=bias)(z))
        x = Dropout(self.dropout)(x, train)
        x = nn.Dense(math.prod(coarse) * depth, kernel_init=UNIFORM, bias_init=bias)(x)
        x = Dropout(self.dropout)(nn.leaky_relu(x, AM_SLOPE), train)
        x = x.reshape(-1, *coarse, depth)
        layers = [Transposed(4 * self.width, 2, 2, bias)]
        layers += [Transposed(2 * self.width, 4, 2, bias) for _ in range(doublings - 1)]
        layers += [Transposed(self.width, 4, 1, bias) for _ in range(3)]
        for layer in layers:
            x = nn.leaky_relu(layer(x), AM_SLOPE)
        x = x[(slice(None), *(slice(size) for size in axes))]
        return sigmoid(Transposed(channels, 4, 1, bias)(x))


def _within_its_number(key: Array, shape: tuple[int, ...], dtype: Any = jnp.float32) -> Array:
    """What Glorot's uniform distribution is for n numbers in a row: within sqrt(3 / n)."""
    limit = math.sqrt(3 / shape[0])
    return jax.random.uniform(key, shape, dtype, -limit, limit)
