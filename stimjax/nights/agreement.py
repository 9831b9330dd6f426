"""How well two ratings of the same nights agree, night by night: pure functions on arrays.

A quantity of a night is a number such as its apnea minutes an hour. What is not defined, such as a
sensitivity where no night is positive, is None.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int
from scipy.stats import binomtest, f, t

from stimjax.disk.documents import Agreement, BlandAltman, Interval, Measured, Threshold
from stimjax.nights.severity import BOUNDS, SEVERITIES, severity
from stimjax.students.intervals import LEVEL, percentile
from stimjax.students.metrics import kappa

SAMPLES = 2000  # resamples of nights
LIMIT = 1.96  # standard deviations from the bias to a limit of agreement


def agreement(
    scored: Sequence[Int[np.ndarray, " _n"]],
    predicted: Sequence[Int[np.ndarray, " _n"]],
    quantities: Float[np.ndarray, "n 2"],
    *,
    severities: bool,
) -> Agreement:
    """All that this module measures, of one model and a scorer.

    Args:
        scored: classes of each night's minutes.
        predicted: the same by the model.
        quantities: of each night, by the scorer and by the model.
        severities: whether they are apnea minutes an hour, which have bounds.
    """
    one, two = quantities.T
    return Agreement(
        minute_kappa=minute_kappa(scored, predicted),
        icc=icc(quantities),
        bland_altman=bland_altman(one, two),
        severity_kappa=severity_kappa(one, two) if severities else None,
        severity_table=tuple(map(tuple, severity_table(one, two).tolist())) if severities else None,
        thresholds=thresholds(one, two) if severities else (),
    )


def minute_kappa(
    scored: Sequence[Int[np.ndarray, " _n"]],
    predicted: Sequence[Int[np.ndarray, " _n"]],
    seed: int = 0,
) -> Measured:
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
) -> Measured:
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


def icc(ratings: Float[np.ndarray, "n raters"]) -> Measured:
    """ICC(2,1): agreement of single ratings where nights and raters are drawn at random.

    Shrout and Fleiss (Psychological Bulletin 86, 1979), whose interval this is; McGraw and Wong
    (Psychological Methods 1, 1996) call it ICC(A,1). A constant difference lowers it.

    Args:
        ratings: a row for each night. At least two nights and raters are needed.
    """
    nights, raters = ratings.shape
    if nights < 2 or raters < 2 or np.ptp(ratings) == 0:
        return Measured(None, None)
    mean = ratings.mean()
    between = raters * float(((ratings.mean(axis=1) - mean) ** 2).sum()) / (nights - 1)
    rater = nights * float(((ratings.mean(axis=0) - mean) ** 2).sum()) / (raters - 1)
    left = ratings - ratings.mean(axis=1, keepdims=True) - ratings.mean(axis=0) + mean
    error = float((left**2).sum()) / ((nights - 1) * (raters - 1))
    below = between + (raters - 1) * error + raters * (rater - error) / nights
    if below <= 0:
        return Measured(None, None)
    value = (between - error) / below
    return Measured(value, _icc_interval(value, (between, rater, error), nights, raters))


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
        return BlandAltman(*[Measured(None, None)] * 3)
    bias = float(difference.mean())
    if n < 2:
        return BlandAltman(Measured(bias, None), *[Measured(None, None)] * 2)
    spread = float(difference.std(ddof=1))
    wide = float(t.ppf((1 + LEVEL) / 2, n - 1))
    of_bias = wide * spread / n**0.5
    of_limit = wide * spread * (1 / n + LIMIT**2 / (2 * (n - 1))) ** 0.5
    lower, upper = bias - LIMIT * spread, bias + LIMIT * spread
    return BlandAltman(
        Measured(bias, (bias - of_bias, bias + of_bias)),
        Measured(lower, (lower - of_limit, lower + of_limit)),
        Measured(upper, (upper - of_limit, upper + of_limit)),
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


def _share(hits: int, count: int) -> Measured:
    if not count:
        return Measured(None, None)
    ends = binomtest(hits, count).proportion_ci(LEVEL, method="wilson")
    return Measured(hits / count, (float(ends.low), float(ends.high)))


def _table(scored: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    return np.bincount(scored * classes + predicted, minlength=classes**2).astype(float)


def _bootstrapped(cells: Float[np.ndarray, "nights cells"], seed: int) -> Measured:
    """Kappa of the sum over nights, and its percentile interval over drawn nights."""
    value = float(kappa(cells.sum(axis=0, keepdims=True))[0])
    if not np.isfinite(value):
        return Measured(None, None)
    if len(cells) < 2:
        return Measured(value, None)
    even = np.full(len(cells), 1 / len(cells))
    drawn = np.random.default_rng(seed).multinomial(len(cells), even, size=SAMPLES)
    values = kappa(drawn.astype(float) @ cells)
    values = values[np.isfinite(values)]  # some resamples hold a single class
    return Measured(value, percentile(values) if len(values) else None)
