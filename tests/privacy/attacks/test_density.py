"""The release's density: SciPy's, finds members of a release of their windows, needs no cohort."""

from typing import Any

import numpy as np
import pytest
from scipy.stats import gaussian_kde, rankdata

from stimjax.privacy import space
from stimjax.privacy.attacks import density


def found(world) -> dict[tuple[str, str], Any]:
    return {(f.metric, f.level): f for f in density.ATTACK.run(world)}


def test_windows_are_ordered_as_by_the_density_of_scipy(world, monkeypatch):
    whole, scores = world(each=15), []
    monkeypatch.setattr(density, "membership", lambda *given: scores.append(given[1]) or [])
    density.run(whole)
    points = space.points(whole)
    estimate = gaussian_kde(points.release.T.astype(float), bw_method="silverman")
    for side, given in ((points.members, scores[0].members), (points.others, scores[0].others)):
        truth = estimate.logpdf(side.T.astype(float))
        assert np.corrcoef(rankdata(given), rankdata(truth))[0, 1] > 0.999


def test_members_of_a_release_of_their_windows_are_found(world):
    by = found(world("both"))
    assert by["auc", "window"].value > 0.9 and by["auc", "subject"].value > 0.9
    assert by["auc", "window"].interval[0] > 0.69


@pytest.mark.parametrize("seed", range(3))
def test_the_worst_off_of_strangers_does_not_stand_out(world, seed):
    by = found(world(seed=seed))
    low, _ = by["worst_subject", "subject"].interval
    assert low <= by["worst_subject", "subject"].chance


def test_few_stimuli_and_images(world):
    whole = world("both", members=2, others=2)
    by = found(whole._replace(release=whole.release[:1]))
    assert all(f.value is None or np.isfinite(f.value) for f in by.values())
    assert found(world("both", pictures=True))["auc", "window"].value > 0.9
