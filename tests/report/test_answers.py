"""Figures of what models answered, held to scikit-learn."""

import numpy as np
from sklearn.calibration import calibration_curve
from sklearn.decomposition import PCA
from sklearn.metrics import confusion_matrix, roc_curve

from stimjax.batch import NOBODY, Channel, Spec, make, one_hot
from stimjax.report import Answers, Night, answers, likeness, strip

SPEC = Spec((8, 1), ("normal", "apnea"), (Channel("SpO2", "%"),), 1.0)


def said(n: int = 300) -> Answers:
    rng = np.random.default_rng(0)
    label = rng.integers(0, 2, n)
    sure = np.round(np.clip(0.35 + 0.3 * label + 0.2 * rng.normal(size=n), 0, 1), 2)  # with ties
    teacher = np.stack([1 - sure, sure], axis=1)
    subject = np.where(np.arange(n) < 10, NOBODY, np.arange(n) // 60)
    return Answers(label, subject, teacher, teacher[:, ::-1].copy(), "cnn")


def test_a_roc_curve_with_ties():
    one = said()
    score, positive = one.teacher[:, 1], one.label == 1
    found = answers.curve(score, positive)
    expected = roc_curve(positive, score, drop_intermediate=False)[:2]
    assert np.allclose(found, expected)


def test_confusion():
    one = said()
    counts = answers.confusion_counts(one.label, one.teacher)
    assert (counts == confusion_matrix(one.label, one.teacher.argmax(axis=1))).all()


def test_calibration():
    rng = np.random.default_rng(2)
    score = rng.uniform(size=3000)
    label = (rng.uniform(size=3000) < score).astype(int)
    found = answers.calibrated(label, np.stack([1 - score, score], axis=1))
    right = (score > 0.5) == label
    share, mean = calibration_curve(right, 2 * np.abs(score - 0.5), n_bins=answers.BINS)
    assert np.allclose(found, (mean / 2 + 0.5, share))


def test_minutes_an_hour_are_of_known_subjects():
    one = said()
    rates = answers.an_hour(one)
    assert rates.shape == (5, 3)
    mine = one.subject == 3
    assert np.isclose(rates[3, 0], 60 * one.label[mine].mean())
    assert np.isclose(rates[3, 1], 60 * (one.teacher[mine, 1] > 0.5).mean())


def test_components_are_those_of_the_real_windows():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(2, 40, 8, 1)).cumsum(axis=2)
    real, stimuli = (make(np.clip(one, -9, 9), one_hot(np.arange(40) % 2, SPEC), SPEC) for one in x)
    fitted = PCA(2).fit(np.asarray(real.x).reshape(40, -1))
    for found, batch in zip(likeness.project(real, stimuli), (real, stimuli), strict=True):
        expected = fitted.transform(np.asarray(batch.x).reshape(40, -1))
        assert np.allclose(np.abs(found), np.abs(expected), atol=1e-4)


def test_wrong_windows_of_a_night():
    scored, two = np.array([0, 1, 1.0]), np.array([0.6, 0.9, 0.4])
    assert strip.wrong(scored, two, 2).tolist() == [True, False, True]
    assert strip.wrong(scored, np.array([0, 2, 1.0]), 3).tolist() == [False, True, False]
    night = Night(scored, two, two, 8.0, np.zeros((3, 8, 1), np.float32))
    assert strip.strip(night, SPEC).count("SpO2") >= 1
