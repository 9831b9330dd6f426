"""Attribute inference: sex, band of age and recording device, told from windows.

Source: as for `attribute` (Stadler et al., arXiv 2011.07018): what a release lets one predict of
members beyond what it lets one predict of anybody. The form is ours.

Gradient boosting learns from the attacker's cohort, whose sex, age and device are known, in the
points of `space` and with the distance to the nearest stimulus of each class beside them; a
subject is what the mean over its windows says. `advantage_on_sex` and so on are the share of
members who are told right minus that of others. A release holds nothing of these but what windows
and their classes show, so that one that copies windows gives no advantage either: the row shows
whether anything else was let in, and its note how well anybody can be told.

Threat model: the release, windows of a subject, and a cohort of known sex, age and device.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
from jaxtyping import Bool, Float

from stimjax.batch import Batch
from stimjax.data.people import Person
from stimjax.privacy import space
from stimjax.privacy.attacks import attribute
from stimjax.privacy.findings import FEW, Attack, Finding, World, pool
from stimjax.students import classical

NAME = attribute.NAME
TRAITS = ("sex", "age", "device")
LEAST = 2  # subjects of the cohort that a value is learned from

Values = dict[int, str]  # of a trait, by the number of the subject


def run(world: World) -> list[Finding]:
    """The advantages on what headers tell of members; without that, none."""
    world = space.sample(world)
    of_all = {trait: values(world, trait) for trait in TRAITS}
    sides = [np.unique(side.subject) for side in (world.members, world.others, world.reference)]
    of_members = {t: v for t, v in of_all.items() if any(number in v for number in sides[0])}
    features = _features(world) if of_members else []
    findings = []
    for trait, value in of_members.items():
        metric = f"advantage_on_{trait}"
        if lacking := _lacking(value, sides):
            findings.append(Finding(NAME, metric, "subject", None, None, 0.0, lacking))
            continue
        right = _right(world, features, value)
        worth, interval = attribute.advantage(*right, world.seed)
        note = f"right for {right[0].mean():.0%} of members and {right[1].mean():.0%} of others"
        if min(map(len, right)) < FEW:
            note += f"; only {min(map(len, right))} subjects on one side: trust the interval"
        findings.append(Finding(NAME, metric, "subject", worth, interval, 0.0, note))
    return findings


def values(world: World, trait: str) -> Values:
    """The trait of each subject of whom it is known; age as a band, equally large in the cohort."""
    people: Mapping[int, Person] = world.people
    if trait != "age":
        return {n: value for n, person in people.items() if (value := getattr(person, trait))}
    ages = {n: float(person.age) for n, person in people.items() if person.age is not None}
    cohort = [ages[n] for n in np.unique(world.reference.subject) if n in ages]
    if not cohort:
        return {}
    bands = attribute.banded(np.array(list(ages.values())), np.array(cohort))
    return {n: f"band {band}" for n, band in zip(ages, bands, strict=True)}


def _lacking(value: Values, sides: list[np.ndarray]) -> str:
    """Why the trait cannot be tried; "" if it can."""
    members, others, cohort = ([value[n] for n in side if n in value] for side in sides)
    learned = {v for v in cohort if cohort.count(v) >= LEAST}
    if len({*members, *others, *cohort}) < 2:
        return "all have the same, so that there is nothing to tell"
    if len(learned) < 2:
        return f"needs two values that {LEAST} subjects of the validation part have each"
    return "" if others else "is known of nobody in the test part"


def _features(world: World) -> list[Float[np.ndarray, "n k"]]:
    """Of members, others and reference: their points, and how near stimuli of each class are."""
    points = space.points(world)
    label = world.release.label
    classes = [points.release[label == k] for k in np.unique(label)]
    return [
        np.hstack([side, *(np.log(space.neighbors(side, c)[0] + space.FLOOR) for c in classes)])
        for side in (points.members, points.others, points.reference)
    ]


def _right(
    world: World, features: list[np.ndarray], value: Values
) -> tuple[Bool[np.ndarray, " m"], Bool[np.ndarray, " n"]]:
    """Which members and others of known value are told right."""
    names = sorted(set(value.values()))
    people = (world.members, world.others, world.reference)
    of_known = [np.isin(side.subject, list(value)) for side in people]
    train, rows = world.reference[of_known[2]], features[2][of_known[2]]
    which = np.array([names.index(value[n]) for n in np.asarray(train.subject)])
    learned = dataclasses.replace(
        train,
        x=rows[:, :, None],
        y=np.eye(len(names), dtype=np.float32)[which],
        weight=_balanced(train, which),
    )
    inputs = [features[i][of_known[i]][:, :, None] for i in (0, 1)]
    guess = classical.train_and_predict(
        attribute.MODEL, learned, np.concatenate(inputs), world.seed
    )

    def right(i: int, part: np.ndarray) -> np.ndarray:
        subject = np.asarray(people[i].subject)[of_known[i]]
        guessed = np.stack([pool(column, subject) for column in part.T], axis=1).argmax(axis=1)
        return guessed == np.array([names.index(value[n]) for n in np.unique(subject)])

    ours, theirs = np.split(guess, [len(inputs[0])])
    return right(0, ours), right(1, theirs)


def _balanced(train: Batch, which: np.ndarray) -> Float[np.ndarray, " n"]:
    """Weights by which every value counts alike, and of those who share it every subject."""
    subject = np.asarray(train.subject)
    windows = np.unique(subject, return_inverse=True, return_counts=True)
    each = 1.0 / windows[2][windows[1]]
    total = np.bincount(which, weights=each)
    return (each / total[which]).astype(np.float32)


ATTACK = Attack(
    name=NAME,
    holds="the release, windows of a subject, and a cohort of known sex, age and device",
    source="Stadler et al., Synthetic Data - Anonymisation Groundhog Day, arXiv 2011.07018",
    tells=(
        "Whether the release tells more about your sex, your age or the device than about those "
        "of somebody who took no part."
    ),
    run=run,
)
