"""Nearest stimulus: finds members of a release of real windows, and copies; nobody else."""

from typing import Any

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from stimjax.batch import make
from stimjax.privacy import space
from stimjax.privacy.attacks import nearest


def found(world) -> dict[tuple[str, str], Any]:
    return {(f.metric, f.level): f for f in nearest.ATTACK.run(world)}


def test_members_of_a_release_of_their_windows_are_found(world):
    by = found(world("both"))
    for level in ("window", "subject"):
        assert by["auc", level].value > 0.9
        assert by["auc", level].interval[0] > 0.69
    assert by["copies", "stimulus"].value is None or by["copies", "stimulus"].value > 0.2


@pytest.mark.parametrize("seed", range(3))
def test_strangers_tell_of_nobody(world, seed):
    by = found(world(seed=seed, each=100))
    for level in ("window", "subject"):
        low, high = by["auc", level].interval
        assert low <= 0.5 <= high
    low, high = by["copies", "stimulus"].interval
    assert low <= 0.001 <= high


@pytest.mark.parametrize("noise", [0.0, 0.05])
def test_one_percent_of_copies_are_flagged(world, noise):
    finding = found(world("copies", each=100, noise=noise))["copies", "stimulus"]
    assert 0.008 <= finding.value <= 0.02
    assert finding.interval[0] > finding.chance
    assert "what 12 people exceed is rough" in finding.note
    many = found(world("copies", others=20, each=100, noise=noise))["copies", "stimulus"]
    assert not many.note


def test_stimuli_that_lie_dense_are_no_copies(world):
    whole = world(each=100)
    near = make(0.3 * np.asarray(whole.release.x), whole.release.y, whole.release.spec)
    assert found(whole._replace(release=near))["copies", "stimulus"].value < 0.01


@pytest.mark.parametrize(("members", "others"), [(1, 1), (2, 1), (1, 5)])
def test_few_subjects_give_an_interval_that_says_so(world, members, others):
    by = found(world("both", members=members, others=others))
    assert by["auc", "subject"].note
    assert 0 <= by["auc", "subject"].interval[0] <= by["auc", "subject"].interval[1] <= 1
    assert by["copies", "stimulus"].value is None and "too few" in by["copies", "stimulus"].note


def test_a_score_compares_the_nearest_with_those_that_follow():
    rng = np.random.default_rng(0)
    windows, release, reference = (rng.normal(size=(n, 3)).astype(np.float32) for n in (4, 19, 17))
    near, far = (
        np.log(np.sort(cdist(windows, among), axis=1)[:, :10] + 1e-3)
        for among in (release, reference)
    )
    expected = near[:, 1:].mean(axis=1) - near[:, 0] - far[:, 1:].mean(axis=1) + far[:, 0]
    points = space.Points(release, windows, windows, reference)
    assert np.allclose(nearest.score(space.near(windows, points)), expected, atol=1e-4)
    few = space.Points(release[:1], windows, windows, reference[:1])
    assert np.isfinite(nearest.score(space.near(windows, few))).all()


def test_images(world):
    by = found(world("both", pictures=True))
    assert by["auc", "window"].value > 0.9
    assert found(world("both", pictures=True)) == by
