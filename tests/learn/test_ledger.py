"""Epsilon of what was spent, against other ways to compute it."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stimjax.errors import StimjaxError
from stimjax.learn import ledger
from stimjax.learn.ledger import Expense, Ledger

accounting = pytest.importorskip("dp_accounting", reason="the extra `privacy` is not installed")
DELTA = 1e-5


@given(st.floats(0.3, 30.0), st.sampled_from([1e-5, 1e-7]))
@settings(deadline=None, max_examples=10)
def test_one_look_costs_what_the_analytic_gaussian_mechanism_does(noise, delta):
    """Balle and Wang, ICML 2018, arXiv 1805.06530."""
    exact = accounting.get_epsilon_gaussian(noise, delta)
    found = ledger.epsilon([Expense("a mean", noise)], delta)
    assert exact * (1 - 1e-6) <= found <= exact * 1.002 + 2e-4


@given(st.lists(st.floats(1.0, 20.0), min_size=2, max_size=5))
@settings(deadline=None, max_examples=10)
def test_looks_at_all_units_add_up_as_their_precision(noises):
    together = 1 / math.sqrt(sum(noise**-2 for noise in noises))
    exact = accounting.get_epsilon_gaussian(together, DELTA)
    found = ledger.epsilon([Expense("a mean", noise) for noise in noises], DELTA)
    assert exact * (1 - 1e-6) <= found <= exact * 1.005 + 1e-3


@pytest.mark.parametrize(("sampling", "noise", "count"), [(0.05, 1.0, 100), (0.5, 6.0, 50)])
def test_steps_cost_what_dp_accounting_says_of_dp_sgd(sampling, noise, count):
    event = accounting.DpEventBuilder()
    event.compose(
        accounting.PoissonSampledDpEvent(sampling, accounting.GaussianDpEvent(noise)), count
    )
    event.compose(accounting.GaussianDpEvent(4.0))
    event = event.build()
    steps = Expense("steps", noise, sampling, count)
    # Expenses that differ in nothing but their words are the same as one of their sum.
    parts = [Expense(f"part {i}", noise, sampling, count // 2) for i in range(2)]
    other = Expense("a histogram", 4.0)
    exact = accounting.pld.PLDAccountant().compose(event).get_epsilon(DELTA)
    for expenses in ([steps, other], [*parts, other]):
        assert ledger.epsilon(expenses, DELTA) == pytest.approx(exact, rel=1e-6)
    coarse = accounting.rdp.RdpAccountant(ledger.ORDERS).compose(event).get_epsilon(DELTA)
    assert 0.5 * coarse < exact <= coarse


@pytest.mark.parametrize(("target", "sampling"), [(1.0, 0.3), (8.0, 1.0)])
def test_a_calibrated_noise_spends_the_budget_and_not_more(target, sampling):
    others = [Expense("a histogram", 8.0)]
    noise = ledger.noise_for(target, DELTA, others, sampling=sampling, count=20)
    spent = ledger.epsilon([*others, Expense("steps", noise, sampling, 20)], DELTA)
    assert 0.97 * target < spent <= target


def test_others_that_spend_all_are_refused():
    with pytest.raises(StimjaxError, match=r"epsilon 0\.5 is too small"):
        ledger.noise_for(0.5, DELTA, [Expense("a histogram", 0.5)])


def test_more_looks_less_noise_and_more_sampling_cost_more():
    base = ledger.epsilon([Expense("", 4.0, 0.2, 20)], DELTA)
    for dearer in (Expense("", 4.0, 0.2, 40), Expense("", 3.0, 0.2, 20), Expense("", 4.0, 0.4, 20)):
        assert ledger.epsilon([dearer], DELTA) > 1.05 * base


@given(
    st.sampled_from(["subject", "window"]),
    st.floats(1e-3, 1e3),
    st.lists(
        st.builds(Expense, st.text(), st.floats(0.1, 9), st.floats(0.01, 1), st.integers(1, 9)),
        min_size=1,
    ),
)
def test_a_ledger_is_read_back_from_json(unit, epsilon, expenses):
    closed = Ledger(unit, epsilon, DELTA, tuple(expenses))
    assert Ledger.from_json(closed.to_json(), "here") == closed


@pytest.mark.parametrize(
    "content",
    [None, [], {}, {"unit": "subject"}]
    + [
        Ledger("subject", 1.0, DELTA, (Expense("", 1.0),)).to_json() | change
        for change in (
            {"unit": "night"},
            {"epsilon": "small"},
            {"epsilon": -1.0},
            {"expenses": []},
            {"expenses": [{"what": "nothing"}]},
            {"more": 1},
        )
    ],
)
def test_what_is_no_ledger_is_refused_in_one_line(content):
    with pytest.raises(StimjaxError, match=r"^here: its privacy is described wrongly") as error:
        Ledger.from_json(content, "here")
    assert "\n" not in str(error.value)


def test_without_the_extra_one_line_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "dp_accounting", None)
    with pytest.raises(StimjaxError, match=r'pip install "stimjax\[privacy\]"') as error:
        ledger.epsilon([Expense("", 1.0)], DELTA)
    assert "\n" not in str(error.value)
