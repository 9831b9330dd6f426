"""Who took part, from means and covariances: of which people is the release the mean?

A release that is drawn from statistics of its members has, class by class, about the mean of their
first and second moments. The attacker regresses the release's moments on those of all of whom it
asks: the weight of a person is its score. It needs no seed, no teacher and no shadow release, and
no stimulus has to be near anybody's window.

That means over many numbers give away who is in them is known: Homer et al. (PLoS Genetics 4, 2008)
for genomes; Dwork et al., "Robust traceability from trace amounts" (FOCS 2015), in general. The
regression over all candidates together, so that what is common to all of them counts for nobody, is
ours. It is a ridge regression; its penalty is `RIDGE` of the mean square of a candidate's moments.
Moments are differences from the mean of all candidates, in units of their deviation; those of n
windows are drawn toward that mean by n / (n + `NOISY`), since those of a few are mostly noise.

Threat model: the release and windows of all of whom it asks, each with its class. Windows are
compared in a space that a cohort of the attacker's own spans (`space.py`), and this adds no more.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from stimjax.batch import Batch
from stimjax.privacy import space
from stimjax.privacy.findings import Attack, Finding, World, of_subjects

NAME = "moments"
RIDGE = 0.1
NOISY = 100  # windows whose moments are half noise


class Moments(NamedTuple):
    """First and second moments, class after class and of all windows, each with its windows."""

    value: Float[np.ndarray, "*of moment"]
    windows: Int[np.ndarray, "*of moment"]


def run(world: World) -> list[Finding]:
    """One finding: how well members are told from others, as whole subjects."""
    members, others = weights(space.surroundings(world).points, space.sample(world))
    return [of_subjects(NAME, members=members, others=others, seed=world.seed)]


def weights(
    points: space.Points, world: World
) -> tuple[Float[np.ndarray, " members"], Float[np.ndarray, " others"]]:
    """What each subject of either side, in order of numbers, has of the release's moments.

    Args:
        points: of `world`.
        world: whose subjects and classes are used.
    """
    members, others = (
        _by_subject(windows, side)
        for windows, side in ((points.members, world.members), (points.others, world.others))
    )
    release = moments(points.release, np.asarray(world.release.label), world.release.y.shape[1])
    both = (np.concatenate(parts) for parts in zip(members, others, strict=True))
    found = regressed(release.value, Moments(*both))
    return found[: len(members.value)], found[len(members.value) :]


def regressed(
    release: Float[np.ndarray, " moment"], candidates: Moments
) -> Float[np.ndarray, " n"]:
    """The weights of the candidates in the release."""
    known = candidates.windows > 0
    often = np.maximum(known.sum(axis=0), 1)
    center = np.where(known, candidates.value, 0).sum(axis=0) / often
    beside = np.where(known, candidates.value - center, 0)
    unit = np.sqrt((beside**2).sum(axis=0) / often) + space.FLOOR
    beside = beside / unit * candidates.windows / (candidates.windows + NOISY)
    alike = beside @ beside.T
    penalty = RIDGE * np.trace(alike) / len(alike) + space.FLOOR
    seen = beside @ ((release - center) / unit)
    return np.linalg.solve(alike + penalty * np.eye(len(alike)), seen)


def moments(
    points: Float[np.ndarray, "n k"], label: Int[np.ndarray, " n"], classes: int
) -> Moments:
    """Of some windows; 0 for a class that is absent."""
    upper = np.triu_indices(points.shape[1])
    value, windows = [], []
    for rows in (*(label == number for number in range(classes)), np.ones(len(label), bool)):
        of = points[rows].astype(np.float64)
        size = max(len(of), 1)
        value += [of.sum(axis=0) / size, (of.T @ of / size)[upper]]
        windows += [np.full(of.shape[1] + len(upper[0]), len(of))]
    return Moments(np.concatenate(value), np.concatenate(windows))


def _by_subject(points: Float[np.ndarray, "n k"], side: Batch) -> Moments:
    subject, label = np.asarray(side.subject), np.asarray(side.label)
    each = [
        moments(points[subject == one], label[subject == one], side.y.shape[1])
        for one in np.unique(subject)
    ]
    return Moments(*(np.stack(parts) for parts in zip(*each, strict=True)))


ATTACK = Attack(
    name=NAME,
    holds="the release, and windows of everybody of whom it asks",
    source="after Homer et al., PLoS Genetics 2008, and Dwork et al., FOCS 2015; the form is ours",
    tells=(
        "Whether someone who has recordings of you and of others can tell that you took part, "
        "because what stimuli are like on average is in part what you are like."
    ),
    run=run,
)
