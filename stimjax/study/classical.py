"""Students from scikit-learn: they take the flattened window and the most probable class."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from stimjax.batch import Batch

MOST_VALUES = 1000  # of a flattened window; a longer one is averaged over neighbors in time

CLASSICAL: dict[str, Callable[[int], Any]] = {
    "random_forest": lambda seed: RandomForestClassifier(200, n_jobs=-1, random_state=seed),
    "gradient_boosting": lambda seed: HistGradientBoostingClassifier(random_state=seed),
    "svm": lambda seed: make_pipeline(StandardScaler(), SVC()),
    "knn": lambda seed: make_pipeline(StandardScaler(), KNeighborsClassifier(15, n_jobs=-1)),
    "logistic": lambda seed: make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)),
}
RANDOM = ("random_forest",)  # those whose result depends on the seed


def train_and_predict(
    name: str, train: Batch, x: Float[np.ndarray, "n ..."], seed: int
) -> Float[np.ndarray, "n classes"]:
    """Train the student `name` and give its class probabilities for `x`.

    A soft label counts as its most probable class; weights are passed on where the model takes
    them. Models without probabilities give a softmax of their decision values, which ranks as
    they do but is not calibrated.

    Args:
        name: one of `CLASSICAL`.
        train: windows to learn from.
        x: windows to predict.
        seed: of the model's own randomness.
    """
    model: Any = CLASSICAL[name](seed)
    label = np.asarray(train.y).argmax(axis=1)
    probability = np.zeros((len(x), train.y.shape[1]), np.float32)
    if len(np.unique(label)) == 1:  # labels that say nothing, as for pure noise
        probability[:, label[0]] = 1
        return probability
    model.fit(_features(np.asarray(train.x)), label)
    probability[:, model.classes_] = _probability(model, _features(x))
    return probability


def _probability(model: Any, features: np.ndarray) -> np.ndarray:
    if hasattr(model, "predict_proba"):
        return model.predict_proba(features)
    score = model.decision_function(features)
    if score.ndim == 1:  # two classes: one signed distance
        score = np.stack([-score, score], axis=1) / 2
    score = np.exp(score - score.max(axis=1, keepdims=True))
    return score / score.sum(axis=1, keepdims=True)


def _features(x: np.ndarray) -> np.ndarray:
    """Windows as rows of at most about `MOST_VALUES` finite numbers."""
    flat = x.reshape(len(x), -1)
    if x.ndim == 3 and flat.shape[1] > MOST_VALUES:
        n, time, channels = x.shape
        size = -(-flat.shape[1] // MOST_VALUES)
        whole = time // size * size
        flat = x[:, :whole].reshape(n, whole // size, size, channels).mean(axis=2).reshape(n, -1)
    return flat
