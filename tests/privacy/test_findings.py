import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from stimjax.batch import Channel, Spec, make, one_hot
from stimjax.privacy import findings
from stimjax.privacy.findings import MEMBERSHIP, Scored, Scores, World


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


@settings(max_examples=30)
@given(st.integers(0, 1000))
def test_the_worst_subject_has_the_largest_area_of_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    sides = [of_subjects(rng, 4, 7, 0.5, 1.0), of_subjects(rng, 3, 5, 0.0, 1.0)]
    ours, theirs = (Scored(np.round(score), whose) for score, whose in sides)  # with ties
    areas = [
        roc_auc_score(
            np.repeat([1, 0], [7, len(theirs.score)]), np.concatenate([own, theirs.score])
        )
        for own in ours.by_subject()
    ]
    value, (low, high), chance = findings.worst(members=ours, others=theirs)
    assert value == pytest.approx(max(areas))
    assert 0 <= low <= value <= high <= 1 and 0.5 <= chance <= 1


@pytest.mark.parametrize(("draw", "above"), [("normal", 6), ("standard_t", 10), ("exponential", 9)])
def test_the_worst_of_members_who_are_like_others_is_not_above_chance(draw, above):
    rng, higher, values = np.random.default_rng(0), 0, []
    for trial in range(100):
        who = np.repeat(np.arange(30), 20)
        tails = (4,) if draw == "standard_t" else ()
        ours, theirs = (
            Scored(rng.normal(size=600) + getattr(rng, draw)(*tails, size=30)[who] / 2, who)
            for _ in range(2)
        )
        value, (low, _), chance = findings.worst(members=ours, others=theirs, seed=trial)
        higher += low > chance
        values.append(value - chance)
    assert higher <= above
    assert abs(np.median(values)) < 0.05


def test_one_subject_who_stands_out_is_seen_where_the_mean_is_not():
    rng = np.random.default_rng(0)
    who = np.repeat(np.arange(30), 40)
    ours, theirs = (
        Scored(rng.normal(size=1200) + 0.3 * rng.normal(size=30)[who], who) for _ in range(2)
    )
    leaked = ours._replace(score=ours.score + np.where(who == 7, 3.0, 0.0))
    low, high = findings.auc(members=leaked, others=theirs)[1]
    assert low <= 0.5 <= high
    value, (low, _), chance = findings.worst(members=leaked, others=theirs)
    assert value > 0.95 and low > chance
    (low, _), chance = findings.worst(members=ours, others=theirs)[1:]
    assert low <= chance


def test_the_worst_subject_with_one_other_or_with_equals():
    side, other = Scored(np.arange(5.0), np.zeros(5, int)), Scored(np.arange(3.0), np.zeros(3, int))
    value, interval, chance = findings.worst(members=side, others=other)
    assert value == pytest.approx(0.7) and interval == (0.0, 1.0) and chance == 0.5
    equal = Scored(np.ones(20), np.repeat(np.arange(5), 4))
    value, (low, high), chance = findings.worst(members=equal, others=equal)
    assert (value, low, high, chance) == pytest.approx((0.5, 0.5, 0.5, 0.5))


def of_people(count, each=20):
    spec = Spec((1, 1), ("a", "b"), (Channel("x", ""),))
    label = np.zeros(count * each, int)
    x, whose = np.zeros((len(label), 1, 1)), np.repeat(np.arange(count), each)
    return make(x, one_hot(label, spec), spec, subject=whose)


def test_scores_that_windows_of_a_subject_share_have_no_worst_subject():
    rng, side = np.random.default_rng(0), of_people(30)
    world = World(side, side, side, side)
    one = rng.normal(size=(2, 30)).repeat(20, axis=1)
    for spread, expected in ((1e-12, MEMBERSHIP[:-1]), (1.0, MEMBERSHIP)):
        ours, theirs = one + spread * rng.normal(size=one.shape)
        found = findings.membership("any", Scores(ours, theirs), world)
        by = {(f.metric, f.level): f for f in found}
        assert list(by) == list(expected)
        said = by["auc", "subject"].note.endswith(findings.ALONE)
        assert said == (expected != MEMBERSHIP)


def test_the_largest_share_of_few_others_would_be_one_in_every_second_audit():
    """Why it is left out: members like others reach 1, and one far above all reaches no more."""
    rng, who, values = np.random.default_rng(0), np.repeat(np.arange(30), 2), []
    for _ in range(40):
        ours, theirs = rng.normal(size=(2, 30))
        values.append(
            findings.worst(members=Scored(ours[who], who), others=Scored(theirs[who], who))
        )
    assert 0.3 < np.mean([value == 1.0 for value, _, _ in values]) < 0.7
    far = ours + 10.0 * (np.arange(30) == 7)
    value, (low, _), chance = findings.worst(
        members=Scored(far[who], who), others=Scored(theirs[who], who)
    )
    assert value == 1.0 and low < chance


def test_more_members_above_every_other_than_chance_explains_are_noted():
    others = np.arange(10.0)
    assert findings._first(np.full(10, 5.0), others) == ""
    assert findings._first(np.array([20.0, *range(9)]), others) == ""  # one of two may well be
    # That the first six of twenty are of one half: 10 9 8 7 6 5 / (20 19 18 17 16 15).
    note = findings._first(np.array([20.0, 21, 22, 23, 24, 25, *range(4)]), others)
    assert note.startswith("6 of 10 members") and note.endswith("probability 0.0054")


def test_share_is_that_of_a_binomial():
    value, (low, high) = findings.share(0, 10)
    assert value == 0.0 and low == 0.0 and high == pytest.approx(1 - 0.025**0.1)


@pytest.mark.parametrize(("few", "low"), [(4, 0.398), (24, 0.858)])
def test_few_subjects_who_are_all_told_apart_leave_doubt(few: int, low: float) -> None:
    ours = Scored(np.arange(30.0) + 100, np.arange(30))
    theirs = Scored(np.arange(float(few)), np.arange(few))
    value, interval = findings.auc(members=ours, others=theirs)
    assert value == 1.0 and interval == (pytest.approx(low, abs=1e-3), 1.0)
    value, interval = findings.auc(members=theirs, others=ours)
    assert value == 0.0 and interval == (0.0, pytest.approx(1 - low, abs=1e-3))
