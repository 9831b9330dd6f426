"""How well class probabilities fit the scored classes, and how sure we are of it.

`evaluate` gives the numbers of one model on one test set. `gap_interval` gives bootstrap
intervals over subjects: windows of one night resemble each other, so that whole subjects are
resampled and not windows. Each subject is reduced to its confusion counts first; a resample is then
a row of a matrix product, and 2,000 of them take milliseconds.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from jaxtyping import Float, Int

from stimjax.batch import NOBODY, Batch
from stimjax.disk.documents import Interval, Scores
from stimjax.students.intervals import area, percentile

BINS = 15  # of the expected calibration error
MINUTES_AN_HOUR = 60.0


@dataclasses.dataclass(frozen=True)
class Gap:
    """What students lose, in fractions; None where it is not defined.

    Attributes:
        accuracy_gap: accuracy of one side minus that of the other, mean over seeds.
        accuracy_gap_ci: its 95 % interval; None with fewer than two groups.
        kappa_gap: the same of Cohen's kappa.
        kappa_gap_ci: its interval.
    """

    accuracy_gap: float | None
    accuracy_gap_ci: Interval | None
    kappa_gap: float | None
    kappa_gap_ci: Interval | None


def evaluate(probability: Float[np.ndarray, "n classes"], batch: Batch) -> Scores:
    """Compare predicted probabilities with the scored classes of `batch` (argmax of `batch.y`).

    With two classes, class 1 is the positive one. With more, `sensitivity`, `specificity`, `f1`
    and `auroc` are means over the classes that occur in `batch`, each against the rest. Window
    weights are not used: every window counts once.

    Args:
        probability: one row for each window; finite.
        batch: the windows that were predicted, at least one.

    Returns:
        `accuracy`, `kappa` (Cohen's), `sensitivity`, `specificity`, `f1`, `auroc`,
        `calibration_error` (expected calibration error of the top probability in 15 bins of
        equal width) and `count_error` (two classes: minutes of class 1 predicted too many or
        too few in an hour of windows, mean over subjects). What is not defined is None, never
        NaN: for example `auroc` where only one class occurs, or `count_error` for images.

    Raises:
        ValueError: `probability` does not fit `batch`, is not finite, or there is no window.
    """
    y = np.asarray(batch.y)
    if probability.shape != y.shape or not len(y):
        raise ValueError(f"probabilities {probability.shape} for labels {y.shape}")
    if not np.isfinite(probability).all():
        raise ValueError("a predicted probability is NaN or infinite")
    truth, predicted = y.argmax(axis=1), probability.argmax(axis=1)
    cells = _cells(truth, predicted, np.zeros(len(y), int), y.shape[1])
    sensitivity, specificity, f1 = _per_class(cells.reshape(y.shape[1], -1))
    return Scores(
        accuracy=_or_none(_accuracy(cells)[0]),
        kappa=_or_none(kappa(cells)[0]),
        sensitivity=sensitivity,
        specificity=specificity,
        f1=f1,
        auroc=_auroc(probability, truth),
        calibration_error=_calibration_error(probability, truth),
        count_error=_count_error(predicted, truth, batch),
    )


def groups_of(batch: Batch) -> Int[np.ndarray, " n"]:
    """What the bootstrap resamples as one: a subject; a window that is nobody's stands alone."""
    subject = np.asarray(batch.subject).astype(np.int64)
    nobodys = subject == NOBODY
    subject[nobodys] = subject.max(initial=0) + 1 + np.arange(nobodys.sum())
    return subject


def gap_interval(
    *,
    real: Int[np.ndarray, "real_seeds n"],
    stimuli: Int[np.ndarray, "stimuli_seeds n"],
    truth: Int[np.ndarray, " n"],
    groups: Int[np.ndarray, " n"],
    samples: int = 2000,
    seed: int = 0,
) -> Gap:
    """What students lose by training on `stimuli`: mean over seeds of real minus stimuli.

    Resampled with replacement are the groups, as many as there are, each with all its windows. In
    one resample the students of both sides and all seeds are judged on the same groups, so that
    what makes a subject hard for both cancels. The trained models are held fixed: the interval
    speaks of other subjects, not of other trainings. With few groups (below about 20) percentile
    intervals are too narrow.

    Args:
        real: class numbers from students trained on real windows, a row for each seed.
        stimuli: the same from students trained on stimuli (or on a baseline).
        truth: scored class numbers.
        groups: whose each window is (any numbers; `np.arange(n)` resamples single windows).
        samples: resamples.
        seed: of the resampling.

    Returns:
        The gaps of accuracy and kappa. Resamples in which kappa is not defined (a single class in
        truth and prediction) are left out of its interval.
    """
    whole, resampled = _resample([real, stimuli], truth, groups, samples, seed)
    values, drawn = whole[0] - whole[1], resampled[0] - resampled[1]
    return Gap(
        accuracy_gap=_or_none(values[0]),
        accuracy_gap_ci=_interval(values[0], drawn[0]),
        kappa_gap=_or_none(values[1]),
        kappa_gap_ci=_interval(values[1], drawn[1]),
    )


def _resample(
    sides: list[np.ndarray], truth: np.ndarray, groups: np.ndarray, samples: int, seed: int
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """For each side: (accuracy, kappa) over all groups, and (accuracy, kappa) by resample."""
    classes = 1 + max(int(truth.max()), *(int(side.max()) for side in sides))
    _, group = np.unique(groups, return_inverse=True)
    counts = np.stack([_cells(truth, row, group, classes) for side in sides for row in side], 1)
    # Groups with the same counts are interchangeable, so kinds of groups are drawn: the same
    # distribution, and single windows (thousands of groups) have only few kinds.
    kinds, many = np.unique(counts.reshape(len(counts), -1), axis=0, return_counts=True)
    drawn = np.random.default_rng(seed).multinomial(len(counts), many / many.sum(), size=samples)
    cells = (drawn.astype(float) @ kinds).reshape(samples, *counts.shape[1:])
    ends = np.cumsum([len(side) for side in sides])[:-1]
    whole = [_scores(part) for part in np.split(counts.sum(axis=0), ends)]
    if len(counts) < 2:  # an interval over one subject says nothing
        return whole, [np.full((2, samples), np.nan) for _ in sides]
    return whole, [_scores(part) for part in np.split(cells, ends, axis=1)]


def _scores(cells: Float[np.ndarray, "... seeds cells"]) -> Float[np.ndarray, "2 ..."]:
    """Accuracy and kappa, means over seeds; NaN where not defined."""
    return np.stack([_accuracy(cells).mean(axis=-1), kappa(cells).mean(axis=-1)])


def _interval(value: float, resampled: Float[np.ndarray, " samples"]) -> Interval | None:
    """The interval of a number, from the resamples in which it is defined."""
    defined = resampled[np.isfinite(resampled)]
    return percentile(defined) if len(defined) and np.isfinite(value) else None


def _cells(
    truth: np.ndarray, predicted: np.ndarray, group: np.ndarray, classes: int
) -> Float[np.ndarray, "groups cells"]:
    """Each group's confusion counts: cell `truth * classes + predicted`."""
    size, groups = classes * classes, int(group.max()) + 1
    cell = (group * classes + truth) * classes + predicted
    return np.bincount(cell, minlength=groups * size).reshape(groups, size).astype(float)


def _accuracy(cells: Float[np.ndarray, "... cells"]) -> Float[np.ndarray, " ..."]:
    classes = round(cells.shape[-1] ** 0.5)
    return cells[..., :: classes + 1].sum(axis=-1) / cells.sum(axis=-1)


def kappa(cells: Float[np.ndarray, "... cells"]) -> Float[np.ndarray, " ..."]:
    """Cohen's kappa; NaN where agreement by chance is certain (one class on both sides).

    Args:
        cells: confusion counts, of a class `a` called `b` in cell `a * classes + b`.
    """
    classes = round(cells.shape[-1] ** 0.5)
    table = cells.reshape(*cells.shape[:-1], classes, classes)
    total = cells.sum(axis=-1)
    chance = (table.sum(axis=-1) * table.sum(axis=-2)).sum(axis=-1) / total**2
    certain = chance >= 1
    kappa = (_accuracy(cells) - chance) / np.where(certain, 1.0, 1 - chance)
    return np.where(certain, np.nan, kappa)


def _per_class(
    table: Float[np.ndarray, "classes classes"],
) -> tuple[float | None, float | None, float | None]:
    """Sensitivity, specificity and F1: of class 1 of two, else means over the classes present."""
    total, scored, called, hit = table.sum(), table.sum(1), table.sum(0), np.diag(table)
    chosen = [1] if len(table) == 2 else list(range(len(table)))
    chosen = [k for k in chosen if scored[k] > 0]
    others = [k for k in ([1] if len(table) == 2 else chosen) if scored[k] < total]
    left = [1 - (called[k] - hit[k]) / (total - scored[k]) for k in others]
    sensitivity = _mean([hit[k] / scored[k] for k in chosen])
    return sensitivity, _mean(left), _mean([2 * hit[k] / (scored[k] + called[k]) for k in chosen])


def _auroc(probability: np.ndarray, truth: np.ndarray) -> float | None:
    present = np.unique(truth)
    if len(present) < 2:
        return None
    chosen = [1] if probability.shape[1] == 2 else present
    return _mean([area(probability[:, k], truth == k) for k in chosen])


def _calibration_error(probability: np.ndarray, truth: np.ndarray) -> float:
    """Mean distance of accuracy from top probability in bins, weighted by windows."""
    top = probability.max(axis=1).astype(float)
    correct = probability.argmax(axis=1) == truth
    # Bins are closed above, so that 1 falls in the last one.
    number = np.clip(np.ceil(top * BINS).astype(int) - 1, 0, BINS - 1)
    return float(np.abs(np.bincount(number, correct - top)).sum() / len(top))


def _count_error(predicted: np.ndarray, truth: np.ndarray, batch: Batch) -> float | None:
    """Minutes of class 1 in an hour, predicted minus scored: mean of the subjects' magnitudes.

    The label's length cancels: `label_seconds` on both sides of "per hour of windows".
    """
    person = np.asarray(batch.subject) != NOBODY
    if batch.y.shape[1] != 2 or batch.spec.label_seconds is None or not person.any():
        return None
    _, subject = np.unique(np.asarray(batch.subject)[person], return_inverse=True)
    excess = np.bincount(subject, (predicted == 1)[person].astype(float) - (truth == 1)[person])
    return float(np.mean(np.abs(excess / np.bincount(subject)))) * MINUTES_AN_HOUR


def _mean(values: list[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _or_none(value: float | np.ndarray) -> float | None:
    return float(value) if np.isfinite(value) else None
