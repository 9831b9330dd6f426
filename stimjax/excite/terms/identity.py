"""What an identity critic recognizes in a stimulus, driven down."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from stimjax.excite.kind import Kind
from stimjax.excite.terms.term import Excited, Term, lazy

EVERY = 2  # the critic takes part in one of so many steps: it costs as much as a teacher


def identity(excited: Excited) -> Float[Array, ""]:
    """How far the critic is from taking the stimulus for anybody's: 0 where it cannot tell.

    The divergence of its posterior from the uniform one over the subjects, as a part of what it is
    where it is certain (from 0 to 1), and its log-odds for the nearest subject where they are
    above those of chance, squashed to the same size. (Ours; the inhibition of Nikolaidis et al.,
    JAIR 72, 2021, was not published in what we could read.)

    Raises:
        ValueError: there is no critic.
    """
    if excited.critic is None:
        raise ValueError("the term `identity` needs a critic")
    log = jax.nn.log_softmax(excited.critic(excited.window))
    certain = jnp.log(float(len(log)))
    divergence = jnp.sum(jnp.exp(log) * log) + certain
    nearest = log.max()
    odds = nearest - jnp.log1p(-jnp.minimum(jnp.exp(nearest), 1 - 1e-6))
    above = jax.nn.relu(odds + jnp.log(len(log) - 1.0))
    return (divergence + above / (1 + above / certain)) / (2 * certain)


# Not free: the critic has no guarantee.
IDENTITY: Kind[Term] = Kind(lambda spec, statistics, recipe: lazy(identity, EVERY))
