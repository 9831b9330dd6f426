"""What labels tell of who a teacher knew, on teachers whose labels are known functions of that."""

import numpy as np
import pytest
from scipy.special import softmax

from stimjax.privacy.shadow import labels, pipelines


def teachers(count: int, people: int, effect: float, seed: int = 0, stimuli: int = 300):
    """Labels [teacher, stimulus, class]: common answers, noise, and what each person moves."""
    rng = np.random.default_rng(seed)
    common, moved = rng.normal(size=(stimuli, 2)), rng.normal(size=(people, stimuli, 2))
    inside = pipelines.halves(count, people, seed)
    logits = common + 0.3 * rng.normal(size=(count, stimuli, 2))
    logits += effect * np.einsum("sp,pwc->swc", inside, moved)
    return softmax(logits, axis=-1), inside


def test_people_who_move_labels_are_recognized_in_release_and_shadows() -> None:
    y, inside = teachers(33, 20, effect=0.4)
    of_shadows, of_release = labels.recognized(y[:32], y[32], inside[:32])
    assert of_shadows.shape == (32, 20)
    for found, truth in ((of_shadows, inside[:32]), (of_release, inside[32])):
        assert found[truth].mean() > found[~truth].mean() + 0.3


def test_where_nobody_moves_a_label_nothing_is_recognized() -> None:
    gaps = []
    for seed in range(20):
        y, inside = teachers(17, 20, effect=0.0, seed=seed)
        of_shadows, of_release = labels.recognized(y[:16], y[16], inside[:16])
        gaps.append(of_release[inside[16]].mean() - of_release[~inside[16]].mean())
        assert abs(of_shadows[inside[:16]].mean() - of_shadows[~inside[:16]].mean()) < 0.1
    assert abs(np.mean(gaps)) < 0.05


def test_it_is_ridge_regression_around_the_mean() -> None:
    rng = np.random.default_rng(0)
    x, known = rng.normal(size=(9, 5)), rng.normal(size=(8, 3))
    found = labels._predicted(x @ x.T, np.arange(8), np.array([8]), known, ridge=0.7)
    beside = x[:8] - x[:8].mean(axis=0)
    weight = np.linalg.solve(beside.T @ beside + 0.7 * np.eye(5), beside.T @ known)
    np.testing.assert_allclose(found, (x[8:] - x[:8].mean(axis=0)) @ weight, rtol=1e-9)


@pytest.mark.parametrize("hard", [False, True])
def test_classes_alone_and_few_shadows_are_no_error(hard: bool) -> None:
    y, inside = teachers(4, 6, effect=0.5)
    y = np.eye(2)[y.argmax(axis=-1)] if hard else y
    assert np.isfinite(labels.recognized(y, y[0], inside)[0]).all()
    assert not np.any(labels.recognized(y[:2], y[0], inside[:2])[1])
