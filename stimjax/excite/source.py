"""Where a stimulus starts: what a lane draws at random for each new stimulus."""

from __future__ import annotations

from collections.abc import Callable

import jax
from jaxtyping import Array, Float

Source = Callable[[Array], Array]  # key -> the start of one stimulus


def latent(size: int) -> Source:
    """A point of a standard normal distribution, f32[size]. Uses nothing of the data.

    Source: Nikolaidis et al., JAIR 72 (2021), the input `z` of the generator.
    """

    def draw(key: Array) -> Float[Array, " latent"]:
        return jax.random.normal(key, (size,))

    return draw
