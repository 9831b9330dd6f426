"""Resampling against scipy's in float64."""

import numpy as np
import pytest
from scipy.signal import resample_poly

from stimjax.data.resample import resampled

RATIOS = [(1, 64), (1, 4), (4, 1), (3, 64), (4, 25), (16, 25), (64, 25), (73, 1000), (3200, 9999)]


@pytest.mark.parametrize(("up", "down"), RATIOS)
@pytest.mark.parametrize("length", [2, 5, 64, 301, 20_000])
def test_it_is_what_scipy_gives(up, down, length):
    values = 3 + np.random.default_rng(length).normal(size=length).astype(np.float32)
    expected = resample_poly(values.astype(np.float64), up, down, padtype="line")
    made = resampled(values, up, down)
    np.testing.assert_allclose(made, expected, atol=1e-5)


def test_a_line_goes_on_beyond_the_ends():
    line = np.linspace(-2, 3, 10_001, dtype=np.float32)
    np.testing.assert_allclose(resampled(line, 1, 50), line[::50], atol=1e-5)


@pytest.mark.parametrize(("up", "down"), RATIOS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_level_keeps_its_digits_and_does_not_ripple(up, down, dtype):
    values = (4096 + np.random.default_rng(0).integers(-99, 99, 5000) / 64).astype(dtype)
    expected = 4096 + resample_poly(values - 4096.0, up, down, padtype="line")
    np.testing.assert_allclose(resampled(values, up, down, level=4096.0), expected, atol=1e-5)
