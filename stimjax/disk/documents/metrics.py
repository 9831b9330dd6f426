"""How good a teacher is on real windows: its `metrics.json`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import ClassVar

from stimjax.disk.documents.document import Document
from stimjax.disk.documents.manifest import Guarantee
from stimjax.disk.documents.results import Scores


@dataclasses.dataclass(frozen=True)
class Member:
    """A network that was trained, whether it counts or not.

    Attributes:
        network: its family.
        candidate: a number within the family.
        radius: of robust training.
        weight: with which it labels; 0 where it does not count.
        loss: on the validation part; None if it diverged, or has a guarantee.
        accuracy: likewise.
    """

    network: str
    candidate: int
    radius: float
    weight: float
    loss: float | None
    accuracy: float | None


@dataclasses.dataclass(frozen=True)
class CriticScores:
    """How well the identity critic tells subjects apart.

    Attributes:
        network: its family.
        subjects: that it tells apart.
        accuracy: on windows that it was not trained on.
        chance: the accuracy of guessing.
        sure: quantiles of how surely it recognizes real windows.
    """

    network: str
    subjects: int
    accuracy: float
    chance: float
    sure: tuple[float, ...]


@dataclasses.dataclass(frozen=True)
class Metrics(Document):
    """A teacher's `metrics.json`.

    Attributes:
        networks: the families that label.
        members: every network that was trained.
        critic: of identities; None where there is none.
        privacy: the formal guarantee.
        validation: scores on the validation windows.
        test: scores on the test windows.
        versions: of the software, by name.
    """

    FILE: ClassVar[str] = "metrics.json"
    SCHEMA: ClassVar[int] = 1

    networks: tuple[str, ...]
    members: tuple[Member, ...]
    critic: CriticScores | None
    privacy: Guarantee
    validation: Scores
    test: Scores
    versions: Mapping[str, str]
