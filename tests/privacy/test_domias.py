"""Density ratio: the densities are scikit-learn's, members are found, strangers are not."""

import numpy as np
import pytest
from sklearn.neighbors import KernelDensity

from stimjax.privacy import domias, space


def test_densities_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    windows, release, reference = (rng.normal(size=(n, 3)).astype(np.float32) for n in (6, 45, 30))
    points = space.Points(release, windows, windows, reference)
    distance, _ = space.neighbors(windows, reference, domias.RANK)
    for window, width, score in zip(
        windows,
        distance[:, -1] / np.sqrt(3) + space.FLOOR,
        domias.score(windows, points),
        strict=True,
    ):
        made, known = (
            KernelDensity(bandwidth=float(width)).fit(among).score_samples(window[None])[0]
            for among in (release, reference)
        )
        assert score == pytest.approx(made - known, rel=1e-4, abs=1e-4)


def test_members_of_a_release_of_their_windows_are_found(world):
    by = {(f.metric, f.level): f for f in domias.ATTACK.run(world("both"))}
    assert by["auc", "window"].value > 0.9 and by["auc", "subject"].value > 0.9


@pytest.mark.parametrize("seed", range(3))
def test_strangers_tell_of_nobody(world, seed):
    for finding in domias.ATTACK.run(world(seed=seed)):
        if finding.metric == "auc":
            assert finding.interval[0] <= 0.5 <= finding.interval[1]


@pytest.mark.parametrize(("members", "others"), [(1, 1), (2, 7)])
def test_few_subjects_and_a_small_cohort(world, members, others):
    whole = world("both", members=members, others=others)
    found = domias.ATTACK.run(whole._replace(reference=whole.reference[:4]))
    assert all(f.value is None or np.isfinite(f.value) for f in found)


def test_images(world):
    assert domias.ATTACK.run(world("both", pictures=True))[0].value > 0.9
