"""The orthonormal cosine transform of a window: over time, or over both axes of an image."""

from __future__ import annotations

import jax
from jaxtyping import Array, Float


def forward(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """Coefficients of a window f32[*spatial, channel], channel by channel."""
    for axis in range(x.ndim - 1):
        x = jax.scipy.fft.dct(x, axis=axis, norm="ortho")
    return x


def inverse(coefficient: Float[Array, "..."]) -> Float[Array, "..."]:
    """The window with these coefficients."""
    for axis in range(coefficient.ndim - 1):
        coefficient = jax.scipy.fft.idct(coefficient, axis=axis, norm="ortho")
    return coefficient
