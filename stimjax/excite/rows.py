"""Which training windows a class's statistics come from."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from stimjax.batch import Batch

LEAST = 50  # windows behind every published number; a rarer class borrows from the others
MOST_ROWS = 20_000  # windows that are looked at
MOST_VALUES = 40_000_000  # and values in all, for memory's sake


def sampled(train: Batch) -> tuple[Float[np.ndarray, "n ..."], Int[np.ndarray, " n"]]:
    """Windows and the number of their most probable class; some at random if there are many."""
    most = max(LEAST, min(MOST_ROWS, MOST_VALUES // int(np.prod(train.spec.shape))))
    label = train.label
    if len(train) <= most:
        return np.asarray(train.x), label
    order = np.random.default_rng(0).permutation(len(train))
    rank = np.empty(len(train), int)  # of a window among those of its class
    for number in np.unique(label):
        mine = order[label[order] == number]
        rank[mine] = np.arange(len(mine))
    # First the same few of every class, then as frequent as they are.
    first = order[np.argsort(rank[order] >= LEAST, kind="stable")]
    rows = np.sort(first[:most])
    return np.asarray(train.x)[rows], label[rows]


def of_class(label: Int[np.ndarray, " n"], number: int) -> Int[np.ndarray, " rows"]:
    """Rows of the class, filled up with random others to `LEAST` (or to all there are)."""
    mine, others = np.flatnonzero(label == number), np.flatnonzero(label != number)
    lacking = min(max(LEAST - len(mine), 0), len(others))
    more = np.random.default_rng(number).choice(others, lacking, replace=False)
    return np.concatenate([mine, more])
