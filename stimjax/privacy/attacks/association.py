"""Whose is it? One member among candidates who are not, told by the release or by a stimulus.

Source: the claim of Nikolaidis et al., "Learning realistic patterns from visually unrealistic
stimuli", JAIR 72, 2021: stimuli can hardly be associated with the person that they stem from. The
trial is ours. Each member subject is put among 9 others (or all but one, where there are fewer),
with as many windows of each: for who knows nothing, each of the n candidates is as likely. Subjects
with less than a quarter of the median number of windows are left out, or all would have as few.

- Of the whole release: each window is scored as in `nearest.score`, a candidate by the mean of its
  `BEST` highest scores. The mean over all ways to choose the others is taken exactly.
  By shadows (`by_shadows`), a candidate is scored by what `lira` sees of its windows.
- Of a stimulus: it claims the candidate with the nearest window, and the more decidedly, the nearer
  that is against the second candidate's. Counted are the most decided stimuli of each trial: 5 %,
  but with many members fewer, since of M members one has about 1/M of the stimuli (see `decided`).
  The others are drawn up to `DRAWS` times for each member.

Threat model: the release, windows of each candidate, the knowledge that one of them took part, and
for the release also a cohort of the attacker's own.

Intervals are those of Korn and Graubard (Survey Methodology 24, 1998): of a binomial with as many
tries as the variance speaks of, at most one a member subject. The variance is a jackknife over
members and over others: one of these who resembles every stimulus, or none, changes all trials.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from jaxtyping import Bool, Float
from scipy.stats import beta, hypergeom

from stimjax.batch import Batch
from stimjax.privacy import space
from stimjax.privacy.attacks import nearest
from stimjax.privacy.findings import Attack, Finding, Scores, World, pool
from stimjax.students.intervals import LEVEL

NAME = "association"
BY_SHADOWS = "association_by_shadows"
OTHERS = 9  # candidates beside the member
BEST = 5  # windows that speak for a candidate
DECIDED, LEAST = 0.05, 20  # part of the stimuli, at most; stimuli, at least
DRAWS = 30  # of the others, for each member
TRIALS = 1_000  # about, in all
WINDOWS = 500  # of a candidate, at most
STIMULI = 10_000  # of which the most decided are sought


def run(world: World) -> list[Finding]:
    """Findings for the release (top1 and top5) and for single stimuli (top1)."""
    world = _even(world)
    points = space.points(world)
    subjects = len(np.unique(world.others.subject))
    drawn = min(OTHERS, max(1, subjects - 1))
    return [*_of_release(world, points, drawn), _of_stimuli(world, points, drawn)]


def _even(world: World) -> World:
    """The world with as many windows of each subject; who has few is left out."""
    sides = [_long(side) for side in (world.members, world.others)]
    least = min(int(np.unique(side.subject, return_counts=True)[1].min()) for side in sides)
    members, others = (_of_each(side, min(WINDOWS, least), world.seed) for side in sides)
    return space.sample(world)._replace(members=members, others=others)


def _long(side: Batch) -> Batch:
    """The windows of subjects who have at least a quarter of the median number."""
    subject, count = np.unique(side.subject, return_counts=True)
    return side[np.isin(side.subject, subject[4 * count >= np.median(count)])]


def _of_each(side: Batch, count: int, seed: int) -> Batch:
    """`count` windows of each subject, at random, subject after subject."""
    rng, subject = np.random.default_rng(seed), np.asarray(side.subject)
    rows = [rng.permutation(np.flatnonzero(subject == one))[:count] for one in np.unique(subject)]
    return side[np.concatenate(rows)]


def _of_release(world: World, points: space.Points, drawn: int) -> list[Finding]:
    rng = np.random.default_rng(world.seed)
    ours, theirs = (
        _candidates(nearest.score(space.near(each, points)), side, rng)
        for each, side in ((points.members, world.members), (points.others, world.others))
    )
    return _places(NAME, theirs > ours[:, None], drawn)


def by_shadows(scores: Mapping[str, Callable[[World], Scores]]) -> Attack:
    """The attack on the release by `scores`, which know releases with and without each candidate.

    A candidate is scored by the mean of its windows, all of them. Of the scores, which the attacks
    that they are from name, the one counts by which most members are the first candidate.
    """

    def run(world: World) -> list[Finding]:
        tried = {name: _by_score(score(world), world) for name, score in scores.items()}
        best = max(tried, key=lambda name: tried[name][0].value or 0.0)
        note = f"by {best}, the strongest of {len(tried)}"
        return [one._replace(note=one.note or note) for one in tried[best]]

    return ATTACK._replace(
        name=BY_SHADOWS,
        holds=f"{ATTACK.holds}; and shadow releases with and without each candidate",
        run=run,
    )


def _by_score(scores: Scores, world: World) -> list[Finding]:
    ours, theirs = (
        pool(one, np.asarray(side.subject))
        for one, side in ((scores.members, world.members), (scores.others, world.others))
    )
    drawn = min(OTHERS, max(1, len(theirs) - 1))
    return _places(BY_SHADOWS, theirs > ours[:, None], drawn)


def _places(name: str, better: Bool[np.ndarray, "members others"], drawn: int) -> list[Finding]:
    """How often a member is the first candidate, and among the first five.

    Args:
        name: of the attack.
        better: whether an other's score is above the member's.
        drawn: others in a trial.
    """
    pools = [np.delete(better, j, axis=1) for j in range(better.shape[1])]
    findings = []
    for top in (1, 5):
        if top > drawn:
            note = f"there are only {1 + drawn} candidates"
            findings.append(Finding(name, f"top{top}", "release", None, None, 1.0, note))
            continue
        hits = ranked(better, top, drawn)
        without = [ranked(pool, top, drawn).mean() for pool in pools if pool.shape[1] >= drawn]
        chance = top / (1 + drawn)
        findings.append(_finding(f"top{top}", "release", hits, np.array(without), chance, name))
    return findings


def _candidates(
    score: Float[np.ndarray, " n"], side: Batch, rng: np.random.Generator
) -> Float[np.ndarray, " subject"]:
    """The mean of each subject's highest scores; `side` is in order of subjects, all as long."""
    each = np.sort(score.reshape(len(np.unique(side.subject)), -1), axis=1)[:, -BEST:].mean(axis=1)
    return each + 1e-9 * rng.random(len(each))  # chance decides between equals


def ranked(
    better: Bool[np.ndarray, "members others"], top: int, drawn: int
) -> Float[np.ndarray, " members"]:
    """The chance that a member is among the `top` candidates when `drawn` others are drawn.

    Args:
        better: whether an other's score is above the member's.
        top: places that count.
        drawn: of the others, without repetition; at most all of them.
    """
    count = better.sum(axis=1)
    return np.asarray(hypergeom.cdf(top - 1, better.shape[1], count, drawn), np.float64)


def _of_stimuli(world: World, points: space.Points, drawn: int) -> Finding:
    rng = np.random.default_rng(world.seed)
    stimuli = points.release[rng.permutation(len(points.release))[:STIMULI]]
    ours = _to_each(stimuli, points.members, world.members)
    theirs = _to_each(stimuli, points.others, world.others)
    members, others = ours.shape[1], theirs.shape[1]
    draws = int(np.clip(TRIALS // members, 5, DRAWS))
    hits, absent = np.zeros((members, draws)), np.ones((members, draws, others), bool)
    for i, j in np.ndindex(members, draws):
        chosen = rng.permutation(others)[:drawn]
        absent[i, j, chosen] = False
        hits[i, j] = claims(ours[:, i], theirs[:, chosen], decided(len(stimuli), members))
    without = [hits[absent[:, :, k]].mean() for k in range(others) if absent[:, :, k].any()]
    chance = 1 / (1 + drawn)
    return _finding("top1", "stimulus", hits.mean(axis=1), np.array(without), chance)


def _to_each(
    stimuli: Float[np.ndarray, "stimuli k"], windows: Float[np.ndarray, "n k"], side: Batch
) -> Float[np.ndarray, "stimuli subject"]:
    """From each stimulus to the nearest window of each subject; `side` is in their order."""
    each = windows.reshape(len(np.unique(side.subject)), -1, windows.shape[1])
    return np.stack([space.neighbors(stimuli, own)[0][:, 0] for own in each], axis=1)


def decided(stimuli: int, members: int) -> int:
    """How many stimuli count in a trial: a quarter of what a member's share would be, or 5 %."""
    return min(stimuli, max(LEAST, round(stimuli * min(DECIDED, 1 / (4 * members)))))


def claims(
    ours: Float[np.ndarray, " stimuli"], theirs: Float[np.ndarray, "stimuli others"], count: int
) -> float:
    """How often the member is the nearest candidate of the `count` most decided stimuli.

    Args:
        ours: from each stimulus to the member's nearest window.
        theirs: to that of each other candidate.
        count: of stimuli.
    """
    both = np.concatenate([ours[:, None], theirs], axis=1) + space.FLOOR
    near = np.partition(both, 1, axis=1)
    rows = np.argpartition(near[:, 0] / near[:, 1], count - 1)[:count]
    mine, rival = both[rows, 0], both[rows, 1:].min(axis=1)
    return float((mine < rival).mean() + (mine == rival).mean() / 2)


def _finding(
    metric: str,
    level: str,
    hits: Float[np.ndarray, " members"],
    without: Float[np.ndarray, " others"],
    chance: float,
    name: str = NAME,
) -> Finding:
    """The mean over members; `without` are the values when each of the others is left out."""
    value = float(hits.mean())
    return Finding(name, metric, level, value, interval(value, hits, without), chance)


def interval(
    value: float, hits: Float[np.ndarray, " members"], without: Float[np.ndarray, " others"]
) -> tuple[float, float]:
    """The interval of a mean over members; (0, 1) if there are not two on each side."""
    members, others = len(hits), len(without)
    if min(members, others) < 2:
        return 0.0, 1.0
    variance = hits.var(ddof=1) / members + (others - 1) * without.var()
    tries = min(members, value * (1 - value) / variance) if variance > 0 else members
    successes, tail = value * tries, (1 - LEVEL) / 2
    low = beta.ppf(tail, successes, tries - successes + 1) if value > 0 else 0.0
    high = beta.ppf(1 - tail, successes + 1, tries - successes) if value < 1 else 1.0
    return float(low), float(high)


ATTACK = Attack(
    name=NAME,
    holds="the release, windows of ten candidates of whom one took part, and a cohort of its own",
    source="the claim of Nikolaidis et al., JAIR 72, 2021; the trials are ours",
    tells=(
        "Whether someone who knows that one of ten people took part can tell that it was you, "
        "from the release or from a single stimulus."
    ),
    run=run,
)
