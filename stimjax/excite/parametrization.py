"""What is optimized to make a stimulus, and how a window comes of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from stimjax import models
from stimjax.batch import Spec
from stimjax.config.recipes import Recipe
from stimjax.errors import StimjaxError
from stimjax.excite import components as principal
from stimjax.excite import cosine as transform
from stimjax.excite.kind import Kind, Statistics
from stimjax.models import Params


class Parametrization(NamedTuple):
    """The optimized parameters of one lane.

    Attributes:
        init: `init(key, start) -> params`, for what the source drew.
        render: `render(params, start, key=None) -> window f32[*shape]`; a key turns on what is
            random while optimizing (dropout).
        keeps: an accepted stimulus hands its parameters and the optimizer's state on to the next.
        renew: `renew(key, start) -> params` after a failure; None where that is `init`.
    """

    init: Callable[[Array, Array], Params]
    render: Callable[..., Float[Array, "..."]]
    keeps: bool
    renew: Callable[[Array, Array], Params] | None = None


def generator(name: str, spec: Spec, latent: int, precision: str = "float32") -> Parametrization:
    """The weights of a small network that maps `z` to a window within the range of `spec`.

    Source: Nikolaidis et al., JAIR 72 (2021): the weights are optimized, not the input, and an
    accepted stimulus hands them on. Uses the range of each channel (two numbers a channel). While
    optimizing, the network is computed in `precision`.
    """
    model = models.generator(name, spec.shape, latent)
    optimizing = models.lowered(model.apply, precision)
    # In the window's whole shape: XLA puts this line into the gradient of every weight, where
    # looking up a channel's range for each of them took as long as all the rest of a lane-step.
    low, high = (jnp.broadcast_to(limit, spec.shape) for limit in (spec.low, spec.high))

    def init(key: Array, start: Array) -> Params:
        del start
        return model.init(key)

    def render(params: Params, z: Float[Array, " latent"], key: Array | None = None) -> Array:
        apply = model.apply if key is None else optimizing
        return low + (high - low) * apply(params, z[None], key)[0]

    again = model.renew
    renew = None if again is None else lambda key, start: again(key)
    return Parametrization(init, render, keeps=True, renew=renew)


def window(spec: Spec) -> Parametrization:
    """The values of the window themselves, in units of a tenth of each channel's range."""
    return _linear(spec, lambda x: x, lambda x: x)


def cosine(spec: Spec) -> Parametrization:
    """The coefficients of the window's orthonormal cosine transform over time (or both axes)."""
    return _linear(spec, transform.forward, transform.inverse)


def components(spec: Spec, statistics: Statistics) -> Parametrization:
    """Scores in the principal components of the training windows; what is beside them stays.

    Uses the components (private). Each score is in units of its own spread.
    """
    basis, _, spread = map(jnp.asarray, principal.of(statistics))
    spread = jnp.maximum(spread, 1e-6)
    low, high = jnp.asarray(spec.low), jnp.asarray(spec.high)

    def init(key: Array, start: Array) -> Params:
        del key, start
        return jnp.zeros(len(basis))  # of what is added to the start

    def render(params: Params, start: Array, key: Array | None = None) -> Array:
        del key
        return jnp.clip(start + ((params * spread) @ basis).reshape(spec.shape), low, high)

    return Parametrization(init, render, keeps=False)


def rounded(x: Float[Array, "..."], spec: Spec) -> Float[Array, "..."]:
    """`x` on the grid of each channel's resolution, as a recorder would write it."""
    step = jnp.asarray([c.resolution for c in spec.channels])
    origin = jnp.asarray([-c.center / c.scale for c in spec.channels])  # physical zero
    grid = origin + jnp.round((x - origin) / jnp.where(step > 0, step, 1)) * step
    return jnp.clip(jnp.where(step > 0, grid, x), jnp.asarray(spec.low), jnp.asarray(spec.high))


def _linear(
    spec: Spec, forward: Callable[[Array], Array], backward: Callable[[Array], Array]
) -> Parametrization:
    """An invertible linear map of the window, clipped to the range when rendered."""
    low, high = jnp.asarray(spec.low), jnp.asarray(spec.high)
    unit = (high - low) / 10

    def init(key: Array, start: Array) -> Params:
        del key
        return forward(start / unit)

    def render(params: Params, start: Array, key: Array | None = None) -> Array:
        del start, key
        return jnp.clip(backward(params) * unit, low, high)

    return Parametrization(init, render, keeps=False)


def _weights(spec: Spec, statistics: Statistics, recipe: Recipe) -> Parametrization:
    del statistics
    if recipe.source != "generator":
        raise StimjaxError(
            f"source {recipe.source} does not go with parametrization generator: it has no "
            "weights; choose source generator, or another parametrization"
        )
    return generator(recipe.generator, spec, recipe.latent, recipe.precision)


PARAMETRIZATIONS: dict[str, Kind[Parametrization]] = {
    "generator": Kind(_weights, free=True),
    "window": Kind(lambda spec, statistics, recipe: window(spec), free=True),
    "cosine": Kind(lambda spec, statistics, recipe: cosine(spec), free=True),
    "components": Kind(
        lambda spec, statistics, recipe: components(spec, statistics),
        (principal.COMPONENTS,),
        (principal.USES,),
    ),
}
