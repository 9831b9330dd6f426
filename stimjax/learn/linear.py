"""A linear classifier of windows, as a statistic: the weights of a logistic regression.

Students that are linear learn from its classes what they would learn from the windows themselves:
the teacher's own networks draw borders that no line follows (docs/method.md).
"""

from __future__ import annotations

import warnings

import numpy as np
from jaxtyping import Float, Int
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

MOST_VALUES = 1000  # of a flattened window; a longer one is averaged over neighbors in time


def features(x: Float[np.ndarray, "n ..."]) -> Float[np.ndarray, "n value"]:
    """Windows as rows of at most about `MOST_VALUES` finite numbers."""
    flat = x.reshape(len(x), -1)
    if x.ndim == 3 and flat.shape[1] > MOST_VALUES:
        n, time, channels = x.shape
        size = -(-flat.shape[1] // MOST_VALUES)
        whole = time // size * size
        flat = x[:, :whole].reshape(n, whole // size, size, channels).mean(axis=2).reshape(n, -1)
    return flat


def fit(
    x: Float[np.ndarray, "n ..."], label: Int[np.ndarray, " n"], classes: int
) -> tuple[Float[np.ndarray, "value class"], Float[np.ndarray, " class"]]:
    """Weight and bias of the log-odds of each class; a class without a window is never called."""
    scaler = StandardScaler()
    rows = scaler.fit_transform(features(x))
    weight, bias = np.zeros((rows.shape[1], classes)), np.full(classes, -np.inf)
    found = np.unique(label)
    if len(found) == 1:
        bias[found] = 0.0
    else:
        model = LogisticRegression(solver="newton-cholesky")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(rows, label)
        of_two = len(found) == 2
        coefficients = np.concatenate([0 * model.coef_, model.coef_]) if of_two else model.coef_
        constant = np.append(0.0, model.intercept_) if of_two else model.intercept_
        scale = np.asarray(scaler.scale_)
        weight[:, found] = (coefficients / scale).T
        bias[found] = constant - coefficients @ (np.asarray(scaler.mean_) / scale)
    bias[np.isinf(bias)] = -1e9  # finite, as all that is kept
    return weight.astype(np.float32), bias.astype(np.float32)


def labels(
    weight: Float[np.ndarray, "value class"],
    bias: Float[np.ndarray, " class"],
    x: Float[np.ndarray, "n ..."],
) -> Float[np.ndarray, "n class"]:
    """The class that is called for each window, one-hot f32[n, class]."""
    called = (features(np.asarray(x)) @ weight + bias).argmax(axis=1)
    return np.eye(len(bias), dtype=np.float32)[called]
