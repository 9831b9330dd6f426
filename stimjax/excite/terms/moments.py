"""The windows' own values, driven to the mean and covariance of their class."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from stimjax.batch import Batch, Spec
from stimjax.config.recipes import Recipe
from stimjax.excite import components, rows
from stimjax.excite.kind import Kind, Labeler, Statistic, Statistics
from stimjax.excite.terms.term import Excited, Term, class_means, mean_over

USES = "mean and covariance of training windows of each class in their principal components"
MOST = 40  # principal components that are matched


def measure(train: Batch, labeler: Labeler, earlier: Statistics) -> dict[str, np.ndarray]:
    """Mean and mean outer product of the scores in the leading principal components.

    Returns:
        `moments.mean f32[class, k]` and `moments.square f32[class, k, k]`, of scores in units of
        their spread; `moments.behind.classes`, see `rows.behind`.
    """
    del labeler
    crowd, classes = rows.everybody(train), train.y.shape[1]
    scores = np.asarray(_scores(crowd.of(train.x), components.of(earlier)))
    each = [scores[rows.of_class(crowd, number, least=1)] for number in range(classes)]
    return {
        "moments.mean": np.stack([mine.mean(axis=0) for mine in each]),
        "moments.square": np.stack([mine.T @ mine / len(mine) for mine in each]),
        f"moments.{rows.BEHIND}.classes": rows.of_classes(crowd, classes, least=1),
    }


def make(spec: Spec, statistics: Statistics, recipe: Recipe) -> Term:
    """Squared distance of mean and mean outer product, by class; mean over components (ours)."""
    del spec, recipe
    principal = components.of(statistics)
    mean, square = (
        jnp.asarray(statistics["moments.mean"]),
        jnp.asarray(statistics["moments.square"]),
    )
    classes, size = mean.shape

    def init() -> Any:
        return (jnp.zeros((classes, size * (size + 1))), jnp.zeros(classes))

    def value(excited: Excited, memory: Any) -> tuple[Float[Array, ""], Any]:
        score = _scores(excited.window[None], principal)[0]
        both = jnp.concatenate([score, jnp.outer(score, score).ravel()])
        running, here, memory = class_means(both, excited.goal, memory)
        first = ((running[:, :size] - mean) ** 2).mean(axis=1)
        second = ((running[:, size:] - square.reshape(classes, -1)) ** 2).sum(axis=1) / size
        return mean_over(here, first + second), memory

    return Term(init, value)


def _scores(
    x: Array | np.ndarray, principal: components.Components
) -> Float[Array | np.ndarray, "n k"]:
    basis = jnp.asarray(principal.basis)[:MOST]
    spread = jnp.maximum(jnp.asarray(principal.spread)[:MOST], 1e-6)
    centered = jnp.asarray(x).reshape(len(x), -1) - principal.center
    return centered @ (basis / spread[:, None]).T


MOMENTS: Kind[Term] = Kind(make, (components.COMPONENTS, Statistic("moments", measure)), (USES,))
