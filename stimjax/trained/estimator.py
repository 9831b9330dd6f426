"""A student as an estimator of scikit-learn: of a release, or of arrays."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Shaped
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from stimjax import batch, config
from stimjax.batch import Batch, Channel, Spec
from stimjax.machine import runtime
from stimjax.students.classical import CLASSICAL
from stimjax.trained import model as models


class StimuliClassifier(ClassifierMixin, BaseEstimator):
    """A student that learns from a release, or from arrays as every classifier of scikit-learn.

    Args:
        student: its name: deep (cnn, mlp, ...) or classical (logistic, random_forest, ...).
        labels: of a release: learn from soft labels as they are, or from hard ones.
        seed: of its training.
        training: how a deep student is trained; by default as the command does.

    Attributes:
        classes_: the classes; of a release their names.
        n_features_in_: numbers in a window.
        model_: the `Model` that was trained, for `stimjax.trained.model.keep`.
    """

    def __init__(
        self,
        student: str = "cnn",
        *,
        labels: Literal["soft", "hard"] = "soft",
        seed: int = 0,
        training: config.Fit | None = None,
    ) -> None:
        self.student = student
        self.labels = labels
        self.seed = seed
        self.training = training

    def fit(self, X: Any, y: Any = None) -> StimuliClassifier:
        """Train on a release, or on windows with a class each.

        Args:
            X: the folder of a release, or its stimuli (`load_release`), without `y`; or windows
                f32[n, features] or f32[n, time, channel]. A row of features is taken as a signal of
                one channel.
            y: the class of each window; any labels.

        Raises:
            StimjaxError: the release is none, or there is no such student.
            ValueError: the arrays are no windows and classes.
        """
        runtime.start()
        models.refuse_student(self.student)
        settings = config.Study(
            (), (), self.labels, seeds=1, fit=self.training or config.Fit(), seed=self.seed
        )
        if isinstance(X, str | Path):
            self.model_ = models.fit_folder(Path(X), self.student, settings)
        elif isinstance(X, Batch):
            self.model_ = models.fit(X, self.student, settings)
        else:
            return self._fit_arrays(X, y, settings)
        self.classes_ = np.array(self.model_.spec.classes)
        self.n_features_in_ = math.prod(self.model_.spec.shape)
        return self

    def _fit_arrays(self, given: Any, y: Any, settings: config.Study) -> StimuliClassifier:
        shape = _shape(given)
        flat, y = validate_data(self, _flat(given), y, dtype=np.float32, ensure_min_samples=2)
        check_classification_targets(y)
        self.classes_, label = np.unique(y, return_inverse=True)
        shape = shape or (flat.shape[1], 1)
        low, high = float(flat.min()), float(flat.max())
        channel = Channel("", "", low=low, high=high if high > low else low + 1)
        channels = tuple(dataclasses.replace(channel, name=f"x{i}") for i in range(shape[-1]))
        spec = Spec(shape, tuple(map(str, self.classes_)), channels)
        windows = batch.make(flat.reshape(-1, *shape), batch.one_hot(label, spec), spec)
        # A classical student chooses nothing on a held-out part: it learns from all that is given.
        validation = windows if self.student in CLASSICAL else None
        self.model_ = models.fit(windows, self.student, settings, validation=validation)
        return self

    def predict_proba(self, X: Any) -> Float[np.ndarray, "n classes"]:
        """Probabilities of `classes_` for windows in either form; each row sums to 1."""
        check_is_fitted(self)
        flat = validate_data(self, _flat(X), dtype=np.float32, reset=False)
        windows = flat.reshape(-1, *self.model_.spec.shape)
        probability = self.model_.predict_proba(windows).astype(np.float64)
        return probability / probability.sum(axis=1, keepdims=True)

    def predict(self, X: Any) -> Shaped[np.ndarray, " n"]:
        """The most probable of `classes_` for windows in either form."""
        probability = self.predict_proba(X)
        return self.classes_[probability.argmax(axis=1)]


def _shape(given: Any) -> tuple[int, ...]:
    """The shape of windows that are more than rows; else nothing."""
    return tuple(given.shape[1:]) if getattr(given, "ndim", 2) in (3, 4) else ()


def _flat(given: Any) -> Any:
    """Windows as rows; what is no windows as it is, for scikit-learn to refuse."""
    return np.reshape(given, (len(given), -1)) if _shape(given) else given
