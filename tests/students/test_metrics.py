import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from stimjax.batch import Batch, Channel, Spec, make, one_hot
from stimjax.students.metrics import evaluate, gap_interval, groups_of


def batch_of(
    truth: np.ndarray,
    classes: int = 2,
    subject: np.ndarray | None = None,
    label_seconds: float | None = 60.0,
) -> Batch:
    names = tuple(f"class {k}" for k in range(classes))
    spec = Spec((4, 1), names, (Channel("SpO2", "%"),), rate=1.0, label_seconds=label_seconds)
    x = np.zeros((len(truth), 4, 1), np.float32)
    return make(x, one_hot(truth, spec), spec, subject=subject)


def f32(values: list) -> np.ndarray:
    return np.array(values, np.float32)


def random_probability(rng: np.random.Generator, n: int, classes: int) -> np.ndarray:
    return rng.dirichlet(np.ones(classes), n).astype(np.float32)


def test_two_classes_agree_with_scikit_learn():
    rng = np.random.default_rng(0)
    truth, probability = rng.integers(0, 2, 500), random_probability(rng, 500, 2)
    predicted = probability.argmax(axis=1)
    found = evaluate(probability, batch_of(truth))
    expected = {
        "accuracy": sk.accuracy_score(truth, predicted),
        "kappa": sk.cohen_kappa_score(truth, predicted),
        "sensitivity": sk.recall_score(truth, predicted),
        "specificity": sk.recall_score(truth, predicted, pos_label=0),
        "f1": sk.f1_score(truth, predicted),
        "auroc": sk.roc_auc_score(truth, probability[:, 1]),
    }
    for name, value in expected.items():
        assert getattr(found, name) == pytest.approx(value), name


def test_more_classes_are_averaged_over_those_present():
    rng = np.random.default_rng(1)
    present = [0, 1, 3]  # class 2 of four never occurs
    truth, probability = rng.choice(present, 600), random_probability(rng, 600, 4)
    predicted = probability.argmax(axis=1)
    found = evaluate(probability, batch_of(truth, classes=4))
    chosen = {"labels": present, "average": "macro"}
    assert found.sensitivity == pytest.approx(sk.recall_score(truth, predicted, **chosen))
    assert found.f1 == pytest.approx(sk.f1_score(truth, predicted, **chosen))
    assert found.auroc == pytest.approx(
        np.mean([sk.roc_auc_score(truth == k, probability[:, k]) for k in present])
    )
    assert found.specificity == pytest.approx(
        np.mean([sk.recall_score(truth != k, predicted != k) for k in present])
    )
    assert found.count_error is None


def test_one_class_only_leaves_undefined_values_none():
    sure = np.tile(f32([0.9, 0.1]), (5, 1))
    found = evaluate(sure, batch_of(np.zeros(5, int)))
    assert found.accuracy == 1 and found.specificity == 1
    assert [found.kappa, found.sensitivity, found.f1, found.auroc] == [None] * 4
    positive = evaluate(sure, batch_of(np.ones(5, int)))
    assert positive.sensitivity == 0 and positive.f1 == 0
    assert positive.specificity is None and positive.auroc is None
    three = evaluate(f32([[0.2, 0.7, 0.1]]), batch_of(np.array([1]), classes=3))
    assert three.sensitivity == 1 and three.specificity is None


def test_calibration_error_in_closed_form():
    truth = np.array([0] * 8 + [1] * 2)  # right in 8 of 10 cases
    sure = np.tile(f32([0.95, 0.05]), (10, 1))
    assert evaluate(sure, batch_of(truth)).calibration_error == pytest.approx(0.15)
    calibrated = np.tile(f32([0.8, 0.2]), (10, 1))
    found = evaluate(calibrated, batch_of(truth)).calibration_error
    assert found == pytest.approx(0, abs=1e-7)
    certain = np.tile(f32([1, 0]), (10, 1))
    assert evaluate(certain, batch_of(truth)).calibration_error == pytest.approx(0.2)


def test_count_error_in_closed_form():
    truth = np.array([1, 1, 0, 0, 0, 0, 0, 0])
    predicted = np.array([1, 0, 0, 0, 1, 1, 0, 1])
    subject = np.array([7, 7, 7, 7, 3, 3, 3, -1])  # the last window is nobody's
    probability = np.eye(2, dtype=np.float32)[predicted]
    found = evaluate(probability, batch_of(truth, subject=subject)).count_error
    assert found == pytest.approx(60 * (1 / 4 + 2 / 3) / 2)
    assert evaluate(probability, batch_of(truth)).count_error is None
    image = batch_of(truth, subject=subject, label_seconds=None)
    assert evaluate(probability, image).count_error is None


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_probabilities_that_are_not_finite_are_refused(value):
    probability = f32([[0.5, value]])
    with pytest.raises(ValueError, match="NaN or infinite"):
        evaluate(probability, batch_of(np.array([0])))


def test_probabilities_of_another_shape_are_refused():
    with pytest.raises(ValueError, match="for labels"):
        evaluate(np.zeros((3, 2), np.float32), batch_of(np.array([0])))


labels = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=60)


@settings(deadline=None, max_examples=60)
@given(labels)
def test_kappa_from_counts_is_scikit_learns(pairs):
    truth, predicted = np.array(pairs).T
    probability = np.eye(3, dtype=np.float32)[predicted]
    found = evaluate(probability, batch_of(truth, classes=3)).kappa
    if len(np.unique(np.concatenate([truth, predicted]))) == 1:
        assert found is None
    else:
        assert found == pytest.approx(sk.cohen_kappa_score(truth, predicted), abs=1e-12)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 2), min_size=2, max_size=40), st.integers(0, 2))
def test_kappa_of_a_constant_prediction_is_zero(truth, constant):
    probability = np.tile(np.eye(3, dtype=np.float32)[constant], (len(truth), 1))
    found = evaluate(probability, batch_of(np.array(truth), classes=3)).kappa
    only_that = set(truth) == {constant}
    assert found is None if only_that else found == pytest.approx(0, abs=1e-12)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.integers(2, 4))
def test_the_order_of_windows_does_not_matter(seed, classes):
    rng = np.random.default_rng(seed)
    truth, probability = rng.integers(0, classes, 50), random_probability(rng, 50, classes)
    subject, order = rng.integers(0, 5, 50), rng.permutation(50)
    before = evaluate(probability, batch_of(truth, classes, subject))
    after = evaluate(probability[order], batch_of(truth[order], classes, subject[order]))
    assert dataclasses.asdict(before) == pytest.approx(dataclasses.asdict(after))
    one, other = probability.argmax(axis=1)[None], rng.integers(0, classes, (2, 50))
    there = gap_interval(real=one, stimuli=other, truth=truth, groups=subject, samples=50)
    assert there == gap_interval(
        real=one[:, order],
        stimuli=other[:, order],
        truth=truth[order],
        groups=subject[order],
        samples=50,
    )


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000))
def test_a_gap_to_itself_is_exactly_zero_and_changes_sign_when_sides_are_swapped(seed):
    rng = np.random.default_rng(seed)
    truth, groups = rng.integers(0, 2, 80), rng.integers(0, 8, 80)
    one, other = rng.integers(0, 2, (2, 3, 80))
    same = gap_interval(real=one, stimuli=one, truth=truth, groups=groups, samples=50)
    assert same.accuracy_gap == 0 and same.accuracy_gap_ci == (0, 0)
    there = gap_interval(real=one, stimuli=other, truth=truth, groups=groups, samples=50)
    back = gap_interval(real=other, stimuli=one, truth=truth, groups=groups, samples=50)
    assert there.kappa_gap == pytest.approx(-back.kappa_gap)  # pyright: ignore


def test_seeds_are_averaged_and_may_differ_in_number():
    truth, groups = np.array([0, 1, 0, 1]), np.array([0, 0, 1, 1])
    real = np.array([[0, 1, 0, 1], [0, 1, 0, 0]])  # accuracy 1 and 3/4
    stimuli = np.array([[0, 0, 0, 0]])  # 1/2, and 1/2 in every resample
    found = gap_interval(real=real, stimuli=stimuli, truth=truth, groups=groups)
    assert found.accuracy_gap == pytest.approx(0.375)
    assert found.accuracy_gap_ci == pytest.approx((0.25, 0.5))
    assert found.kappa_gap == pytest.approx((1 + 0.5) / 2)


def test_fewer_than_two_groups_have_no_interval():
    truth = np.array([0, 1, 0, 1])
    found = gap_interval(
        real=truth[None], stimuli=truth[None] * 0, truth=truth, groups=np.zeros(4, int)
    )
    assert found.accuracy_gap == 0.5 and found.kappa_gap == 1
    assert found.accuracy_gap_ci is None and found.kappa_gap_ci is None


def test_resamples_without_a_kappa_are_left_out():
    truth, groups = np.array([0, 0, 1, 1]), np.array([0, 0, 1, 1])
    # A resample of one group has one class.
    found = gap_interval(real=truth[None], stimuli=1 - truth[None], truth=truth, groups=groups)
    assert found.kappa_gap_ci == (2, 2)
    constant = np.zeros((1, 4), int)
    nothing = gap_interval(real=constant, stimuli=constant, truth=constant[0], groups=groups)
    assert nothing.kappa_gap is None and nothing.kappa_gap_ci is None


def test_groups_of_subjects_and_of_nobodys_windows():
    subject = np.array([4, -1, 4, -1, 0])
    groups = groups_of(batch_of(np.zeros(5, int), subject=subject))
    assert groups[0] == groups[2] and len(np.unique(groups)) == 4
    assert len(np.unique(groups_of(batch_of(np.zeros(5, int))))) == 5


def test_single_windows_match_the_closed_form_of_a_paired_difference():
    rng = np.random.default_rng(3)
    n = 4000
    truth = rng.integers(0, 2, n)
    real = np.where(rng.random(n) < 0.9, truth, 1 - truth)
    stimuli = np.where(rng.random(n) < 0.95, real, 1 - real)
    found = gap_interval(
        real=real[None], stimuli=stimuli[None], truth=truth, groups=np.arange(n), samples=4000
    )
    difference = (real == truth).astype(float) - (stimuli == truth)
    half = 1.96 * difference.std() / n**0.5
    expected = (difference.mean() - half, difference.mean() + half)
    assert found.accuracy_gap_ci == pytest.approx(expected, abs=0.08 * half)


def test_the_interval_covers_a_known_gap_over_subjects():
    """Subjects differ in difficulty and in their gap; its mean over all subjects is 0.05."""
    rng = np.random.default_rng(4)
    subjects, windows, trials = 40, 50, 300
    groups = np.repeat(np.arange(subjects), windows)
    truth = np.tile(np.arange(windows) % 2, subjects)
    covered = 0
    for _ in range(trials):
        skill = rng.uniform(0.75, 0.95, subjects)[groups]
        loss = rng.uniform(-0.05, 0.15, subjects)[groups]
        luck = rng.random(len(truth))  # shared by both sides: they err on the same windows
        real = np.where(luck < skill, truth, 1 - truth)
        stimuli = np.where(luck < skill - loss, truth, 1 - truth)
        ci = gap_interval(
            real=real[None], stimuli=stimuli[None], truth=truth, groups=groups, samples=400
        ).accuracy_gap_ci
        assert ci is not None
        covered += ci[0] <= 0.05 <= ci[1]
    assert 0.90 <= covered / trials <= 0.98


def test_the_seed_decides_the_interval():
    rng = np.random.default_rng(6)
    truth, groups = rng.integers(0, 2, 200), rng.integers(0, 20, 200)
    sides = rng.integers(0, 2, (2, 1, 200))
    real, stimuli = sides
    first, again, other = (
        gap_interval(real=real, stimuli=stimuli, truth=truth, groups=groups, seed=seed)
        for seed in (1, 1, 2)
    )
    assert first == again and first != other
