"""Severity: told of members better than of others only by a release that knows them."""

from typing import Any

import numpy as np

from stimjax.batch import make
from stimjax.privacy.attacks import attribute


def found(world) -> Any:
    first, second = attribute.ATTACK.run(world)
    assert (first.metric, second.metric) == ("advantage", "advantage_of_boosting")
    return first


def test_a_release_that_says_members_labels_tells_their_severity(world):
    whole = world("everything", members=30, others=30, each=20)
    rng = np.random.default_rng(0)
    # Labels that windows do not show: only who has seen a member's windows knows its severity.
    sides = {}
    for name in ("members", "others", "reference"):
        side = getattr(whole, name)
        severity = rng.random(side.subject.max() + 1)
        apnea = rng.random(len(side)) < severity[side.subject]
        sides[name] = make(side.x, np.eye(2)[apnea.astype(int)], side.spec, subject=side.subject)
    release = make(sides["members"].x, sides["members"].y, whole.release.spec)
    finding = found(whole._replace(release=release, **sides))
    assert finding.value > 0.25 and finding.interval[0] > 0
    assert "apnea" in finding.note


def test_strangers_tell_no_more_of_members_than_of_others(world):
    whole = world(each=20)
    finding = found(whole._replace(release=whole.release[::4]))
    assert finding.interval[0] <= 0 <= finding.interval[1]


def test_few_subjects(world):
    finding = found(world("everything", members=1, others=2))
    assert finding.interval == (-1.0, 1.0) and "only 1 subjects" in finding.note


def test_bands_are_equally_large_in_the_cohort():
    cohort = np.random.default_rng(0).random(300)
    assert np.bincount(attribute.banded(cohort, cohort)).tolist() == [100, 100, 100]


def test_interval_covers_nought_about_as_often_as_it_says():
    rng, covered = np.random.default_rng(0), 0
    for trial in range(200):
        members, others = rng.random(30) < 0.5, rng.random(12) < 0.5
        _, (low, high) = attribute.advantage(members, others, trial)
        covered += low <= 0 <= high
    assert covered >= 184
    assert attribute.advantage(np.ones(5, bool), np.zeros(5, bool))[1][0] < 1


def test_the_attribute_of_more_classes_is_the_rarest_that_there_is(world):
    pictures = world(pictures=True)
    y = np.repeat([[0.7, 0.3, 0.0]], len(pictures.reference), axis=0)
    reference = make(pictures.reference.x, y, pictures.reference.spec)
    assert attribute.attribute(reference) == 1
    assert found(pictures._replace(release=pictures.release[::6])).value is not None
