"""Apnea minutes an hour: intervals that cover the truth, and the borders of the classes."""

import numpy as np
import pytest
from scipy.stats import binomtest

from stimjax.nights import severity


def chain(rng: np.random.Generator, share: float, stay: float, shape: tuple[int, int]):
    """Two-state Markov chains whose neighbors have the correlation `stay`."""
    state = rng.random(shape[0]) < share
    found = np.empty(shape, bool)
    for minute in range(shape[1]):
        found[:, minute] = state
        state = np.where(rng.random(shape[0]) < stay, state, rng.random(shape[0]) < share)
    return found


def test_independent_minutes_have_the_interval_of_wilson():
    low, high = severity.wilson(40 / 300, 300)
    ends = binomtest(40, 300).proportion_ci(method="wilson")
    assert (low, high) == pytest.approx((ends.low, ends.high))


@pytest.mark.parametrize(("share", "stay"), [(0.3, 0.0), (0.3, 0.8), (0.1, 0.6)])
def test_the_interval_covers_the_rate_of_nights_whose_minutes_go_together(share, stay):
    nights = chain(np.random.default_rng(3), share, stay, (400, 480))
    start = 60.0 * np.arange(480)
    rates = [severity.rate(start, night, 60.0) for night in nights]
    covered = np.mean([r.interval[0] <= 60 * share <= r.interval[1] for r in rates])
    assert 0.91 <= covered <= 0.99
    if stay:  # and Wilson's own would not
        plain = [severity.wilson(night.mean(), 480) for night in nights]
        assert np.mean([low <= share <= high for low, high in plain]) < 0.85


def test_minutes_over_a_gap_do_not_go_together():
    apnea = np.repeat([True, False], 30)
    joined = severity.inflation(60.0 * np.arange(60), apnea, 60.0)
    apart = severity.inflation(120.0 * np.arange(60), apnea, 60.0)
    assert joined > 10 and apart == 1.0


def test_a_night_without_apnea_still_has_an_interval():
    found = severity.rate(60.0 * np.arange(400), np.zeros(400, bool), 60.0)
    assert found.value == 0 and 0 < found.interval[1] < 1
    assert found.interval[0] == pytest.approx(0, abs=1e-9)
    assert found.severity == "none"
    every = severity.rate(60.0 * np.arange(400), np.ones(400, bool), 60.0)
    assert every.interval[1] == pytest.approx(60) and every.severity == "severe"


def test_the_bounds_belong_to_the_class_above_them():
    an_hour = np.array([0.0, 4.999, 5.0, 14.999, 15.0, 29.999, 30.0, 60.0])
    assert severity.severity(an_hour).tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


def test_no_minute_is_no_rate():
    with pytest.raises(ValueError, match="without a minute"):
        severity.rate(np.zeros(0), np.zeros(0, bool), 60.0)
