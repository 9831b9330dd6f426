"""Who goes into which part, held against the promises that a split makes."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stimjax.data import split
from stimjax.data.split import Shares
from stimjax.errors import StimjaxError

SEVERITIES = st.dictionaries(st.integers(0, 999), st.floats(0, 1), min_size=5, max_size=60)
SHARES = st.tuples(st.floats(0.1, 0.4), st.floats(0.1, 0.4))
SEEDS = st.integers(0, 2**32)


def members(part: dict[int, str], name: str) -> set[int]:
    return {subject for subject, its in part.items() if its == name}


@settings(deadline=None)
@given(SEVERITIES, SHARES, SEEDS)
def test_every_subject_is_in_one_part_and_no_part_is_empty(severity, shares, seed):
    validation, test = shares
    part = split.by_subject(severity, set(), Shares(validation, test, seed))
    assert set(part) == set(severity)
    assert set(part.values()) == set(split.PARTS)
    n = len(severity)
    for name, share in (("validation", validation), ("test", test)):
        assert abs(len(members(part, name)) - max(1, share * n)) <= 1
    assert split.by_subject(severity, set(), Shares(validation, test, seed)) == part
    backwards = dict(reversed(severity.items()))  # the order of the files has no say
    assert split.by_subject(backwards, set(), Shares(validation, test, seed)) == part


@settings(deadline=None)
@given(SEVERITIES, st.floats(0.1, 0.6), SEEDS, st.data())
def test_named_subjects_are_exactly_the_test_part(severity, validation, seed, data):
    order = sorted(severity)
    named = set(data.draw(st.lists(st.sampled_from(order), min_size=1, max_size=len(order) - 3)))
    part = split.by_subject(severity, named, Shares(validation, 0.25, seed))
    assert members(part, "test") == named
    rest = len(severity) - len(named)
    assert abs(len(members(part, "validation")) - max(1, validation * rest)) <= 1
    assert len(members(part, "train")) + len(members(part, "validation")) == rest


@pytest.mark.parametrize("n", [20, 36, 60])
@pytest.mark.parametrize("seed", range(5))
def test_every_part_has_its_share_of_mild_and_severe(n, seed):
    """Against chance, too: drawn without regard to severity, the means would scatter more."""
    rng = np.random.default_rng(n)
    severity = {s: float(value) for s, value in enumerate(rng.beta(0.4, 0.8, n))}
    part = split.by_subject(severity, set(), Shares(0.15, 0.25, seed))
    cohort = np.array(list(severity.values()))
    for name in split.PARTS:
        its = np.array([severity[s] for s in members(part, name)])
        # Systematic sampling takes one of each stretch of n/count subjects in order.
        chance = cohort.std() / np.sqrt(len(its))
        assert abs(its.mean() - cohort.mean()) < 0.9 * chance
    tested = np.array([severity[s] for s in members(part, "test")])
    assert tested.min() < np.quantile(cohort, 0.3) and tested.max() > np.quantile(cohort, 0.7)


def test_a_seed_is_a_split_and_equals_are_drawn_by_lot():
    severity = dict.fromkeys(range(40), 0.5)
    tested = [
        members(split.by_subject(severity, set(), Shares(0.15, 0.25, s)), "test") for s in range(20)
    ]
    assert len({frozenset(t) for t in tested}) == 20
    assert len(set.union(*tested)) > 35  # nobody is always spared


@pytest.mark.parametrize("n", [0, 1, 2])
def test_too_few_subjects_are_an_error(n):
    with pytest.raises(StimjaxError, match=rf"^{n} subjects leave none for \w+; give more"):
        split.by_subject(dict.fromkeys(range(n), 0.5), set(), Shares(0.15, 0.25, 0))


@pytest.mark.parametrize(
    ("validation", "test", "named", "absent"),
    [
        (0.0, 0.25, set(), "validation"),
        (0.15, 0.0, set(), "test"),
        (0.15, 0.25, set(range(9)), "train"),
        (0.15, 0.25, set(range(10)), "train"),
    ],
)
def test_an_empty_part_is_an_error(validation, test, named, absent):
    with pytest.raises(StimjaxError, match=f"leave none for {absent};"):
        split.by_subject(dict.fromkeys(range(10), 0.5), named, Shares(validation, test, 0))


def test_three_subjects_are_enough():
    for seed in range(20):
        part = split.by_subject({4: 0.1, 7: 0.5, 9: 0.9}, set(), Shares(0.15, 0.25, seed))
        assert sorted(part.values()) == ["test", "train", "validation"]


@settings(deadline=None)
@given(st.integers(0, 600), SHARES, SEEDS, st.integers(0, 5000))
def test_at_random_gives_each_part_its_share_of_every_recording(n, shares, seed, number):
    validation, test = shares
    part = split.at_random(n, number, Shares(validation, test, seed))
    assert part.shape == (n,)
    counts = np.bincount(part, minlength=3)
    expected = np.array([1 - validation - test, validation, test]) * n
    assert (np.abs(counts - expected) <= 1 + 1e-9).all()
    np.testing.assert_array_equal(part, split.at_random(n, number, Shares(validation, test, seed)))


def test_at_random_is_random():
    n = 4000
    parts = np.stack([split.at_random(n, 0, Shares(0.2, 0.3, seed)) for seed in range(30)])
    # Each window is tested in 30 % of the splits, and neighbors do not go together.
    tested = parts == 2
    assert tested.mean() == pytest.approx(0.3, abs=0.001)
    assert tested.mean(axis=0).std() == pytest.approx(np.sqrt(0.3 * 0.7 / 30), rel=0.05)
    together = (tested[:, 1:] & tested[:, :-1]).mean()
    assert together == pytest.approx(0.09, abs=0.003)
    # Another recording, another draw; over many short recordings the shares still come out.
    assert (split.at_random(n, 1, Shares(0.2, 0.3, 0)) != parts[0]).any()
    short = np.concatenate([split.at_random(1, i, Shares(0.2, 0.3, 0)) for i in range(4000)])
    assert (short == 2).mean() == pytest.approx(0.3, abs=0.025)


@settings(deadline=None)
@given(SEVERITIES, st.integers(2, 5), st.floats(0.05, 0.3), SEEDS)
def test_folds_by_subject_test_every_subject_once(severity, folds, validation, seed):
    parts = [
        split.by_subject(severity, set(), Shares(validation, 0.25, seed, folds=folds, fold=fold))
        for fold in range(folds)
    ]
    tested = [members(part, "test") for part in parts]
    assert set.union(*tested) == set(severity)
    assert sum(map(len, tested)) == len(severity)
    sizes = [len(t) for t in tested]
    assert max(sizes) - min(sizes) <= 1
    for part in parts:
        assert set(part) == set(severity) and set(part.values()) == set(split.PARTS)
        rest = len(severity) - len(members(part, "test"))
        share = min(1, validation / (1 - 1 / folds))
        assert abs(len(members(part, "validation")) - max(1, share * rest)) <= 1
    # Of each stretch of subjects in order of severity every fold has one.
    order = sorted(severity, key=lambda s: severity[s])
    if len(set(severity.values())) == len(order):
        for start in range(0, len(order) - folds + 1, folds):
            stretch = set(order[start : start + folds])
            assert all(len(stretch & its) == 1 for its in tested)


def test_a_fold_too_many_is_an_error():
    severity = dict.fromkeys(range(4), 0.5)
    with pytest.raises(StimjaxError, match=r"^--folds 5: 4 subjects .* at most 4, or split"):
        split.by_subject(severity, set(), Shares(0.15, 0.25, 0, folds=5, fold=4))


@settings(deadline=None)
@given(st.integers(0, 600), st.integers(2, 10), st.floats(0.05, 0.4), SEEDS, st.integers(0, 5000))
def test_folds_at_random_test_every_window_once(n, folds, validation, seed, number):
    parts = np.stack(
        [
            split.at_random(n, number, Shares(validation, 0.25, seed, folds=folds, fold=fold))
            for fold in range(folds)
        ]
    )
    assert ((parts == 2).sum(axis=0) == 1).all()
    expected = np.array([1 - validation - 1 / folds, validation, 1 / folds]) * n
    for part in parts:
        assert (np.abs(np.bincount(part, minlength=3) - expected) <= 1 + 1e-6).all()


def test_a_name_alone_decides_the_part_of_its_subject() -> None:
    names = {number: f"subject {number}" for number in range(200)}
    part = split.by_name(names, set(), Shares(0.2, 0.25, 0))
    for left_out in (0, 17, 199):
        fewer = {number: name for number, name in names.items() if number != left_out}
        again = split.by_name(fewer, set(), Shares(0.2, 0.25, 0))
        assert again == {number: where for number, where in part.items() if number != left_out}
    renumbered = split.by_name(
        {200 - n: name for n, name in names.items()}, set(), Shares(0.2, 0.25, 0)
    )
    assert {200 - n: where for n, where in renumbered.items()} == part
    count = Counter(part.values())
    assert 30 < count["test"] < 70 and 20 < count["validation"] < 60
    assert split.by_name(names, set(), Shares(0.2, 0.25, 1)) != part


def test_folds_by_name_test_every_subject_once() -> None:
    names = {number: f"subject {number}" for number in range(60)}
    parts = [split.by_name(names, set(), Shares(0.2, 0.25, 0, folds=4, fold=k)) for k in range(4)]
    for subject in names:
        assert [part[subject] for part in parts].count("test") == 1


def test_named_test_subjects_are_the_test_part_by_name_too() -> None:
    names = {number: f"subject {number}" for number in range(60)}
    part = split.by_name(names, {3, 5}, Shares(0.2, 0.25, 0))
    assert {subject for subject, where in part.items() if where == "test"} == {3, 5}


def test_too_few_names_for_a_part_are_refused() -> None:
    with pytest.raises(StimjaxError, match="another --seed"):
        split.by_name({0: "a", 1: "b"}, set(), Shares(0.2, 0.2, 0))
