"""What a lane is to reach, and when it has."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
from jaxtyping import Array, Bool, Float, Int


class Goal(NamedTuple):
    """What one stimulus is to reach: the teacher gives `target` more than `threshold`."""

    target: Int[Array, ""]
    threshold: Float[Array, ""]


class Acceptance(NamedTuple):
    """When a stimulus is done.

    Attributes:
        draw: `draw(key) -> Goal`, for each new stimulus.
        reached: `reached(goal, probability f32[class]) -> bool`.
        tries: steps after which a lane gives up.
    """

    draw: Callable[[Array], Goal]
    reached: Callable[[Goal, Float[Array, " classes"]], Bool[Array, ""]]
    tries: int


def confidence(classes: int, lowest: float, highest: float, tries: int) -> Acceptance:
    """A class drawn uniformly, and a threshold drawn uniformly from `lowest` to `highest`.

    Source: Nikolaidis et al., JAIR 72 (2021), with 0.75, 0.9999 and 50 tries.
    """

    def draw(key: Array) -> Goal:
        target_key, threshold_key = jax.random.split(key)
        return Goal(
            jax.random.randint(target_key, (), 0, classes),
            jax.random.uniform(threshold_key, (), minval=lowest, maxval=highest),
        )

    def reached(goal: Goal, probability: Float[Array, " classes"]) -> Bool[Array, ""]:
        return probability[goal.target] > goal.threshold

    return Acceptance(draw, reached, tries)
