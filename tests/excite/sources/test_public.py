"""Windows of nights, exactly, of the wanted class; random signals where they are asked for."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from stimjax.batch import Channel, Spec
from stimjax.config.recipes import Recipe
from stimjax.errors import StimjaxError
from stimjax.excite.sources import SOURCES, Source, public
from stimjax.prior.strip import Strip

TIME, SAMPLES = 12, 500
WIDE = tuple(Channel(name, "", "recording", low=-1e6, high=1e6) for name in "ab")
SPEC = Spec((TIME, 2), ("normal", "apnea"), WIDE, rate=1.0, label_seconds=12.0)
RECIPE = Recipe(source="public")
# Every value tells where in which channel it is from.
X = np.stack([np.arange(SAMPLES), 1000 + np.arange(SAMPLES)], axis=1).astype(np.float32)
OF = {0: np.arange(0, 200, 7), 1: np.array([201, 300, 301, SAMPLES - TIME])}


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Random signals that compile at once."""

    def make(spec: Spec, statistics: object, recipe: object) -> Source:
        return lambda key, target: jax.random.uniform(key, spec.shape)

    monkeypatch.setattr(public.generic, "make", make)


def given(*there: bool) -> dict[str, np.ndarray]:
    start = np.concatenate([OF[0], OF[1]])
    first, nothing = np.array([0, len(OF[0]), len(start)]), np.zeros(0, int)
    return public.arrays(Strip(X, start, first, nothing, nothing, nothing, np.array(there), len(X)))


def drawn(
    statistics: dict, target: int, recipe: Recipe = RECIPE, spec: Spec = SPEC, n: int = 600
) -> np.ndarray:
    source = SOURCES["public"].make(spec, statistics, recipe)
    keys = jax.random.split(jax.random.key(target), n)
    return np.asarray(jax.jit(jax.vmap(source, (0, None)))(keys, jnp.int32(target)))


@pytest.mark.parametrize("target", [0, 1])
def test_draws_are_windows_that_begin_where_their_class_does(target: int) -> None:
    x = drawn(given(True, True), target)
    start = x[:, 0, 0].astype(int)
    np.testing.assert_array_equal(x, X[start[:, None] + np.arange(TIME)])
    counts = np.array([(start == one).sum() for one in OF[target]])
    assert counts.sum() == len(x)  # of no other start
    assert stats.chisquare(counts).pvalue > 1e-3


def test_values_beyond_the_range_are_clipped() -> None:
    narrow = dataclasses.replace(WIDE[0], low=50.0, high=99.5)
    spec = dataclasses.replace(SPEC, channels=(narrow, WIDE[1]))
    x, free = (drawn(given(True, True), 0, spec=one) for one in (spec, SPEC))
    np.testing.assert_array_equal(x[..., 0], np.clip(free[..., 0], 50, 99.5))
    np.testing.assert_array_equal(x[..., 1], free[..., 1])
    assert x[..., 0].min() == 50 and x[..., 0].max() == 99.5


def is_window(x: np.ndarray) -> np.ndarray:
    """Of each draw and channel, whether it is a window's: random signals have no slope of 1."""
    return (np.diff(x, axis=1) == 1).all(axis=1)


def test_a_part_of_draws_is_random_in_all_channels() -> None:
    found = is_window(drawn(given(True, True), 0, dataclasses.replace(RECIPE, random=0.3)))
    assert (found[:, 0] == found[:, 1]).all()
    assert stats.binomtest(int((~found[:, 0]).sum()), len(found), 0.3).pvalue > 1e-3


@pytest.mark.parametrize("random", [False, True])
def test_where_it_is_said_all_or_none_are_random(random: bool) -> None:
    said = given(True, True) | {public.RANDOM: np.bool_(random)}
    assert (is_window(drawn(said, 1, dataclasses.replace(RECIPE, random=0.3))) != random).all()


def test_channels_that_nobody_simulates_are_random_signals() -> None:
    found = is_window(drawn(given(False, True), 0))
    assert not found[:, 0].any() and found[:, 1].all()
    assert not is_window(drawn(given(False, False), 0)).any()


@pytest.mark.parametrize(
    "spec", [SPEC, Spec((8, 8, 1), ("a", "b"), (Channel("ink", ""),))], ids=["signals", "images"]
)
def test_without_nights_it_is_refused_in_one_line(spec: Spec) -> None:
    with pytest.raises(StimjaxError, match="draws from simulated nights") as error:
        SOURCES["public"].make(spec, {}, RECIPE)
    assert "\n" not in str(error.value)
