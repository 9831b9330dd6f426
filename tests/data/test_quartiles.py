"""Quartiles against numpy's percentiles."""

import numpy as np
import pytest

from stimjax.data.quartiles import quartiles


@pytest.mark.parametrize("length", [*range(1, 10), 1000, 100_001])
@pytest.mark.parametrize("steps", [1, 1000])
def test_they_are_numpys_percentiles(length, steps):
    values = np.random.default_rng(length).normal(97, 20, length)
    values = (np.round(values * steps) / steps).astype(np.float32)
    expected = np.percentile(values.astype(np.float64), [25, 50, 75])
    np.testing.assert_allclose(quartiles(values), expected, rtol=1e-15)


def test_the_values_stay_in_their_order():
    values = np.array([3, 1, 2], np.float32)
    assert quartiles(values).tolist() == [1.5, 2, 2.5]
    assert values.tolist() == [3, 1, 2]
