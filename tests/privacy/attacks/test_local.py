"""Stimuli in a ball: counted one by one; members found, strangers not."""

from typing import Any

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from stimjax.privacy import space
from stimjax.privacy.attacks import local


def found(world) -> dict[tuple[str, str], Any]:
    return {(f.metric, f.level): f for f in local.ATTACK.run(world)}


@pytest.mark.parametrize("radius", [0.2, 1.0, 5.0])
def test_all_stimuli_within_the_radius_are_counted(radius):
    rng = np.random.default_rng(0)
    release = rng.normal(size=(300, 2)).astype(np.float32)  # more than are known as near
    windows = np.concatenate([release[:5], rng.normal(size=(8, 2)).astype(np.float32)])
    near = space.near(windows, space.Points(release, windows, windows, release))
    truth = (cdist(windows, release) <= radius).mean(axis=1)
    assert local.share(windows, near, release, radius=radius) == pytest.approx(truth)
    assert radius < 5 or (truth > space.NEAREST / len(release)).all()


def test_the_radius_is_the_median_distance_to_the_nearest(world, monkeypatch):
    whole, scores = world("both", each=15), []
    monkeypatch.setattr(local, "membership", lambda *given: scores.append(given[1]) or [])
    local.run(whole)
    points = space.points(whole)
    apart = cdist(np.concatenate([points.members, points.others]), points.release)
    truth = (apart <= np.median(apart.min(axis=1)) + 1e-5).mean(axis=1)
    assert np.concatenate(scores[0]) == pytest.approx(truth, abs=1.5 / len(points.release))
    assert 0.45 < (np.concatenate(scores[0]) == 0).mean() < 0.55


def test_a_single_stimulus_and_images(world):
    whole = world("both", members=2, others=2)
    by = found(whole._replace(release=whole.release[:1]))
    assert all(f.value is None or np.isfinite(f.value) for f in by.values())
    assert found(world("both", pictures=True))["auc", "window"].value > 0.9
