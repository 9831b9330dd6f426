"""The paper's start: a small network with random weights, and a point `z` of a normal distribution.

Neither knows anything of the data but the range of each channel, in which the network's windows
lie (two numbers a channel).
"""

from __future__ import annotations

from collections.abc import Callable

import jax
from jaxtyping import Array, Float

from stimjax.batch import Spec
from stimjax.config.recipes import Recipe
from stimjax.excite.kind import Kind, Statistics
from stimjax.excite.parametrization import generator
from stimjax.excite.sources.source import Source
from stimjax.models import Params


def point(size: int) -> Source:
    """Draws `z` f32[size], for a parametrization by the network's weights. Uses no data.

    Source: Nikolaidis et al., JAIR 72 (2021), the input `z` of the generator.
    """

    def draw(key: Array, target: Array) -> Float[Array, " latent"]:
        del target
        return jax.random.normal(key, (size,))

    return draw


def untrained(
    init: Callable[[Array, Array], Params],
    render: Callable[[Params, Array], Float[Array, "..."]],
    size: int,
) -> Source:
    """Draws f32[*shape]: what a network makes of `z` while its weights are random still (ours).

    Args:
        init: `(key, z) -> weights`.
        render: `(weights, z) -> window`, within the range of each channel.
        size: of `z`.
    """

    def draw(key: Array, target: Array) -> Float[Array, "..."]:
        weights_key, z_key = jax.random.split(key)
        z = point(size)(z_key, target)
        return render(init(weights_key, z), z)

    return draw


def make(spec: Spec, statistics: Statistics, recipe: Recipe) -> Source:
    """A point for a parametrization by the weights; else what an untrained network makes of it."""
    del statistics
    if recipe.parametrization == "generator":
        return point(recipe.latent)
    network = generator(recipe.generator, spec, recipe.latent)
    return untrained(network.init, network.render, recipe.latent)


GENERATOR = Kind(make, free=True)
