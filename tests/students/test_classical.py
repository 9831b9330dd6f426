"""Classical students: soft labels as weighted rows, held against what weights must mean."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from stimjax import batch
from stimjax.batch import Batch, Channel, Spec
from stimjax.students import classical


def spec(classes: int, shape: tuple[int, int] = (4, 2)) -> Spec:
    channels = tuple(Channel(f"c{i}", "") for i in range(shape[1]))
    return Spec(shape, tuple("abcdefgh"[:classes]), channels, rate=1.0, label_seconds=4.0)


def windows(n: int, classes: int = 3, seed: int = 0, soft: bool = False) -> Batch:
    """Classes that overlap; the label is the true posterior, or a draw from it."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 4, 2)).astype(np.float32)
    score = np.exp(2 * x[:, :classes, 0])
    y = score / score.sum(axis=1, keepdims=True)
    if not soft:
        draw = (y.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1)
        y = np.eye(classes)[np.minimum(draw, classes - 1)]
    return batch.make(x, y, spec(classes))


def values(n: int) -> np.ndarray:
    """What is to be predicted."""
    return np.asarray(windows(n, seed=1).x)


PROBABILITY = (
    st.tuples(st.integers(1, 30), st.integers(2, 8))
    .flatmap(lambda s: arrays.arrays(np.float32, s, elements=st.floats(0, 1, width=32)))
    .map(lambda a: (a + 1e-6) / (a + 1e-6).sum(axis=1, keepdims=True))
)


@settings(deadline=None)
@given(PROBABILITY, st.sampled_from([1.0, 1.5, 2.0, 8.0]))
def test_rows_share_each_window_among_its_probable_classes(y, most):
    window, label, share = classical.rows(y, most)
    assert len(window) <= max(len(y), int(most * len(y)))
    np.testing.assert_allclose(np.bincount(window, share, minlength=len(y)), 1)
    assert (np.diff(window) >= 0).all() and len(set(zip(window, label, strict=True))) == len(label)
    top = y.argmax(axis=1)
    assert set(enumerate(top)) <= set(zip(window, label, strict=True))
    kept = np.zeros(y.shape, bool)
    kept[window, label] = True
    others = kept & (np.arange(y.shape[1]) != top[:, None])
    assert (y[others] >= classical.LEAST).all()
    # Within a window the shares are as the probabilities, and no left-out one was larger.
    np.testing.assert_allclose(share * (y * kept).sum(axis=1)[window], y[window, label], rtol=1e-5)
    left_out = ~kept & (y >= classical.LEAST)
    if others.any() and left_out.any():
        assert y[left_out].max() <= y[others].min()
    if most == 8:
        assert not left_out.any()


@settings(deadline=None)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=50))
def test_a_hard_label_gives_one_row(label):
    window, found, share = classical.rows(np.eye(5, dtype=np.float32)[label])
    np.testing.assert_array_equal(window, np.arange(len(label)))
    np.testing.assert_array_equal(found, label)
    assert (share == 1).all()


PLAIN = {
    "svm": lambda: make_pipeline(StandardScaler(), SVC()),
    "knn": lambda: make_pipeline(StandardScaler(), KNeighborsClassifier(15)),
    "logistic": lambda: make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)),
}


@pytest.mark.parametrize("name", PLAIN)
def test_on_hard_labels_a_student_is_the_plain_classifier(name):
    train, x = windows(300), values(200)
    found = classical.train_and_predict(name, train, x, seed=3)
    model = PLAIN[name]().fit(train.x.reshape(300, -1), train.y.argmax(axis=1))
    flat = x.reshape(200, -1)
    if name == "svm":  # three classes: `predict` counts votes instead
        expected = model.decision_function(flat).argmax(axis=1)
        np.testing.assert_array_equal(found.argmax(axis=1), expected)
    else:
        np.testing.assert_allclose(found, model.predict_proba(flat), atol=1e-4)


def test_on_hard_labels_a_forest_is_a_forest_of_classification_trees(monkeypatch):
    """Of the same splits; so many trees leave no more than chance between the two."""
    train, x, trees = windows(300), values(200), 1500
    plain = classical.CLASSICAL["random_forest"]
    many = {"random_forest": lambda seed: plain(seed).set_params(n_estimators=trees)}
    monkeypatch.setattr(classical, "CLASSICAL", many)
    found = classical.train_and_predict("random_forest", train, x, seed=3)
    forest = RandomForestClassifier(trees, random_state=4, n_jobs=-1)
    forest.fit(train.x.reshape(300, -1), train.y.argmax(axis=1))
    expected = forest.predict_proba(x.reshape(200, -1))
    # 5 standard errors of the difference of two means of `trees` draws of 0 or 1.
    np.testing.assert_allclose(found, expected, atol=5 * (0.5 * 2 / trees * 0.5) ** 0.5)


@pytest.mark.parametrize("name", ["svm", "logistic"])
def test_a_weight_of_two_is_a_window_that_stands_twice(name):
    """Deterministic and without a count of rows: the weighted optimum is the duplicates'."""
    train, x = windows(200), values(100)
    twice = np.random.default_rng(0).random(200) < 0.4
    weighted = batch.make(train.x, train.y, train.spec, weight=np.where(twice, 2.0, 1.0))
    # Weights have a mean of 1 in training, duplicates a weight of 1; C scales the difference away.
    every = np.concatenate([np.arange(200), np.flatnonzero(twice)])
    duplicated = train[every]
    scale = len(every) / 200
    plain = classical.CLASSICAL[name]

    def scaled(seed: int) -> Any:
        model = plain(seed)
        return model.set_params(**{f"{model.steps[-1][0]}__C": 1 / scale})

    one = classical.train_and_predict(name, weighted, x, 0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(classical.CLASSICAL, name, scaled)
        two = classical.train_and_predict(name, duplicated, x, 0)
    np.testing.assert_allclose(one, two, atol=5e-3)


@pytest.mark.parametrize("name", classical.CLASSICAL)
def test_windows_of_no_weight_are_not_seen(name):
    train, x = windows(400), values(100)
    weight = np.ones(400)
    weight[300:] = 0
    wrong = train.y.copy()
    wrong[300:] = np.roll(wrong[300:], 1, axis=1)
    given_ = batch.make(train.x, wrong, train.spec, weight=7 * weight)  # the scale has no say
    one = classical.train_and_predict(name, given_, x, 0)
    two = classical.train_and_predict(name, train[:300], x, 0)
    np.testing.assert_allclose(one, two, atol=1e-5)


@pytest.mark.parametrize("name", classical.CLASSICAL)
def test_a_student_depends_on_the_seed_if_it_is_said_to_be_random(name):
    """One that is not is trained once, however many seeds are asked for."""
    train, x = windows(300, soft=True), values(100)
    one, two = (classical.train_and_predict(name, train, x, seed) for seed in (0, 1))
    assert np.array_equal(one, two) == (name not in classical.RANDOM)


def test_neighbors_are_averaged_with_their_weights():
    x = np.zeros((3, 4, 2), np.float32)
    x[2] = 1e-3
    y = np.array([[0.9, 0.1], [0.2, 0.8], [0.5, 0.5]], np.float32)
    train = batch.make(x, y, spec(2), weight=np.array([1.0, 3.0, 4.0]))
    found = classical.train_and_predict("knn", train, x[:1], 0)  # fewer than 15: all count
    np.testing.assert_allclose(found, [(y * [[1], [3], [4]]).sum(axis=0) / 8], rtol=1e-6)


@pytest.mark.parametrize("name", ["random_forest", "gradient_boosting", "logistic"])
def test_soft_labels_teach_more_than_the_most_probable_class(name):
    """The truth is known: a student of the posterior is nearer to it than one of its argmax."""
    train, test = windows(1500, 2, soft=True), windows(500, 2, seed=1, soft=True)
    hard = batch.make(train.x, np.eye(2)[train.y.argmax(axis=1)], train.spec)
    error = [
        np.abs(classical.train_and_predict(name, t, np.asarray(test.x), 0) - test.y).mean()
        for t in (train, hard)
    ]
    assert error[0] < error[1]


@pytest.mark.parametrize("name", classical.CLASSICAL)
def test_labels_that_say_nothing_give_that_class(name):
    train = windows(30)
    same = batch.make(train.x, np.tile([[0.0, 1.0, 0.0]], (30, 1)), train.spec)
    found = classical.train_and_predict(name, same, np.asarray(train.x[:4]), 0)
    np.testing.assert_allclose(found, [[0, 1, 0]] * 4)


def test_a_class_of_one_window_and_a_class_of_none():
    y = np.zeros((60, 4))
    y[:30, 0], y[30:59, 1], y[59, 3] = 1, 1, 1
    x = np.random.default_rng(0).normal(size=(60, 4, 2))
    for name in classical.CLASSICAL:
        found = classical.train_and_predict(name, batch.make(x, y, spec(4)), x[:5].astype("f4"), 0)
        assert found.shape == (5, 4) and (found[:, 2] == 0).all()
        np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("name", classical.CLASSICAL)
def test_twenty_thousand_soft_stimuli_of_five_classes(name):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(20_000, 60, 4)).astype(np.float32)
    score = np.exp(0.3 * x.sum(axis=1) @ rng.normal(size=(4, 5)))
    train = batch.make(x, score / score.sum(axis=1, keepdims=True), spec(5, (60, 4)))
    found = classical.train_and_predict(name, train, x[:1000], 0)
    assert (found.argmax(axis=1) == score[:1000].argmax(axis=1)).mean() > 0.5


def test_pixels_are_not_scaled_each_by_its_own_spread():
    """A pixel that is hardly ever inked would outweigh all else."""
    rng = np.random.default_rng(0)
    label = np.arange(300) % 2
    x = np.zeros((300, 3, 3, 1), np.float32)
    x[:, 1, 1, 0] = label + rng.normal(size=300) * 0.4
    x[:, :, 0, 0] = 1e-3 * rng.normal(size=(300, 3))  # says nothing
    spec = Spec(x.shape[1:], ("a", "b"), (Channel("pixel", ""),))
    train, test = batch.make(x[:200], np.eye(2)[label[:200]], spec), x[200:]
    flat = x.reshape(300, -1)
    plain = KNeighborsClassifier(15).fit(flat[:200], label[:200]).predict_proba(flat[200:])
    found = classical.train_and_predict("knn", train, test, 0)
    np.testing.assert_allclose(found, plain, atol=1e-6)
    assert (found.argmax(axis=1) == label[200:]).mean() > 0.8
    for name in ("svm", "logistic"):
        found = classical.train_and_predict(name, train, test, 0)
        assert (found.argmax(axis=1) == label[200:]).mean() > 0.8


def test_long_windows_are_means_of_neighbors() -> None:
    x = np.random.default_rng(0).normal(size=(3, 1500, 2)).astype(np.float32)
    expected = x.reshape(3, 500, 3, 2).mean(axis=2).reshape(3, -1)
    np.testing.assert_allclose(classical.features_of(x), expected, atol=1e-6)
    assert classical.features_of(x[:, :500]).shape == (3, 1000)
