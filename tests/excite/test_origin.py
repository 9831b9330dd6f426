"""Where stimuli come from, and how many from where."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimjax import config
from stimjax.config.recipes import RECIPES
from stimjax.excite import methods, origin

PARTS = st.integers(0, 100).map(lambda percent: percent / 100)


@given(PARTS, st.integers(1, 3000))
def test_any_number_of_shards_has_its_part_of_random_ones(part: float, count: int) -> None:
    found = origin.random(np.arange(count), part)
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
    few, many = origin.random(numbers, low), origin.random(numbers, high)
    assert few.sum() <= many.sum() + 1
    if low == 0:
        assert not few.any()
    if high == 1:
        assert many.all()


def test_a_shard_does_not_depend_on_the_others_asked_for() -> None:
    together = origin.random(np.arange(40), 0.3)
    assert [bool(origin.random(np.array([i]), 0.3)[0]) for i in range(40)] == list(together)


@pytest.mark.parametrize("count", [100, 2000, 20_000])
def test_releases_of_any_size_have_their_random_part(count: int) -> None:
    """On an accelerator too, where shards are larger than many a release."""
    for lanes in (0, 4096):
        settings = methods.resolved(config.Synthesis("public", count, lanes=lanes))
        shards = -(-count // settings.shard)
        part = origin.random(np.arange(shards), RECIPES["public"].random).sum() / shards
        assert part == pytest.approx(RECIPES["public"].random, abs=0.05)


def test_the_column_is_of_stimuli_that_anybody_may_have() -> None:
    recipe = dataclasses.replace(RECIPES["public"], random=0.3)
    made = [origin.columns(recipe, number, 5)["origin"] for number in range(4)]
    assert [one.tolist() for one in made] == [[0] * 5] * 3 + [[1] * 5]
    assert made[0].dtype == np.int32
    assert origin.columns(RECIPES["probe"], 3, 5) == {}
