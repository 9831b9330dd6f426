"""Density ratio: the densities are scikit-learn's, members are found, strangers are not."""

from typing import Any

import numpy as np
import pytest
from sklearn.neighbors import KernelDensity

from stimjax.privacy import space
from stimjax.privacy.attacks import domias


def found(world) -> dict[tuple[str, str], Any]:
    return {(f.metric, f.level): f for f in domias.ATTACK.run(world)}


def test_densities_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    windows, release, reference = (rng.normal(size=(n, 3)).astype(np.float32) for n in (6, 45, 30))
    points = space.Points(release, windows, windows, reference)
    distance, _ = space.neighbors(windows, reference, domias.RANK)
    for window, width, score in zip(
        windows,
        distance[:, -1] / np.sqrt(3) + space.FLOOR,
        domias.score(space.near(windows, points), points),
        strict=True,
    ):
        made, known = (
            KernelDensity(bandwidth=float(width)).fit(among).score_samples(window[None])[0]
            for among in (release, reference)
        )
        assert score == pytest.approx(made - known, rel=1e-4, abs=1e-4)


@pytest.mark.parametrize(("members", "others"), [(1, 1), (2, 7)])
def test_few_subjects_and_a_small_cohort(world, members, others):
    whole = world("both", members=members, others=others)
    by = found(whole._replace(reference=whole.reference[:4]))
    assert all(f.value is None or np.isfinite(f.value) for f in by.values())


def test_images(world):
    assert found(world("both", pictures=True))["auc", "window"].value > 0.9
