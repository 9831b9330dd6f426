"""Stimuli around a window: a count; finds crowds of near-copies, and strangers nowhere."""

from typing import Any

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from stimjax.batch import make
from stimjax.privacy import space
from stimjax.privacy.attacks import dpi


def found(world) -> dict[tuple[str, str], Any]:
    return {(f.metric, f.level): f for f in dpi.ATTACK.run(world)}


def crowded(whole, copies: int = 20, noise: float = 0.05):
    """The world with a release of several near-copies of each member's window."""
    rng, windows = np.random.default_rng(0), whole.members
    x = np.repeat(np.asarray(windows.x), copies, axis=0)
    x = x + noise * rng.normal(size=x.shape)
    y = np.repeat(np.asarray(windows.y), copies, axis=0)
    return whole._replace(release=make(x, y, windows.spec))


def test_it_is_the_share_of_stimuli_among_the_nearest():
    rng = np.random.default_rng(0)
    windows, release, reference = (rng.normal(size=(n, 3)).astype(np.float32) for n in (9, 60, 45))
    points = space.Points(release, windows, windows, reference)
    both = cdist(windows, np.concatenate([release, reference]))
    nearest = np.argsort(both, axis=1)[:, : dpi.AROUND]
    truth = (nearest < len(release)).mean(axis=1)
    assert dpi.score(space.near(windows, points)) == pytest.approx(truth)


def test_a_window_among_stimuli_alone_has_a_score():
    rng = np.random.default_rng(0)
    release = rng.normal(size=(60, 2)).astype(np.float32)
    points = space.Points(release, release[:4], release[:4], release[:5] + 99)
    assert dpi.score(space.near(release[:4], points)) == pytest.approx(np.ones(4))
    few = points._replace(release=release[:2], reference=release[:3])
    assert ((value := dpi.score(space.near(release[:4], few))) >= 0).all() and (value <= 1).all()


def test_members_among_near_copies_of_their_windows_are_found(world):
    by = found(crowded(world(each=5)))
    assert by["auc", "window"].value > 0.9 and by["auc", "subject"].value > 0.9


def test_images(world):
    assert found(crowded(world(each=5, pictures=True)))["auc", "subject"].value > 0.9
