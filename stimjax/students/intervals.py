"""The area under the ROC curve, and what a bootstrap says of any number."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float
from scipy.stats import rankdata

LEVEL = 0.95  # probability content of every interval


def percentile(
    values: Float[np.ndarray, " n"] | Sequence[float], tried: int = 1
) -> tuple[float, float]:
    """The middle part `LEVEL` of the values that the resamples of a bootstrap gave.

    Of the most striking of several numbers that were `tried` it is wider, so that those of all
    together miss no more often (Bonferroni).
    """
    tail = (1 - LEVEL) / (2 * tried)
    low, high = np.quantile(values, [tail, 1 - tail])
    return float(low), float(high)


def area(score: Float[np.ndarray, " n"], positive: Bool[np.ndarray, " n"]) -> float:
    """The chance that the score of a positive is above that of another; ties count half.

    There has to be one of either.
    """
    rank, ours = rankdata(score), int(positive.sum())
    return float((rank[positive].mean() - (ours + 1) / 2) / (len(positive) - ours))
