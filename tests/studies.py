"""Results of studies that nobody made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from stimjax.disk.documents import HeldOut, Loss, Results, Row, Scores


def results(
    *losses: Loss,
    rows: Sequence[Row] = (),
    split: Literal["subject", "random"] = "subject",
    folds: int = 1,
) -> Results:
    """A study of these."""
    test = HeldOut(100, split, f"bootstrap of {split}s", folds)
    return Results(None, tuple(rows), losses, test, {})


def lost(student: str, gap: float, low: float, high: float, trained_on: str = "stimuli") -> Loss:
    """Of accuracy; and as much of kappa."""
    family, margin, ends = ("classical" if student == "knn" else "deep"), 0.01, (low, high)
    return Loss(
        *(student, family, trained_on, gap, ends, gap, ends, margin, margin),
        non_inferior=high < margin,
    )


def row(student: str, trained_on: str, accuracy: float, kappa: float, fold: int | None) -> Row:
    """A run of a student; of its scores two."""
    scores = Scores(accuracy, kappa, *[None] * 6)
    return Row(student, "deep", trained_on, 0, scores, fold)
