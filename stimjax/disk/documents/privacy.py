"""What attacks on a release found: `privacy.json`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar

from stimjax.disk.documents.document import Document, plain

LEAKS = ("copies", "statistics", "teacher")  # that are planted


@dataclasses.dataclass(frozen=True)
class Entry:
    """One number that an attack gives.

    Attributes:
        attack: its name.
        metric: auc, tpr_at_fpr_0.01, worst_subject, top1 and so on.
        level: window, subject, chooser (a subject who chose the teacher), cohort, stimulus, release
            or file: what one guess is about.
        value: None where the attack could not be tried, see `note`.
        ci: the 95 % interval of the value; None where there is none.
        chance: the value of guessing.
        real_data: the value with real windows in the release's place.
        planted_leak: the value for a release into which real windows were copied.
        note: what a reader has to know beside the number.
        holds: what the attacker has.
        source: where the attack was published.
        tells: what the number means to a participant.
        planted_statistics: the value for a release that is drawn from statistics of a few members.
        planted_teacher: that for one whose labels are of a network that learned a few by heart.
    """

    attack: str
    metric: str
    level: str
    value: float | None
    ci: tuple[float, float] | None
    chance: float
    real_data: float | None
    planted_leak: float | None
    note: str
    holds: str
    source: str
    tells: str
    planted_statistics: float | None = None
    planted_teacher: float | None = None

    def to_json(self) -> dict[str, Any]:
        """As JSON; what was planted for some attacks only is left out of the others."""
        content = plain(self)
        for name in ("planted_statistics", "planted_teacher"):
            if content[name] is None:
                del content[name]
        return content

    @property
    def planted(self) -> tuple[float | None, ...]:
        """The values where a leak was planted: copies, statistics, teacher."""
        return self.planted_leak, self.planted_statistics, self.planted_teacher


@dataclasses.dataclass(frozen=True)
class Side:
    """How many windows of how many subjects."""

    windows: int
    subjects: int


@dataclasses.dataclass(frozen=True)
class Sides:
    """What an audit had.

    Attributes:
        members: windows that the teacher learned from.
        others: windows of people who had no part in the release.
        reference: windows that attackers have of their own.
    """

    members: Side
    others: Side
    reference: Side


@dataclasses.dataclass(frozen=True)
class Privacy(Document):
    """An audit's `privacy.json`.

    Attributes:
        attacks: an entry for each number.
        epsilon: of the formal guarantee; None without one.
        delta: for which epsilon holds.
        on: what the audit had.
        versions: of the software, by name.
    """

    FILE: ClassVar[str] = "privacy.json"
    SCHEMA: ClassVar[int] = 1

    attacks: tuple[Entry, ...]
    epsilon: float | None
    delta: float | None
    on: Sides
    versions: Mapping[str, str]
