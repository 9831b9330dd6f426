"""Directions in which the teacher's representations tell subjects apart, and how to take them out.

The representation is what a network's last layer gets. Of its windows' representations, less the
mean of their class, the directions are the principal ones of the subjects' means, in coordinates in
which all windows together have unit covariance, and of no extent along the differences between the
classes. A direction counts if some subject differs in it by a large effect (Cohen, Statistical
power analysis for the behavioral sciences, 1988, section 2.2: difference of means in units of the
standard deviation within). Projected out obliquely, they change a representation the least, and
leave the mean of every class where it was.

The oblique projection is that of least-squares concept erasure (Belrose et al., "LEACE: Perfect
linear concept erasure in closed form", NeurIPS 2023, arXiv 2306.03819). Identity as the concept,
the effect size and the protection of the classes are ours: without the latter nothing of the
classes is left.
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from stimjax.batch import NOBODY, Batch
from stimjax.excite import rows
from stimjax.excite.kind import Labeler, Statistic, Statistics
from stimjax.learn.predict import in_blocks
from stimjax.models.layers import Erasure, Erasures

LARGE = 0.8  # an effect that Cohen calls large
RIDGE = 1e-4  # of the mean variance, added to each unit's: some are never active
USES = (
    "directions in which the teacher's last layers tell the subjects of the training windows apart"
)


def measure(train: Batch, labeler: Labeler, earlier: Statistics) -> dict[str, np.ndarray]:
    """The identity directions of every network of the teacher, the strongest first.

    Returns:
        `erasure.N.read` and `erasure.N.write f32[unit, unit]`, zeros after the last direction, and
        `erasure.N.mean f32[unit]`, for each network N, see `stimjax.models.layers.Erasure`, and
        `erasure.units i32[network]`; `erasure.behind.all`, see `rows.behind`; nothing where there
        are fewer than two subjects. Windows of nobody are left out.
    """
    del earlier
    train = train[np.asarray(train.subject) != NOBODY]
    if len(np.unique(train.subject)) < 2:
        return {}
    crowd = rows.everybody(train)
    train = train[crowd.rows]
    whose = np.asarray(train.subject)

    def represent(x: Array) -> list[Array]:
        return [network.represent(params, x) for network, params in labeler.models]

    blocks = [networks for _, networks in in_blocks(train, represent)]
    label = train.label
    arrays, units = {}, []
    for number, parts in enumerate(zip(*blocks, strict=True)):
        activity = np.concatenate(parts).astype(float)
        read, write = directions(activity, whose, label)
        arrays[f"erasure.{number}.read"] = read.astype(np.float32)
        arrays[f"erasure.{number}.write"] = write.astype(np.float32)
        arrays[f"erasure.{number}.mean"] = activity.mean(axis=0).astype(np.float32)
        units.append(activity.shape[1])
    units = np.array(units, np.int32)
    return arrays | {"erasure.units": units, f"erasure.{rows.BEHIND}.all": rows.of_all(crowd)}


def directions(
    activity: Float[np.ndarray, "n unit"],
    subject: Int[np.ndarray, " n"],
    label: Int[np.ndarray, " n"],
) -> tuple[Float[np.ndarray, "unit unit"], Float[np.ndarray, "unit unit"]]:
    """What is read of each direction and what it writes, f64[unit, unit], see `measure`."""
    _, group = np.unique(subject, return_inverse=True)
    _, kind = np.unique(label, return_inverse=True)
    rest = _without_classes(activity, label)
    covariance = rest.T @ rest / len(rest)
    mean = max(np.trace(covariance) / len(covariance), 1e-12)  # 0 of a network that is dead
    covariance += RIDGE * mean * np.eye(len(covariance))
    variance, axes = np.linalg.eigh(covariance)
    whiten, color = (axes * variance**power @ axes.T for power in (-0.5, 0.5))
    between = np.sqrt(np.bincount(group) / len(group))[:, None] * _means(rest, group) @ whiten
    classes = _means(activity - activity.mean(axis=0), kind) @ whiten
    _, size, basis = np.linalg.svd(classes, full_matrices=False)
    basis = basis[size > 1e-6 * size.max()]
    _, size, vectors = np.linalg.svd(between - between @ basis.T @ basis, full_matrices=False)
    vectors = vectors[size > 1e-6 * max(size.max(), 1e-6)]
    vectors = vectors[effect(rest @ whiten @ vectors.T, subject, label) >= LARGE]
    read, write = np.zeros_like(covariance), np.zeros_like(covariance)
    read[: len(vectors)], write[: len(vectors)] = vectors @ whiten, vectors @ color
    return read, write


def effect(
    activity: Float[np.ndarray, "n unit"],
    subject: Int[np.ndarray, " n"],
    label: Int[np.ndarray, " n"],
) -> Float[np.ndarray, " unit"]:
    """The largest of the subjects' effect sizes against all others, of each unit."""
    _, group = np.unique(subject, return_inverse=True)
    rest = _without_classes(activity, label)
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


def erasures(statistics: Statistics, strength: float) -> Erasures:
    """The part `strength` (from 0 to 1) of each network's directions, the strongest first.

    Raises:
        KeyError: they were not measured.
    """
    by_network = []
    for number in range(len(statistics["erasure.units"])):
        read, write, mean = (
            np.asarray(statistics[f"erasure.{number}.{part}"]) for part in Erasure._fields
        )
        by_network.append(strongest(read, write, mean, strength))
    return tuple(by_network)


def strongest(
    read: Float[np.ndarray, "unit unit"],
    write: Float[np.ndarray, "unit unit"],
    mean: Float[np.ndarray, " unit"],
    strength: float,
) -> Erasure:
    """The part `strength` of the directions that `directions` found, in float32."""
    kept = np.arange(len(read)) < round(strength * int(read.any(axis=1).sum()))
    parts = (read * kept[:, None], write * kept[:, None], mean)
    return Erasure(*(jnp.asarray(part, jnp.float32) for part in parts))


def _without_classes(
    activity: Float[np.ndarray, "n unit"], label: Int[np.ndarray, " n"]
) -> Float[np.ndarray, "n unit"]:
    """What is left of each window beside the mean of its class."""
    _, kind = np.unique(label, return_inverse=True)
    return activity - _means(activity, kind)[kind]


def _means(
    x: Float[np.ndarray, "n unit"], group: Int[np.ndarray, " n"]
) -> Float[np.ndarray, "group unit"]:
    """The mean of each group, whose numbers are 0, 1, and so on."""
    one_hot = np.eye(group.max() + 1)[group]
    return one_hot.T @ x / one_hot.sum(axis=0)[:, None]


ERASURE = Statistic("erasure", measure)
