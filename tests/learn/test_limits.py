"""What a guarantee lets the best attack reach, against closed forms and integrals."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from stimjax.learn import ledger, limits
from stimjax.learn.ledger import Expense

EPSILONS, DELTAS = st.floats(0, 30), st.floats(1e-9, 0.3)


@pytest.mark.parametrize(
    ("epsilon", "auc", "found"),
    [(1, 0.575, 0.020), (2, 0.639, 0.034), (4, 0.743, 0.081), (8, 0.881, 0.255)],
)
def test_what_an_epsilon_at_a_hundred_thousandth_allows(epsilon, auc, found):
    best = limits.gaussian(limits.mu_of(epsilon, 1e-5))
    assert best == pytest.approx((auc, found), abs=5e-4)


@settings(deadline=None)
@given(EPSILONS, DELTAS)
def test_mu_is_that_of_the_gaussian_mechanism(epsilon, delta):
    """Balle and Wang, ICML 2018, Theorem 8, with scipy's normal distribution."""
    mu = limits.mu_of(epsilon, delta)
    first = stats.norm.cdf(mu / 2 - epsilon / mu)
    second = math.exp(epsilon + stats.norm.logcdf(-mu / 2 - epsilon / mu))
    assert first - second == pytest.approx(delta, rel=1e-6)


@settings(deadline=None, max_examples=30)
@given(st.floats(0, 8))
def test_a_gaussian_mechanism_is_attacked_by_a_threshold(mu):
    """Neyman and Pearson: nothing beats it. Its ROC curve, integrated."""
    area, _ = integrate.quad(lambda t: stats.norm.sf(t - mu) * stats.norm.pdf(t), -10, 10)
    threshold = stats.norm.isf(limits.FALSE_ALARMS)
    found = stats.norm.sf(threshold - mu)
    assert limits.gaussian(mu) == pytest.approx((area, found), abs=1e-7)


@settings(deadline=None)
@given(EPSILONS, DELTAS)
def test_without_more_than_epsilon_and_delta_the_corners_count(epsilon, delta):
    """The area above the trade-off function, integrated."""

    def missed(alarms):
        lines = [1 - delta - np.exp(epsilon) * alarms, np.exp(-epsilon) * (1 - delta - alarms)]
        return np.maximum(0, np.max(lines, axis=0))

    corner = (1 - delta) / (1 + math.exp(epsilon))
    places = np.union1d(np.linspace(0, 1, 5), [corner, 1 - delta])
    area = 1 - integrate.trapezoid(missed(places), places)  # linear between these
    found = 1 - missed(np.array(limits.FALSE_ALARMS))
    assert limits.general(epsilon, delta) == pytest.approx((area, found), abs=1e-9)


@settings(deadline=None)
@given(EPSILONS, DELTAS, st.floats(0.01, 3))
def test_limits_are_between_guessing_and_certainty_and_grow(epsilon, delta, more):
    best, whatever = limits.gaussian(limits.mu_of(epsilon, delta)), limits.general(epsilon, delta)
    # A Gaussian mechanism is one of those of which no more is known.
    assert 0.5 <= best.auc <= whatever.auc + 1e-9 and whatever.auc <= 1
    assert limits.FALSE_ALARMS <= best.found <= whatever.found + 1e-9 and whatever.found <= 1
    assert limits.mu_of(epsilon + more, delta) > limits.mu_of(epsilon, delta)
    assert limits.general(epsilon + more, delta) >= whatever


def test_nothing_is_told_where_nothing_is_spent_and_all_where_nothing_is_kept():
    assert limits.gaussian(0.0) == pytest.approx((0.5, 0.01))
    assert limits.general(0.0, 0.0) == pytest.approx((0.5, 0.01))
    assert limits.general(1e4, 1e-5) == (1.0, 1.0)
    assert limits.gaussian(limits.mu_of(1e4, 1e-5)) == (1.0, 1.0)
    assert limits.mu_of(1e-3, 1e-12) > 0


@given(st.lists(st.tuples(st.floats(0.5, 50), st.integers(1, 200)), min_size=1, max_size=4))
def test_looks_at_all_units_are_one_gaussian_mechanism(looks):
    mu = limits.mu_of_looks([(noise, 1.0, count) for noise, count in looks])
    assert mu == pytest.approx(math.sqrt(sum(count / noise**2 for noise, count in looks)))
    assert limits.mu_of_looks([(1.0, 1.0, 3), (1.0, 0.5, 1)]) is None
    assert limits.mu_of_looks([]) is None


def test_looks_at_all_units_compose_to_that_gaussian_mechanism():
    """What dp-accounting makes of 100 steps and the frequency of the classes is known exactly."""
    pytest.importorskip("dp_accounting", reason="the extra `privacy` is not installed")
    looks = [Expense("steps", 12.0, 1.0, 100), Expense("classes", 6.0)]
    mu = limits.mu_of_looks([(one.noise, one.sampling, one.count) for one in looks])
    assert mu is not None
    assert limits.mu_of(ledger.epsilon(looks, 1e-5), 1e-5) == pytest.approx(mu, rel=1e-3)


def test_units_that_are_drawn_are_no_easier_to_find_than_by_a_gaussian_mechanism():
    """The trade-off function of the default steps on 200 subjects, from its privacy losses."""
    accounting = pytest.importorskip("dp_accounting", reason="the extra `privacy` is missing")
    spent = [Expense("steps", 2.15, 64 / 200, 100)]
    accountant = accounting.pld.PLDAccountant(value_discretization_interval=5e-3)
    accountant.compose(ledger._event(accounting, spent))
    epsilons = np.concatenate([-np.geomspace(1e-3, 20, 150)[::-1], np.geomspace(1e-3, 20, 150)])
    deltas = np.array(accountant._pld.get_delta_for_epsilon(list(epsilons)))
    alarms = np.concatenate([np.geomspace(1e-7, 0.01, 100), np.linspace(0.01, 1, 500)[1:]])
    lines = 1 - deltas - np.exp(epsilons) * alarms[:, None]
    missed = np.maximum(0, lines.max(axis=1))
    own = limits.Limits(1 - integrate.trapezoid(missed, alarms), 1 - missed[99])
    best = limits.gaussian(limits.mu_of(accountant.get_epsilon(1e-5), 1e-5))
    assert 0.8 < own.auc < best.auc and 0.2 < own.found < best.found


def test_a_sentence_has_the_numbers():
    said = limits.sentence(8, 1e-5)
    assert "above 0.881 (guessing: 0.500)" in said and "more than 25.5 % of them" in said
    assert said.endswith("the limits are 1.000 and 100.0 %.") and "\n" not in said
