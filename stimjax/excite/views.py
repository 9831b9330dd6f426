"""Views: a stimulus mixed with another, for the teacher to label anew."""

from __future__ import annotations

import jax
from jaxtyping import Array, Float


def mixed(
    window: Float[Array, "..."], other: Float[Array, "..."], key: Array
) -> Float[Array, "..."]:
    """A random average of which at least half is `window`.

    After mixup (Zhang et al., ICLR 2018), of which this takes the windows only: what to call the
    mixture is for the teacher to say.
    """
    share = jax.random.uniform(key, minval=0.5, maxval=1.0)
    return share * window + (1 - share) * other
