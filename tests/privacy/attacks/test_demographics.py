"""Sex, age and device: learned from a cohort, and no better told of members than of others."""

from typing import Any

import numpy as np
import pytest

from stimjax.batch import make
from stimjax.data.people import Person
from stimjax.privacy.attacks import demographics


def shifted(side, up):
    """The windows, higher where `up[subject]`."""
    own = np.array([up[n] for n in np.asarray(side.subject)])
    return make(side.x + 4.0 * own[:, None, None], side.y, side.spec, subject=side.subject)


def with_people(whole, seen=("members", "others", "reference"), blank=()):
    """A world in which the level of the windows of the sides `seen` shows sex and age."""
    rng, told, sides = np.random.default_rng(7), {}, {}
    for name in ("members", "others", "reference"):
        side = getattr(whole, name)
        high = {int(n): bool(rng.random() < 0.5) for n in np.unique(side.subject)}
        sides[name] = shifted(side, high if name in seen else dict.fromkeys(high, False))
        if name not in blank:
            told |= {n: Person("F" if up else "M", 70 if up else 30) for n, up in high.items()}
    return whole._replace(people=told, **sides)


def found(world) -> dict[str, Any]:
    return {finding.metric: finding for finding in demographics.ATTACK.run(world)}


def test_what_windows_show_of_anybody_is_no_advantage(world):
    sex = found(with_people(world(each=20)))["advantage_on_sex"]
    assert sex.note.startswith("right for 100% of members and 100% of others")
    assert sex.value == 0 and sex.interval[0] < 0 < sex.interval[1]


def test_what_only_members_show_is_one(world):
    whole = with_people(world(each=20, members=30, others=30), seen=("members", "reference"))
    sex = found(whole)["advantage_on_sex"]
    assert sex.value > 0.25 and sex.interval[0] > 0


def test_age_is_told_in_bands(world):
    whole = world(each=20)
    told = with_people(whole)
    bands = demographics.values(told, "age")
    assert set(bands) == set(told.people) and len(set(bands.values())) == 2
    assert found(told)["advantage_on_age"].value == 0


def test_three_bands_are_equally_large_in_the_cohort(world):
    whole = world(each=2)
    numbers = np.unique(whole.reference.subject)[:9]
    people = {int(n): Person(age=20 + 5 * i) for i, n in enumerate(numbers)}
    bands = list(demographics.values(whole._replace(people=people), "age").values())
    assert [bands.count(band) for band in sorted(set(bands))] == [3, 3, 3]


def test_headers_that_tell_nothing_of_members_give_no_row(world):
    assert found(world(each=2)) == {}
    assert found(with_people(world(each=2), blank=("members",))) == {}


@pytest.mark.parametrize(
    ("blank", "note"),
    [(("others",), "nobody in the test part"), (("reference",), "validation part")],
)
def test_what_is_lacking_is_said(world, blank, note):
    sex = found(with_people(world(each=2), blank=blank))["advantage_on_sex"]
    assert sex.value is None and note in sex.note


def test_one_device_tells_nothing(world):
    whole = world(each=2)
    people = {int(n): Person(device="box") for n in np.unique(whole.members.subject)}
    device = found(whole._replace(people=people))["advantage_on_device"]
    assert device.value is None and "all have the same" in device.note


def test_subjects_and_values_weigh_alike(world):
    reference = world(each=2).reference[:100]  # 60 windows of one subject and 40 of another
    weight = demographics._balanced(reference, np.zeros(100, int))
    assert weight[:60].sum() == pytest.approx(0.5) and weight.sum() == pytest.approx(1)
