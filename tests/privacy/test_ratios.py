"""Distances to the nearest neighbor: 1 for strangers, below 1 for copies."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from stimjax.batch import Batch, Channel, Spec, make, one_hot
from stimjax.privacy import ratios

SPEC = Spec((6, 2), ("a", "b"), (Channel("x", ""), Channel("y", "")))


def windows(n: int, seed: int) -> Batch:
    x = np.random.default_rng(seed).normal(size=(n, *SPEC.shape)) * [1.0, 50.0]
    return make(x, one_hot(np.arange(n) % 2, SPEC), SPEC)


def changed(batch: Batch, noise: float) -> Batch:
    x = batch.x + np.random.default_rng(9).normal(size=batch.x.shape) * noise * [1.0, 50.0]
    return make(x, batch.y, SPEC)


def test_strangers_are_as_far_from_both() -> None:
    found = ratios.ratios(windows(3000, 0), train=windows(2500, 1), held_out=windows(600, 2))
    assert found["from_stimuli"] == pytest.approx(1, abs=0.03)
    assert found["to_stimuli"] == pytest.approx(1, abs=0.03)
    assert found["apart"] == pytest.approx(1, abs=0.03)
    wide = windows(1000, 0)
    wide = make(2 * np.asarray(wide.x), wide.y, SPEC)
    assert ratios.ratios(wide, train=windows(500, 1), held_out=windows(500, 2))["apart"] > 1.5


@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_copies_and_near_copies_are_seen_in_both_directions(noise: float) -> None:
    train = windows(500, 1)
    found = ratios.ratios(changed(train, noise), train=train, held_out=windows(500, 2))
    assert max(found.values()) < (1e-6 if noise == 0 else 0.6)


def test_some_copies_shorten_the_way_from_windows_and_memorizing_both() -> None:
    train, fresh = windows(400, 1), windows(4000, 3)
    x = np.concatenate([fresh.x, train.x])
    stimuli = make(x, np.zeros((len(x), 2)) + 0.5, SPEC)
    found = ratios.ratios(stimuli, train=train, held_out=windows(400, 2))
    assert found["to_stimuli"] < 0.01
    assert found["from_stimuli"] == pytest.approx(1, abs=0.1)  # why both directions are needed


def test_it_is_the_ratio_of_median_distances() -> None:
    made, train, held_out = windows(70, 0), windows(50, 1), windows(50, 2)
    scale = train.x.reshape(50, -1).std(axis=0)
    rows = [np.asarray(b.x, float).reshape(len(b), -1) / scale for b in (made, train, held_out)]
    near = [np.median(cdist(rows[0], rows[i]).min(axis=1)) for i in (1, 2)]
    back = [np.median(cdist(rows[i], rows[0]).min(axis=1)) for i in (1, 2)]
    found = ratios.ratios(made, train=train, held_out=held_out)
    assert found["from_stimuli"] == pytest.approx(near[0] / near[1], rel=1e-4)
    assert found["to_stimuli"] == pytest.approx(back[0] / back[1], rel=1e-4)


def test_values_that_never_vary_do_not_drown_the_others() -> None:
    def cornered(batch: Batch, corner: float) -> Batch:
        x = np.asarray(batch.x).copy()
        x[:, 0, 0] = corner * np.random.default_rng(5).normal(size=len(x))
        return make(x, batch.y, SPEC)

    train, held_out = (cornered(windows(500, seed), 0.0) for seed in (1, 2))
    found = ratios.ratios(cornered(windows(500, 0), 0.1), train=train, held_out=held_out)
    assert found["apart"] == pytest.approx(1, abs=0.2)
