"""The estimator: scikit-learn's own checks, and releases."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import check_estimator

import stimjax as sj
from stimjax import batch

FIT = sj.config.Fit(steps=60, every=20, rate=1e-2)

# What does not apply, by student, and why. The one check that scikit-learn skips by itself, of
# the array API, wants SCIPY_ARRAY_API to be set.
EXPECTED: dict[str, dict[str, str]] = {
    "knn": {},
    "mlp": {"check_estimators_pickle": "a network is functions; `stimjax.fit` keeps it in files"},
}


@pytest.mark.parametrize("student", ["knn", pytest.param("mlp", marks=pytest.mark.slow)])
def test_scikit_learn_checks_it(student: str) -> None:
    estimator = sj.StimuliClassifier(student, training=FIT)
    results = check_estimator(
        estimator, expected_failed_checks=EXPECTED[student], on_skip=None, on_fail="raise"
    )
    skipped = [entry["check_name"] for entry in results if entry["status"] == "skipped"]
    assert skipped in ([], ["check_array_api_input"])


def windows(n: int) -> tuple[np.ndarray, np.ndarray]:
    x = np.random.default_rng(n).normal(size=(n, 10, 2)).astype(np.float32)
    return x, np.where(x[:, :, 1].mean(axis=1) > 0, "apnea", "normal")


def test_windows_of_time_and_channel_are_taken_with_any_labels() -> None:
    (x, y), (test, truth) = windows(200), windows(100)
    plain = sj.StimuliClassifier("logistic").fit(x, y)
    assert plain.n_features_in_ == 20 and list(plain.classes_) == ["apnea", "normal"]
    assert plain.score(test, truth) > 0.9
    again: Any = clone(plain)
    assert set(again.get_params()) == {"student", "labels", "seed", "training"}
    flat = sj.StimuliClassifier("logistic").fit(x.reshape(200, -1), y)
    np.testing.assert_array_equal(flat.predict_proba(test.reshape(100, -1)), flat_of(plain, test))
    piped = make_pipeline(FunctionTransformer(), sj.StimuliClassifier("logistic")).fit(x, y)
    assert piped.score(test, truth) > 0.9


def flat_of(estimator: sj.StimuliClassifier, x: np.ndarray) -> np.ndarray:
    return estimator.predict_proba(x.reshape(len(x), -1))


def test_a_release_in_memory_gives_what_fit_gives(tmp_path: Path) -> None:
    x, y = windows(200)
    channels = (sj.Channel("SpO2", "%"), sj.Channel("HR", ""))
    spec = sj.Spec((10, 2), ("normal", "apnea"), channels, rate=1.0, label_seconds=10.0)
    stimuli = sj.make_batch(x, batch.one_hot((y == "apnea").astype(int), spec), spec)
    estimator = sj.StimuliClassifier("logistic").fit(stimuli)
    model = sj.fit(stimuli, "logistic", out=tmp_path / "model")
    kept = sj.load_model(tmp_path / "model")
    np.testing.assert_allclose(estimator.predict_proba(x), kept.predict_proba(x), atol=1e-6)
    np.testing.assert_array_equal(model.predict_proba(x), kept.predict_proba(x))
    assert list(estimator.classes_) == ["normal", "apnea"] and estimator.score(x, y) > 0.8


def test_what_is_wrong_is_said_in_a_line(tmp_path: Path) -> None:
    with pytest.raises(sj.StimjaxError, match="did you mean logistic"):
        sj.StimuliClassifier("logistics").fit(*windows(20))
    with pytest.raises(sj.StimjaxError, match="is no release"):
        sj.StimuliClassifier("logistic").fit(tmp_path / "none")
    with pytest.raises(ValueError, match="features"):
        sj.StimuliClassifier("logistic").fit(*windows(20)).predict(np.zeros((2, 3)))
