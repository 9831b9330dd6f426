"""Where stimuli of the source `public` come from: the column `origin` of a release.

0 of a simulated sleeper or an image that anybody may have, 1 random, i32[n]; for whoever wants one
kind alone, as k-nearest neighbors do.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Int

from stimjax.batch import Batch
from stimjax.config.recipes import Recipe

ORIGIN = "origin"
SIMULATED, RANDOM = 0, 1


def simulated(windows: Batch) -> Batch:
    """Those of a simulated sleeper or a known image; all where there is no such column, or none."""
    if ORIGIN not in windows.columns:
        return windows
    known = np.asarray(windows.columns[ORIGIN]) == SIMULATED
    return windows[known] if known.any() else windows


def random(numbers: Int[np.ndarray, " n"], part: float) -> Bool[np.ndarray, " n"]:
    """Whether shards of these numbers are of random signals, which are the `part` of any of them.

    A shard is of one origin: its lanes need not tell.
    """
    ends = np.floor((np.asarray(numbers)[:, None] + [0, 1]) * part + 1e-9)
    return ends[:, 1] > ends[:, 0]


def columns(recipe: Recipe, number: int, count: int) -> dict[str, np.ndarray]:
    """The column of `count` stimuli of the shard `number`; none of other sources."""
    if recipe.source != "public":
        return {}
    one = RANDOM if random(np.array([number]), recipe.random)[0] else SIMULATED
    return {ORIGIN: np.full(count, one, np.int32)}
