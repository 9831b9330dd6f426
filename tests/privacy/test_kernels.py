"""Kernels: the densities are SciPy's, and what hardly varies is no trap."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.stats import gaussian_kde, spearmanr

from stimjax.privacy import kernels


def test_the_density_is_that_of_scipy():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(70, 4)) @ rng.normal(size=(4, 4)) + 5
    of = rng.normal(size=(2 * kernels.ROWS + 3, 4)) + 5
    estimate = gaussian_kde(points.T, bw_method="silverman")
    fitted = kernels.fit(points.astype(np.float32))
    found = kernels.log_sum(fitted, fitted.bring(of.astype(np.float32)))
    beside = found - estimate.logpdf(of.T)
    assert beside == pytest.approx(np.full(len(of), beside[0]), abs=1e-2)
    assert np.ptp(found) > 20


def test_even_kernels_are_balls_of_the_width():
    rng = np.random.default_rng(0)
    points, of = rng.normal(size=(30, 3)), rng.normal(size=(9, 3))
    even = kernels.even(points, 0.7)
    truth = np.log(np.exp(-cdist(of, points, "sqeuclidean") / (2 * 0.7**2)).sum(axis=1))
    assert kernels.log_sum(even, even.bring(of)) == pytest.approx(truth, abs=1e-4)


def test_a_window_far_from_all_kernels_has_a_density_all_the_same():
    points = np.random.default_rng(0).normal(size=(50, 2)).astype(np.float32)
    fitted = kernels.fit(points)
    far = np.array([[0.0, 0.0], [1e3, 0.0], [1e4, 0.0]], np.float32)
    found = kernels.log_sum(fitted, fitted.bring(far))
    assert np.isfinite(found).all() and spearmanr(found, [3, 2, 1])[0] == 1


@pytest.mark.parametrize("points", [np.ones((9, 3)), np.ones((1, 3)), np.eye(3)[[0, 0, 1, 1]]])
def test_points_that_hardly_vary(points):
    fitted = kernels.fit(points.astype(np.float32))
    found = kernels.log_sum(fitted, fitted.bring(np.concatenate([points, points + 1])))
    assert np.isfinite(found).all()
    assert found[: len(points)].min() > found[len(points) :].max()
