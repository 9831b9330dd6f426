"""How well two ratings of the same nights agree, night by night: pure functions on arrays.

A quantity of a night is a number such as its apnea minutes an hour. What is not defined, such as a
sensitivity where no night is positive, is None.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int
from scipy.stats import binomtest, f, t

from stimjax.disk.documents import Interval
from stimjax.nights.severity import BOUNDS, SEVERITIES, severity
from stimjax.students.intervals import LEVEL, percentile
from stimjax.students.metrics import kappa

SAMPLES = 2000  # resamples of nights
LIMIT = 1.96  # standard deviations from the bias to a limit of agreement


@dataclasses.dataclass(frozen=True)
class Estimate:
    """A number, None where it is not defined, and its 95 % interval, None where there is none."""

    value: float | None
    interval: Interval | None


@dataclasses.dataclass(frozen=True)
class BlandAltman:
    """Differences of two ratings, each with its 95 % interval.

    Attributes:
        bias: their mean, model minus scorer.
        lower, upper: the limits of agreement: bias minus and plus 1.96 standard deviations.
    """

    bias: Estimate
    lower: Estimate
    upper: Estimate


@dataclasses.dataclass(frozen=True)
class Threshold:
    """How well a model finds the nights at or above a bound.

    Attributes:
        bound: in units of the quantity.
        positive, negative: nights at or above it, and below it, by the scorer.
        sensitivity, specificity: with Wilson's intervals.
    """

    bound: float
    positive: int
    negative: int
    sensitivity: Estimate
    specificity: Estimate


def minute_kappa(
    scored: Sequence[Int[np.ndarray, " _n"]],
    predicted: Sequence[Int[np.ndarray, " _n"]],
    seed: int = 0,
) -> Estimate:
    """Cohen's kappa of the minutes of all nights together.

    Its interval is of a bootstrap over nights, for minutes of one night resemble each other; there
    is none of a single night.

    Args:
        scored: classes of each night's minutes.
        predicted: the same by the model.
        seed: of the bootstrap.
    """
    classes = 1 + max(int(one.max(initial=0)) for one in (*scored, *predicted))
    cells = np.stack([_table(a, b, classes) for a, b in zip(scored, predicted, strict=True)])
    return _bootstrapped(cells, seed)


def severity_kappa(
    scored: Float[np.ndarray, " n"], predicted: Float[np.ndarray, " n"], seed: int = 0
) -> Estimate:
    """Cohen's kappa of the four severities of nights, with a bootstrap over nights.

    Args:
        scored: apnea minutes an hour of each night.
        predicted: the same by the model.
        seed: of the bootstrap.
    """
    pairs = zip(severity(scored), severity(predicted), strict=True)
    size = len(SEVERITIES)
    return _bootstrapped(np.stack([_table(a[None], b[None], size) for a, b in pairs]), seed)


def severity_table(
    scored: Float[np.ndarray, " n"], predicted: Float[np.ndarray, " n"]
) -> Int[np.ndarray, "4 4"]:
    """Nights by severity: rows as scored, columns as the model says."""
    size = len(SEVERITIES)
    cells = _table(severity(scored), severity(predicted), size)
    return cells.astype(int).reshape(size, size)


def icc(ratings: Float[np.ndarray, "n raters"]) -> Estimate:
    """ICC(2,1): agreement of single ratings where nights and raters are drawn at random.

    Shrout and Fleiss (Psychological Bulletin 86, 1979), whose interval this is; McGraw and Wong
    (Psychological Methods 1, 1996) call it ICC(A,1). A constant difference lowers it.

    Args:
        ratings: a row for each night. At least two nights and raters are needed.
    """
    nights, raters = ratings.shape
    if nights < 2 or raters < 2 or np.ptp(ratings) == 0:
        return Estimate(None, None)
    mean = ratings.mean()
    between = raters * float(((ratings.mean(axis=1) - mean) ** 2).sum()) / (nights - 1)
    rater = nights * float(((ratings.mean(axis=0) - mean) ** 2).sum()) / (raters - 1)
    left = ratings - ratings.mean(axis=1, keepdims=True) - ratings.mean(axis=0) + mean
    error = float((left**2).sum()) / ((nights - 1) * (raters - 1))
    below = between + (raters - 1) * error + raters * (rater - error) / nights
    if below <= 0:
        return Estimate(None, None)
    value = (between - error) / below
    return Estimate(value, _icc_interval(value, (between, rater, error), nights, raters))


def _icc_interval(
    value: float, squares: tuple[float, float, float], nights: int, raters: int
) -> Interval | None:
    """The interval of ICC(2,1) by the mean squares of nights, raters and what is left."""
    between, rater, error = squares
    n, k = nights, raters
    if error <= 0:  # no night differs but by what the rater adds to all: no degree of freedom
        return None
    ratio = rater / error
    weight = n * (1 + (k - 1) * value) - k * value
    up = (k - 1) * (n - 1) * (k * value * ratio + weight) ** 2
    freedom = up / ((n - 1) * k**2 * value**2 * ratio**2 + weight**2)
    tail = (1 + LEVEL) / 2
    one, two = float(f.ppf(tail, n - 1, freedom)), float(f.ppf(tail, freedom, n - 1))
    rest = k * rater + (k * n - k - n) * error
    low = n * (between - one * error) / (one * rest + n * between)
    high = n * (two * between - error) / (rest + n * two * between)
    return float(low), float(high)


def bland_altman(
    scored: Float[np.ndarray, " n"], predicted: Float[np.ndarray, " n"]
) -> BlandAltman:
    """Bias and limits of agreement, predicted minus scored (Bland and Altman, Lancet 1986).

    The limits' intervals are those of Bland and Altman (Statistical Methods in Medical Research
    8, 1999), with a standard error of `s * sqrt(1 / n + 1.96**2 / (2 * (n - 1)))`.

    Args:
        scored: a quantity of each night.
        predicted: the same by the model.
    """
    difference, n = predicted - scored, len(scored)
    if not n:
        return BlandAltman(*[Estimate(None, None)] * 3)
    bias = float(difference.mean())
    if n < 2:
        return BlandAltman(Estimate(bias, None), *[Estimate(None, None)] * 2)
    spread = float(difference.std(ddof=1))
    wide = float(t.ppf((1 + LEVEL) / 2, n - 1))
    of_bias = wide * spread / n**0.5
    of_limit = wide * spread * (1 / n + LIMIT**2 / (2 * (n - 1))) ** 0.5
    lower, upper = bias - LIMIT * spread, bias + LIMIT * spread
    return BlandAltman(
        Estimate(bias, (bias - of_bias, bias + of_bias)),
        Estimate(lower, (lower - of_limit, lower + of_limit)),
        Estimate(upper, (upper - of_limit, upper + of_limit)),
    )


def thresholds(
    scored: Float[np.ndarray, " n"], predicted: Float[np.ndarray, " n"]
) -> tuple[Threshold, ...]:
    """Sensitivity and specificity at 5, 15 and 30 apnea minutes an hour, of whole nights.

    Args:
        scored: apnea minutes an hour of each night.
        predicted: the same by the model.
    """
    found = []
    for bound in BOUNDS:
        is_, said = scored >= bound, predicted >= bound
        sensitivity = _share(int((is_ & said).sum()), int(is_.sum()))
        specificity = _share(int((~is_ & ~said).sum()), int((~is_).sum()))
        counts = int(is_.sum()), int((~is_).sum())
        found.append(Threshold(bound, *counts, sensitivity, specificity))
    return tuple(found)


def _share(hits: int, count: int) -> Estimate:
    if not count:
        return Estimate(None, None)
    ends = binomtest(hits, count).proportion_ci(LEVEL, method="wilson")
    return Estimate(hits / count, (float(ends.low), float(ends.high)))


def _table(scored: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    return np.bincount(scored * classes + predicted, minlength=classes**2).astype(float)


def _bootstrapped(cells: Float[np.ndarray, "nights cells"], seed: int) -> Estimate:
    """Kappa of the sum over nights, and its percentile interval over drawn nights."""
    value = float(kappa(cells.sum(axis=0, keepdims=True))[0])
    if not np.isfinite(value):
        return Estimate(None, None)
    if len(cells) < 2:
        return Estimate(value, None)
    even = np.full(len(cells), 1 / len(cells))
    drawn = np.random.default_rng(seed).multinomial(len(cells), even, size=SAMPLES)
    values = kappa(drawn.astype(float) @ cells)
    values = values[np.isfinite(values)]  # some resamples hold a single class
    return Estimate(value, percentile(values) if len(values) else None)
