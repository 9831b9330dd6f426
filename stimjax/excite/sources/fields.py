"""Random images from no statistic of the data: smooth fields, and strokes drawn over them.

Ours. A field is a sum of cosines whose power falls with spatial frequency, at a random slope; a
stroke is a quadratic Bezier curve of random width. A draw has 0 to 4 strokes, on a field whose
contrast is often nothing, bright on dark or dark on bright.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from stimjax.batch import Spec
from stimjax.excite.sources.source import Source

STROKES = 4
POINTS = 24  # by which the distance to a curve is measured


def make(spec: Spec) -> Source:
    """Draws f32[height, width, channel]. Uses the range of each channel, nothing else."""
    low, high = jnp.asarray(spec.low), jnp.asarray(spec.high)

    def draw(key: Array, target: Array) -> Float[Array, "height width channel"]:
        del target
        field_key, stroke_key, contrast_key, invert_key, tint_key = jax.random.split(key, 5)
        contrast = jax.random.uniform(contrast_key, (2,)) ** jnp.asarray([3.0, 0.3])
        field = jax.nn.sigmoid(3 * _field(field_key, spec.shape))
        bright = jnp.maximum(contrast[0] * field, contrast[1] * _strokes(stroke_key, spec.shape))
        tint = jax.random.uniform(tint_key, (spec.shape[-1],), minval=0.5)
        bright = bright * (tint / tint.max())
        inverted = jax.random.bernoulli(invert_key, 0.1)
        bright = jnp.where(inverted, 1 - bright, bright)
        return jnp.clip(low + (high - low) * bright, low, high)

    return draw


def _field(key: Array, shape: tuple[int, ...]) -> Float[Array, "height width channel"]:
    """A stationary Gaussian field with a spread of about 1 and a random slope of its spectrum."""
    slope_key, knee_key, field_key = jax.random.split(key, 3)
    height, width, _ = shape
    radius = np.hypot(*np.meshgrid(np.arange(height), np.arange(width), indexing="ij"))
    slope = jax.random.uniform(slope_key, (), minval=1.0, maxval=3.5)
    knee = jnp.exp(jax.random.uniform(knee_key, (), minval=0.0, maxval=2.0))
    power = ((1 + jnp.asarray(radius) / knee) ** (-2 * slope)).at[0, 0].set(0.0)
    power = power / jnp.maximum(power.sum(), 1e-9) * height * width
    x = jax.random.normal(field_key, shape) * jnp.sqrt(power)[..., None]
    for axis in (0, 1):
        x = jax.scipy.fft.idct(x, axis=axis, norm="ortho")
    return x


def _strokes(key: Array, shape: tuple[int, ...]) -> Float[Array, "height width 1"]:
    """0 to `STROKES` soft-edged curves, 1 on them and 0 elsewhere."""
    count_key, start_key, path_key, width_key, edge_key = jax.random.split(key, 5)
    size = jnp.asarray(shape[:2], float)
    start = jax.random.uniform(start_key, (STROKES, 1, 2), minval=0.1, maxval=0.9)
    path = 0.3 * jnp.cumsum(jax.random.normal(path_key, (STROKES, 2, 2)), axis=1)
    a, b, c = jnp.moveaxis(jnp.concatenate([start, start + path], axis=1) * size, 1, 0)
    t = jnp.linspace(0, 1, POINTS)[:, None, None]
    curve = (1 - t) ** 2 * a + 2 * t * (1 - t) * b + t**2 * c  # [point, stroke, 2]
    grid = jnp.stack(jnp.meshgrid(*(jnp.arange(n) for n in shape[:2]), indexing="ij"), axis=-1)
    away = jnp.linalg.norm(grid[:, :, None, None] - curve, axis=-1).min(axis=2)
    half = jax.random.uniform(width_key, (), minval=0.02, maxval=0.09) * size.min()
    soft = jax.random.uniform(edge_key, (), minval=0.2, maxval=1.0)
    there = jnp.arange(STROKES) < jax.random.randint(count_key, (), 0, STROKES + 1)
    return (jax.nn.sigmoid((half - away) / soft) * there).max(axis=-1, keepdims=True)
