"""What students that learned from the stimuli so far get wrong."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from stimjax.excite.kind import Kind
from stimjax.excite.terms.term import Excited, Term, plain

CAP = 1.0  # in nats; beyond it a proxy is wrong enough


def disagreement(excited: Excited) -> Float[Array, ""]:
    """Minus the divergence of the proxies from the teacher, capped; mean over proxies.

    Zero in the first round, where there are none. Adapted from adversarial distillation without
    data (Micaelli and Storkey, NeurIPS 2019), with rounds and a cap of ours.
    """
    if excited.proxies is None:
        return jnp.zeros(())
    teacher = jax.nn.log_softmax(excited.logits)
    proxies = jax.nn.log_softmax(excited.proxies(excited.window))
    divergence = jnp.sum(jnp.exp(teacher) * (teacher - proxies), axis=-1)
    return -jnp.mean(jnp.minimum(divergence, CAP))


DISAGREEMENT: Kind[Term] = Kind(lambda spec, statistics, recipe: plain(disagreement), free=True)
