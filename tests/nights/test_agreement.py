"""Agreement against tables that were published, and against formulas of another kind."""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import cohen_kappa_score

from stimjax.nights import agreement

# Shrout and Fleiss (1979), table 2: six targets, four judges.
JUDGED = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float
)
# Bland and Altman (1986): peak expiratory flow (l/min), Wright meter and mini meter.
WRIGHT = np.array(
    [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427], float
)
MINI = np.array(
    [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451], float
)


def test_icc_is_that_of_shrout_and_fleiss():
    found = agreement.icc(JUDGED)
    assert found.value == pytest.approx(0.29, abs=0.005)
    assert found.interval == pytest.approx((0.019, 0.761), abs=0.001)  # as R's psych::ICC gives it


def test_icc_is_that_of_components_of_variance():
    """By least squares on dummies of nights and raters instead of sums over rows and columns."""
    rng = np.random.default_rng(1)
    n, k = 40, 3
    ratings = rng.normal(0, 5, (n, 1)) + rng.normal(0, 2, (1, k)) + rng.normal(0, 1, (n, k))
    y, night, rater = ratings.ravel(), np.repeat(np.arange(n), k), np.tile(np.arange(k), n)
    ones, nights, raters = np.ones((n * k, 1)), np.eye(n)[night], np.eye(k)[rater]

    def left(*columns: np.ndarray) -> float:
        design = np.hstack(columns)
        return float(((y - design @ np.linalg.lstsq(design, y, rcond=None)[0]) ** 2).sum())

    both = left(ones, nights, raters)
    error = both / ((n - 1) * (k - 1))
    of_nights = ((left(ones, raters) - both) / (n - 1) - error) / k
    of_raters = ((left(ones, nights) - both) / (k - 1) - error) / n
    expected = of_nights / (of_nights + of_raters + error)
    assert agreement.icc(ratings).value == pytest.approx(expected, rel=1e-9)


def test_icc_falls_with_a_constant_difference_and_is_none_without_a_difference_at_all():
    nights, turns = np.array([3.0, 9.0, 20.0, 41.0]), np.array([0.5, -0.5, 0.5, -0.5])
    near = agreement.icc(np.stack([nights, nights + turns], axis=1)).value
    off = agreement.icc(np.stack([nights, nights + 10 + turns], axis=1)).value
    assert near is not None and off is not None and near > 0.99 > 0.9 > off
    same = agreement.icc(np.stack([nights, nights], axis=1))
    assert same.value == 1.0 and same.interval is None
    assert agreement.icc(np.full((4, 2), 7.0)).value is None
    assert agreement.icc(np.zeros((1, 2))).value is None


def test_limits_of_agreement_are_those_of_bland_and_altman():
    found = agreement.bland_altman(WRIGHT, MINI)  # theirs is Wright minus mini: signs turn
    assert found.bias.value == pytest.approx(2.1, abs=0.05)
    assert found.bias.interval == pytest.approx((-17.8, 22.0), abs=0.1)
    assert found.lower.value == pytest.approx(-73.9, abs=0.1)
    assert found.upper.value == pytest.approx(78.1, abs=0.1)
    assert found.upper.interval is not None
    # There 2.12 standard errors of sqrt(3 s**2 / n) to either side; later it is about the same.
    assert np.ptp(found.upper.interval) == pytest.approx(2 * 2.12 * (3 * 38.8**2 / 17) ** 0.5, 0.02)


def test_limits_of_few_nights_are_none():
    one = agreement.bland_altman(np.array([4.0]), np.array([6.0]))
    assert one.bias == agreement.Measured(2.0, None) and one.lower.value is None
    assert agreement.bland_altman(np.zeros(0), np.zeros(0)).bias.value is None


def test_kappa_of_minutes_is_that_of_scikit_learn_and_its_interval_is_of_nights():
    rng = np.random.default_rng(2)
    scored = [rng.integers(0, 2, size) for size in (200, 300, 150, 250)]
    predicted = [np.where(rng.random(len(one)) < 0.8, one, 1 - one) for one in scored]
    found = agreement.minute_kappa(scored, predicted)
    expected = cohen_kappa_score(np.concatenate(scored), np.concatenate(predicted))
    assert found.value == pytest.approx(expected)
    assert found.interval and found.interval[0] < expected < found.interval[1]
    assert agreement.minute_kappa(scored[:1], predicted[:1]).interval is None
    zeros = [np.zeros(5, int)]
    assert agreement.minute_kappa(zeros, zeros).value is None  # one class on both sides


def test_severities_of_nights():
    scored = np.array([0.0, 4.9, 5.0, 14.9, 15.0, 30.0, 60.0])
    predicted = np.array([1.0, 6.0, 7.0, 16.0, 15.0, 29.0, 59.0])
    table = agreement.severity_table(scored, predicted)
    assert table.tolist() == [[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 0], [0, 0, 1, 1]]
    expected = cohen_kappa_score([0, 0, 1, 1, 2, 3, 3], [0, 1, 1, 2, 2, 2, 3])
    assert agreement.severity_kappa(scored, predicted).value == pytest.approx(expected)


def test_sensitivity_and_specificity_at_each_bound():
    scored, predicted = np.array([2.0, 8.0, 20.0, 40.0]), np.array([6.0, 4.0, 31.0, 50.0])
    five, fifteen, thirty = agreement.thresholds(scored, predicted)
    assert (five.positive, five.negative) == (3, 1)
    assert five.sensitivity.value == pytest.approx(2 / 3) and five.specificity.value == 0
    assert fifteen.sensitivity.value == 1 and fifteen.specificity.value == 1
    assert thirty.sensitivity.value == 1 and thirty.specificity.value == pytest.approx(2 / 3)
    z = stats.norm.ppf(0.975)  # Wilson's interval of 1 in 1 has a short form
    assert thirty.sensitivity.interval == pytest.approx((1 / (1 + z**2), 1.0))
    assert agreement.thresholds(scored[:1], predicted[:1])[0].sensitivity.value is None
