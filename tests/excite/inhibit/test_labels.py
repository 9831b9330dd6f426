"""Labels rounded to fewer levels: what stays of a teacher's answer."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimjax.excite.inhibit import labels


def probabilities(classes: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.full(classes, 0.5), 200).astype(np.float32)


@given(st.integers(2, 6), st.floats(0.01, 1.0), st.integers(0, 9))
def test_rounded_labels_are_few_distributions_near_the_answer(
    classes: int, step: float, seed: int
) -> None:
    y = probabilities(classes, seed)
    found = labels.rounded(y, step)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
    # Each class has a whole number of parts of the same size, and the likeliest at least as many.
    parts = (np.rint(y.astype(float) / step)).sum(axis=1)
    whole = found * np.maximum(parts, 1)[:, None]
    np.testing.assert_allclose(whole, np.rint(whole), atol=1e-4)
    rows = np.arange(len(y))
    np.testing.assert_allclose(found[rows, y.argmax(axis=1)], found.max(axis=1))
    # Rounding and making the sum 1 again move a class by half a step each, by one for each class.
    assert np.abs(found - y).max() <= step * (1 + classes) / 2 + 1e-6


def test_no_step_leaves_labels_as_they_are() -> None:
    y = probabilities(3, 0)
    assert labels.rounded(y, 0.0) is y


@pytest.mark.parametrize("classes", [2, 5])
def test_step_1_leaves_the_class_alone(classes: int) -> None:
    y = probabilities(classes, 1)
    found = labels.rounded(y, 1.0)
    np.testing.assert_array_equal(found, np.eye(classes)[y.argmax(axis=1)])


def test_half_a_step_knows_undecided() -> None:
    y = np.array([[0.9, 0.1], [0.7, 0.3], [0.52, 0.48], [0.2, 0.8]], np.float32)
    expected = [[1, 0], [0.5, 0.5], [0.5, 0.5], [0, 1]]
    np.testing.assert_array_equal(labels.rounded(y, 0.5), expected)
