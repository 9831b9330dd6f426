"""How likely a Gaussian draws something, from the Cholesky factor of its covariance."""

from __future__ import annotations

import numpy as np
import scipy.linalg
from jaxtyping import Float


def log_density(
    beyond: Float[np.ndarray, "n k"], factor: Float[np.ndarray, "k k"]
) -> Float[np.ndarray, " n"]:
    """The log density, without its constant, of what lies `beyond` the mean.

    Args:
        beyond: differences from the mean.
        factor: lower triangular; its square is the covariance.
    """
    white = scipy.linalg.solve_triangular(factor, beyond.T, lower=True)
    return -(white**2).sum(axis=0) / 2 - np.log(np.diag(factor)).sum()
