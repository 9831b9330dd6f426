"""What an attack is tried on, what it finds, and how sure of it we can be.

An attack on membership gives a score to each window: higher where it looks more like one that
the teacher learned from. From these scores follow the area under the ROC curve and the share of
members found at a small rate of false alarms, for windows and, pooled over each night, for
subjects. Windows of one subject resemble each other, so that intervals resample subjects.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy.stats import binomtest

from stimjax.batch import Batch
from stimjax.data.people import Person
from stimjax.students.intervals import LEVEL, percentile

RESAMPLES = 1000
RATES = (0.01, 0.001)  # of false alarms
FEW = 5  # subjects on either side, below which an interval says more than a value


class World(NamedTuple):
    """What an attacker and those who judge the attack hold.

    Attributes:
        release: the stimuli.
        members: windows that the teacher learned from.
        others: windows of subjects who had no part in anything.
        reference: windows of further subjects, like them: the attacker's own cohort.
        seed: of all chance.
        people: what is known of subjects, by their numbers: sex, age, device.
    """

    release: Batch
    members: Batch
    others: Batch
    reference: Batch
    seed: int = 0
    people: Mapping[int, Person] = MappingProxyType({})


class Finding(NamedTuple):
    """One number that an attack gives.

    Attributes:
        attack: its name.
        metric: auc, tpr_at_fpr_0.01, top1 and so on.
        level: window, subject, stimulus or file: what one guess is about.
        value: None where the attack could not be tried, see `note`.
        interval: of 95 %; None where there is none.
        chance: the value of guessing.
        note: what a reader has to know beside the number.
    """

    attack: str
    metric: str
    level: str
    value: float | None
    interval: tuple[float, float] | None
    chance: float
    note: str = ""


class Scores(NamedTuple):
    """A score for each window of a world's members and of its others; higher is more a member."""

    members: Float[np.ndarray, " members"]
    others: Float[np.ndarray, " others"]


class Scored(NamedTuple):
    """Scores of one side, and the subject of each."""

    score: Float[np.ndarray, " n"]
    subject: Int[np.ndarray, " n"]

    def by_subject(self) -> list[np.ndarray]:
        """The scores of each subject, in order of its number."""
        return [self.score[self.subject == number] for number in np.unique(self.subject)]


class Attack(NamedTuple):
    """One way to learn something about individuals.

    Attributes:
        name: in `privacy.json`.
        holds: what the attacker has, in words: the threat model.
        source: where the attack was published.
        tells: what its number means to a participant, one sentence.
        run: tries it.
    """

    name: str
    holds: str
    source: str
    tells: str
    run: Callable[[World], list[Finding]]


def membership(name: str, scores: Scores, world: World) -> list[Finding]:
    """The findings of an attack on membership, for windows and for whole subjects.

    A subject's score is the mean of its windows' scores.
    """
    seed = world.seed
    ours = Scored(scores.members, np.asarray(world.members.subject))
    theirs = Scored(scores.others, np.asarray(world.others.subject))
    value, interval = auc(members=ours, others=theirs, seed=seed)
    findings = [Finding(name, "auc", "window", value, interval, 0.5)]
    for rate in RATES:
        metric = f"tpr_at_fpr_{rate:g}"
        if len(theirs.score) * rate < 1:
            note = f"{len(theirs.score)} windows of others are too few"
            findings.append(Finding(name, metric, "window", None, None, rate, note))
        else:
            value, interval = true_alarms(members=ours, others=theirs, rate=rate, seed=seed)
            findings.append(Finding(name, metric, "window", value, interval, rate))
    ours, theirs = _pooled(ours), _pooled(theirs)
    few = min(len(ours.score), len(theirs.score))
    note = (
        f"only {few} subjects on one side: trust the interval, not the value" if few < FEW else ""
    )
    value, interval = auc(members=ours, others=theirs, seed=seed)
    findings.append(Finding(name, "auc", "subject", value, interval, 0.5, note))
    return findings


def _pooled(side: Scored) -> Scored:
    """A side with one score for each subject."""
    score = pool(side.score, side.subject)
    return Scored(score, np.arange(len(score)))


def pool(
    score: Float[np.ndarray, " n"], subject: Int[np.ndarray, " n"]
) -> Float[np.ndarray, " subject"]:
    """The mean score of each subject, in order of its number."""
    _, group = np.unique(subject, return_inverse=True)
    return np.bincount(group, score) / np.bincount(group)


def auc(*, members: Scored, others: Scored, seed: int = 0) -> tuple[float, tuple[float, float]]:
    """The chance that a member's score is above another's, ties half, and its interval.

    The bootstrap resamples subjects on both sides; it uses that the area is a sum over pairs of
    subjects. With one subject on a side nothing can be resampled: then the interval is (0, 1).
    """
    ours, theirs = members.by_subject(), others.by_subject()
    wins = np.zeros((len(ours), len(theirs)))
    for j, their in enumerate(map(np.sort, theirs)):
        for i, our in enumerate(ours):
            below = np.searchsorted(their, our, "left") + np.searchsorted(their, our, "right")
            wins[i, j] = below.sum() / 2
    size, size_other = np.array(list(map(len, ours))), np.array(list(map(len, theirs)))
    value = float(wins.sum() / (size.sum() * size_other.sum()))
    if min(wins.shape) < 2:
        return value, (0.0, 1.0)
    often, often_other = _resampled(wins.shape[0], wins.shape[1], seed)
    drawn = ((often @ wins) * often_other).sum(axis=1) / (
        (often @ size) * (often_other @ size_other)
    )
    return value, percentile(drawn)


def true_alarms(
    *, members: Scored, others: Scored, rate: float, seed: int = 0
) -> tuple[float, tuple[float, float]]:
    """The share of members above the threshold that at most `rate` of the others exceed.

    The interval resamples subjects on both sides, so that the threshold is uncertain too.
    """

    def share(ours: np.ndarray, theirs: np.ndarray) -> float:
        allowed = int(rate * len(theirs))  # so many may lie above the threshold
        threshold = np.partition(theirs, len(theirs) - 1 - allowed)[len(theirs) - 1 - allowed]
        return float((ours > threshold).mean())

    ours, theirs = members.by_subject(), others.by_subject()
    value = share(members.score, others.score)
    if min(len(ours), len(theirs)) < 2:
        return value, (0.0, 1.0)
    rng = np.random.default_rng(seed)
    drawn = [
        share(
            np.concatenate([ours[i] for i in rng.integers(len(ours), size=len(ours))]),
            np.concatenate([theirs[i] for i in rng.integers(len(theirs), size=len(theirs))]),
        )
        for _ in range(RESAMPLES // 5)
    ]
    return value, percentile(drawn)


def share(hits: int, tries: int) -> tuple[float, tuple[float, float]]:
    """`hits / tries`, with the interval of Clopper and Pearson (1934) for independent tries."""
    interval = binomtest(hits, tries).proportion_ci(LEVEL)
    return hits / tries, (float(interval.low), float(interval.high))


def _resampled(ours: int, theirs: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """How often each subject is in each resample, f64[resample, subject], for either side."""
    rng = np.random.default_rng(seed)
    first, second = (
        rng.multinomial(n, np.full(n, 1 / n), RESAMPLES).astype(float) for n in (ours, theirs)
    )
    return first, second
