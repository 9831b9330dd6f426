"""Hidden units that respond to one subject, and how to silence them.

A unit's selectivity is the largest effect size (Cohen, Statistical power analysis for the
behavioral sciences, 1988, section 2.2: difference of means in units of the standard deviation
within) of one subject's windows against those of all others, after the mean of each class is
taken away. A silenced unit shows its mean over the training windows, in every position: what
excitation drives, and what labels a stimulus, is the teacher without it. (Ours.)
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from stimjax.batch import NOBODY, Batch
from stimjax.excite.terms import Statistics
from stimjax.excite.terms.features import in_blocks
from stimjax.models import Model, Params
from stimjax.models.layers import Lesion

LARGE = 0.8  # an effect that Cohen calls large
USES = "mean activity and effect of the most selective subject, of every hidden unit"


def measure(train: Batch, model: Model, params: Params) -> dict[str, np.ndarray]:
    """How selective every hidden unit is, and its mean.

    Returns:
        `selective.N.effect f32[unit]` and `selective.N.mean f32[unit]` for each hidden layer N of
        the teacher; nothing where there are fewer than two subjects.
    """
    whose = np.asarray(train.subject)
    if len(np.unique(whose)) < 2 or (whose == NOBODY).any():
        return {}

    def means(x: Array) -> list[Array]:
        return [layer.mean(axis=1) for layer in model.hidden(params, x)[1]]

    blocks = [layers for _, layers in in_blocks(train, means)]
    label = np.asarray(train.y).argmax(axis=1)
    found = {}
    for number, layer in enumerate(zip(*blocks, strict=True)):
        activity = np.concatenate(layer).astype(float)
        found[f"selective.{number}.effect"] = effect(activity, whose, label).astype(np.float32)
        found[f"selective.{number}.mean"] = activity.mean(axis=0).astype(np.float32)
    return found


def effect(
    activity: Float[np.ndarray, "n unit"],
    subject: Int[np.ndarray, " n"],
    label: Int[np.ndarray, " n"],
) -> Float[np.ndarray, " unit"]:
    """The largest of the subjects' effect sizes against all others, of each unit."""
    _, group = np.unique(subject, return_inverse=True)
    rest = activity.copy()
    for number in np.unique(label):
        rest[label == number] -= rest[label == number].mean(axis=0)
    one_hot = np.eye(group.max() + 1)[group]
    count = one_hot.sum(axis=0)[:, None]
    total, square = one_hot.T @ rest, one_hot.T @ rest**2
    others = len(rest) - count
    difference = total / count - (total.sum(axis=0) - total) / others
    within = (square - total**2 / count) + (
        square.sum(axis=0) - square - (total.sum(axis=0) - total) ** 2 / others
    )
    deviation = np.sqrt(np.maximum(within, 0) / max(len(rest) - 2, 1))
    return (np.abs(difference) / (deviation + 1e-6)).max(axis=0)


def lesion(statistics: Statistics, strength: float) -> Lesion:
    """The most selective units of each layer, those with a large effect only.

    Args:
        statistics: what `measure` gave.
        strength: largest part of a layer that is silenced, from 0 to 1.
    """
    layers = sum(name.startswith("selective.") for name in statistics) // 2
    found: list[tuple[Array, Array]] = []
    for number in range(layers):
        size = np.asarray(statistics[f"selective.{number}.effect"])
        silent = np.zeros(len(size), bool)
        silent[np.argsort(-size, kind="stable")[: int(strength * len(size))]] = True
        mean = jnp.asarray(statistics[f"selective.{number}.mean"])
        found.append((jnp.asarray(silent & (size > LARGE)), mean))
    return tuple(found)
