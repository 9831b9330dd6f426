"""Attribute inference: how ill a participant is, told from windows without labels.

Source: the inference of attributes that Stadler, Oprisanu and Troncoso try on synthetic data,
"Synthetic Data - Anonymisation Groundhog Day", USENIX Security 2022 (arXiv 2011.07018): what a
release lets one predict of members beyond what it lets one predict of anybody.

The attribute is the band of severity, one of three of equal size in the cohort: the fraction of a
subject's windows that are of one class, which is apnea where there are two classes and else the
rarest in the cohort. Two attackers learn from the release alone, in the points of `space`, and
predict that fraction from a subject's windows. `advantage` is that of one who gives each window the
label of the nearest stimulus, which is right for whoever was copied. `advantage_of_boosting` trains
gradient boosting on the soft labels, and takes the band among its predictions for the cohort. Each
is the share of bands that are right among members minus that among others: that severity can be
told of anybody is the use of a release and no leak.

Sex, age and the recording device are for `demographics`.

Threat model: the release, windows of a subject without labels, and a cohort with labels.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from jaxtyping import Bool, Float

from stimjax.batch import Batch
from stimjax.privacy import space
from stimjax.privacy.findings import FEW, RESAMPLES, Attack, Finding, World, pool
from stimjax.students import classical
from stimjax.students.intervals import percentile

NAME = "attribute"
MODEL = "gradient_boosting"
BANDS = 3


def run(world: World) -> list[Finding]:
    """The advantages on members, for subjects."""
    world = space.sample(world)
    which = attribute(world.reference)
    truth = _fractions(world, [_of_class(side, which) for side in _people(world)])
    points = space.points(world)
    note = f"the fraction of windows of the class {world.release.spec.classes[which]!r}"
    few = min(len(truth[0]), len(truth[1]))
    if few < FEW:
        note += f"; only {few} subjects on one side: trust the interval, not the value"
    findings = []
    for metric, predict in (("advantage", _of_nearest), ("advantage_of_boosting", _of_boosting)):
        guess = _fractions(world, predict(world, points, which))
        cohort = truth[2] if predict is _of_nearest else guess[2]
        right = [banded(guess[i], cohort) == banded(truth[i], truth[2]) for i in (0, 1)]
        value, interval = advantage(right[0], right[1], world.seed)
        findings.append(Finding(NAME, metric, "subject", value, interval, 0.0, note))
    return findings


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
    return value, percentile(drawn[0] - drawn[1])


def _people(world: World) -> tuple[Batch, Batch, Batch]:
    return world.members, world.others, world.reference


def _of_class(side: Batch, which: int) -> Float[np.ndarray, " n"]:
    return (side.label == which).astype(np.float64)


def _fractions(world: World, of: list[np.ndarray]) -> list[Float[np.ndarray, " subjects"]]:
    """The mean of each subject's windows, for members, others and reference."""
    sides = _people(world)
    return [pool(part, np.asarray(side.subject)) for part, side in zip(of, sides, strict=True)]


def _of_nearest(world: World, points: space.Points, which: int) -> list[np.ndarray]:
    label = _of_class(world.release, which)
    people = points.members, points.others, points.reference
    return [label[space.neighbors(part, points.release)[1][:, 0]] for part in people]


def _of_boosting(world: World, points: space.Points, which: int) -> list[np.ndarray]:
    train = dataclasses.replace(world.release, x=points.release[:, :, None])
    people = points.members, points.others, points.reference
    x = np.concatenate(people)[:, :, None]
    probability = classical.train_and_predict(MODEL, train, x, world.seed)[:, which]
    return np.split(probability, np.cumsum([len(part) for part in people])[:-1])


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
