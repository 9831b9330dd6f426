"""The teacher's log-odds, driven to those of the wanted label."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from stimjax.excite.terms import Excited

SUREST = 0.9999  # a class alone has infinite log-odds


def logit(excited: Excited) -> Float[Array, ""]:
    """Squared distance of the log-odds for the wanted class (ours).

    Unlike cross-entropy it does not saturate, and pulls back what is surer than wanted.
    """
    wanted = jnp.clip(excited.goal.label[excited.goal.target], 1 - SUREST, SUREST)
    log_p = jax.nn.log_softmax(excited.logits)[excited.goal.target]
    log_p = jnp.minimum(log_p, jnp.log(SUREST))
    odds = log_p - jnp.log(-jnp.expm1(log_p))
    return (odds - jnp.log(wanted / (1 - wanted))) ** 2 / 10
