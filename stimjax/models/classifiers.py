"""The classifiers: networks from windows to one logit a class, as linen modules.

Each takes `x f32[n, time, channel]` or `f32[n, height, width, channel]` and gives
`f32[n, classes]`. None keeps running statistics, so that parameters are all there is to them.

What each shows (`layers.shown`) is the activity that `Model.hidden` gives, in this order: after the
nonlinearity where there is one, the stream that a block leaves behind where there is none.
"""

from __future__ import annotations

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from stimjax.models.layers import (
    Conv,
    Erasures,
    attend,
    glorot_uniform,
    halve,
    patches,
    represented,
    shorten,
    shown,
    summarize,
)

MOST_STEPS = 64  # a longer signal is folded first: what follows costs the same for any rate
MOST_TOKENS = 32  # for the GRU, which has to go through them one after the other
MOST_ATTENDED = 16  # for the transformer, whose cost grows with their square
AM_SLOPE = 0.2  # of the authors' classifier below zero


class MLP(nn.Module):
    """`depth` hidden layers of `width` rectified units over the flattened window.

    Long tails are compressed and three tenths of the inputs dropped while training: a network that
    sees every value in its own place remembers windows otherwise.
    """

    classes: int
    width: int = 128
    depth: int = 2
    dropout: float = 0.3
    input_dropout: float = 0.3

    @nn.compact
    def __call__(
        self, x: Float[Array, "n ..."], train: bool, erasures: Erasures = ()
    ) -> Float[Array, "n classes"]:
        x = jnp.arcsinh(x.reshape(x.shape[0], -1))
        x = nn.Dropout(self.input_dropout, deterministic=not train)(x)
        for _ in range(self.depth):
            x = nn.relu(nn.Dense(self.width)(x))
            x = shown(self, x)
            x = nn.Dropout(self.dropout, deterministic=not train)(x)
        return nn.Dense(self.classes)(represented(self, x, erasures))


class CNN(nn.Module):
    """`depth` times convolution, maximum over pairs, rectifier; the width grows by half."""

    classes: int
    width: int = 24
    depth: int = 3
    dropout: float = 0.2

    @nn.compact
    def __call__(
        self, x: Float[Array, "n ..."], train: bool, erasures: Erasures = ()
    ) -> Float[Array, "n classes"]:
        x = shorten(x, MOST_STEPS)
        for level in range(self.depth):
            features = int(self.width * 1.5**level)
            x = nn.relu(halve(Conv(features, 5 if x.ndim == 3 else 3)(x)))
            x = shown(self, x)
        x = summarize(x)
        x = nn.Dropout(self.dropout, deterministic=not train)(x)
        x = nn.relu(nn.Dense(2 * self.width)(x))
        x = shown(self, x)
        return nn.Dense(self.classes)(represented(self, x, erasures))


class ResNet(nn.Module):
    """Residual CNN with layer normalization before each convolution (He et al., 2016)."""

    classes: int
    width: int = 24
    depth: int = 3
    dropout: float = 0.2

    @nn.compact
    def __call__(
        self, x: Float[Array, "n ..."], train: bool, erasures: Erasures = ()
    ) -> Float[Array, "n classes"]:
        x = Conv(self.width, 5 if x.ndim == 3 else 3)(shorten(x, MOST_STEPS))
        x = halve(x) if x.ndim == 4 else x
        x = shown(self, x)
        for _ in range(self.depth):
            y = Conv(self.width, 3)(nn.relu(nn.LayerNorm()(x)))
            y = nn.relu(nn.LayerNorm()(y))
            y = shown(self, y)
            x = halve(x + Conv(self.width, 3)(y))
            x = shown(self, x)
        x = nn.relu(nn.LayerNorm()(x))
        x = shown(self, x)
        x = nn.Dropout(self.dropout, deterministic=not train)(summarize(x))
        return nn.Dense(self.classes)(represented(self, x, erasures))


class GRU(nn.Module):
    """Gated recurrent units in both directions over the window's tokens, `depth` layers."""

    classes: int
    width: int = 32
    depth: int = 1
    dropout: float = 0.2

    @nn.compact
    def __call__(
        self, x: Float[Array, "n ..."], train: bool, erasures: Erasures = ()
    ) -> Float[Array, "n classes"]:
        x = patches(x, MOST_TOKENS)
        for _ in range(self.depth):
            forward, backward = nn.RNN(nn.GRUCell(self.width)), nn.RNN(nn.GRUCell(self.width))
            x = nn.Bidirectional(forward, backward)(x)  # pyright: ignore[reportAssignmentType]
            x = shown(self, x)
        x = nn.Dropout(self.dropout, deterministic=not train)(summarize(x))
        return nn.Dense(self.classes)(represented(self, x, erasures))


class Transformer(nn.Module):
    """Transformer encoder over the window's tokens, normalized before each block."""

    classes: int
    width: int = 32
    depth: int = 2
    heads: int = 4
    dropout: float = 0.1

    @nn.compact
    def __call__(
        self, x: Float[Array, "n ..."], train: bool, erasures: Erasures = ()
    ) -> Float[Array, "n classes"]:
        x = nn.Dense(self.width)(patches(x, MOST_ATTENDED))
        position = self.param("position", nn.initializers.normal(0.02), x.shape[1:])
        x = x + position
        for _ in range(self.depth):
            y = nn.LayerNorm()(x)
            y = nn.MultiHeadDotProductAttention(self.heads, attention_fn=attend)(y)
            x = x + nn.Dropout(self.dropout, deterministic=not train)(y)
            x = shown(self, x)
            y = nn.gelu(nn.Dense(2 * self.width)(nn.LayerNorm()(x)))
            y = shown(self, y)
            x = x + nn.Dropout(self.dropout, deterministic=not train)(nn.Dense(self.width)(y))
        x = nn.LayerNorm()(x)
        x = shown(self, x)
        return nn.Dense(self.classes)(represented(self, summarize(x), erasures))


class AMClassifier(nn.Module):
    """The classifier of the paper's authors, as their code for MNIST has it (AM-Stimuli).

    Four convolutions of 4 x 4, a maximum over pairs after each of the first two; two dense layers;
    leaky rectifiers. For signals ours: convolutions of 4 over time. At the default width the layers
    have 32, 64, 128, 128, 1,024 and 128 units.
    """

    classes: int
    width: int = 32
    dropout: float = 0.2

    @nn.compact
    def __call__(
        self, x: Float[Array, "n ..."], train: bool, erasures: Erasures = ()
    ) -> Float[Array, "n classes"]:
        x = shorten(x, MOST_STEPS)
        for times, halved in ((1, True), (2, True), (4, False), (4, False)):
            features, places = times * self.width, 4 ** (x.ndim - 2)
            x = Conv(features, 4, glorot_uniform(x.shape[-1], features, places))(x)
            x = nn.leaky_relu(halve(x) if halved else x, AM_SLOPE)  # in either order the same
            x = shown(self, x)
        x = x.reshape(x.shape[0], -1)
        for times in (32, 4):
            x = nn.Dense(times * self.width, kernel_init=nn.initializers.glorot_uniform())(x)
            x = shown(self, nn.leaky_relu(x, AM_SLOPE))
            x = nn.Dropout(self.dropout, deterministic=not train)(x)
        last = nn.Dense(self.classes, kernel_init=nn.initializers.glorot_uniform())
        return last(represented(self, x, erasures))
