"""Nearest stimulus: finds members of a release of real windows, and copies; nobody else."""

import numpy as np
import pytest

from stimjax.privacy import distance, space


def found(world):
    return {(f.metric, f.level): f for f in distance.ATTACK.run(world)}


def test_members_of_a_release_of_their_windows_are_found(world):
    by = found(world("both"))
    for level in ("window", "subject"):
        assert by["auc", level].value > 0.9
        assert by["auc", level].interval[0] > 0.8
    assert by["copies", "stimulus"].value is None or by["copies", "stimulus"].value > 0.2


@pytest.mark.parametrize("seed", range(3))
def test_strangers_tell_of_nobody(world, seed):
    by = found(world(seed=seed, each=100))
    for level in ("window", "subject"):
        low, high = by["auc", level].interval
        assert low <= 0.5 <= high
    assert by["copies", "stimulus"].interval[0] <= 0.005


@pytest.mark.parametrize("noise", [0.0, 0.05])
def test_one_percent_of_copies_are_flagged(world, noise):
    finding = found(world("copies", each=100, noise=noise))["copies", "stimulus"]
    assert 0.008 <= finding.value <= 0.02
    assert finding.interval[0] > finding.chance


def test_stimuli_that_lie_dense_are_no_copies(world):
    whole = world(each=100)
    x = 0.3 * np.asarray(whole.release.x)  # near to everybody
    finding = distance.copies(
        whole._replace(
            release=type(whole.release)(
                x.astype(np.float32),
                whole.release.y,
                whole.release.subject,
                whole.release.weight,
                whole.release.spec,
            )
        )
    )
    assert finding.value < 0.01


@pytest.mark.parametrize(("members", "others"), [(1, 1), (2, 1), (1, 5)])
def test_few_subjects_give_an_interval_that_says_so(world, members, others):
    by = found(world("both", members=members, others=others))
    assert by["auc", "subject"].note
    assert 0 <= by["auc", "subject"].interval[0] <= by["auc", "subject"].interval[1] <= 1
    assert by["copies", "stimulus"].value is None and "too few" in by["copies", "stimulus"].note


def test_a_score_is_the_log_of_two_distances():
    rng = np.random.default_rng(0)
    windows, release, reference = (rng.normal(size=(n, 3)).astype(np.float32) for n in (4, 9, 7))
    points = space.Points(release, windows, windows, reference)
    near, far = (
        np.linalg.norm(windows[:, None] - among, axis=2).min(axis=1)
        for among in (release, reference)
    )
    assert np.allclose(distance.score(windows, points), np.log((far + 1e-3) / (near + 1e-3)))


def test_images(world):
    by = found(world("both", pictures=True))
    assert by["auc", "window"].value > 0.9
    assert found(world("both", pictures=True)) == by
