"""Objective terms, one file each. A term is a function from what a lane has to one number."""

from __future__ import annotations

from typing import NamedTuple

from jaxtyping import Array, Float

from stimjax.excite.accept import Goal


class Excited(NamedTuple):
    """What a term may look at, for one lane.

    Attributes:
        window: f32[*shape], as rendered.
        logits: the teacher's, f32[class].
        goal: what the lane is to reach.
    """

    window: Float[Array, "..."]
    logits: Float[Array, " classes"]
    goal: Goal
