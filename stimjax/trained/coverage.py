"""Whether a window is of a kind that the stimuli cover: a stated test, measured at `fit`.

Of each channel of a window some numbers are taken, see `features`. A window is outside if the
squared Mahalanobis distance of its numbers from the stimuli's mean exceeds what all but 0.5 % of
held-out stimuli have, or if more than half of a channel lies beyond the range that the stimuli keep
to. A night is outside if more than `MOST` of its windows are.

Source: Mahalanobis, 1936; as a test whether an input is of the training's kind Lee et al., NeurIPS
2018, section 2.1, there of a network's activities.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float
from sklearn.covariance import LedoitWolf

from stimjax.batch import Batch
from stimjax.disk.store import load_arrays, save_arrays
from stimjax.errors import StimjaxError
from stimjax.excite import origin

FILE = "coverage.safetensors"
MOST = 0.2  # part of a night's windows that may be outside, see docs/choices.md
BEYOND = 0.5  # of a channel of a window; of the windows that gave the range 1 % of all values is
QUANTILE = 0.995  # of held-out stimuli that are not outside
LEAST_SPREAD = 1e-2  # in units of x: what a channel that stands still is said to vary
FEATURES = ("mean", "log SD", "lowest", "highest", "log mean absolute step")


@dataclasses.dataclass(frozen=True)
class Coverage:
    """What stimuli cover.

    Attributes:
        mean: of each feature of each channel, f64[feature].
        precision: the inverse of their covariance, f64[feature, feature].
        limit: the squared distance above which a window is outside.
        low, high: of each channel, f64[channel]. Stimuli keep to this range of theirs (`Spec`), so
            that what goes beyond it is looked at as if it ended there.
    """

    mean: Float[np.ndarray, " feature"]
    precision: Float[np.ndarray, "feature feature"]
    limit: float
    low: Float[np.ndarray, " channel"]
    high: Float[np.ndarray, " channel"]


def features(x: Float[np.ndarray, "n ... channel"]) -> Float[np.ndarray, "n feature"]:
    """Five numbers of each channel of each window, in the order of `FEATURES`.

    Mean, logarithm of the standard deviation, lowest and highest value, and logarithm of the mean
    absolute difference between neighbors in time (of images: along their rows).
    """
    x = np.asarray(x, np.float64)
    if x.ndim == 4:
        x = x.reshape(len(x), -1, x.shape[-1])
    # Of a single sample there is no step.
    step = np.abs(np.diff(x, axis=1, append=x[:, -1:])).sum(axis=1) / max(x.shape[1] - 1, 1)
    spread = np.log(x.std(axis=1) + LEAST_SPREAD)
    parts = (x.mean(axis=1), spread, x.min(axis=1), x.max(axis=1), np.log(step + LEAST_SPREAD))
    return np.concatenate(parts, axis=1)


def measure(train: Batch, validation: Batch) -> Coverage:
    """What `train` covers; `validation` chooses the limit.

    Of a release with the column `origin` the simulated sleepers (or images) alone are looked at:
    beside its random signals nothing would be outside.
    """
    low, high = train.spec.low.astype(float), train.spec.high.astype(float)
    known, held_out = (
        features(np.clip(origin.simulated(part).x, low, high)) for part in (train, validation)
    )
    found = LedoitWolf().fit(known)
    coverage = Coverage(found.location_, np.asarray(found.precision_), 0.0, low, high)
    limit = float(np.quantile(_distance(held_out, coverage), QUANTILE))
    return dataclasses.replace(coverage, limit=limit)


def outside(x: Float[np.ndarray, "n ..."], coverage: Coverage) -> Bool[np.ndarray, " n"]:
    """Whether each window is of a kind that the stimuli do not cover."""
    x = np.asarray(x, np.float64)
    inside = np.clip(x, coverage.low, coverage.high)
    beyond = (x != inside).mean(axis=tuple(range(1, x.ndim - 1))).max(axis=1)
    return (_distance(features(inside), coverage) > coverage.limit) | (beyond > BEYOND)


def save(coverage: Coverage, folder: Path) -> None:
    """Write `coverage` into `folder`."""
    arrays = {name: np.asarray(value) for name, value in dataclasses.asdict(coverage).items()}
    save_arrays(folder / FILE, arrays)


def load(folder: Path) -> Coverage:
    """Read what `save` wrote.

    Raises:
        StimjaxError: the file is missing or damaged.
    """
    arrays = load_arrays(folder / FILE)
    try:
        return Coverage(**{**arrays, "limit": float(arrays["limit"])})
    except (KeyError, TypeError, ValueError) as error:
        raise StimjaxError(f"{folder / FILE}: is damaged ({error})") from error


def _distance(values: np.ndarray, coverage: Coverage) -> np.ndarray:
    apart = values - coverage.mean
    return np.einsum("ni,ij,nj->n", apart, coverage.precision, apart)
