"""The linear classifier, held against scikit-learn's."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from stimjax.learn import linear


def windows(n: int, classes: int, shape: tuple[int, ...] = (10, 2), seed: int = 0):
    """Windows whose classes overlap, in units far apart and around means far from 0."""
    rng = np.random.default_rng(seed)
    label = rng.integers(classes, size=n)
    direction = rng.normal(size=(classes, *shape)) / 4
    x = rng.normal(size=(n, *shape)) + direction[label]
    return (x * np.geomspace(0.1, 10, shape[-1]) + 5).astype(np.float32), label


def theirs(x: np.ndarray, label: np.ndarray, of: np.ndarray) -> np.ndarray:
    model = make_pipeline(StandardScaler(), LogisticRegression(C=1.0, max_iter=1000, tol=1e-8))
    return model.fit(x.reshape(len(x), -1), label).predict(of.reshape(len(of), -1))


@pytest.mark.parametrize("shape", [(10, 2), (4, 5, 1)], ids=["signals", "images"])
@pytest.mark.parametrize("classes", [2, 3])
def test_classes_are_those_of_scikit_learn(classes: int, shape: tuple[int, ...]) -> None:
    x, label = windows(400, classes, shape)
    other, _ = windows(1000, classes, shape, seed=1)
    found = linear.labels(*linear.fit(x, label, classes), other)
    assert found.dtype == np.float32 and (found.sum(axis=1) == 1).all()
    assert (found.argmax(axis=1) == theirs(x, label, other)).mean() >= 0.998  # but for ties
    assert len(np.unique(found.argmax(axis=1))) == classes


@pytest.mark.parametrize("lacking", [0, 1, 2])
def test_a_class_without_a_window_is_never_called(lacking: int) -> None:
    x, label = windows(300, 3)
    x, label = x[label != lacking], label[label != lacking]
    weight, bias = linear.fit(x, label, 3)
    assert np.isfinite(weight).all() and np.isfinite(bias).all()
    other, _ = windows(1000, 3, seed=1)
    called = linear.labels(weight, bias, other).argmax(axis=1)
    assert (called == theirs(x, label, other)).mean() >= 0.998


def test_one_class_alone_is_called_everywhere() -> None:
    x, _ = windows(20, 2)
    weight, bias = linear.fit(x, np.full(20, 1), 3)
    assert (linear.labels(weight, bias, x).argmax(axis=1) == 1).all()


def test_a_constant_value_is_no_error() -> None:
    x, label = windows(200, 2)
    x[:, 3] = 7.0
    assert np.isfinite(linear.fit(x, label, 2)[0]).all()


def test_long_windows_are_means_of_neighbors() -> None:
    x = np.random.default_rng(0).normal(size=(3, 1500, 2)).astype(np.float32)
    expected = x.reshape(3, 500, 3, 2).mean(axis=2).reshape(3, -1)
    np.testing.assert_allclose(linear.features(x), expected, atol=1e-6)
    assert linear.features(x[:, :500]).shape == (3, 1000)
    weight, bias = linear.fit(x, np.array([0, 1, 1]), 2)
    assert weight.shape == (1000, 2) and bias.shape == (2,)
