"""What a lane is to reach, and when it has."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from stimjax.batch import Batch, Spec
from stimjax.config.recipes import Recipe
from stimjax.excite import rows
from stimjax.excite.kind import Kind, Labeler, Statistic, Statistics
from stimjax.learn import ledger

LEVELS = 21  # quantiles that describe how sure the teacher is of windows of a class
USES = "how sure the teacher is of training windows of each class, 21 quantiles a class"
FREQUENCY = "how frequent each class is among the training windows"


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


def prior(train: Batch, labeler: Labeler, earlier: Statistics) -> dict[str, np.ndarray]:
    """`classes.prior f32[class]`: how frequent each class is among the training windows.

    And `classes.prior.behind.all`, see `rows.behind`.
    """
    del labeler, earlier
    crowd = rows.everybody(train)
    count = np.bincount(crowd.label, minlength=train.y.shape[1])
    frequency = (count / len(crowd.label)).astype(np.float32)
    return {ledger.PRIOR: frequency, f"{ledger.PRIOR}.{rows.BEHIND}.all": rows.of_all(crowd)}


def confidence(train: Batch, labeler: Labeler, earlier: Statistics) -> dict[str, np.ndarray]:
    """How sure the teacher is of the training windows of each class.

    Returns:
        `confidence.level f32[class, LEVELS]`, quantiles of the teacher's softmax for the scored
        class; `confidence.others f32[class, class]`, how the rest of the softmax is shared,
        alike where all classes stand for the class; and
        `confidence.behind.classes`, see `rows.behind`.
    """
    del earlier
    crowd, classes = rows.everybody(train), train.y.shape[1]
    probability = labeler.probability(train.x)[crowd.rows]
    others = np.full((classes, classes), 1.0) - np.eye(classes)
    level = np.ones((classes, LEVELS))
    for number in range(classes):
        inside = rows.of_class(crowd, number, least=1)
        label, answer = crowd.label[inside], probability[inside]
        sure = answer[np.arange(len(inside)), label]
        level[number] = np.quantile(sure, np.linspace(0, 1, LEVELS))
        if (label == number).all():
            others[number] += answer.sum(axis=0) * (np.arange(classes) != number)
    return {
        "confidence.level": level.astype(np.float32),
        "confidence.others": (others / others.sum(axis=1, keepdims=True)).astype(np.float32),
        f"confidence.{rows.BEHIND}.classes": rows.of_classes(crowd, classes, least=1),
    }


PRIOR = Statistic(ledger.PRIOR, prior)
CONFIDENCE = Statistic("confidence", confidence)

Label = Callable[[Array, Array], Float[Array, " classes"]]  # (key, class) -> what is wanted


def _of_class(spec: Spec, statistics: Statistics, recipe: Recipe) -> Label:
    """The class alone."""
    del statistics, recipe
    return lambda key, target: jax.nn.one_hot(target, len(spec.classes))


def _as_sure(spec: Spec, statistics: Statistics, recipe: Recipe) -> Label:
    """As sure of the class as the teacher is of a training window of it, drawn at random."""
    del recipe
    level, others = (jnp.asarray(statistics[f"confidence.{name}"]) for name in ("level", "others"))

    def label(key: Array, target: Array) -> Float[Array, " classes"]:
        grid = jnp.linspace(0, 1, LEVELS)
        sure = jnp.interp(jax.random.uniform(key), grid, level[target])
        wanted = jax.nn.one_hot(target, len(spec.classes))
        return sure * wanted + (1 - sure) * others[target]

    return label


TARGETS: dict[str, Kind[Label]] = {
    "class": Kind(_of_class, free=True),
    "histogram": Kind(_as_sure, (CONFIDENCE,), (USES,)),
}


def _alike(spec: Spec, statistics: Statistics, recipe: Recipe) -> None:
    """Every class as often."""


def _as_frequent(spec: Spec, statistics: Statistics, recipe: Recipe) -> Float[Array, " classes"]:
    """Each class as often as among the training windows."""
    del spec, recipe
    return jnp.asarray(statistics[ledger.PRIOR])


# How often each class is wanted; `collect.places` says how many stimuli of each are kept.
BALANCES: dict[str, Kind[Float[Array, " classes"] | None]] = {
    "none": Kind(_alike, free=True),
    "uniform": Kind(_alike, free=True),
    "prior": Kind(_as_frequent, (PRIOR,), (FREQUENCY,)),
    "weighted": Kind(_alike, (PRIOR,), (FREQUENCY,)),
}

Reached = Callable[[Goal, Float[Array, " classes"], Int[Array, ""]], Bool[Array, ""]]


def _at_the_end(spec: Spec, statistics: Statistics, recipe: Recipe) -> Reached:
    """After all tries; at once where nothing is excited."""
    return lambda goal, probability, tries: (tries >= recipe.tries) | ~goal.excited


def _once_sure(spec: Spec, statistics: Statistics, recipe: Recipe) -> Reached:
    """As soon as the teacher gives the wanted class more than the goal's threshold."""
    return lambda goal, probability, tries: (
        (probability[goal.target] > goal.threshold) | ~goal.excited
    )


ENDS: dict[str, Kind[Reached]] = {
    "end": Kind(_at_the_end, free=True),
    "threshold": Kind(_once_sure, (), ("whether a try reached its threshold",), free=True),
}


def acceptance(spec: Spec, recipe: Recipe, statistics: Statistics) -> Acceptance:
    """Targets, thresholds and the end of a try as `recipe` has them.

    Classes are drawn uniformly, unless stimuli are to be as frequent as training windows.
    The paper's (Nikolaidis et al., JAIR 72, 2021): a class drawn uniformly, a threshold drawn
    uniformly from 0.75 to 0.9999, and 50 tries.

    Raises:
        KeyError: a statistic is missing.
    """
    frequency = BALANCES[recipe.balance].make(spec, statistics, recipe)
    # What is not excited is driven to nothing.
    wanted = TARGETS[recipe.targets if recipe.tries else "class"]
    label = wanted.make(spec, statistics, recipe)

    def draw(key: Array) -> Goal:
        target_key, threshold_key, label_key, excited_key = jax.random.split(key, 4)
        target = jax.random.choice(target_key, len(spec.classes), p=frequency)
        return Goal(
            target.astype(jnp.int32),
            label(label_key, target),
            jax.random.uniform(threshold_key, (), minval=recipe.lowest, maxval=recipe.highest),
            jax.random.uniform(excited_key) >= recipe.unexcited,
            jax.random.uniform(jax.random.fold_in(excited_key, 0)) < recipe.views,
        )

    return Acceptance(draw, ENDS[recipe.accept].make(spec, statistics, recipe), recipe.tries)
