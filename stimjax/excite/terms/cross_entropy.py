"""Cross-entropy between the wanted class and the teacher's output neuron."""

from __future__ import annotations

import optax
from jaxtyping import Array, Float

from stimjax.excite.terms import Excited


def cross_entropy(excited: Excited) -> Float[Array, ""]:
    """The paper's only term (Nikolaidis et al., JAIR 72, 2021)."""
    return optax.softmax_cross_entropy_with_integer_labels(excited.logits, excited.goal.target)
