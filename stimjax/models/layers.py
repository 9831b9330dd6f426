"""Layers that several networks share, in forms that stay fast inside `lax.scan` on a CPU.

XLA's CPU convolution runs some forty times slower in the body of a scan than outside it, and
synthesis is a scan. `Conv` is therefore a matrix product over shifted slices, which has no such
trap and costs about the same elsewhere.
"""

from __future__ import annotations

import math
from itertools import product
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from stimjax.numerics.softmax import softmax


class Erasure(NamedTuple):
    """Directions that are taken out of a network's representation, which its last layer gets.

    Attributes:
        read: what a representation has of each direction, f32[k, unit].
        write: the directions, f32[k, unit].
        mean: what it has of them after that, f32[unit].
    """

    read: Float[Array, "... k unit"]
    write: Float[Array, "... k unit"]
    mean: Float[Array, "... unit"]


Erasures = tuple[Erasure, ...]  # of every network in order, or none


# As of every layer that says nothing of how its weights are drawn.
LECUN = nn.linear.default_kernel_init


class Conv(nn.Module):
    """Convolution with "same" padding over one or two axes, as slices and one matrix product.

    `[n, time, channel]` to `[n, time, features]`, or `[n, height, width, channel]` likewise.
    """

    features: int
    size: int
    kernel_init: nn.initializers.Initializer = LECUN  # of the matrix [places * channel, features]

    @nn.compact
    def __call__(self, x: Float[Array, "n ..."]) -> Float[Array, "n ..."]:
        axes = x.shape[1:-1]
        before, after = (self.size - 1) // 2, self.size // 2
        padded = jnp.pad(x, [(0, 0), *[(before, after)] * len(axes), (0, 0)])
        slices = [
            padded[(slice(None), *(slice(o, o + n) for o, n in zip(offsets, axes, strict=True)))]
            for offsets in product(range(self.size), repeat=len(axes))
        ]
        dense = nn.Dense(self.features, kernel_init=self.kernel_init)
        return dense(jnp.concatenate(slices, axis=-1))


class Transposed(nn.Module):
    """Transposed convolution with "same" padding: each axis gets `stride` times as long.

    One matrix product to what each place gives to those around it, and shifted sums of that, which
    are as many values as a convolution's slices where there are as many features as channels, and
    fewer where there are fewer features. `size` is a multiple of `stride`.
    """

    features: int
    size: int
    stride: int = 1
    bias_init: nn.initializers.Initializer = nn.initializers.zeros

    @nn.compact
    def __call__(self, x: Float[Array, "n ..."]) -> Float[Array, "n ..."]:
        n, *lengths, channels = x.shape
        axes, stride, shifts = len(lengths), self.stride, self.size // self.stride
        places = self.size**axes
        matrix = (channels, places * self.features)
        kernel = self.param("kernel", glorot_uniform(channels, self.features, places), matrix)
        bias = self.param("bias", self.bias_init, (self.features,))
        # Of each axis: where, how many strides further, and where within the stride.
        y = (x @ kernel).reshape(n, *lengths, *[shifts, stride] * axes, self.features)
        for axis in range(1, axes + 1):  # those behind it have lost their shifts
            parts = jax.lax.split(y, [1] * shifts, axis=axes + axis)
            sides = [[(0, 0)] * (y.ndim - 1) for _ in parts]
            for shift, side in enumerate(sides):
                side[axis] = (shift, shifts - 1 - shift)
            squeezed = [part.squeeze(axes + axis) for part in parts]
            padded = [jnp.pad(part, side) for part, side in zip(squeezed, sides, strict=True)]
            y = sum(padded[1:], padded[0])
        order = [i + side for i in range(1, axes + 1) for side in (0, axes)]
        y = y.transpose(0, *order, 2 * axes + 1)
        y = y.reshape(n, *(stride * (length + shifts - 1) for length in lengths), self.features)
        first = (self.size - stride) // 2
        kept = (slice(first, first + stride * length) for length in lengths)
        return y[(slice(None), *kept)] + bias


def glorot_uniform(channels: int, features: int, places: int) -> nn.initializers.Initializer:
    """Uniform with the spread of Glorot and Bengio (2010) for a kernel of so many `places`."""
    limit = math.sqrt(6 / (places * (channels + features)))

    def init(key: Array, shape: tuple[int, ...], dtype: Any = jnp.float32) -> Array:
        return jax.random.uniform(key, shape, dtype, -limit, limit)

    return init


def halve(x: Float[Array, "n ..."]) -> Float[Array, "n ..."]:
    """Maximum over pairs along every axis between the first and the last; an odd rest is cut.

    Of two slices, because on a CPU that is faster than a reduction of pairs, windowed or not. An
    axis of length 1 stays.
    """
    for axis in range(1, x.ndim - 1):
        half = x.shape[axis] // 2
        if half:
            x = jax.lax.slice_in_dim(x, 0, 2 * half, axis=axis)
            pairs = x.reshape(*x.shape[:axis], half, 2, *x.shape[axis + 1 :])
            first, second = (jax.lax.index_in_dim(pairs, i, axis + 1, False) for i in (0, 1))
            x = jnp.maximum(first, second)
    return x


def summarize(x: Float[Array, "n ..."]) -> Float[Array, "n features"]:
    """Mean and maximum over every axis between the first and the last, side by side."""
    axes = tuple(range(1, x.ndim - 1))
    return jnp.concatenate([x.mean(axes), x.max(axes)], axis=-1)


def patches(x: Float[Array, "n ..."], most: int) -> Float[Array, "n token features"]:
    """Cut each window into at most `most` equal tokens, in order, without overlap.

    A signal is cut along time; an image into squares. Missing values at the end are zeros.
    """
    if x.ndim == 3:
        n, time, channels = x.shape
        size = math.ceil(time / most)
        x = jnp.pad(x, ((0, 0), (0, -time % size), (0, 0)))
        return x.reshape(n, -1, size * channels)
    n, height, width, channels = x.shape
    size = math.ceil(math.sqrt(height * width / most))
    while math.ceil(height / size) * math.ceil(width / size) > most:
        size += 1
    x = jnp.pad(x, ((0, 0), (0, -height % size), (0, -width % size), (0, 0)))
    rows, columns = x.shape[1] // size, x.shape[2] // size
    x = x.reshape(n, rows, size, columns, size, channels)
    return x.transpose(0, 1, 3, 2, 4, 5).reshape(n, rows * columns, -1)


def attend(
    query: Float[Array, "n token head depth"],
    key: Float[Array, "n token head depth"],
    value: Float[Array, "n token head depth"],
    **_: object,
) -> Float[Array, "n token head depth"]:
    """Scaled dot-product attention (Vaswani et al., 2017), without a mask."""
    scores = jnp.einsum("nqhd,nkhd->nhqk", query / math.sqrt(query.shape[-1]), key)
    return jnp.einsum("nhqk,nkhd->nqhd", softmax(scores), value)


def shorten(x: Float[Array, "n ..."], most: int) -> Float[Array, "n ..."]:
    """Fold time into channels until a signal has at most `most` steps; images stay."""
    return patches(x, most) if x.ndim == 3 and x.shape[1] > most else x


def shown(module: nn.Module, x: Float[Array, "n ... unit"]) -> Float[Array, "n ... unit"]:
    """`x`, which `module` shows as the activity of a hidden layer."""
    module.sow("intermediates", "hidden", x)
    return x


def represented(
    module: nn.Module, x: Float[Array, "n unit"], erasures: Erasures
) -> Float[Array, "n unit"]:
    """`x` without what is erased, which `module` shows as its representation."""
    for one in erasures:
        x = x - (x - one.mean) @ one.read.T @ one.write
    module.sow("intermediates", "representation", x)
    return x
