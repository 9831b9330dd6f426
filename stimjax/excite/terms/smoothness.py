"""Neighbors in time that differ little."""

from __future__ import annotations

import jax.numpy as jnp
from jaxtyping import Array, Float

from stimjax.batch import Spec
from stimjax.excite.terms import Excited, Term, plain


def make(spec: Spec) -> Term:
    """Mean squared difference of neighbors, in units of each channel's range.

    Total variation of images and signals is common in activation maximization (Mahendran and
    Vedaldi, 2016).
    """
    span = jnp.asarray(spec.high - spec.low)

    def value(excited: Excited) -> Float[Array, ""]:
        x = excited.window / span
        axes = range(x.ndim - 1)
        return sum((jnp.mean(jnp.diff(x, axis=axis) ** 2) for axis in axes), jnp.zeros(()))

    return plain(value)
