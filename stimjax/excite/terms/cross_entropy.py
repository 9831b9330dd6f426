"""Cross-entropy between the wanted label and the teacher's softmax."""

from __future__ import annotations

import optax
from jaxtyping import Array, Float

from stimjax.excite.kind import Kind
from stimjax.excite.terms.term import Excited, Term, plain


def cross_entropy(excited: Excited) -> Float[Array, ""]:
    """The paper's only term (Nikolaidis et al., JAIR 72, 2021), there with a class as the label."""
    return optax.softmax_cross_entropy(excited.logits, excited.goal.label)


CROSS_ENTROPY: Kind[Term] = Kind(lambda spec, statistics, recipe: plain(cross_entropy), free=True)
