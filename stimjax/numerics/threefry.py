"""JAX's random numbers, bit for bit, in a form that a step of lanes can afford.

A step draws a dozen times, a few numbers each. On a CPU jax compiles every draw to a loop of its
own, and these loops took a third of a step. Here the rounds of the hash are written out, so
that XLA fuses a draw into what uses it. What is used many times over, such as noise in a term of
the objective, would be hashed many times over then: `rolled` gives the key for that.

Threefry-2x32, 20 rounds: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
"""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
from jax.extend.random import define_prng_impl
from jaxtyping import Array, UInt32

ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
PARITY = 0x1BD11BDA

Words = UInt32[Array, "..."]


def unrolled(key: Array) -> Array:
    """The same key for this form; `jax.random` draws the same numbers with it."""
    return jax.random.wrap_key_data(jax.random.key_data(key), impl=UNROLLED)


def rolled(key: Array) -> Array:
    """The same key for jax's own form, whose draws are computed once, however often used."""
    return jax.random.wrap_key_data(jax.random.key_data(key), impl="threefry2x32")


def _hash(key: Words, high: Words, low: Words) -> tuple[Words, Words]:
    """Two words for each count of two words, from the two words of a key."""
    keys = (key[0], key[1], key[0] ^ key[1] ^ jnp.uint32(PARITY))
    a, b = high + keys[0], low + keys[1]
    for block in range(5):
        for rotation in ROTATIONS[block % 2]:
            a = a + b
            b = (b << rotation | b >> (32 - rotation)) ^ a
        a = a + keys[(block + 1) % 3]
        b = b + keys[(block + 2) % 3] + jnp.uint32(block + 1)
    return a, b


def _numbered(key: Words, shape: tuple[int, ...]) -> tuple[Words, Words]:
    """The hashes of 0, 1, 2, ... in `shape`."""
    low = jax.lax.iota(jnp.uint32, math.prod(shape)).reshape(shape)
    return _hash(key, jnp.zeros_like(low), low)


def _seed(seed: Array) -> Words:
    seed = jnp.asarray(seed)
    high = seed >> 32 if seed.dtype.itemsize > 4 else jnp.zeros_like(seed)
    return jnp.stack([high.astype(jnp.uint32), seed.astype(jnp.uint32)])


def _split(key: Words, shape: tuple[int, ...]) -> Words:
    return jnp.stack(_numbered(key, shape), axis=-1)


def _fold_in(key: Words, data: Array | int) -> Words:
    low = jnp.asarray(data).astype(jnp.uint32)
    return jnp.stack(_hash(key, jnp.zeros_like(low), low))


def _random_bits(key: Words, width: int, shape: tuple[int, ...]) -> Array:
    high, low = _numbered(key, shape)
    if width == 64:
        return high.astype(jnp.uint64) << 32 | low.astype(jnp.uint64)
    return (high ^ low).astype({8: jnp.uint8, 16: jnp.uint16, 32: jnp.uint32}[width])


UNROLLED = define_prng_impl(
    key_shape=(2,),
    seed=_seed,
    split=_split,
    random_bits=_random_bits,
    fold_in=_fold_in,
    name="threefry2x32_unrolled",
    tag="fryu",
)
