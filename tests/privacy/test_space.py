"""The common space: copies stay copies, neighbors are neighbors, nothing depends on order."""

import gc
import weakref

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from stimjax.batch import Batch, Channel, Spec, make
from stimjax.privacy import space


def of_shape(shape: tuple[int, ...], n: int, seed: int = 0) -> Batch:
    x = np.random.default_rng(seed).standard_t(3, size=(n, *shape))
    channels = tuple(Channel(str(i), "") for i in range(shape[-1]))
    return make(x, np.full((n, 2), 0.5), Spec(shape, ("a", "b"), channels, 1.0))


@pytest.mark.parametrize("shape", [(60, 1), (1920, 2), (12, 12, 1)])
def test_a_copy_stays_at_distance_0_for_windows_of_any_shape(shape):
    windows = of_shape(shape, 300)
    fitted = space.Space(of_shape(shape, 80, seed=1))
    all_of_them, some = fitted.points(windows), fitted.points(windows[7:151:3])
    assert all_of_them.shape == (300, 40) and all_of_them.dtype == np.float32
    distance, index = space.neighbors(some, all_of_them)
    assert distance.max() == 0 and index[:, 0].tolist() == list(range(7, 151, 3))


def test_neighbors_are_those_of_all_distances():
    rng = np.random.default_rng(0)
    of, among = (rng.normal(size=(n, 9)).astype(np.float32) for n in (50, 200))
    distance, index = space.neighbors(of, among, 4)
    truth = cdist(of, among)
    assert np.allclose(distance, np.sort(truth, axis=1)[:, :4], rtol=1e-5)
    assert np.allclose(np.take_along_axis(truth, index, 1), distance, rtol=1e-5)
    assert space.neighbors(of, among[:3], 10)[0].shape == (50, 3)


def test_what_lies_far_out_is_tamed_and_units_do_not_matter():
    windows = of_shape((30, 2), 200)
    scaled = make(np.asarray(windows.x) * [1.0, 1000.0], windows.y, windows.spec)
    plain, large = (space.Space(w).points(w) for w in (windows, scaled))
    assert np.allclose(cdist(plain, plain), cdist(large, large), atol=1e-2)
    x = np.array(windows.x)
    x[0] = 1e6
    assert np.abs(space.Space(windows).points(make(x, windows.y, windows.spec))).max() < 150


def test_few_windows_give_few_dimensions_and_constants_none_that_are_not_finite():
    assert space.Space(of_shape((30, 2), 5)).points(of_shape((30, 2), 3)).shape == (3, 4)
    flat = make(np.ones((9, 30, 2)), np.full((9, 2), 0.5), of_shape((30, 2), 1).spec)
    assert np.isfinite(space.Space(flat).points(of_shape((30, 2), 3))).all()
    with pytest.raises(ValueError, match="at least 2"):
        space.Space(of_shape((30, 2), 1))


def test_a_sample_is_part_of_each_kind_and_the_same_by_seed(world):
    whole = world()
    part = space.sample(whole, 100)
    assert [len(part.release), len(part.members), len(part.others)] == [100, 100, 100]
    assert np.array_equal(part.members.x, space.sample(whole, 100).members.x)
    assert space.sample(whole).members is whole.members


def test_surroundings_are_looked_for_once_and_are_those_of_the_sample(world, monkeypatch):
    sample, neighbors = space.sample, space.neighbors
    monkeypatch.setattr(space, "sample", lambda world: sample(world, 150))
    whole, calls = world(), []
    monkeypatch.setattr(space, "neighbors", lambda *of: calls.append(1) or neighbors(*of))
    seen = space.surroundings(whole)
    assert space.surroundings(whole) is seen is space.surroundings(whole._replace(people={}))
    assert len(calls) == 4  # members and others, among stimuli and reference
    points = space.points(space.sample(whole))
    assert np.array_equal(seen.points.release, points.release) and len(points.release) == 150
    for near, windows in ((seen.members, points.members), (seen.others, points.others)):
        assert np.array_equal(near.release, neighbors(windows, points.release, 50)[0])
        assert np.array_equal(near.reference, neighbors(windows, points.reference, 50)[0])
        assert np.array_equal(near.which, neighbors(windows, points.release, 50)[1][:, :10])
    other = space.surroundings(whole._replace(seed=1))
    assert other is not seen and space.surroundings(whole) is seen
    less = space.surroundings(whole._replace(members=whole.members[:20]))
    assert len(less.members.release) == 20


def test_surroundings_go_with_their_world(world):
    whole = world()
    gone = weakref.ref(whole.members)
    space.surroundings(whole)
    for seed in range(5):
        space.surroundings(whole._replace(seed=seed))
    assert len(space._kept) <= space.KEPT + 1
    del whole
    gc.collect()
    assert gone() is None
    space.surroundings(world(members=2))
    assert len(space._kept) == 1
