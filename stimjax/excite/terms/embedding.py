"""Random Fourier features of the windows, driven to those of their class."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from stimjax.batch import Batch, Spec
from stimjax.config.recipes import Recipe
from stimjax.excite import rows
from stimjax.excite.kind import Kind, Labeler, Statistic, Statistics
from stimjax.excite.terms.term import Excited, Term, class_means, mean_over

USES = "means of 512 random Fourier features of training windows of each class"
SIZE = 512
MOST = 2000  # windows whose distances give the width of the kernel


def measure(train: Batch, labeler: Labeler, earlier: Statistics) -> dict[str, np.ndarray]:
    """The mean embedding of each class.

    Returns:
        `embedding.frequencies f32[value, SIZE]` and `embedding.phases f32[SIZE]` (random; their
        scale is the median distance between windows), `embedding.mean f32[class, SIZE]`;
        `embedding.behind.classes`, see `rows.behind`.
    """
    del labeler, earlier
    rng = np.random.default_rng(0)
    crowd, classes = rows.everybody(train), train.y.shape[1]
    x = crowd.of(train.x).reshape(len(crowd.rows), -1)
    some = x[rng.permutation(len(x))[:MOST]]
    distance = np.sqrt(
        ((some[: len(some) // 2] - some[len(some) // 2 :][: len(some) // 2]) ** 2).sum(1)
    )
    width = max(float(np.median(distance)), 1e-6)
    frequencies = (rng.standard_normal((x.shape[1], SIZE)) / width).astype(np.float32)
    phases = rng.uniform(0, 2 * np.pi, SIZE).astype(np.float32)
    mean = np.zeros((classes, SIZE), np.float32)
    for number in range(classes):
        mine = x[rows.of_class(crowd, number, least=1)]
        mean[number] = np.cos(mine @ frequencies + phases).mean(axis=0)
    return {
        "embedding.frequencies": frequencies,
        "embedding.phases": phases,
        "embedding.mean": mean,
        f"embedding.{rows.BEHIND}.classes": rows.of_classes(crowd, classes, least=1),
    }


def make(spec: Spec, statistics: Statistics, recipe: Recipe) -> Term:
    """Squared distance of the mean embeddings by class: an estimated maximum mean discrepancy.

    With a Gaussian kernel of the windows' median distance (Rahimi and Recht, 2007; Gretton et al.,
    2012).
    """
    del spec, recipe
    frequencies = jnp.asarray(statistics["embedding.frequencies"])
    phases, mean = (jnp.asarray(statistics[f"embedding.{name}"]) for name in ("phases", "mean"))

    def init() -> Any:
        return (jnp.zeros_like(mean), jnp.zeros(len(mean)))

    def value(excited: Excited, memory: Any) -> tuple[Float[Array, ""], Any]:
        feature = jnp.cos(excited.window.ravel() @ frequencies + phases)
        running, here, memory = class_means(feature, excited.goal, memory)
        off = 2 * ((running - mean) ** 2).mean(axis=1)
        return mean_over(here, off), memory

    return Term(init, value)


EMBEDDING: Kind[Term] = Kind(make, (Statistic("embedding", measure),), (USES,))
