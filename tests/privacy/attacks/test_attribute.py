"""Severity: told of members better than of others only by a release that knows them."""

from typing import Any

import numpy as np
from scipy.special import expit

from stimjax.batch import Channel, Spec, make, one_hot
from stimjax.privacy.attacks import attribute
from stimjax.privacy.findings import World


def every(world, *given) -> dict[str, Any]:
    return {finding.metric: finding for finding in attribute.attack(*given).run(world)}


def found(world) -> Any:
    by = every(world)
    assert list(by) == ["advantage", "advantage_of_boosting", "advantage_of_strongest"]
    return by["advantage"]


def gaussian(given):
    """A source that draws each class from a Gaussian of its own, refitted to stimuli."""
    flat = np.asarray(given.x).reshape(len(given), -1)
    means = np.stack([flat[given.label == number].mean(axis=0) for number in (0, 1)])

    def density(windows):
        beyond = np.asarray(windows.x).reshape(len(windows), -1) - means[windows.label]
        return -(beyond**2).sum(axis=1) / 2 / flat.shape[1]  # as sources give it: of a value

    return density


def secretive(world) -> Any:
    """A world in which no window shows its class, and a release of the members' own."""
    whole = world("everything", members=30, others=30, each=20)
    rng, sides = np.random.default_rng(0), {}
    for name in ("members", "others", "reference"):
        side = getattr(whole, name)
        severity = rng.random(side.subject.max() + 1)
        apnea = rng.random(len(side)) < severity[side.subject]
        sides[name] = make(side.x, np.eye(2)[apnea.astype(int)], side.spec, subject=side.subject)
    release = make(sides["members"].x, sides["members"].y, whole.release.spec)
    return whole._replace(release=release, **sides)


def test_a_release_that_says_members_labels_tells_their_severity(world):
    by = every(secretive(world), gaussian)
    for metric in ("advantage", "advantage_of_strongest"):
        assert by[metric].value > 0.25 and by[metric].interval[0] > 0
    assert "apnea" in by["advantage"].note
    assert by["advantage_of_strongest"].note.startswith("by the nearest stimulus, the strongest of")


def test_what_students_of_the_release_know_of_members_is_the_strongest(world):
    """They answer members' windows with their labels, and others' with any."""
    whole = secretive(world)
    whole = whole._replace(release=whole.release[::6])
    known = {x.tobytes(): y for x, y in zip(whole.members.x, whole.members.y, strict=True)}
    rng, asked = np.random.default_rng(1), []

    def answer(world, x):
        asked.append(world)
        return np.stack([known.get(one.tobytes(), rng.dirichlet((1, 1))) for one in x])

    by = every(whole, None, answer)
    strongest = by["advantage_of_strongest"]
    assert strongest.note.startswith("by students of the release, the strongest of 3")
    assert strongest.value > 0.4 > by["advantage"].value and strongest.interval[0] > 0
    assert all(one is whole for one in asked)  # by itself `signals.once` knows a world again


def test_the_refitted_source_tells_classes_by_bayes():
    spec, rng = Spec((30, 1), ("a", "b"), (Channel("x", ""),)), np.random.default_rng(0)
    label = (rng.random(8_000) < 0.2).astype(int)  # the second class is rarer
    x = rng.normal(size=(8_000, 30)) + 0.3 * label[:, None]
    release = make(x[:, :, None], one_hot(label, spec), spec)
    world = World(release, release[:500], release[500:1000], release[1000:2000])
    (found, *_) = attribute._guesses(world, world, gaussian, None)[attribute.SOURCE]
    odds = (0.3 * x[:500] - 0.045).sum(axis=1) + np.log(0.2 / 0.8)
    assert np.abs(found[:, 1] - expit(odds)).mean() < 0.02


def test_of_attackers_who_know_nothing_the_strongest_is_above_chance_by_its_interval_rarely():
    rng, above, values = np.random.default_rng(0), 0, []
    for trial in range(200):
        right = {str(one): (rng.random(30) < 0.5, rng.random(20) < 0.5) for one in range(4)}
        best, (value, (low, _)) = attribute.strongest(right, trial)
        assert value == max(ours.mean() - theirs.mean() for ours, theirs in right.values())
        assert value == right[best][0].mean() - right[best][1].mean()
        values.append(value)
        above += low > 0
    assert np.mean(values) > 0.1  # the largest of several, by chance
    assert above <= 12


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
