"""What is published of a study and an audit: `utility.json`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import ClassVar

from stimjax.disk.documents.document import Document
from stimjax.disk.documents.results import Family, HeldOut, Interval


@dataclasses.dataclass(frozen=True)
class StudentUtility:
    """What one kind of student loses on the holder's test people, mean over seeds.

    Attributes:
        student: its name.
        family: deep or classical.
        accuracy: on real test windows, after training on stimuli.
        kappa: the same of Cohen's kappa.
        accuracy_lost: against training on real windows.
        accuracy_lost_ci: its 95 % interval.
        kappa_lost: the same of kappa.
        kappa_lost_ci: its interval.
        non_inferior: whether both intervals end below the margins.
    """

    student: str
    family: Family
    accuracy: float | None
    kappa: float | None
    accuracy_lost: float | None
    accuracy_lost_ci: Interval | None
    kappa_lost: float | None
    kappa_lost_ci: Interval | None
    non_inferior: bool | None


@dataclasses.dataclass(frozen=True)
class AttackUtility:
    """What one attack found, over participants; nothing of a single one.

    Attributes:
        attack, metric, level: as in `privacy.json`.
        value: found; None where it could not be tried.
        ci: its 95 % interval.
        chance: what guessing gives.
        blind: whether it misses what was planted for it, so that it says nothing.
    """

    attack: str
    metric: str
    level: str
    value: float | None
    ci: Interval | None
    chance: float
    blind: bool


@dataclasses.dataclass(frozen=True)
class Utility(Document):
    """A release's `utility.json`.

    Attributes:
        of: whose numbers these are, in words.
        students: one entry for each kind; empty where fewer than two people would be behind it.
        test: on what they were tested.
        attacks: one entry for each number; empty where no audit was made.
        epsilon: of the formal guarantee; None without one.
        delta: for which epsilon holds.
        bounds: that the holder set and the audit keeps.
        versions: of the software, by name.
    """

    FILE: ClassVar[str] = "utility.json"
    SCHEMA: ClassVar[int] = 1

    of: str
    students: tuple[StudentUtility, ...]
    test: HeldOut
    attacks: tuple[AttackUtility, ...]
    epsilon: float | None
    delta: float | None
    bounds: Mapping[str, float]
    versions: Mapping[str, str]
