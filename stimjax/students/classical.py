"""Students from scikit-learn: they take the flattened window, its soft label and its weight.

A window that the teacher finds 70 % normal and 30 % apnea becomes two rows with the same values:
"normal" with 0.7 of the window's weight, "apnea" with 0.3. Every loss of scikit-learn that takes
`sample_weight` is then the cross-entropy (or its kind) to the soft label. Two need no such rows:
k-nearest neighbors averages its neighbors' soft labels, and a forest of regression trees fits them
as they are (for labels that a person scored, its squared error is a classification tree's Gini
impurity). A window that a person scored gives one row.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from stimjax.batch import Batch

MOST_VALUES = 1000  # of a flattened window; a longer one is averaged over neighbors in time
LEAST = 0.02  # a class less probable than this gives a window no row of its own
MOST_ROWS = 2.0  # rows a window, on average; above this the least probable ones are left out
MOST_SVM_ROWS = 1.5  # its time grows with more than the square: a minute for 26,000 rows

CLASSICAL: dict[str, Callable[[int], Any]] = {
    "random_forest": lambda seed: RandomForestRegressor(
        max_features="sqrt",  # pyright: ignore[reportArgumentType]
        n_jobs=-1,
        random_state=seed,
    ),
    # No early stopping: its held-out rows would be the other classes of windows it has seen.
    "gradient_boosting": lambda seed: HistGradientBoostingClassifier(
        early_stopping=False,  # pyright: ignore[reportArgumentType]
        random_state=seed,
    ),
    "svm": lambda seed: make_pipeline(StandardScaler(), SVC(cache_size=500)),
    "knn": lambda seed: make_pipeline(StandardScaler(), KNeighborsRegressor(15, n_jobs=-1)),
    "logistic": lambda seed: make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)),
}
RANDOM = ("random_forest",)  # those whose result depends on the seed
ONE_CORE = ("svm", "logistic")  # those that take one core only, without Python's lock


@dataclasses.dataclass(frozen=True)
class Fitted:
    """A student that has learned.

    Attributes:
        name: one of `CLASSICAL`.
        model: of scikit-learn, fitted.
        columns: the numbers of the classes that it knows, in its own order.
        classes: how many there are.
    """

    name: str
    model: Any
    columns: tuple[int, ...]
    classes: int

    def probability(self, x: Float[np.ndarray, "n ..."]) -> Float[np.ndarray, "n classes"]:
        """Class probabilities of windows.

        Models without probabilities give a softmax of their decision values, which ranks as they
        do but is not calibrated.
        """
        features = features_of(x)
        if self.name == "knn":  # the mean of weight times label over that of weight
            means = self.model.predict(features)
            return (means[:, :-1] / means[:, -1:]).astype(np.float32)
        if self.name == "random_forest":
            means = self.model.predict(features)  # of a single class without an axis for it
            return means.reshape(len(x), self.classes).astype(np.float32)
        probability = np.zeros((len(x), self.classes), np.float32)
        probability[:, list(self.columns)] = _probability(self.model, features)
        return probability


def fitted(name: str, train: Batch, seed: int) -> Fitted:
    """Train the student `name`.

    Args:
        name: one of `CLASSICAL`.
        train: windows to learn from; one of weight 0 is left out.
        seed: of the model's own randomness.

    Raises:
        KeyError: there is no student `name`.
    """
    model: Any = CLASSICAL[name](seed)
    if np.ndim(train.x) == 4 and isinstance(model, Pipeline):
        # All pixels have one unit; in their own, corners that are hardly ever inked decide.
        model.set_params(standardscaler__with_std=False)
    used = np.asarray(train.weight) > 0
    features, y = features_of(np.asarray(train.x)[used]), np.asarray(train.y)[used]
    weight = np.asarray(train.weight, np.float64)[used]
    weight /= weight.mean()
    classes = y.shape[1]
    if name == "knn":
        _fit_neighbors(model, features, y, weight)
        return Fitted(name, model, tuple(range(classes)), classes)
    if name == "random_forest":
        model.fit(features, y, sample_weight=weight)
        return Fitted(name, model, tuple(range(classes)), classes)
    window, label, share = rows(y, MOST_SVM_ROWS if name == "svm" else MOST_ROWS)
    if len(np.unique(label)) == 1:  # labels that say nothing, as for pure noise
        model = DummyClassifier()
    _fit(model, features[window], label, weight[window] * share)
    return Fitted(name, model, tuple(int(k) for k in model.classes_), classes)


def train_and_predict(
    name: str, train: Batch, x: Float[np.ndarray, "n ..."], seed: int
) -> Float[np.ndarray, "n classes"]:
    """Class probabilities for `x` of the student `name`, see `fitted` and `Fitted.probability`.

    Raises:
        KeyError: there is no student `name`.
    """
    return fitted(name, train, seed).probability(x)


def features_of(x: Float[np.ndarray, "n ..."]) -> Float[np.ndarray, "n value"]:
    """Windows as rows of at most about `MOST_VALUES` finite numbers."""
    size = pooled(x.shape[1:])
    if size > 1:
        n, time, channels = x.shape
        whole = time // size * size
        x = x[:, :whole].reshape(n, whole // size, size, channels).mean(axis=2)
    return x.reshape(len(x), math.prod(x.shape[1:]))


def pooled(shape: tuple[int, ...]) -> int:
    """How many neighbors in time are averaged in windows of a shape; 1 for none."""
    return max(1, -(-math.prod(shape) // MOST_VALUES)) if len(shape) == 2 else 1


def rows(
    y: Float[np.ndarray, "n classes"], most: float = MOST_ROWS
) -> tuple[Int[np.ndarray, " rows"], Int[np.ndarray, " rows"], Float[np.ndarray, " rows"]]:
    """Soft labels as hard ones: windows repeated, each row with a share of its window's weight.

    Classes of a probability below `LEAST` are dropped, the window's most probable one never; of
    what is left, the most probable `most` a window on average. The rest is renormalized, so
    that a window's shares sum to 1. A one-hot label gives one row.

    Args:
        y: a probability for each class.
        most: rows a window, on average; at least 1.

    Returns:
        For each row: the number of its window, its class, its share; in order of windows.
    """
    n = len(y)
    top = np.zeros_like(y, bool)
    top[np.arange(n), y.argmax(axis=1)] = True
    kept = top | (y >= LEAST)
    more = int((most - 1) * n)  # rows beyond one for each window
    others = np.where(kept & ~top, y, 0.0)
    if np.count_nonzero(others) > more:
        kept = top.copy()
        kept.flat[np.argsort(-others, axis=None, kind="stable")[:more]] = True
    share = np.where(kept, y.astype(np.float64), 0.0)
    share /= share.sum(axis=1, keepdims=True)
    window, label = np.nonzero(kept)
    return window, label, share[window, label]


def _fit(model: Any, features: np.ndarray, label: np.ndarray, weight: np.ndarray) -> None:
    """Fit with weights, where they differ; in a pipeline every step takes them."""
    if (weight == 1).all():  # the same; to the last bit the plain classifier
        model.fit(features, label)
    elif isinstance(model, Pipeline):
        model.fit(features, label, **{f"{step}__sample_weight": weight for step, _ in model.steps})
    else:
        model.fit(features, label, sample_weight=weight)


def _fit_neighbors(model: Any, features: np.ndarray, y: np.ndarray, weight: np.ndarray) -> None:
    """Neighbors that keep what has to be averaged: weight times label, and the weight."""
    scaler, regressor = (step for _, step in model.steps)
    regressor.set_params(n_neighbors=min(regressor.n_neighbors, len(features)))
    scaler.fit(features, sample_weight=weight)
    regressor.fit(scaler.transform(features), np.column_stack([weight[:, None] * y, weight]))


def _probability(model: Any, features: np.ndarray) -> np.ndarray:
    if hasattr(model, "predict_proba"):
        return model.predict_proba(features)
    score = model.decision_function(features)
    if score.ndim == 1:  # two classes: one signed distance
        score = np.stack([-score, score], axis=1) / 2
    score = np.exp(score - score.max(axis=1, keepdims=True))
    return score / score.sum(axis=1, keepdims=True)
