"""Windows that anybody may have, of simulated nights or images, beside random ones.

Ours. A carrier begins at a random second of a night that a simulator drew, or that anybody may have
(`stimjax.prior`): one of those whose scored minute is of the wanted class, or that nobody scored.
Of images, of which there are few, each draw is changed a little (`views.augmented`). Channels that
nobody simulates are random signals, and so is the whole window in the part `Recipe.random` of draws
(`generic.py`). What the teacher knows is in the labels alone.
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
from stimjax.excite.views import augmented
from stimjax.prior.strip import Strip

RANDOM = "nights.random"  # whether all draws are random signals; not said, each is by chance
NIGHTS = "nights"  # of nobody: what begins so is no statistic of private windows
CHANGED = 1  # of a key, for how a draw is changed


def arrays(strip: Strip) -> dict[str, np.ndarray]:
    """What `make` needs of a strip, by name."""
    names = ("x", "start", "first", "simulated", "recorded")
    return {f"{NIGHTS}.{name}": np.asarray(getattr(strip, name)) for name in names}


def make(spec: Spec, statistics: Statistics, recipe: Recipe) -> Source:
    """Draws f32[*shape] of the wanted class, clipped to the range of each channel.

    Raises:
        StimjaxError: no nights are given.
    """
    if f"{NIGHTS}.x" not in statistics:
        raise StimjaxError(
            "this method draws from simulated nights or from images, of which the teacher does not "
            "say which; train it again"
        )
    x, start, first, simulated, recorded = (
        jnp.asarray(statistics[f"{NIGHTS}.{name}"])
        for name in ("x", "start", "first", "simulated", "recorded")
    )
    low, high = jnp.asarray(spec.low), jnp.asarray(spec.high)
    generically = generic.make(spec, statistics, recipe)
    changed = augmented(spec) if len(spec.shape) == 3 else _unchanged

    def draw(key: Array, target: Array) -> Array:
        random_key, start_key, which_key = jax.random.split(key, 3)
        index = jax.random.randint(start_key, (), first[target], first[target + 1])
        place = (start[index], *[jnp.int32(0)] * (x.ndim - 1))
        window = jax.lax.dynamic_slice(x, place, spec.shape)
        window = changed(window, jax.random.fold_in(start_key, CHANGED))
        beside = generically(random_key, target)
        random = statistics.get(RANDOM, jax.random.uniform(which_key) < recipe.random)
        there = simulated | (start[index] >= recorded)
        return jnp.where(there & ~random, jnp.clip(window, low, high), beside)

    return draw


def _unchanged(window: Array, key: Array) -> Array:
    """Of signals there are as many starts as seconds."""
    del key
    return window


PUBLIC = Kind(make, free=True)
