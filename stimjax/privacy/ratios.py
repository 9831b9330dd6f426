"""Whether stimuli lie nearer to the training windows than to windows that nothing has seen.

A sanity check for copies and near-copies, no audit: a release can pass and still tell who was in
the training set (Yao et al., "The DCR delusion", arXiv 2505.01524).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from sklearn.neighbors import NearestNeighbors

from stimjax.batch import Batch

FLOOR = 0.1  # least standard deviation of a value, in units of the mean over its channel
MOST = 5_000  # stimuli and windows whose neighbors are sought


def ratios(stimuli: Batch, *, train: Batch, held_out: Batch, seed: int = 0) -> dict[str, float]:
    """Median distances to the nearest neighbor, for training windows over held-out ones.

    Distances are Euclidean, each value in units of its standard deviation in `train` (at least a
    tenth of the channel's). Of `train`
    and `held_out` as many windows are taken at random, so that neither is nearer for being larger.

    Args:
        stimuli: the release.
        train: windows that the teacher learned from.
        held_out: windows of the same kind that neither teacher nor stimuli have seen.
        seed: of the random choice.

    Returns:
        `from_stimuli`, of distances from each stimulus to its nearest window, and `to_stimuli`,
        from each window to its nearest stimulus. 1 where the training windows are as far as
        others; below 1 where they are nearer. And `apart`: how far stimuli are from training
        windows, over how far held-out windows are from them.
    """
    rng = np.random.default_rng(seed)
    deviation = np.asarray(train.x).std(axis=0)
    channel = deviation.mean(axis=tuple(range(deviation.ndim - 1)))
    # A value that hardly varies, such as an image's corner, is not stretched over all others.
    spread = np.maximum(deviation, FLOOR * channel).reshape(-1) + 1e-9

    def some(batch: Batch, most: int) -> Float[np.ndarray, "n values"]:
        rows = rng.permutation(len(batch))[:most]
        return np.asarray(batch.x)[rows].reshape(len(rows), -1) / spread

    size = min(MOST, len(train), len(held_out))
    seen, unseen, every = some(train, size), some(held_out, size), some(stimuli, len(stimuli))
    sought = every[:MOST]
    distance = _median(sought, seen)
    return {
        "from_stimuli": distance / _median(sought, unseen),
        "to_stimuli": _median(seen, every) / _median(unseen, every),
        "apart": distance / _median(unseen, seen),
    }


def _median(of: Float[np.ndarray, "n values"], among: Float[np.ndarray, "m values"]) -> float:
    distance, _ = NearestNeighbors(n_neighbors=1, n_jobs=-1).fit(among).kneighbors(of)
    return float(np.median(distance)) + 1e-12  # copies of copies: no division by zero
