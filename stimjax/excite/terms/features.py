"""Hidden neurons, driven to the activity that each class causes in them."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from stimjax.batch import Batch
from stimjax.excite import rows
from stimjax.excite.kind import Kind, Labeler, Statistic, Statistics
from stimjax.excite.terms.term import Excited, Term, class_means, mean_over
from stimjax.learn.predict import in_blocks

USES = "mean and variance of the activity of every hidden unit in training windows of each class"


def measure(train: Batch, labeler: Labeler, earlier: Statistics) -> dict[str, np.ndarray]:
    """Mean and variance of every hidden unit in windows of each class, over windows and positions.

    Returns:
        `features.N.mean f32[class, unit]` and `features.N.variance f32[class, unit]` for each
        hidden layer N of the teacher; `features.units i32[layer]`, the units of each;
        `features.classes i32[class]`, the windows of each class; `features.behind.classes`, see
        `rows.behind`.
    """
    del earlier
    model, params = labeler.model, labeler.params
    crowd, classes = rows.everybody(train), train.y.shape[1]
    wanted = np.zeros((len(train), classes))
    for number in range(classes):
        wanted[crowd.rows[rows.of_class(crowd, number, least=1)], number] = 1
    sums: list[np.ndarray] = []
    for inside, layers in in_blocks(train, lambda x: _moments(model.hidden(params, x)[1])):
        block = [wanted[inside].T @ np.asarray(layer, float) for layer in layers]
        sums = block if not sums else [a + b for a, b in zip(sums, block, strict=True)]
    count = np.bincount(crowd.label, minlength=classes)
    out: dict[str, np.ndarray] = {"features.classes": count.astype(np.int32)}
    out[f"features.{rows.BEHIND}.classes"] = rows.of_classes(crowd, classes, least=1)
    for number, total in enumerate(sums):
        mean, square = np.split(total / wanted.sum(axis=0)[:, None], 2, axis=1)
        out[f"features.{number}.mean"] = mean.astype(np.float32)
        out[f"features.{number}.variance"] = np.maximum(square - mean**2, 0).astype(np.float32)
    out["features.units"] = np.array([total.shape[1] // 2 for total in sums], np.int32)
    return out


def make(statistics: Statistics, by_class: bool) -> Term:
    """The distance of the hidden units' moments from those in the training windows.

    Mean and standard deviation of each unit, in units of its standard deviation over all classes,
    squared; mean over units, layers and, `by_class`, the classes that lanes want; else of all
    lanes together, against training windows in which each class is as frequent as in the lanes.
    Adapted from the matching of batch statistics by Yin et al., "Dreaming to Distill" (CVPR 2020),
    which is of all together; by class, without batch normalization, and with running moments
    (ours).
    """
    layers = range(len(statistics["features.units"]))
    means = [jnp.asarray(statistics[f"features.{i}.mean"]) for i in layers]
    variances = [jnp.asarray(statistics[f"features.{i}.variance"]) for i in layers]
    spreads = [jnp.sqrt(variance) for variance in variances]
    prior = jnp.asarray(statistics["features.classes"] / statistics["features.classes"].sum())
    unit = [_pooled(prior, m, v)[1] + 1e-3 for m, v in zip(means, variances, strict=True)]

    def init() -> Any:
        return [(jnp.zeros((len(mean), 2 * mean.shape[1])), jnp.zeros(len(mean))) for mean in means]

    def distance(i: int, running: Array, here: Array, count: Array) -> Float[Array, ""]:
        wanted = means[i], spreads[i]
        if not by_class:
            share = count / jnp.maximum(count.sum(), 1e-6)
            wanted = tuple(a[None] for a in _pooled(share, means[i], variances[i]))
            running, here = _sum(share, running)[None], here.any()[None]
        mean, square = jnp.split(running, 2, axis=1)
        spread = jnp.sqrt(jnp.maximum(square - mean**2, 1e-6))
        off = ((mean - wanted[0]) / unit[i]) ** 2 + ((spread - wanted[1]) / unit[i]) ** 2
        return mean_over(here, off.mean(axis=1))

    def value(excited: Excited, memory: Any) -> tuple[Float[Array, ""], Any]:
        total, kept = jnp.zeros(()), []
        moments = _moments(tuple(layer[None] for layer in excited.hidden))
        for i, layer in enumerate(moments):
            running, here, new = class_means(layer[0], excited.goal, memory[i])
            total += distance(i, running, here, new[1])
            kept.append(new)
        return total / jnp.maximum(len(kept), 1), kept

    return Term(init, value)


def _pooled(
    share: Float[Array, " class"], mean: Float[Array, "class unit"], variance: Array
) -> tuple[Float[Array, " unit"], Float[Array, " unit"]]:
    """Mean and standard deviation over all classes, of which each has its share."""
    middle = _sum(share, mean)
    return middle, jnp.sqrt(_sum(share, variance) + _sum(share, (mean - middle) ** 2))


def _sum(share: Float[Array, " class"], of: Float[Array, "class unit"]) -> Float[Array, " unit"]:
    """The weighted sum over classes, in float32 on every device; matrix products may be in less."""
    return (share[:, None] * of).sum(axis=0)


def _moments(hidden: tuple[Array, ...]) -> list[Array]:
    """Mean and mean square of each unit over the positions of each window, [n, 2 x unit]."""
    return [jnp.concatenate([h.mean(axis=1), (h**2).mean(axis=1)], axis=1) for h in hidden]


_MEASURED = Statistic("features", measure)
FEATURES: Kind[Term] = Kind(
    lambda spec, statistics, recipe: make(statistics, by_class=True), (_MEASURED,), (USES,)
)
FEATURES_GLOBAL: Kind[Term] = Kind(
    lambda spec, statistics, recipe: make(statistics, by_class=False), (_MEASURED,), (USES,)
)
