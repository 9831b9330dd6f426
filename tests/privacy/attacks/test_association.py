"""Whose is it: certain for a release of real windows, a guess for strangers' windows."""

import itertools
from typing import Any

import numpy as np
import pytest

from stimjax.privacy.attacks import association
from stimjax.privacy.findings import Scores


def found(world) -> dict[tuple[str, str], Any]:
    return {(f.metric, f.level): f for f in association.ATTACK.run(world)}


def test_a_release_of_their_windows_is_the_members(world):
    by = found(world("everything"))
    assert by["top1", "release"].value > 0.95
    assert by["top5", "release"].value > 0.95
    assert by["top1", "stimulus"].value > 0.95
    assert by["top1", "release"].chance == 0.1 and by["top5", "release"].chance == 0.5
    assert by["top1", "release"].interval[0] > 0.5


def test_strangers_are_nobodys(world):
    covered = [
        finding.interval[0] <= finding.chance <= finding.interval[1]
        for seed in range(5)
        for finding in found(world(seed=seed)).values()
    ]
    assert len(covered) == 15 and sum(covered) >= 13


@pytest.mark.parametrize(("ours", "theirs"), [(10, 12), (36, 15), (3, 4)])
def test_interval_covers_chance_about_as_often_as_it_says(ours, theirs):
    rng, covered, drawn = np.random.default_rng(0), 0, min(9, theirs - 1)
    for _ in range(100):
        better = rng.random(theirs) > rng.random((ours, 1))
        hits = association.ranked(better, 1, drawn)
        pools = (np.delete(better, j, axis=1) for j in range(theirs))
        without = np.array([association.ranked(pool, 1, drawn).mean() for pool in pools])
        low, high = association.interval(float(hits.mean()), hits, without)
        covered += low <= 1 / (1 + drawn) <= high
    assert covered >= 90


@pytest.mark.parametrize(("members", "others"), [(1, 1), (2, 3), (1, 12)])
def test_few_subjects(world, members, others):
    by = found(world("everything", members=members, others=others))
    drawn = min(9, max(1, others - 1))
    assert by["top1", "release"].chance == pytest.approx(1 / (1 + drawn))
    assert (by["top5", "release"].value is None) == (drawn < 5)
    if members == 1:
        assert by["top1", "stimulus"].interval == (0.0, 1.0)


def test_subjects_of_different_length_are_compared_by_as_many_windows(world):
    whole = world("everything")
    few = np.flatnonzero(np.asarray(whole.members.subject) != 1000)
    for count in (17, 1):  # the second is left out
        members = whole.members[np.concatenate([np.arange(count), few])]
        assert found(whole._replace(members=members))["top1", "release"].value > 0.9


def test_rank_is_the_mean_over_all_draws():
    better = np.random.default_rng(0).random((3, 6)) < 0.4
    for top in (1, 2):
        draws = [better[:, list(d)].sum(axis=1) < top for d in itertools.combinations(range(6), 4)]
        assert np.allclose(association.ranked(better, top, 4), np.mean(draws, axis=0))


def test_the_most_decided_stimuli_claim_the_nearest_candidate():
    ours = np.array([0.1] + [1.0] * 39)
    theirs = np.full((40, 2), 1.1)
    theirs[1] = [9.0, 0.2]  # decided as well, for another
    assert association.claims(ours, theirs, 2) == 0.5
    assert association.claims(ours, theirs, 1) == 1.0


def test_interval_is_wider_where_one_of_the_others_decides():
    hits = np.full(20, 0.3)
    narrow = association.interval(0.3, hits, np.full(10, 0.3))
    wide = association.interval(0.3, hits, np.linspace(0.2, 0.4, 10))
    assert wide[1] - wide[0] > narrow[1] - narrow[0]
    assert association.interval(0.0, np.zeros(20), np.zeros(10))[1] > 0.1


def test_images(world):
    by = found(world("everything", pictures=True))
    assert by["top1", "release"].value > 0.9
    assert found(world("everything", pictures=True)) == by


def test_by_shadows_takes_the_score_by_which_most_members_are_first(world):
    given, asked = world("strangers"), []

    def score(gap: float):
        def scored(world) -> Scores:
            rng = np.random.default_rng(0)
            asked.append(gap)
            ours, theirs = len(world.members), len(world.others)
            return Scores(gap + rng.normal(size=ours), rng.normal(size=theirs))

        return scored

    attack = association.by_shadows({"blind": score(0.0), "sees": score(3.0)})
    first, fifth = attack.run(given)
    assert sorted(asked) == [0.0, 3.0] and attack.name == "association_by_shadows"
    assert (first.metric, first.value, first.chance) == ("top1", 1.0, 0.1)
    assert fifth.value == 1.0 and first.note == "by sees, the strongest of 2"
