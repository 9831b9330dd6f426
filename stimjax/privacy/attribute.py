"""Attribute inference: how ill a participant is, told from windows without labels.

Source: the inference of attributes that Stadler, Oprisanu and Troncoso try on synthetic data,
"Synthetic Data - Anonymisation Groundhog Day", USENIX Security 2022 (arXiv 2011.07018): what a
release lets one predict of members beyond what it lets one predict of anybody.

The attribute is the band of severity, one of three of equal size: the fraction of a subject's
windows that are of one class, which is apnea where there are two classes and else the rarest in the
cohort. The attacker trains gradient boosting on the release alone (points of `space`, soft labels),
predicts that fraction from the subject's windows, and takes its band among the predictions for the
cohort; the true bands are those of the cohort's true fractions. The finding is the share of bands
predicted right among members, minus that among others: that severity can be told of anybody is the
use of a release and no leak.

Sex, age and the recording device are not audited: windows hold none of them.

Threat model: the release, windows of a subject without labels, and a cohort with labels.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from jaxtyping import Bool, Float

from stimjax.batch import Batch
from stimjax.privacy import space
from stimjax.privacy.attack import FEW, LEVEL, RESAMPLES, Attack, Finding, World, pool
from stimjax.study import classical

NAME = "attribute"
MODEL = "gradient_boosting"
BANDS = 3


def run(world: World) -> list[Finding]:
    """The advantage on members, for subjects."""
    world = space.sample(world)
    which = attribute(world.reference)
    truth = [pool(_of_class(side, which), np.asarray(side.subject)) for side in _people(world)]
    guess = _predicted(world, which)
    right = [banded(guess[i], guess[2]) == banded(truth[i], truth[2]) for i in range(2)]
    few = min(map(len, right))
    value, interval = advantage(*right, world.seed)
    note = f"the fraction of windows of the class {world.release.spec.classes[which]!r}"
    if few < FEW:
        note += f"; only {few} subjects on one side: trust the interval, not the value"
    return [Finding(NAME, "advantage", "subject", value, interval, 0.0, note)]


def attribute(reference: Batch) -> int:
    """The class whose fraction is the severity: 1 of two, else the rarest that there is."""
    count = np.asarray(reference.y).sum(axis=0)
    return 1 if len(count) == 2 else int(np.where(count > 0, count, np.inf).argmin())


def banded(
    fraction: Float[np.ndarray, " subjects"], cohort: Float[np.ndarray, " cohort"]
) -> np.ndarray:
    """The number of each subject's band, bands being equally large in the cohort, i[subjects]."""
    return np.digitize(fraction, np.quantile(cohort, np.arange(1, BANDS) / BANDS))


def advantage(
    members: Bool[np.ndarray, " m"], others: Bool[np.ndarray, " n"], seed: int = 0
) -> tuple[float, tuple[float, float]]:
    """The share of members that are right minus that of others, and its interval.

    The bootstrap resamples subjects on both sides; with one on a side the interval is (-1, 1).
    """
    value = float(members.mean() - others.mean())
    if min(len(members), len(others)) < 2:
        return value, (-1.0, 1.0)
    rng = np.random.default_rng(seed)
    # As many successes as a resample of subjects holds; one more of either kind on each side,
    # since subjects that are all right or all wrong would leave no doubt.
    drawn = [
        rng.binomial(len(side), (side.sum() + 1) / (len(side) + 2), RESAMPLES) / len(side)
        for side in (members, others)
    ]
    low, high = np.quantile(drawn[0] - drawn[1], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return value, (float(low), float(high))


def _people(world: World) -> tuple[Batch, Batch, Batch]:
    return world.members, world.others, world.reference


def _of_class(side: Batch, which: int) -> Float[np.ndarray, " n"]:
    return (np.asarray(side.y).argmax(axis=1) == which).astype(np.float64)


def _predicted(world: World, which: int) -> list[Float[np.ndarray, " subjects"]]:
    """The predicted fraction of each subject's windows, for members, others and reference."""
    points = space.points(world)
    train = dataclasses.replace(world.release, x=points.release[:, :, None])
    people = (points.members, points.others, points.reference)
    x = np.concatenate(people)[:, :, None]
    probability = classical.train_and_predict(MODEL, train, x, world.seed)[:, which]
    parts = np.split(probability, np.cumsum([len(part) for part in people])[:-1])
    return [
        pool(part, np.asarray(side.subject))
        for part, side in zip(parts, _people(world), strict=True)
    ]


ATTACK = Attack(
    name=NAME,
    holds="the release, windows of a subject without labels, and a cohort with labels",
    source="Stadler et al., Synthetic Data - Anonymisation Groundhog Day, arXiv 2011.07018",
    tells=(
        "Whether the release tells more about how ill you are than about how ill somebody is who "
        "took no part."
    ),
    run=run,
)
