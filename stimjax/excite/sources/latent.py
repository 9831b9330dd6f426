"""A point of a standard normal distribution: the `z` of the paper's generator."""

from __future__ import annotations

import jax
from jaxtyping import Array, Float

from stimjax.excite.sources.kind import Source


def latent(size: int) -> Source:
    """Draws f32[size]. Uses nothing of the data.

    Source: Nikolaidis et al., JAIR 72 (2021), the input `z` of the generator.
    """

    def draw(key: Array, target: Array) -> Float[Array, " latent"]:
        del target
        return jax.random.normal(key, (size,))

    return draw
