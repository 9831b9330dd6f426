"""Places by class: filled, shuffled, and given to others where a class does not come."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimjax.batch import Channel, Spec
from stimjax.excite.collect import ENOUGH, Collected, quotas
from stimjax.excite.lanes import Emitted

SPEC = Spec((2, 1), ("a", "b"), (Channel("x", ""),), 1.0, 0.0, 2.0)


def emitted(
    labels: list[int],
    accepted: list[bool] | None = None,
    first: int = 0,
    wanted: list[int] | None = None,
) -> Emitted:
    n = len(labels)
    number = np.arange(first, first + n, dtype=np.float32)
    parts: Any = (
        np.repeat(number, 2).reshape(n, 1, 2, 1),
        np.eye(2, dtype=np.float32)[labels][:, None],
        np.asarray(wanted or labels)[:, None],
        np.ones((n, 1), bool) if accepted is None else np.asarray(accepted)[:, None],
        np.zeros((n, 1), bool) if accepted is None else ~np.asarray(accepted)[:, None],
    )
    return Emitted(*parts)


@given(st.lists(st.floats(0.01, 1), min_size=2, max_size=6), st.integers(1, 500))
def test_places_add_up_and_follow_the_prior(weights: list[float], size: int) -> None:
    prior = np.array(weights) / np.sum(weights)
    places = quotas("prior", size, len(prior), {"classes.prior": prior})
    assert places.sum() == size
    assert (np.abs(places - prior * size) < 1).all()
    assert quotas("uniform", size, len(prior), {}).sum() == size
    assert quotas("none", size, len(prior), {}).tolist() == [size] * len(prior)


def test_without_places_the_first_are_taken_in_order() -> None:
    collected = Collected(3, quotas("none", 3, 2, {}))
    collected.take(emitted([0, 1], [True, False]))
    collected.take(emitted([1, 0, 1], first=2))
    made = collected.stimuli(SPEC, [0, 0])
    assert collected.full
    assert made.x[:, 0, 0].tolist() == [0, 2, 3]
    assert collected.counts[0].tolist() == [2, 2] and collected.counts[1].tolist() == [0, 1]


def test_what_the_teacher_calls_as_wanted_is_counted() -> None:
    collected = Collected(9, quotas("none", 9, 2, {}))
    collected.take(emitted([0, 1, 1, 1], [True, True, True, False], wanted=[0, 0, 1, 1]))
    collected.take(emitted([1], wanted=[1]))
    accepted, failed, hits, steps = collected.counts
    assert (accepted.tolist(), failed.tolist(), hits.tolist(), steps) == ([2, 2], [0, 1], [1, 2], 5)


def test_a_class_gets_its_places_and_no_more() -> None:
    collected = Collected(4, np.array([3, 1]))
    collected.take(emitted([0] * 6))
    assert not collected.full and collected.found == 3
    collected.take(emitted([1, 1], first=6))
    made = collected.stimuli(SPEC, [0, 0])
    assert collected.full
    assert sorted(made.x[:, 0, 0].tolist()) == [0, 1, 2, 6]


def test_the_order_within_a_shard_is_shuffled_by_its_seed() -> None:
    orders = []
    for seed in ([0, 0], [0, 0], [0, 1]):
        collected = Collected(40, np.array([20, 20]))
        collected.take(emitted([0] * 20 + [1] * 20))
        orders.append(collected.stimuli(SPEC, seed).x[:, 0, 0].tolist())
    assert orders[0] == orders[1] != orders[2]
    assert orders[0] != sorted(orders[0])


@pytest.mark.parametrize("candidates", [4 * ENOUGH - 1, 4 * ENOUGH])
def test_a_class_that_never_comes_leaves_its_places(candidates: int) -> None:
    collected = Collected(4, np.array([2, 2]))
    collected.take(emitted([0] * candidates))
    assert collected.full == (candidates >= 4 * ENOUGH)
    if collected.full:
        assert collected.stimuli(SPEC, [0, 0]).y.argmax(axis=1).tolist() == [0, 0, 0, 0]
