"""Linkage by shape: warping is the plain double loop; level and size do not hide."""

from typing import Any

import numpy as np
import pytest

from stimjax.batch import make
from stimjax.privacy.attacks import slicing


def found(world) -> dict[tuple[str, str], Any]:
    return {(f.metric, f.level): f for f in slicing.ATTACK.run(world)}


def plain(left, right):
    """Dynamic time warping within the band, as the textbook has it."""
    n = len(left)
    band = max(1, round(slicing.BAND * n))
    best = np.full((n + 1, n + 1), np.inf)
    best[0, 0] = 0
    for i in range(n):
        for j in range(n):
            if abs(i - j) <= band:
                cost = ((left[i] - right[j]) ** 2).sum()
                best[i + 1, j + 1] = cost + min(best[i, j], best[i, j + 1], best[i + 1, j])
    return np.sqrt(best[n, n])


@pytest.mark.parametrize("values", [1, 2, 5, 16])
def test_warped_distance_is_that_of_a_double_loop(values):
    rng = np.random.default_rng(values)
    left, right = (rng.normal(size=(7, values, 2)).astype(np.float32) for _ in range(2))
    expected = [plain(a, b) for a, b in zip(left, right, strict=True)]
    assert np.allclose(slicing.warped(left, right), expected, rtol=1e-5)


def test_the_nearest_is_that_of_all_where_all_are_candidates():
    rng = np.random.default_rng(0)
    of, among = (rng.normal(size=(n, 6, 1)).astype(np.float32) for n in (5, 20))
    expected = [sorted(plain(a, b) for b in among)[:10] for a in of]
    assert np.allclose(slicing.nearest(of, among), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("rate", "time", "count", "values"),
    [
        (1.0, 120, 16, 15),
        (1.0, 60, 7, 15),
        (4.0, 480, 15, 15),
        (64.0, 1920, 29, 16),
        (1.0, 6, 1, 6),
    ],
)
def test_segments_last_some_seconds_and_have_few_values(world, rate, time, count, values):
    spec = world().release.spec.__class__(
        (time, 2), ("a", "b"), world().release.spec.channels, rate
    )
    x = np.random.default_rng(0).normal(size=(3, time, 2)).astype(np.float32)
    cut = slicing.segments(x, spec)
    assert cut.shape == (3, count, values, 2)
    step = 1 if rate == 1 else round(min(max(128 / rate, 2), 15) * rate) // values
    assert np.allclose(cut[:, 0, 0], x[:, :step].mean(axis=1), atol=1e-6)


def test_members_of_a_release_of_their_windows_are_found(world):
    by = found(world("both"))
    assert by["auc", "window"].value > 0.9 and by["auc", "subject"].value > 0.9


def test_neither_level_nor_size_hides_a_member(world):
    whole = world("everything")
    x = np.asarray(whole.release.x) * [3.0, 0.4] + 5
    changed = whole._replace(release=make(x, whole.release.y, whole.release.spec))
    assert found(changed)["auc", "window"].value > 0.9


@pytest.mark.parametrize("seed", range(2))
def test_strangers_tell_of_nobody(world, seed):
    by = found(world(seed=seed))
    for level in ("window", "subject"):
        low, high = by["auc", level].interval
        assert low <= 0.5 <= high


def test_flat_segments_speak_for_nobody(world):
    whole = world("everything")
    flat = make(np.ones_like(whole.release.x), whole.release.y, whole.release.spec)
    assert 0.3 < found(whole._replace(release=flat))["auc", "window"].value < 0.7


def test_one_subject_on_a_side(world):
    assert found(world("everything", members=1, others=1))["auc", "window"].interval == (0.0, 1.0)


def test_images_have_no_segments(world):
    by = found(world(pictures=True))
    assert all(f.value is None and "images" in f.note for f in by.values())
