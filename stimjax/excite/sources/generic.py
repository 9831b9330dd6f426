"""Random signals (or images, see `fields.py`) from no statistic of the data.

Ours. What is drawn for each stimulus covers far more than physiology: spectra from very smooth to
white, with or without a rhythm; standard deviations over two decades; amplitudes that wax and wane
or pause, in one channel or in all; channels that move together, apart or against each other; dips
that follow the pauses. Frequencies are in Hz and durations in s, so that it serves any rate. The
numbers are in units of x, which for a channel of normalization "recording" are the recording's own
standard deviations.
"""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from stimjax.batch import Spec
from stimjax.config.recipes import Recipe
from stimjax.excite import cosine
from stimjax.excite.kind import Kind, Statistics
from stimjax.excite.sources import fields
from stimjax.excite.sources.source import Source

LEVEL = (-2.25, 1.0)  # of a channel with fixed units: 86 to 99 % for SpO2, more often high
SPREAD = (0.025, 2.0)  # its standard deviation: 0.1 to 8 % for SpO2, more often small
SKEW = 1.7  # how much more often: the power of a uniform number
DRIFT = 0.5  # standard deviation of the level of a channel that its recording normalized
SWING = (0.15, 5.0)  # such a channel's standard deviation, log-uniform
KNEE = (1 / 120, 8 / 120)  # Hz up to which the spectrum of a channel with fixed units is flat
SLOPE = (1.0, 3.5)  # log-amplitude against log-frequency beyond the knee
CYCLE = (10.0, 120.0)  # s from one pause to the next
RHYTHM = (0.01, 5.0)  # power of a rhythm, to that of the rest
DIPS = 0.3  # part of the draws of a channel that has them


def make(spec: Spec, statistics: Statistics, recipe: Recipe) -> Source:
    """Draws f32[*shape]. Uses the range of each channel (to clip to) and its resolution's units."""
    del statistics, recipe
    if len(spec.shape) == 3:
        return fields.make(spec)
    time, channels = spec.shape
    rate = spec.rate or 1.0
    fixed = jnp.asarray([c.normalization == "fixed" for c in spec.channels])
    low, high = jnp.asarray(spec.low), jnp.asarray(spec.high)
    top = jnp.minimum(LEVEL[1], high)
    bottom = jnp.minimum(jnp.maximum(LEVEL[0], low), top)

    def draw(key: Array, target: Array) -> Float[Array, "time channel"]:
        del target
        keys = jax.random.split(key, 7)
        level = jnp.where(
            fixed,
            top - (top - bottom) * jax.random.uniform(keys[0], (channels,)) ** SKEW,
            DRIFT * jax.random.normal(keys[1], (channels,)),
        )
        spread = jnp.where(
            fixed,
            _log_uniform(keys[2], SPREAD, channels, SKEW),
            _log_uniform(keys[3], SWING, channels),
        )
        rhythm = _coupled(keys[4], _spectra(keys[5], time, rate, fixed))
        envelope, dips = _envelopes(keys[6], time, rate, channels)
        moving = jnp.where(fixed, rhythm + dips, rhythm * envelope)
        moving = moving - moving.mean(axis=0)
        return jnp.clip(level + spread * moving, low, high)

    return draw


def _spectra(key: Array, time: int, rate: float, fixed: Array) -> Float[Array, "time channel"]:
    """Amplitudes of the cosine coefficients for a spread of 1; one for all in half of the draws."""
    frequency = jnp.arange(time)[:, None] * (rate / (2 * time))  # of each coefficient, Hz
    channels = len(fixed)
    keys = jax.random.split(key, 7)
    one = jax.random.bernoulli(keys[0])

    def shared(value: Array) -> Array:
        return jnp.where(one & ~fixed, value[jnp.argmin(fixed)], value)

    knee = jnp.where(
        fixed,
        _log_uniform(keys[1], KNEE, channels),
        shared(_log_uniform(keys[2], (rate / (2 * time), rate / 4), channels)),
    )
    slope = jnp.where(
        fixed,
        jax.random.uniform(keys[3], (channels,), minval=SLOPE[0], maxval=SLOPE[1]),
        shared(SLOPE[1] * jax.random.uniform(keys[4], (channels,))),
    )
    center = shared(_log_uniform(keys[5], (4 * rate / time, rate / 2), channels))
    peak = shared(_log_uniform(keys[6], RHYTHM, channels)) * ~fixed
    away = jnp.log(jnp.maximum(frequency, 1e-9) / center) / 0.2  # a fifth of an octave or so
    power = (1 + frequency / knee) ** (-2 * slope)
    bump = jnp.exp(-0.5 * away**2)
    power = power / power[1:].sum(axis=0) + peak * bump / (bump[1:].sum(axis=0) + 1e-6)
    power = power.at[0].set(0.0)
    power = power / power.sum(axis=0) * time
    return jnp.sqrt(power)


def _coupled(key: Array, amplitude: Float[Array, "time channel"]) -> Float[Array, "time channel"]:
    """Signals of these spectra; a random part of each, of either sign, is one for all channels."""
    own_key, common_key, sign_key, part_key, some_key = jax.random.split(key, 5)
    time, channels = amplitude.shape
    own = jax.random.normal(own_key, (time, channels))
    common = jax.random.normal(common_key, (time, 1))
    part = jax.random.uniform(part_key, (channels,)) ** 0.3 * jax.random.bernoulli(some_key, 0.7)
    sign = jnp.where(jax.random.bernoulli(sign_key, 0.7, (channels,)), 1.0, -1.0)
    mixed = sign * part * common + jnp.sqrt(1 - part**2) * own
    return cosine.inverse(mixed * amplitude)


def _envelopes(
    key: Array, time: int, rate: float, channels: int
) -> tuple[Float[Array, "time channel"], Float[Array, "time channel"]]:
    """Gains that wax and wane and pause; and the dips, some seconds late, that pauses cause."""
    keys = jax.random.split(key, 8)
    seconds = jnp.arange(time)[:, None] / rate
    cycle = _log_uniform(keys[0], (max(CYCLE[0] / 10, 8 / rate), CYCLE[1]), 1)
    phase = jax.random.uniform(keys[1], (1,))
    share = jax.random.uniform(keys[2], (1,), minval=0.2, maxval=0.8)  # of a cycle in pause

    def pause(late: Array) -> Array:
        """1 in the pauses, 0 between them, with soft edges."""
        wave = jnp.cos(2 * math.pi * ((seconds - late) / cycle + phase))
        return jax.nn.sigmoid(6 * (wave - jnp.cos(math.pi * share)))

    depth = jax.random.uniform(keys[3], (channels,)) ** 0.5
    depth = depth * jax.random.bernoulli(keys[4], 0.6)
    wax = _smooth(keys[5], time, channels) * jax.random.uniform(keys[6], (1,), maxval=1.0)
    gain = jnp.exp(wax) * (1 - depth * pause(jnp.zeros(1)))
    gain = gain / jnp.sqrt((gain**2).mean(axis=0))
    late_key, strength_key, some_key = jax.random.split(keys[7], 3)
    late = jax.random.uniform(late_key, (channels,), maxval=30.0)
    strength = jax.random.exponential(strength_key, (channels,))
    strength = strength * jax.random.bernoulli(some_key, DIPS, (channels,))
    return gain, -strength * pause(late)


def _smooth(key: Array, time: int, channels: int) -> Float[Array, "time channel"]:
    """A few slow cosines of a spread of about 1."""
    slow = min(6, time)
    weight = jax.random.normal(key, (slow, channels)) / math.sqrt(slow)
    turn = np.arange(slow) * (np.arange(time)[:, None] + 0.5) * (math.pi / time)
    return math.sqrt(2) * jnp.cos(jnp.asarray(turn)) @ weight


def _log_uniform(
    key: Array, between: tuple[float, float], size: int, skew: float = 1.0
) -> Float[Array, " size"]:
    low, high = math.log(between[0]), math.log(max(between))
    return jnp.exp(low + (high - low) * jax.random.uniform(key, (size,)) ** skew)


GENERIC = Kind(make, free=True)
