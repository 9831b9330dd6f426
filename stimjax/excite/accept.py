"""What a lane is to reach, and when it has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from stimjax.batch import Batch
from stimjax.config.recipes import Recipe

LEVELS = 21  # quantiles that describe how sure the teacher is of windows of a class
USES = "how sure the teacher is of training windows of each class, 21 quantiles a class"
PRIOR = "how frequent each class is among the training windows"


class Goal(NamedTuple):
    """What one stimulus is to reach.

    Attributes:
        target: the wanted class.
        label: a probability for each class, to drive the teacher to; most of it is the target's.
        threshold: the teacher has to give the target more than this, where that ends a try.
        excited: False takes what the source gave.
        view: True publishes a view of this stimulus and another.
    """

    target: Int[Array, ""]
    label: Float[Array, " classes"]
    threshold: Float[Array, ""]
    excited: Bool[Array, ""]
    view: Bool[Array, ""]


class Acceptance(NamedTuple):
    """When a stimulus is done.

    Attributes:
        draw: `draw(key) -> Goal`, for each new stimulus.
        reached: `reached(goal, probability f32[class], tries) -> bool` after `tries` steps.
        tries: steps after which a lane gives up.
    """

    draw: Callable[[Array], Goal]
    reached: Callable[[Goal, Float[Array, " classes"], Int[Array, ""]], Bool[Array, ""]]
    tries: int


def measure(train: Batch, probability: Float[np.ndarray, "n classes"]) -> dict[str, np.ndarray]:
    """What `acceptance` may use of the training windows.

    Args:
        train: the private training windows.
        probability: the teacher's softmax for them.

    Returns:
        `classes.prior f32[class]`, how frequent each class is; `classes.confidence f32[class,
        LEVELS]`, quantiles of the teacher's softmax for the scored class; and `classes.others
        f32[class, class]`, how the rest of the softmax is shared.
    """
    scored = np.asarray(train.y).argmax(axis=1)
    classes = train.y.shape[1]
    others = np.full((classes, classes), 1.0) - np.eye(classes)
    confidence = np.ones((classes, LEVELS))
    for number in np.unique(scored):
        rows = probability[scored == number]
        confidence[number] = np.quantile(rows[:, number], np.linspace(0, 1, LEVELS))
        others[number] += rows.sum(axis=0) * (np.arange(classes) != number)
    return {
        "classes.prior": (np.bincount(scored, minlength=classes) / len(scored)).astype(np.float32),
        "classes.confidence": confidence.astype(np.float32),
        "classes.others": (others / others.sum(axis=1, keepdims=True)).astype(np.float32),
    }


def acceptance(
    recipe: Recipe, classes: int, statistics: Mapping[str, Array | np.ndarray]
) -> Acceptance:
    """Targets, thresholds and the end of a try as `recipe` has them.

    Classes are drawn uniformly, unless stimuli are to be as frequent as training windows.

    The paper's (Nikolaidis et al., JAIR 72, 2021): a class drawn uniformly, a threshold drawn
    uniformly from 0.75 to 0.9999, and 50 tries.
    """
    prior = jnp.asarray(statistics["classes.prior"]) if recipe.balance == "prior" else None

    def draw(key: Array) -> Goal:
        target_key, threshold_key, label_key, excited_key = jax.random.split(key, 4)
        target = jax.random.choice(target_key, classes, p=prior)
        return Goal(
            target.astype(jnp.int32),
            label(label_key, target),
            jax.random.uniform(threshold_key, (), minval=recipe.lowest, maxval=recipe.highest),
            jax.random.uniform(excited_key) >= recipe.unexcited,
            jax.random.uniform(jax.random.fold_in(excited_key, 0)) < recipe.views,
        )

    def label(key: Array, target: Array) -> Array:
        wanted = jax.nn.one_hot(target, classes)
        if recipe.targets == "class":
            return wanted
        level = jax.random.uniform(key)
        if recipe.targets == "spread":
            sure = 1 - (1 - 1 / classes) * level**4  # from undecided to sure, most of them sure
            rest = (1 - wanted) / (classes - 1)
        else:
            grid = jnp.linspace(0, 1, LEVELS)
            sure = jnp.interp(level, grid, jnp.asarray(statistics["classes.confidence"])[target])
            rest = jnp.asarray(statistics["classes.others"])[target]
        return sure * wanted + (1 - sure) * rest

    def reached(goal: Goal, probability: Array, tries: Array) -> Array:
        if recipe.accept == "end":
            return (tries >= recipe.tries) | ~goal.excited
        return (probability[goal.target] > goal.threshold) | ~goal.excited

    return Acceptance(draw, reached, recipe.tries)
