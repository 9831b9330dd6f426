import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from stimjax.privacy import findings
from stimjax.privacy.findings import Scored


def of_subjects(rng, subjects, each, shift, between=0.0):
    whose = np.repeat(np.arange(subjects), each)
    return rng.normal(size=subjects * each) + shift + between * rng.normal(size=subjects)[
        whose
    ], whose


@given(st.integers(0, 1000))
def test_area_is_that_of_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    ours, whose = of_subjects(rng, 4, 7, 0.5)
    theirs, whose_other = of_subjects(rng, 3, 5, 0.0)
    ours, theirs = np.round(ours), np.round(theirs)  # with ties
    value, (low, high) = findings.auc(
        members=Scored(ours, whose), others=Scored(theirs, whose_other)
    )
    truth = np.repeat([1, 0], [len(ours), len(theirs)])
    assert value == pytest.approx(roc_auc_score(truth, np.concatenate([ours, theirs])))
    assert 0 <= low <= high <= 1


def test_interval_of_area_covers_a_half_about_as_often_as_it_says():
    rng, covered = np.random.default_rng(0), 0
    for trial in range(100):
        ours, whose = of_subjects(rng, 20, 10, 0.0, between=1.0)
        theirs, whose_other = of_subjects(rng, 20, 10, 0.0, between=1.0)
        _, (low, high) = findings.auc(
            members=Scored(ours, whose), others=Scored(theirs, whose_other), seed=trial
        )
        covered += low <= 0.5 <= high
    assert 87 <= covered <= 100  # windows resampled alone would give far less


def test_one_subject_on_a_side_gives_an_interval_that_says_nothing():
    side = Scored(np.arange(5.0), np.zeros(5, int))
    assert findings.auc(members=side, others=side)[1] == (0.0, 1.0)
    assert findings.true_alarms(members=side, others=side, rate=0.2)[1] == (0.0, 1.0)


def test_true_alarms_at_a_rate_of_false_ones():
    theirs = Scored(np.arange(100.0), np.arange(100) // 10)
    ours = Scored(np.array([98.5, 99.5, 97.0, 200.0, 0.0]), np.arange(5))
    value, _ = findings.true_alarms(members=ours, others=theirs, rate=0.01)
    assert value == pytest.approx(3 / 5)  # 98.5, 99.5 and 200 are above all but one of the others


def test_subjects_are_pooled_by_their_mean():
    score = np.array([1.0, 3.0, 10.0, 20.0])
    assert findings.pool(score, np.array([7, 7, 2, 2])).tolist() == [15.0, 2.0]


def test_share_is_that_of_a_binomial():
    value, (low, high) = findings.share(0, 10)
    assert value == 0.0 and low == 0.0 and high == pytest.approx(1 - 0.025**0.1)
