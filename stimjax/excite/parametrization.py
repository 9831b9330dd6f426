"""What is optimized to make a stimulus, and how a window comes of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from stimjax import models
from stimjax.batch import Spec
from stimjax.models import Params


class Parametrization(NamedTuple):
    """The optimized parameters of one lane.

    Attributes:
        init: `init(key) -> params`, the parameters of a lane that starts or has failed.
        render: `render(params, start, key=None) -> window f32[*shape]`; `start` is what the
            source drew, and a key turns on what is random while optimizing (dropout).
    """

    init: Callable[[Array], Params]
    render: Callable[..., Float[Array, "..."]]


def generator(name: str, spec: Spec, latent: int) -> Parametrization:
    """The weights of a small network that maps `z` to a window within the range of `spec`.

    Source: Nikolaidis et al., JAIR 72 (2021): the weights are optimized, not the input. The
    architecture is ours. Uses the range of each channel (two numbers a channel).
    """
    model = models.generator(name, spec.shape, latent)
    low, high = jnp.asarray(spec.low), jnp.asarray(spec.high)

    def render(params: Params, z: Float[Array, " latent"], key: Array | None = None) -> Array:
        return low + (high - low) * model.apply(params, z[None], key)[0]

    return Parametrization(model.init, render)
