"""Gaussian kernels at points, all of one shape: that of the points' covariance, or a ball."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from stimjax.privacy.space import FLOOR

LEAST = 1e-6  # variance of a direction, over that of the widest
ROWS = 1_000  # whose distances are taken at a time


class Kernels(NamedTuple):
    """Points in a space in which every kernel is a standard normal density.

    Attributes:
        points: there, f32.
        center: of the points.
        way: from differences from the center into that space.
    """

    points: Float[np.ndarray, "m k"]
    center: Float[np.ndarray, " k"]
    way: Float[np.ndarray, "k k"]

    def bring(self, points: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "n k"]:
        """Further points, into that space, f32."""
        return ((points - self.center) @ self.way).astype(np.float32)


def fit(points: Float[np.ndarray, "m k"]) -> Kernels:
    """Kernels with the covariance of `points` times a bandwidth.

    Silverman, "Density estimation for statistics and data analysis" (1986), section 4.3.2: of n
    points in k dimensions it is (n (k + 2) / 4) ** (-1 / (k + 4)). Directions in which the points
    hardly vary are not narrower than `LEAST` of the widest, or nothing would be near to anything.
    """
    count, dimensions = points.shape
    center = points.mean(axis=0, dtype=np.float64)
    beside = points - center
    variance, axes = np.linalg.eigh(beside.T @ beside / max(count - 1, 1))
    width = (count * (dimensions + 2) / 4) ** (-1 / (dimensions + 4))
    way = axes / (width * np.sqrt(np.maximum(variance, LEAST * variance.max() + FLOOR**2)))
    return Kernels((beside @ way).astype(np.float32), center, way)


def even(points: Float[np.ndarray, "m k"], width: float) -> Kernels:
    """Kernels at `points` that are as wide in every direction; `width` is their deviation."""
    center = points.mean(axis=0, dtype=np.float64)
    way = np.eye(points.shape[1]) / width
    return Kernels(((points - center) @ way).astype(np.float32), center, way)


def log_sum(kernels: Kernels, brought: Float[np.ndarray, "n k"]) -> Float[np.ndarray, " n"]:
    """The log of the sum of kernels, each 1 at its middle, f64.

    Args:
        kernels: of the density.
        brought: where it is asked for, as `Kernels.bring` gives it.
    """
    among, half = kernels.points, (kernels.points**2).sum(axis=1) / 2
    parts = []
    for start in range(0, len(brought), ROWS):
        of = brought[start : start + ROWS]
        exponent = of @ among.T
        exponent -= half
        top = exponent.max(axis=1, keepdims=True)
        exponent -= top
        total = np.log(np.exp(exponent, out=exponent).sum(axis=1, dtype=np.float64))
        parts.append(
            total + np.minimum(top[:, 0] - (of.astype(np.float64) ** 2).sum(axis=1) / 2, 0)
        )
    return np.concatenate(parts)
