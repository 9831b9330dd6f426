"""A teacher's answer that stays the same under changes that keep the class."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from stimjax.batch import Spec
from stimjax.excite.kind import Kind
from stimjax.excite.terms.term import Excited, Term, plain
from stimjax.excite.views import augmented


def make(spec: Spec) -> Callable[[Excited], Float[Array, ""]]:
    """The divergence of the teacher's softmax for the window from that for it augmented.

    One augmentation (`stimjax.excite.views.augmented`) is drawn in each step. (Ours.)
    """
    change = augmented(spec)

    def consistency(excited: Excited) -> Float[Array, ""]:
        calm = jax.nn.log_softmax(excited.logits)
        shaken = jax.nn.log_softmax(excited.teacher(change(excited.window, excited.key)))
        return jnp.sum(jnp.exp(calm) * (calm - shaken))

    return consistency


CONSISTENCY: Kind[Term] = Kind(lambda spec, statistics, recipe: plain(make(spec)), free=True)
