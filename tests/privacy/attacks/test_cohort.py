"""One test of a whole cohort: calibrated where sides are alike, sure where a release has one."""

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.stats import kstest, norm

from stimjax.batch import concatenate
from stimjax.privacy import space
from stimjax.privacy.attacks import cohort


def found(world) -> Any:
    (finding,) = cohort.ATTACK.run(world)
    assert (finding.metric, finding.level, finding.chance) == ("told_apart", "cohort", 0.5)
    return finding


def test_a_cohort_whose_windows_are_in_the_release_is_told(world):
    finding = found(world("both"))
    assert finding.value > 0.99 and finding.interval[0] > 0.9
    assert "p = 0.0001, one test of 10 members against 12 others" in finding.note


def test_one_percent_of_copies_tell_a_cohort(world):
    assert found(world("copies")).interval[0] > 0.5


@pytest.mark.parametrize("seed", range(3))
def test_strangers_are_no_cohort_of_the_release(world, seed):
    low, high = found(world(seed=seed)).interval
    assert low <= 0.5 <= high


def test_p_values_are_uniform_where_sides_are_alike(monkeypatch):
    monkeypatch.setattr(cohort, "EXCHANGES", 2000)
    rng, values, covered = np.random.default_rng(0), [], 0
    for seed in range(300):
        scores = rng.standard_t(4, size=(22, 3)) @ rng.normal(size=(3, 3))  # that go together
        shares = cohort.exchanged(members=scores[:10], others=scores[10:], seed=seed)
        low, high = cohort.interval(*shares)
        values.append(shares[0])
        covered += low <= 0.5 <= high
    assert kstest(values, "uniform").pvalue > 0.01
    assert 275 <= covered <= 295  # of 300; 285 are expected


def test_p_values_are_uniform_over_who_is_a_member(world, monkeypatch):
    monkeypatch.setattr(cohort, "EXCHANGES", 2000)
    whole, values = world(members=12, others=12, each=8), []
    everybody = concatenate([whole.members, whole.others])
    subject = np.asarray(everybody.subject)
    for seed in range(40):
        chosen = np.random.default_rng(seed).permutation(np.unique(subject))[:12]
        inside = np.isin(subject, chosen)
        sides = {"members": everybody[inside], "others": everybody[~inside]}
        values.append(found(whole._replace(seed=seed, **sides)).value)
    assert kstest(values, "uniform").pvalue > 0.01


def test_the_share_is_that_of_all_exchanges():
    rng = np.random.default_rng(3)
    scores = rng.normal(size=(9, 2)) + np.array([1.0, 0.5]) * (np.arange(9) < 4)[:, None]
    unit = scores.std(axis=0)
    rows = [list(rows) for rows in combinations(range(9), 4)]

    def largest(inside: list[int]) -> float:
        outside = [i for i in range(9) if i not in inside]
        return max((scores[inside].mean(axis=0) - scores[outside].mean(axis=0)) / unit)

    every = np.array([largest(inside) for inside in rows])
    truth = (every >= every[0] - 1e-12).mean()
    at_least, at_most = cohort.exchanged(members=scores[:4], others=scores[4:])
    assert at_least == pytest.approx(truth, abs=0.01)
    assert at_least + at_most == pytest.approx(1 + 1 / 126, abs=0.01)  # one tie: the sides


def test_the_ends_are_those_of_a_normal_deviate():
    assert cohort.interval(0.5, 0.5) == pytest.approx((0.025, 0.975))
    low, high = cohort.interval(0.001, 0.9991)
    assert low == pytest.approx(norm.cdf(norm.ppf(0.999) - norm.ppf(0.975))) and high > 0.999
    assert cohort.interval(0.025, 0.975)[0] == pytest.approx(0.5)
    assert cohort.interval(1.0, 1.0) == (0.0, 1.0)  # all is a tie: nothing is known


def test_the_witness_is_the_difference_of_mean_kernels():
    rng = np.random.default_rng(0)
    windows, release, reference = (rng.normal(size=(n, 3)).astype(np.float32) for n in (9, 60, 45))
    apart = cdist(reference, reference, "sqeuclidean")[np.triu_indices(45, 1)]
    near, far = (
        np.exp(-cdist(windows, among, "sqeuclidean") / np.median(apart)).mean(axis=1)
        for among in (release, reference)
    )
    points = space.Points(release, windows, windows, reference)
    assert cohort.witness(windows, points) == pytest.approx(near - far, abs=2e-3)


@pytest.mark.parametrize(("members", "others"), [(1, 1), (2, 7), (2, 2)])
def test_few_subjects_cannot_tell_much(world, members, others):
    finding = found(world("both", members=members, others=others))
    assert "on one side cannot tell more" in finding.note
    assert finding.interval[0] < 0.6 and finding.interval[1] == pytest.approx(1, abs=0.01)


def test_images(world):
    assert found(world("both", pictures=True)).interval[0] > 0.9
