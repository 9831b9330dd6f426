"""Windows of simulated nights, which anybody may have, beside random signals.

Ours. A carrier begins at a random second of a night that a simulator drew (`stimjax.prior`): one
of those whose scored minute is of the wanted class. Channels that nobody simulates are random
signals, and so is the whole window in the part `Recipe.random` of draws (`generic.py`). What the
teacher knows is in the labels alone.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from stimjax.batch import Spec
from stimjax.config.recipes import Recipe
from stimjax.errors import StimjaxError
from stimjax.excite.kind import Kind, Statistics
from stimjax.excite.sources import generic
from stimjax.excite.sources.source import Source
from stimjax.prior.nights import Nights

RANDOM = "nights.random"  # whether all draws are random signals; not said, each is by chance
NIGHTS = "nights"  # of nobody: what begins so is no statistic of private windows


def arrays(nights: Nights) -> dict[str, np.ndarray]:
    """What `make` needs of nights, by name."""
    names = ("x", "start", "first", "simulated")
    return {f"{NIGHTS}.{name}": np.asarray(getattr(nights, name)) for name in names}


def make(spec: Spec, statistics: Statistics, recipe: Recipe) -> Source:
    """Draws f32[*shape] of the wanted class, clipped to the range of each channel.

    Raises:
        StimjaxError: no nights are given.
    """
    if f"{NIGHTS}.x" not in statistics:
        raise StimjaxError(
            "this method draws from simulated nights, of which the teacher does not say which; "
            "train it again"
        )
    x, start, first, simulated = (
        jnp.asarray(statistics[f"{NIGHTS}.{name}"]) for name in ("x", "start", "first", "simulated")
    )
    low, high = jnp.asarray(spec.low), jnp.asarray(spec.high)
    generically = generic.make(spec, statistics, recipe)

    def draw(key: Array, target: Array) -> Array:
        random_key, start_key, which_key = jax.random.split(key, 3)
        index = jax.random.randint(start_key, (), first[target], first[target + 1])
        window = jax.lax.dynamic_slice(x, (start[index], jnp.int32(0)), spec.shape)
        beside = generically(random_key, target)
        random = statistics.get(RANDOM, jax.random.uniform(which_key) < recipe.random)
        return jnp.where(simulated & ~random, jnp.clip(window, low, high), beside)

    return draw


PUBLIC = Kind(make, free=True)
