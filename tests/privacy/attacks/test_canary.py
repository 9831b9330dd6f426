"""Canaries sing in copies and are silent in what has nothing to do with them."""

import numpy as np
import pytest

from stimjax.batch import Batch, Channel, Spec, make, one_hot
from stimjax.errors import StimjaxError
from stimjax.privacy.attacks import canary
from stimjax.privacy.findings import World
from stimjax.privacy.shadow import pipelines, releases

SPEC = Spec((24, 2), ("a", "b", "c"), (Channel("x", "", low=-8, high=8),) * 2, rate=1.0)


def windows(n: int, seed: int) -> Batch:
    rng = np.random.default_rng(seed)
    label = np.arange(n) % 3
    x = rng.normal(size=(n, *SPEC.shape)) + label[:, None, None]
    return make(x, one_hot(label, SPEC), SPEC, subject=np.arange(n) // 20)


WORLD = World(windows(10, 0), windows(200, 1), windows(40, 2), windows(100, 3))


def areas(release: pipelines.Release) -> dict[str, tuple[float, tuple[float, float]]]:
    """Of windows and of subjects."""
    found = canary.run(WORLD, release, 8)
    assert [f.metric for f in found] == 2 * ["auc", "tpr_at_fpr_0.01", "tpr_at_fpr_0.001"]
    assert found[2].value is None and "too few" in found[2].note  # of 200 pairs without
    out = {}
    for one in found[::3]:
        assert one.value is not None and one.interval is not None
        out[one.level] = one.value, one.interval
    return out


def test_canaries_are_found_where_the_windows_are_the_release() -> None:
    found = areas(releases.copied)
    for value, (low, high) in found.values():
        assert value > 0.97 and low <= value <= high


def test_canary_subjects_have_a_signature_within_the_range() -> None:
    nights = canary._nights(WORLD)
    assert np.unique(nights.subject, return_counts=True)[1].tolist() == [canary.WINDOWS] * 10
    assert np.asarray(nights.x).min() >= -8 and np.asarray(nights.x).max() <= 8
    shape = np.asarray(nights.x).reshape(10, canary.WINDOWS, -1).mean(axis=1)
    assert np.abs(np.corrcoef(shape) - np.eye(10)).max() < 0.8  # each has its own
    again = canary._nights(WORLD)
    np.testing.assert_array_equal(nights.x, again.x)


def test_copies_under_the_wrong_label_are_found_by_how_close_they_are() -> None:
    found, true = canary._canaries(WORLD)
    wrong = np.asarray(found.y).argmax(axis=1)
    basis, each = canary.signals.components(WORLD.members), np.arange(len(found))
    close = canary._close(basis, found[:25], found)  # half of them are in the release
    preference = close[each, wrong] - close[each, true]
    assert preference[:25].min() > preference[25:].max()
    lacking = canary._close(basis, found[wrong != 2], found)
    assert (lacking[:, 2] == 0).all() and np.isfinite(lacking).all()


def test_canaries_are_not_found_where_the_release_ignores_them() -> None:
    found = areas(lambda trained: [windows(300, 4 + s % 97) for s in trained.seeds])
    for _, (low, high) in found.values():
        assert low <= 0.5 <= high


def test_labels_of_canaries_are_wrong() -> None:
    found, true = canary._canaries(WORLD)
    assert len(found) == 50
    assert (np.asarray(found.y).argmax(axis=1) != true).all()
    with pytest.raises(StimjaxError, match="3 windows of the reference give no canaries"):
        canary._canaries(WORLD._replace(reference=windows(3, 3)))


def test_scores_are_less_the_mean_of_the_others_without_the_canary() -> None:
    inside = np.array([[True], [False], [False]])
    score = np.array([[5.0], [1.0], [3.0]])
    assert canary.calibrated(score, inside).tolist() == [[3.0], [-2.0], [2.0]]


def test_area_and_true_alarms_are_counted_over_pairs() -> None:
    rng = np.random.default_rng(0)
    inside = pipelines.halves(16, 200, 0)
    found = canary.findings(rng.normal(size=inside.shape) + 10 * inside, inside, 0)
    assert [f.value for f in found] == [pytest.approx(1.0)] * 3
    found = canary.findings(rng.normal(size=inside.shape), inside, 0)
    for finding, slack in zip(found, (0.04, 0.02, 0.01), strict=True):
        assert finding.value == pytest.approx(finding.chance, abs=slack)


def test_what_a_pipeline_says_of_all_canaries_of_a_label_tells_of_none() -> None:
    score = np.random.default_rng(0).normal(size=(3, 10))
    wrong = np.arange(10) % 2
    moved = score + np.array([[0.0], [4.0], [-1.0]]) + 2.0 * wrong
    np.testing.assert_allclose(canary.leveled(moved, wrong), canary.leveled(score, wrong))
