"""A teacher's answer that noise does not change."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from stimjax.excite.terms import Excited

NOISE = 0.1  # standard deviation, as in training


def consistency(excited: Excited) -> Float[Array, ""]:
    """Divergence of the teacher's softmax under noise that does not change the class (ours)."""
    noise = NOISE * jax.random.normal(excited.key, excited.window.shape)
    calm = jax.nn.log_softmax(excited.logits)
    shaken = jax.nn.log_softmax(excited.teacher(excited.window + noise))
    return jnp.sum(jnp.exp(calm) * (calm - shaken))
