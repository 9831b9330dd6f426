"""Random numbers written out against jax's own."""

import chex
import jax
import jax.numpy as jnp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stimjax.numerics.threefry import rolled, unrolled

WORDS = st.integers(0, 2**32 - 1)


def drawn(key: jax.Array) -> list[jax.Array]:
    """One of each way to use a key; the shapes include odd and empty ones."""
    first, second = jax.random.split(key)
    return [
        jax.random.key_data(first),
        jax.random.key_data(jax.random.split(second, (2, 3))),
        jax.random.key_data(jax.random.fold_in(key, 7)),
        *(jax.random.bits(key, (3, 5), dtype) for dtype in (jnp.uint8, jnp.uint16, jnp.uint32)),
        jax.random.bits(key),
        jax.random.bits(key, (0,)),
        jax.random.normal(second, (33,)),
        jax.random.permutation(first, 10),
    ]


@settings(max_examples=20, deadline=None)
@given(st.tuples(WORDS, WORDS))
def test_any_key_draws_the_same(words: tuple[int, int]) -> None:
    key = jax.random.wrap_key_data(jnp.array(words, jnp.uint32))
    chex.assert_trees_all_equal(jax.jit(drawn)(unrolled(key)), jax.jit(drawn)(key))


def test_lifted_keys_draw_the_same() -> None:
    keys = jax.random.split(jax.random.key(3), 4)
    chex.assert_trees_all_equal(jax.vmap(drawn)(unrolled(keys)), jax.vmap(drawn)(keys))


def test_wide_numbers_are_the_same() -> None:
    with jax.enable_x64(True):
        key = jax.random.key(5)
        chex.assert_trees_all_equal(
            jax.random.bits(unrolled(key), (4,), jnp.uint64), jax.random.bits(key, (4,), jnp.uint64)
        )


@pytest.mark.parametrize("seed", [0, 1, 2**31 - 1, 2**32 - 1, -1])
def test_a_seed_gives_the_same_key(seed: int) -> None:
    made = jax.random.key(seed, impl=jax.random.key_impl(unrolled(jax.random.key(0))))
    chex.assert_trees_all_equal(
        jax.random.key_data(made), jax.random.key_data(jax.random.key(seed))
    )


def test_there_and_back_is_the_same_key() -> None:
    key = jax.random.key(11)
    back = rolled(unrolled(key))
    assert back.dtype == key.dtype
    chex.assert_trees_all_equal(jax.random.key_data(back), jax.random.key_data(key))
