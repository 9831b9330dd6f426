"""What a release says beside its labels."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_teacher import of_sleep

from stimjax import batch, config
from stimjax.batch import Channel, Spec
from stimjax.config.recipes import RECIPES
from stimjax.excite import columns, kind, methods
from stimjax.learn import linear

SPEC = Spec((6, 2), ("a", "b", "c"), (Channel("x", ""),) * 2, rate=1.0)
PARTS = st.integers(0, 100).map(lambda percent: percent / 100)


@given(PARTS, st.integers(1, 3000))
def test_any_number_of_shards_has_its_part_of_random_ones(part: float, count: int) -> None:
    found = columns.random(np.arange(count), part)
    running = found.cumsum()
    exact = part * np.arange(1, count + 1)
    assert (running <= exact + 1e-6).all() and (running > exact - 1 - 1e-6).all()
    assert found.sum() == int(np.floor(round(100 * part) * count / 100))  # in whole numbers


@given(PARTS, PARTS, st.integers(0, 10**6))
def test_more_of_them_before_any_shard_where_the_part_is_larger(
    one: float, other: float, number: int
) -> None:
    low, high = sorted((one, other))
    numbers = np.arange(number, number + 50)
    # Those before `number` are the same in both; of the rest, the running sums differ by less.
    few, many = columns.random(numbers, low), columns.random(numbers, high)
    assert few.sum() <= many.sum() + 1
    if low == 0:
        assert not few.any()
    if high == 1:
        assert many.all()


def test_a_shard_does_not_depend_on_the_others_asked_for() -> None:
    together = columns.random(np.arange(40), 0.3)
    assert [bool(columns.random(np.array([i]), 0.3)[0]) for i in range(40)] == list(together)


@pytest.mark.parametrize("count", [100, 2000, 20_000])
def test_releases_of_any_size_have_their_random_part(count: int) -> None:
    """On an accelerator too, where shards are larger than many a release."""
    for lanes in (0, 4096):
        settings = methods.resolved(config.Synthesis("public", count, lanes=lanes))
        shards = -(-count // settings.shard)
        part = columns.random(np.arange(shards), RECIPES["public"].random).sum() / shards
        assert part == pytest.approx(RECIPES["public"].random, abs=0.05)


def test_columns_are_those_of_the_recipe() -> None:
    x = np.random.default_rng(0).normal(size=(5, 6, 2)).astype(np.float32)
    public, bare = dataclasses.replace(RECIPES["public"], linear=True, random=0.3), RECIPES["probe"]
    statistics = {"linear.weight": np.ones((12, 3), np.float32), "linear.bias": np.arange(3.0)}
    assert columns.of(x, bare, {}, 3) == {}
    assert set(columns.of(x, public, statistics, 3)) == {"linear", "origin"}
    assert set(columns.of(x, public, statistics)) == {"linear"}  # nobody knows of which shard
    assert set(columns.of(x, dataclasses.replace(public, linear=False), {}, 0)) == {"origin"}
    origin = [columns.of(x, public, statistics, i)["origin"] for i in range(4)]
    assert [set(one) for one in origin] == [{0}, {0}, {0}, {1}]


def test_the_statistic_is_a_linear_classifier_of_the_training_windows() -> None:
    rng = np.random.default_rng(0)
    label = rng.integers(3, size=300)
    x = rng.normal(size=(300, 6, 2)) + label[:, None, None]
    subject = np.arange(300) // 30
    train = batch.make(x, batch.one_hot(label, SPEC), SPEC, subject=subject)
    part = columns.COLUMNS["linear"]
    found = kind.measured(part.needs, train, of_sleep())
    weight, bias = linear.fit(np.asarray(train.x), label, 3)
    np.testing.assert_allclose(found["linear.weight"], weight, atol=1e-6)
    np.testing.assert_allclose(found["linear.bias"], bias, atol=1e-6)
    assert found["linear.behind.all"][0, :2].tolist() == [300, 10]
    assert not kind.lacking(part.needs, found) and not part.free


def test_what_it_uses_is_said_where_it_is_asked_for() -> None:
    asked = [one.name for one in methods.parts(dataclasses.replace(RECIPES["public"], linear=True))]
    assert "linear" in asked
    without = methods.parts(RECIPES["public"])
    assert "linear" not in [one.name for one in without]
