"""Places by class: filled, shuffled, and given to others where a class does not come."""

from typing import Any

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stimjax.batch import Batch, Channel, Spec
from stimjax.excite import collect
from stimjax.excite.collect import ENOUGH, Collected, Places, places
from stimjax.excite.lanes import Emitted

SPEC = Spec((2, 1), ("a", "b"), (Channel("x", ""),), 1.0, 0.0, 2.0)
NO_LIMIT = places("none", 3, 2, {})


def limited(*each: int) -> Places:
    return places("prior", sum(each), len(each), {"classes.prior": np.array(each) / sum(each)})


def emitted(
    labels: list[int],
    accepted: list[bool] | None = None,
    first: int = 0,
    wanted: list[int] | None = None,
) -> Emitted:
    """What lanes gave in one step; the windows are numbered."""
    n = len(labels)
    number = np.arange(first, first + n, dtype=np.float32)
    parts: Any = (
        np.repeat(number, 2).reshape(n, 2, 1),
        np.eye(2, dtype=np.float32)[labels],
        np.asarray(wanted or labels),
        np.ones(n, bool) if accepted is None else np.asarray(accepted),
        np.zeros(n, bool) if accepted is None else ~np.asarray(accepted),
    )
    return Emitted(*map(jax.numpy.asarray, parts))


def taken(at: Places, *steps: Emitted) -> tuple[Collected, bool]:
    """A shard after these steps, on the host; and whether it is full."""
    shard = collect.empty(at, SPEC.shape)
    take = jax.jit(lambda shard, step: collect.take(shard, step, at))
    for step in steps:
        shard = take(shard, step)
    return jax.device_get(shard), bool(collect.full(shard.counts, at))


def stimuli(shard: Collected, at: Places, seed: int = 0) -> Batch:
    return collect.stimuli(shard, at, SPEC, [0, seed])


@given(st.lists(st.floats(0.01, 1), min_size=2, max_size=6), st.integers(1, 500))
def test_places_add_up_and_follow_the_prior(weights: list[float], size: int) -> None:
    prior = np.array(weights) / np.sum(weights)
    at = places("prior", size, len(prior), {"classes.prior": prior})
    assert at.each.sum() == size
    assert (np.abs(at.each - prior * size) < 1).all()
    assert at.first is not None and at.first.tolist() == [
        sum(at.each[:i]) for i in range(len(prior))
    ]
    assert places("uniform", size, len(prior), {}).each.sum() == size
    without = places("none", size, len(prior), {})
    assert without.each.tolist() == [size] * len(prior) and without.first is None


def test_without_places_the_first_are_taken_in_order() -> None:
    shard, full = taken(NO_LIMIT, emitted([0, 1], [True, False]), emitted([1, 0, 1], first=2))
    assert full
    assert stimuli(shard, NO_LIMIT).x[:, 0, 0].tolist() == [0, 2, 3]
    assert shard.counts.accepted.tolist() == [2, 2] and shard.counts.failed.tolist() == [0, 1]


@pytest.mark.parametrize("at", [NO_LIMIT, limited(2, 1)], ids=["none", "prior"])
def test_no_array_is_without_elements(at: Places) -> None:
    # jax 0.11 crashes where it compiles such a one for several devices.
    assert all(leaf.size for leaf in jax.tree.leaves(collect.empty(at, SPEC.shape)))


def test_what_the_teacher_calls_as_wanted_is_counted() -> None:
    first = emitted([0, 1, 1, 1], [True, True, True, False], wanted=[0, 0, 1, 1])
    shard, full = taken(places("none", 9, 2, {}), first, emitted([1], wanted=[1]))
    assert not full
    found = {name: np.asarray(a).tolist() for name, a in shard.counts._asdict().items()}
    assert found == {
        "filled": [1, 3],
        "spares": 0,
        "accepted": [2, 2],
        "failed": [0, 1],
        "hits": [1, 2],
        "steps": 5,
    }


def test_a_class_gets_its_places_and_no_more() -> None:
    at = limited(3, 1)
    shard, full = taken(at, emitted([0] * 6))
    assert not full and shard.counts.filled.tolist() == [3, 0]
    shard, full = taken(at, emitted([0] * 6), emitted([1, 1], first=6))
    assert full
    assert sorted(stimuli(shard, at).x[:, 0, 0].tolist()) == [0, 1, 2, 6]


def test_the_order_within_a_shard_is_shuffled_by_its_seed() -> None:
    at = limited(20, 20)
    shard, _ = taken(at, emitted([0] * 20 + [1] * 20))
    orders = [stimuli(shard, at, seed).x[:, 0, 0].tolist() for seed in (0, 0, 1)]
    assert orders[0] == orders[1] != orders[2]
    assert orders[0] != sorted(orders[0]) == list(range(40))


@pytest.mark.parametrize("candidates", [4 * ENOUGH - 1, 4 * ENOUGH])
def test_a_class_that_never_comes_leaves_its_places(candidates: int) -> None:
    at = limited(2, 2)
    shard, full = taken(at, emitted([0] * candidates))
    assert full == (candidates >= 4 * ENOUGH)
    if full:
        made = stimuli(shard, at)
        assert made.y.argmax(axis=1).tolist() == [0, 0, 0, 0]
        assert sorted(made.x[:, 0, 0].tolist()) == [0, 1, 2, 3]


@pytest.mark.parametrize("labels", [[0, 0, 1, 1], [0] * (4 * ENOUGH)])
def test_weights_make_classes_as_frequent_as_they_were(labels: list[int]) -> None:
    prior = np.array([0.9, 0.1])
    weighted = places("weighted", 4, 2, {"classes.prior": prior})
    shard, _ = taken(weighted, emitted(labels))
    made = stimuli(shard, weighted)
    share = np.asarray(made.weight) @ np.asarray(made.y) / 4
    np.testing.assert_allclose(share, prior if 1 in labels else [1, 0], rtol=1e-6)
    uniform = places("uniform", 4, 2, {})
    assert weighted.each.tolist() == uniform.each.tolist() == [2, 2]
    plain = stimuli(shard, uniform)
    assert plain.x.tolist() == made.x.tolist() and plain.weight.tolist() == [1] * 4


@settings(deadline=None)  # it compiles
@given(st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=5), min_size=1, max_size=8))
def test_it_is_what_a_loop_over_lanes_and_steps_would_keep(steps: list[list[int]]) -> None:
    """A lane shows its class by its parity and whether it was accepted by its other bit."""
    at, kept, spare, number = limited(3, 2), {0: [], 1: []}, [], 0
    given_ = []
    for step in steps:
        step = (step + [0] * 5)[:5]  # one program for all
        label, accepted = [code % 2 for code in step], [code > 1 for code in step]
        given_.append(emitted(label, accepted, first=number))
        for lane, (k, took) in enumerate(zip(label, accepted, strict=True)):
            if took:
                (kept[k] if len(kept[k]) < at.each[k] else spare).append(number + lane)
        number += 5
    shard, _ = taken(at, *given_)
    for k, first in enumerate(at.first if at.first is not None else ()):
        assert shard.x[first : first + len(kept[k]), 0, 0].tolist() == kept[k]
    assert shard.spare_x[: len(spare[:5]), 0, 0].tolist() == spare[:5]
    assert shard.counts.spares == len(spare)
