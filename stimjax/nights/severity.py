"""Apnea minutes an hour: with an interval that knows that neighbors go together, and as a class.

A minute that holds an apnea is counted once, whatever number of events it holds. So this is no
AHI, and the bounds are those of the AHI laid upon minutes.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.stats import norm

from stimjax.disk.documents import Interval

BOUNDS = (5.0, 15.0, 30.0)  # apnea minutes an hour from which the next class begins
SEVERITIES = ("none", "mild", "moderate", "severe")
MINUTES_AN_HOUR = 60.0
HOW = (
    "Wilson's interval for a two-state Markov chain: the number of minutes is reduced by how much "
    "neighboring minutes go together (Miao and Gastwirth, The American Statistician 58, 2004). It "
    "speaks of other minutes of the same night, not of the model's mistakes."
)


@dataclasses.dataclass(frozen=True)
class Rate:
    """Apnea minutes an hour of a night.

    Attributes:
        value: of the minutes that could be scored.
        interval: of 95 %, see `HOW`.
        severity: one of `SEVERITIES`.
    """

    value: float
    interval: Interval
    severity: str


def rate(start: Float[np.ndarray, " n"], apnea: Bool[np.ndarray, " n"], seconds: float) -> Rate:
    """Apnea minutes an hour of some minutes of a night.

    Args:
        start: of each minute, in s, in order; there may be gaps.
        apnea: whether it is one.
        seconds: the length of a minute.

    Raises:
        ValueError: there is no minute.
    """
    if not len(apnea):
        raise ValueError("a night without a minute has no rate")
    low, high = wilson(float(apnea.mean()), len(apnea) / inflation(start, apnea, seconds))
    value = MINUTES_AN_HOUR * float(apnea.mean())
    ends = MINUTES_AN_HOUR * low, MINUTES_AN_HOUR * high
    return Rate(value, ends, SEVERITIES[int(severity(np.array([value]))[0])])


def severity(an_hour: Float[np.ndarray, " n"]) -> Int[np.ndarray, " n"]:
    """The class of apnea minutes an hour, an index into `SEVERITIES`: 5 is mild already."""
    return np.searchsorted(BOUNDS, an_hour, side="right")


def inflation(
    start: Float[np.ndarray, " n"], apnea: Bool[np.ndarray, " n"], seconds: float
) -> float:
    """How many minutes say as much as one would say if minutes were independent, at least 1.

    (1 + r) / (1 - r) with r the correlation of minutes that follow each other without a gap, as
    in a two-state Markov chain. Below 0 it is taken to be 0.
    """
    follows = np.abs(np.diff(start) - seconds) < seconds / 2
    share = float(apnea.mean())
    variance = share * (1 - share)
    if not follows.any() or variance == 0:
        return 1.0
    first, second = apnea[:-1][follows] - share, apnea[1:][follows] - share
    together = float(np.mean(first * second)) / variance
    together = min(max(together, 0.0), 1 - 1 / len(apnea))  # a single change in a night: not 1
    return (1 + together) / (1 - together)


def wilson(share: float, count: float) -> Interval:
    """Wilson's 95 % interval of a share.

    Args:
        share: of the trials that succeeded.
        count: of independent trials, which need not be whole.
    """
    z = float(norm.ppf(0.975))
    middle = share + z**2 / (2 * count)
    half = z * (share * (1 - share) / count + z**2 / (4 * count**2)) ** 0.5
    low, high = (middle - half) / (1 + z**2 / count), (middle + half) / (1 + z**2 / count)
    return max(low, 0.0), min(high, 1.0)
