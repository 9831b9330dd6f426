"""The generative likelihood ratio: that of densities with and without the window; finds copies."""

from typing import Any

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.stats import gaussian_kde, multivariate_normal, rankdata

from stimjax.privacy import kernels, space
from stimjax.privacy.attacks import gen_lra


def found(world) -> dict[tuple[str, str], Any]:
    return {(f.metric, f.level): f for f in gen_lra.ATTACK.run(world)}


def scored(
    windows: np.ndarray, release: np.ndarray, reference: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The scores, and the stimuli that each is about."""
    points = space.Points(*(p.astype(np.float32) for p in (release, windows, windows, reference)))
    near, fitted = space.near(points.members, points), kernels.fit(points.reference)
    stimuli = fitted.bring(points.release)
    known = kernels.log_sum(fitted, stimuli)
    ratio = gen_lra.ratio(fitted.bring(points.members), stimuli[near.which], known[near.which])
    return ratio, near.which


def test_it_is_the_likelihood_with_the_window_over_that_without():
    rng = np.random.default_rng(0)
    windows, release, reference = (rng.normal(size=(n, 3)) for n in (20, 45, 30))
    score, which = scored(windows, release, reference)
    nearest = np.argsort(cdist(windows, release), axis=1)[:, : space.WHICH]
    assert np.array_equal(which, nearest)
    factor = (len(reference) * 5 / 4) ** (-1 / 7)
    shape = np.cov(reference.T) * factor**2

    def density(at: np.ndarray, kernels_at: np.ndarray) -> np.ndarray:
        each = [multivariate_normal(mean, shape).pdf(at) for mean in kernels_at]
        return np.mean(each, axis=0)

    more = space.WHICH * np.log((len(reference) + 1) / len(reference))  # windows share it
    for window, rows, given in zip(windows, nearest, score, strict=True):
        with_ = density(release[rows], np.concatenate([reference, window[None]]))
        truth = np.log(with_).sum() - np.log(density(release[rows], reference)).sum()
        assert given - more == pytest.approx(truth, rel=1e-3, abs=1e-3)


def test_fitting_anew_with_each_window_puts_them_in_nearly_the_same_order():
    rng = np.random.default_rng(1)
    windows, release, reference = (rng.normal(size=(n, 3)) for n in (60, 200, 150))
    score, which = scored(windows, release, reference)
    alone = gaussian_kde(reference.T, bw_method="silverman")
    anew = []
    for window, rows in zip(windows, which, strict=True):
        beside = gaussian_kde(np.concatenate([reference, window[None]]).T, bw_method="silverman")
        near = release[rows].T
        anew.append((beside.logpdf(near) - alone.logpdf(near)).sum())
    assert np.corrcoef(rankdata(score), rankdata(anew))[0, 1] > 0.95


def test_few_subjects_a_small_cohort_and_images(world):
    whole = world("both", members=2, others=7)
    by = found(whole._replace(reference=whole.reference[:4], release=whole.release[:3]))
    assert all(f.value is None or np.isfinite(f.value) for f in by.values())
    assert found(world("both", pictures=True))["auc", "window"].value > 0.9
