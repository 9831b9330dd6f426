"""Which training windows a statistic is measured on, so that it is one of people.

Windows of a night are alike, so that fifty of them may be one person. What is published depends on
statistics of at least `PEOPLE` people, of whom none gives more than the part 1 / (`PEOPLE` - 1) of
the windows: then there are never fewer than `PEOPLE` - 1 in effect (1 / sum of squared shares), and
a fifth person of few windows does not cost the others theirs. Who has more windows than that gives
some at random. What too few people have is not measured; what is coarser stands in for it: the
class for a group, all classes for a class. Fewer people than `PEOPLE` in all count as enough, and
`behind` tells how many there were.

A window of nobody (of an image) has no person behind it and counts by itself. (The rule is ours;
fewest counts and dominance rules are those of statistical offices: Hundepool et al., "Statistical
disclosure control", 2012, section 4.2.)
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from stimjax.batch import NOBODY, Array, Batch

PEOPLE = 5  # behind every published number
LEAST = 50  # windows behind what sources draw from; a rarer class borrows from the others
MOST_ROWS = 20_000  # windows that are looked at
MOST_VALUES = 40_000_000  # and values in all, for memory's sake
BEHIND = "behind"  # in names of arrays: `NAME.behind.classes`, see `behind`


class Crowd(NamedTuple):
    """Windows that statistics may be measured on, of whom nobody gives too many.

    Attributes:
        rows: of the training windows, in order.
        label: the most probable class of each.
        subject: whose each is.
        people: how many have to be behind a statistic: `PEOPLE`, or all if these are fewer.
    """

    rows: Int[np.ndarray, " n"]
    label: Int[np.ndarray, " n"]
    subject: Int[np.ndarray, " n"]
    people: int

    def of(self, x: Array) -> np.ndarray:
        """Those of the training windows `x` that are in the crowd; not copied if all are."""
        x = np.asarray(x)
        return x if len(self.rows) == len(x) else x[self.rows]


def whole(train: Batch) -> Crowd:
    """All training windows as they are."""
    rows = np.arange(len(train))
    subject = np.asarray(train.subject)
    there = len(np.unique(subject[subject != NOBODY]))
    return Crowd(rows, train.label, subject, min(PEOPLE, there))


def everybody(train: Batch) -> Crowd:
    """All training windows, but for what somebody has too many of."""
    return _kept(whole(train))


def sampled(train: Batch) -> Crowd:
    """The same of some windows at random, if there are more than fit into memory."""
    most = max(LEAST, min(MOST_ROWS, MOST_VALUES // int(np.prod(train.spec.shape))))
    if len(train) <= most:
        return everybody(train)
    order = np.random.default_rng(0).permutation(len(train))
    rank = _rank(train.label, order)
    # First the same few of every class, then as frequent as they are.
    first = order[np.argsort(rank[order] >= LEAST, kind="stable")]
    some = np.sort(first[:most])
    here = whole(train[some])
    return _kept(here._replace(rows=some))


def of_class(crowd: Crowd, number: int, least: int = LEAST) -> Int[np.ndarray, " m"]:
    """Which of the crowd a class's statistics are measured on.

    Its windows, filled up with random others to `least`; of all classes, where it has too few
    people.
    """
    everyone = np.arange(len(crowd.rows))
    mine = fair(crowd, np.flatnonzero(crowd.label == number))
    if not len(mine):
        return everyone
    others = np.flatnonzero(crowd.label != number)
    lacking = min(max(least - len(mine), 0), len(others))
    if not lacking:
        return mine
    more = np.random.default_rng(number).choice(others, lacking, replace=False)
    filled = fair(crowd, np.concatenate([mine, more]))
    return filled if len(filled) >= min(least, len(everyone)) else everyone


def fair(crowd: Crowd, among: Int[np.ndarray, " m"]) -> Int[np.ndarray, " kept"]:
    """Those of `among` that a statistic may be measured on, in their order.

    All windows of nobody; of everybody else as many at random as keep to the rule, none where too
    few people have any. More of `among` never leave fewer.
    """
    subject = crowd.subject[among]
    known = np.flatnonzero(subject != NOBODY)
    if not len(known):
        return among
    order = np.random.default_rng(0).permutation(len(known))
    most = most_each(np.unique(subject[known], return_counts=True)[1], crowd.people)
    kept = np.ones(len(among), bool)
    kept[known] = _rank(subject[known], order) < most
    return among[kept]


def most_each(counts: Int[np.ndarray, " person"], people: int) -> int:
    """How many windows each may give, who has `counts`: the most that keeps to the rule.

    That is the largest m which is no more than 1 / (`people` - 1) of what is left,
    sum(min(counts, m)); 0 where there are fewer than `people`.
    """
    if len(counts) < people:
        return 0
    have = len(counts) - np.cumsum(np.bincount(counts))[:-1]  # who has 1, 2, ... windows or more
    left = np.cumsum(have)
    return int((left >= max(people - 1, 1) * np.arange(1, len(left) + 1)).sum())


def behind(crowd: Crowd, inside: Int[np.ndarray, " m"]) -> Float[np.ndarray, " 5"]:
    """Who is behind a statistic that was measured on `inside`.

    Returns:
        How many windows; of how many people; how many these are in effect, 1 / sum of their
        squared shares; the largest share; and whether the windows are of several classes (0 or 1).
    """
    subject = crowd.subject[inside]
    counts = np.unique(subject[subject != NOBODY], return_counts=True)[1]
    several = len(np.unique(crowd.label[inside])) > 1
    if not len(counts):
        return np.array([len(inside), 0, 0, 0, several], np.float32)
    share = counts / counts.sum()
    numbers = [len(inside), len(counts), 1 / (share**2).sum(), share.max(), several]
    return np.array(numbers, np.float32)


def of_classes(crowd: Crowd, classes: int, least: int = LEAST) -> Float[np.ndarray, "class 5"]:
    """`behind` of each class."""
    return np.stack([behind(crowd, of_class(crowd, number, least)) for number in range(classes)])


def of_all(crowd: Crowd) -> Float[np.ndarray, "1 5"]:
    """`behind` of the whole crowd."""
    return behind(crowd, np.arange(len(crowd.rows)))[None]


def _kept(crowd: Crowd) -> Crowd:
    """What is left where nobody gives too many of all windows."""
    kept = fair(crowd, np.arange(len(crowd.rows)))
    arrays = (crowd.rows[kept], crowd.label[kept], crowd.subject[kept])
    return Crowd(*arrays, crowd.people)


def _rank(group: Int[np.ndarray, " n"], order: Int[np.ndarray, " n"]) -> Int[np.ndarray, " n"]:
    """The place of each among those of its group, which stand in `order`."""
    rank = np.empty(len(group), int)
    for number in np.unique(group):
        mine = order[group[order] == number]
        rank[mine] = np.arange(len(mine))
    return rank
