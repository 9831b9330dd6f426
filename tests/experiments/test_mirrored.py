"""Draws of members beside their mirrors."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy import stats

from stimjax.disk.documents import Entry, Privacy, Side, Sides
from stimjax.errors import StimjaxError
from stimjax.experiments import mirrored

SIDES = Sides(Side(1, 1), Side(1, 1), Side(1, 1))


def audit(
    value: float | None, end: float = 0.9, attack: str = "lira", metric: str = "auc"
) -> Privacy:
    ci = None if value is None else (0.1, end)
    entry = Entry(
        *(attack, metric, "subject", value, ci, 0.5), *(1.0, 1.0, "", "release", "ours", "you")
    )
    return Privacy((entry,), None, None, SIDES, {})


def test_a_pair_is_one_number() -> None:
    values = [(0.7, 0.5), (0.4, 0.6), (0.9, 0.6)]
    (row,) = mirrored.over_pairs([(audit(a), audit(b, 0.95)) for a, b in values])
    means = [0.6, 0.5, 0.75]
    assert row.pairs == pytest.approx(means)
    expected = stats.t.interval(0.95, 2, np.mean(means), stats.sem(means))
    assert row.mean == pytest.approx(np.mean(means))
    assert row.interval == pytest.approx(expected)
    assert row.highest == 0.95


@pytest.mark.parametrize(
    ("metric", "clipped"), [("auc", True), ("auc_with_seed", True), ("advantage", False)]
)
def test_two_pairs_say_next_to_nothing_and_areas_end_at_0_and_1(metric, clipped) -> None:
    pairs = [(audit(v, metric=metric), audit(v, metric=metric)) for v in (0.1, 0.4, 0.2)]
    (row,) = mirrored.over_pairs(pairs[:2])
    low, high = stats.t.interval(0.95, 1, 0.25, stats.sem([0.1, 0.4]))
    assert low < -1 and high > 1
    assert row.interval == ((0.0, 1.0) if clipped else pytest.approx((low, high)))
    assert mirrored.table([row]).endswith(f"|\n\n{mirrored.TWO}")
    (row,) = mirrored.over_pairs(pairs)
    assert mirrored.TWO not in mirrored.table([row])


def test_what_one_of_them_could_not_try_is_left_out() -> None:
    assert mirrored.over_pairs([(audit(0.7), audit(None))]) == []
    assert mirrored.over_pairs([(audit(0.7), audit(0.6, attack="rmia"))]) == []


def test_one_pair_has_no_interval_and_none_is_refused() -> None:
    (row,) = mirrored.over_pairs([(audit(0.7), audit(0.5))])
    assert row.interval is None
    assert "| lira | auc | subject | 0.600 | 0.600 |  | 0.900 | 0.5 |" in mirrored.table([row])
    with pytest.raises(StimjaxError, match="mirror"):
        mirrored.over_pairs([])


def test_without_an_interval_the_value_is_its_end() -> None:
    bare = audit(0.7)
    bare = dataclasses.replace(bare, attacks=(dataclasses.replace(bare.attacks[0], ci=None),))
    (row,) = mirrored.over_pairs([(bare, bare)])
    assert row.highest == 0.7
