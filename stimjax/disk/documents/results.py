"""How good the students of a release are: `results.json`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from stimjax.disk.documents.document import Document, Hooks, plain

Family = Literal["deep", "classical"]
Split = Literal["subject", "random"]
Interval = tuple[float, float]


@dataclasses.dataclass(frozen=True)
class Scores:
    """The numbers of one model on one set of windows, see `study.metrics.evaluate`.

    What is not defined is None.
    """

    accuracy: float | None
    kappa: float | None
    sensitivity: float | None
    specificity: float | None
    f1: float | None
    auroc: float | None
    calibration_error: float | None
    count_error: float | None


_SCORES = tuple(field.name for field in dataclasses.fields(Scores))


@dataclasses.dataclass(frozen=True)
class TeacherScores:
    """The teacher on the test windows.

    Attributes:
        networks: its families.
        scores: stand beside them in the file.
    """

    networks: tuple[str, ...]
    scores: Scores

    def to_json(self) -> dict[str, Any]:
        """One JSON object of all."""
        return {"networks": list(self.networks), **plain(self.scores)}


@dataclasses.dataclass(frozen=True)
class Row:
    """One student, trained on one source from one seed.

    Attributes:
        student: its name.
        family: deep or classical.
        trained_on: real, stimuli, or a baseline.
        seed: of the student.
        scores: on the test windows; they stand beside the rest in the file.
        fold: whose test windows; None without folds, and then it is not in the file.
    """

    student: str
    family: Family
    trained_on: str
    seed: int
    scores: Scores
    fold: int | None = None

    def to_json(self) -> dict[str, Any]:
        """One JSON object of all."""
        return {
            "student": self.student,
            "family": self.family,
            "trained_on": self.trained_on,
            **({} if self.fold is None else {"fold": self.fold}),
            "seed": self.seed,
            **plain(self.scores),
        }


@dataclasses.dataclass(frozen=True)
class Loss:
    """What a student loses by training on a source instead of real windows.

    Attributes:
        student: its name.
        family: deep or classical.
        trained_on: stimuli, or a baseline.
        accuracy_gap: accuracy on real windows minus this, mean over seeds.
        accuracy_gap_ci: its 95 % interval; None with fewer than two subjects.
        kappa_gap: the same of Cohen's kappa.
        kappa_gap_ci: its interval.
        accuracy_margin: the largest loss that counts as none.
        kappa_margin: the same of kappa.
        non_inferior: whether both intervals end below their margins; None without intervals.
    """

    student: str
    family: Family
    trained_on: str
    accuracy_gap: float | None
    accuracy_gap_ci: Interval | None
    kappa_gap: float | None
    kappa_gap_ci: Interval | None
    accuracy_margin: float
    kappa_margin: float
    non_inferior: bool | None


@dataclasses.dataclass(frozen=True)
class HeldOut:
    """The real windows that were held out, to test students on.

    Attributes:
        windows: how many.
        split: of the folder of windows.
        intervals: how they were made, in words.
        folds: that were tested; 1 is not in the file.
    """

    windows: int
    split: Split
    intervals: str
    folds: int = 1

    def to_json(self) -> dict[str, Any]:
        """The JSON object, without `folds` where there is one."""
        return {k: v for k, v in plain(self).items() if (k, v) != ("folds", 1)}


def _nested(content: Any) -> Any:
    """The scores of a row in an object of their own, as the dataclass has them."""
    if not isinstance(content, Mapping):
        return content
    rest = {key: value for key, value in content.items() if key not in _SCORES}
    return rest | {"scores": {key: content[key] for key in _SCORES if key in content}}


@dataclasses.dataclass(frozen=True)
class Results(Document):
    """A study's `results.json`.

    Attributes:
        teacher: its scores; None where none was given.
        rows: of each student, source and seed.
        summary: of each student and source but real.
        test: what they were tested on.
        versions: of the software, by name.
        made: what an ablation writes of its stimuli; None elsewhere, and then not in the file.
    """

    FILE: ClassVar[str] = "results.json"
    SCHEMA: ClassVar[int] = 1
    HOOKS: ClassVar[Hooks] = {Row: _nested, TeacherScores: _nested}

    teacher: TeacherScores | None
    rows: tuple[Row, ...]
    summary: tuple[Loss, ...]
    test: HeldOut
    versions: Mapping[str, str]
    made: Mapping[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        """See `Document`."""
        return {k: v for k, v in super().to_json().items() if (k, v) != ("made", None)}
