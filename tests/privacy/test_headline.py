"""The largest number of an audit, and what it is worth among many."""

import dataclasses

import numpy as np
import pytest

from stimjax.disk.documents import Entry
from stimjax.privacy.headline import headline, with_seed


def entry(attack: str, value: float | None, ci=(0.4, 0.6), level: str = "subject") -> Entry:
    return Entry(attack, "auc", level, value, ci, 0.5, 1.0, 1.0, "", "holds", "", "")


def test_the_strongest_attack_of_a_level_is_named_with_how_many_were_tried() -> None:
    other = dataclasses.replace(entry("top", 0.99), metric="top1")
    tried = [entry("a", 0.55), entry("b", 0.7, (0.6, 0.8)), entry("c", None), other]
    tried.append(entry("d", 0.9, (0.8, 1.0), level="window"))
    found = headline(tried, "subject")
    assert found is not None and (found.strongest.attack, found.tried) == ("b", 2)
    assert str(found).startswith(
        "b tells a subject that took part from others with an area of 0.70"
    )
    assert headline(tried[2:4], "subject") is None


def test_its_interval_covers_all_that_were_tried_together() -> None:
    """Of 20 attacks that find nothing, the largest is beyond its widened interval in 1 of 20."""
    rng, deviation, wrong = np.random.default_rng(0), 0.04, 0
    for _ in range(2000):
        values = 0.5 + deviation * rng.normal(size=20)
        tried = [
            entry(str(i), v, (v - 1.96 * deviation, v + 1.96 * deviation))
            for i, v in enumerate(values)
        ]
        found = headline(tried, "subject")
        assert found is not None
        wrong += found.interval[0] > 0.5
    assert wrong / 2000 == pytest.approx(0.025, abs=0.012)


def test_it_does_not_leave_0_to_1() -> None:
    found = headline([entry("a", 0.98, (0.9, 1.0))] * 30, "subject")
    assert found is not None and 0 < found.interval[0] < 0.9 and found.interval[1] == 1.0


def test_who_has_the_seed_is_no_attacker_of_the_headline_and_has_a_sentence() -> None:
    seed = [dataclasses.replace(entry("seed", 0.99), metric="auc_with_seed")]
    seed.append(dataclasses.replace(seed[0], level="window", value=0.8))
    found = headline([entry("a", 0.55), *seed], "subject")
    assert found is not None and (found.strongest.attack, found.tried) == ("a", 1)
    assert with_seed([entry("a", 0.55)]) == ""
    said = with_seed(seed)
    assert said.startswith("The seed is private because noise can be subtracted with it")
    assert "a subject that took part from others with an area of 0.99 and a window that" in said
    gone = [
        dataclasses.replace(one, value=None, ci=None, note="what was not tried") for one in seed
    ]
    assert with_seed(gone) == "What was not tried."
