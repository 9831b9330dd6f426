"""The principal components of the training windows: a statistic that several parts share."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Array, Float
from sklearn.decomposition import PCA

from stimjax.batch import Batch
from stimjax.excite import rows
from stimjax.excite.kind import Labeler, Statistic, Statistics

MOST = 160  # of signals
MOST_OF_IMAGES = 60
USES = "the principal components of the training windows"


class Components(NamedTuple):
    """Principal components of k directions, of windows of v values.

    Attributes:
        basis: orthonormal.
        center: the mean window.
        spread: the standard deviation of the windows' scores.
    """

    basis: Float[Array | np.ndarray, "k v"]
    center: Float[Array | np.ndarray, " v"]
    spread: Float[Array | np.ndarray, " k"]


def fitted(x: Float[np.ndarray, "n ..."]) -> Components:
    """The principal components of windows `x`, and how far these spread along each."""
    flat = x.reshape(len(x), -1)
    solver = "covariance_eigh" if flat.shape[1] <= 1000 else "randomized"
    most = MOST if x.ndim == 3 else MOST_OF_IMAGES
    pca = PCA(min(most, *flat.shape), svd_solver=solver, random_state=0).fit(flat)
    basis, center = (np.asarray(a, np.float32) for a in (pca.components_, pca.mean_))
    return Components(basis, center, ((flat - center) @ basis.T).std(axis=0))


def measure(train: Batch, labeler: Labeler, earlier: Statistics) -> dict[str, np.ndarray]:
    """`components.basis f32[k, v]`, `components.center f32[v]` and `components.spread f32[k]`.

    And `components.behind.all`, see `rows.behind`.
    """
    del labeler, earlier
    crowd = rows.sampled(train)
    arrays = fitted(crowd.of(train.x))._asdict() | {f"{rows.BEHIND}.all": rows.of_all(crowd)}
    return {f"components.{name}": np.asarray(a, np.float32) for name, a in arrays.items()}


def of(statistics: Statistics, prefix: str = "components") -> Components:
    """The components among `statistics`, whose names begin with `prefix`.

    Raises:
        KeyError: they were not measured.
    """
    return Components(*(statistics[f"{prefix}.{field}"] for field in Components._fields))


COMPONENTS = Statistic("components", measure)
