"""Weights of people in the release's moments: a regression; finds whose statistics were used."""

from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from stimjax.batch import make, one_hot
from stimjax.privacy import space
from stimjax.privacy.attacks import moments, nearest


def found(world) -> Any:
    (finding,) = moments.ATTACK.run(world)
    assert (finding.metric, finding.level, finding.chance) == ("auc", "subject", 0.5)
    return finding


def drawn(world, count: int = 4000):
    """The world with a release drawn from the mean and covariance of the members, by class."""
    rng, members, label = np.random.default_rng(0), world.members, np.arange(count) % 2
    flat, own = np.asarray(members.x).reshape(len(members), -1), np.asarray(members.label)
    x = np.empty((count, flat.shape[1]))
    for number in np.unique(label):
        rows = label == number
        of = flat[own == number]
        x[rows] = rng.multivariate_normal(of.mean(axis=0), np.cov(of.T), rows.sum())
    spec = members.spec
    return world._replace(release=make(x.reshape(count, *spec.shape), one_hot(label, spec), spec))


def test_weights_are_those_of_a_ridge_regression(monkeypatch):
    rng = np.random.default_rng(0)
    value, release = rng.normal(size=(7, 30)), rng.normal(size=30)
    monkeypatch.setattr(moments, "NOISY", 0)
    unit = (value - value.mean(axis=0)) / (value.std(axis=0) + space.FLOOR)
    penalty = moments.RIDGE * (unit**2).sum(axis=1).mean() + space.FLOOR
    seen = (release - value.mean(axis=0)) / (value.std(axis=0) + space.FLOOR)
    truth = Ridge(alpha=penalty, fit_intercept=False).fit(unit.T, seen).coef_
    of = moments.Moments(value, np.full((7, 30), 5))
    assert moments.regressed(release, of) == pytest.approx(truth, rel=1e-5, abs=1e-6)


def test_what_nobody_has_and_what_few_windows_say_counts_less():
    rng = np.random.default_rng(0)
    value, windows = rng.normal(size=(6, 40)), np.full((6, 40), 100)
    windows[:, :20] = 0  # a class that is absent
    release = value[2] + 0
    found = moments.regressed(release, moments.Moments(value, windows))
    noise = value + np.where(windows > 0, 0, 99)
    assert moments.regressed(release, moments.Moments(noise, windows)) == pytest.approx(found)
    assert found.argmax() == 2
    fewer = windows * np.where(np.arange(6) == 2, 0.01, 1)[:, None]
    assert moments.regressed(release, moments.Moments(value, fewer.astype(int)))[2] < found[2] / 2


def test_moments_are_means_and_mean_squares_by_class():
    points = np.array([[1.0, 2.0], [3.0, 4.0], [0.0, 1.0]])
    value, windows = moments.moments(points, np.array([0, 0, 2]), 3)
    assert windows.tolist() == [2] * 5 + [0] * 5 + [1] * 5 + [3] * 5
    assert value[:5].tolist() == [2, 3, 5, 7, 10] and value[10:15].tolist() == [0, 1, 0, 0, 1]
    assert value[5:10].tolist() == [0] * 5
    assert value[15:] == pytest.approx(np.array([4, 7, 10, 14, 21]) / 3)


def test_members_whose_statistics_a_release_is_drawn_from_are_found(world):
    whole = drawn(world())
    finding = found(whole)
    assert finding.value > 0.9 and finding.interval[0] > 0.69
    assert "members have a score above that of every other" in finding.note
    by = {(f.metric, f.level): f for f in nearest.run(whole)}
    value = by["auc", "window"].value
    assert value is not None and value < 0.6  # no stimulus is near anybody


def test_members_whose_windows_are_in_a_release_are_found(world):
    assert found(world("both", each=120)).value > 0.9
    assert found(world("everything")).value == 1


@pytest.mark.parametrize("seed", range(3))
def test_strangers_tell_of_nobody(world, seed):
    low, high = found(world(seed=seed)).interval
    assert low <= 0.5 <= high


def test_statistics_of_others_do_not_make_members(world):
    whole = world()
    swapped = drawn(whole._replace(members=whole.others))
    assert found(swapped._replace(members=whole.members, others=whole.others)).value < 0.1


@pytest.mark.parametrize(("members", "others"), [(1, 1), (2, 7)])
def test_few_subjects_and_one_stimulus(world, members, others):
    whole = world("both", members=members, others=others)
    finding = found(whole._replace(release=whole.release[:1]))
    assert 0 <= finding.value <= 1 and "subjects on one side" in finding.note


def test_images(world):
    assert found(world("both", pictures=True)).value > 0.9
