"""What of the teacher's answers is published: a label may say less than the whole softmax.

How sure a teacher is tells of whom it learned from, beyond which class it calls. Coarser answers
are an old remedy (Shokri, Stronati, Song, Shmatikov, "Membership inference attacks against machine
learning models", S&P 2017, section VIII); that they are rounded, and not mixed with the class, is
because a mixture could be taken apart again.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float


def rounded(y: Float[np.ndarray, "n classes"], step: float) -> Float[np.ndarray, "n classes"]:
    """Labels rounded to multiples of `step`, so that they still sum to 1.

    Args:
        y: probabilities f32.
        step: from 0 (as they are) to 1 (the most probable class alone; so it is, too, where every
            probability is rounded to 0).
    """
    if not step:
        return y
    levels = np.rint(np.asarray(y, float) / step)
    nothing = levels.sum(axis=1) == 0
    levels[nothing, y[nothing].argmax(axis=1)] = 1.0
    return (levels / levels.sum(axis=1, keepdims=True)).astype(np.float32)
