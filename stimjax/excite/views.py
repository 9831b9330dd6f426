"""Views: a stimulus changed in a way that keeps it a window, for the teacher to label anew."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import jax
import jax.numpy as jnp
from jax.scipy.ndimage import map_coordinates
from jaxtyping import Array, Float

from stimjax.batch import Spec

# (a stimulus, another one, key) -> the view
View = Callable[[Float[Array, "..."], Float[Array, "..."], Array], Float[Array, "..."]]
# (a window, key) -> one of the same class
Augmentation = Callable[[Float[Array, "..."], Array], Float[Array, "..."]]

NOISE = 0.1  # standard deviation, as in training
DELAY = 1 / 20  # of the window's length, at most, earlier or later
LOUDNESS = 0.1  # amplitude about the window's mean, at most so much more or less
TURN = math.radians(15)
STRETCH = 1.15  # of height and width, each at most times or over this
SHEAR = 0.15
SHIFT = 1 / 14  # of height and width
CONTRAST = 3.0


def view(kind: Literal["auto", "mixed", "augmented"], spec: Spec) -> View:
    """What a view of a window of `spec` is.

    Args:
        kind: `mixed`, `augmented`, or what suits the windows (auto): the average of two signals of
            a class is such a signal; that of two images is no image, and they are augmented.
        spec: of the windows.
    """
    if kind == "mixed" or (kind == "auto" and len(spec.shape) == 2):
        return mixed
    change = augmented(spec)
    return lambda window, other, key: change(window, key)


def mixed(
    window: Float[Array, "..."], other: Float[Array, "..."], key: Array
) -> Float[Array, "..."]:
    """A random average of which at least half is `window`.

    After mixup (Zhang et al., ICLR 2018), of which this takes the windows only: what to call the
    mixture is for the teacher to say.
    """
    share = jax.random.uniform(key, minval=0.5, maxval=1.0)
    return share * window + (1 - share) * other


def augmented(spec: Spec) -> Augmentation:
    """A change that keeps the class: of signals `shaken`, of images `distorted`."""
    return distorted(spec) if len(spec.shape) == 3 else shaken(spec)


def shaken(spec: Spec) -> Augmentation:
    """The signal a little earlier or later, louder or softer, and with noise.

    After Um et al. (ICMI 2017), who jitter, scale and shift recordings of movements; the amounts
    are ours. All channels move together. What comes in from outside is the value at the border.
    """
    low, high = jnp.asarray(spec.low), jnp.asarray(spec.high)
    length = spec.shape[0]

    def change(window: Array, key: Array) -> Array:
        noise_key, delay_key, loudness_key = jax.random.split(key, 3)
        delay = DELAY * length * jax.random.uniform(delay_key, minval=-1.0, maxval=1.0)
        at = jnp.clip(jnp.arange(length) - jnp.round(delay).astype(int), 0, length - 1)
        factor = 1 + LOUDNESS * jax.random.uniform(loudness_key, minval=-1.0, maxval=1.0)
        middle = window.mean(axis=0)
        noise = NOISE * jax.random.normal(noise_key, window.shape)
        return jnp.clip(middle + factor * (window[at] - middle) + noise, low, high)

    return change


def distorted(spec: Spec) -> Augmentation:
    """The image a little turned, stretched, sheared and shifted, and with more contrast.

    Affine changes are what digits are usually augmented with (Simard et al., ICDAR 2003). A sum of
    components is softer than an image, which matters to learners that compare single pixels with
    thresholds; hence the contrast (ours). What comes in from outside has the lowest value.
    """
    low, high = jnp.asarray(spec.low), jnp.asarray(spec.high)
    size = jnp.asarray(spec.shape[:2], float)

    def change(window: Array, key: Array) -> Array:
        affine_key, shift_key, contrast_key = jax.random.split(key, 3)
        matrix = _affine(jax.random.uniform(affine_key, (4,), minval=-1.0, maxval=1.0))
        shift = SHIFT * size * jax.random.uniform(shift_key, (2,), minval=-1.0, maxval=1.0)
        moved = _resampled(window - low, matrix, shift) + low
        factor = jax.random.uniform(contrast_key, minval=1.0, maxval=CONTRAST)
        middle = (low + high) / 2
        return jnp.clip(middle + factor * (moved - middle), low, high)

    return change


def _affine(u: Float[Array, "4"]) -> Float[Array, "2 2"]:
    """A turn, a shear and two stretches, each the given part (from -1 to 1) of the largest."""
    cosine, sine = jnp.cos(TURN * u[0]), jnp.sin(TURN * u[0])
    turn = jnp.array([[cosine, -sine], [sine, cosine]])
    shear = jnp.eye(2).at[0, 1].set(SHEAR * u[1])
    return turn @ shear @ jnp.diag(STRETCH ** u[2:])


def _resampled(
    image: Float[Array, "height width channel"], matrix: Float[Array, "2 2"], shift: Array
) -> Float[Array, "height width channel"]:
    """`image` at places that are moved about its middle, between pixels by linear interpolation."""
    height, width, _ = image.shape
    grid = jnp.stack(jnp.meshgrid(jnp.arange(height), jnp.arange(width), indexing="ij"))
    middle = jnp.array([height - 1, width - 1])[:, None, None] / 2
    places = jnp.tensordot(matrix, grid - middle, 1) + middle + shift[:, None, None]
    take = jax.vmap(lambda plane: map_coordinates(plane, list(places), order=1), -1, -1)
    return take(image)
