"""Numbers as text, and the report's tables."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy import stats

from stimjax.disk.documents import Loss, Results, Row, Scores
from stimjax.report.names import named
from stimjax.report.story import Night

Number = int | float  # JSON does not tell 0 from 0.0

UNDEFINED = "–"
ALL = 99  # no column holds numbers
MOST_ITEMS = 12  # of a list in a cell
WITHIN, BEYOND, NOT_SHOWN = "within the margin", "beyond the margin", "cannot tell"

# Field of the scores, heading, factor, decimals.
METRICS = (
    ("accuracy", "Accuracy (%)", 100, 1),
    ("kappa", "Kappa", 1, 3),
    ("sensitivity", "Sensitivity (%)", 100, 1),
    ("specificity", "Specificity (%)", 100, 1),
    ("f1", "F1", 1, 3),
    ("auroc", "AUROC", 1, 3),
    ("calibration_error", "Calibration error", 1, 3),
    ("count_error", "Count error (min/h)", 1, 1),
)

PAPER = (
    ("arXiv 2009.10007, similar architectures", "apnea", "0.56 points", "0.03 to 0.04"),
    (
        "JAIR 72 (2021), similar architectures",
        "apnea and EEG sleep stages",
        "0.56 to 3.82 points",
        "0.02 to 0.08",
    ),
    (
        "arXiv 1903.02313 (2019)",
        "Apnea-ECG, a subset",
        "students 86.1 % and 89.5 % for teachers of 89.5 % and 91.1 %",
        "not reported",
    ),
    (
        "arXiv 1903.02313 (2019)",
        "MNIST",
        "student 97.8 % for a teacher of 99.3 %",
        "not reported",
    ),
)


@dataclasses.dataclass(frozen=True)
class Table:
    """A table of text; the first cell of a row names the row, `words` columns hold no numbers."""

    caption: str
    header: list[str]
    rows: list[list[str]]
    words: int = 1


def over_repeats(
    values: Sequence[float] | Float[np.ndarray, " repeats"],
) -> tuple[float | None, tuple[float, float] | None]:
    """Mean and its 95 % interval (Student's t) over `values`; None where there are too few."""
    count = len(values)
    if not count:
        return None, None
    mean = float(np.mean(values))
    if count < 2:
        return mean, None
    half = float(stats.t.ppf(0.975, count - 1) * np.std(values, ddof=1) / np.sqrt(count))
    return mean, (mean - half, mean + half)


def signed(value: Number, decimals: int) -> str:
    """A number with a typographic minus, and no minus before zero."""
    text = f"{value:.{decimals}f}"
    return text.replace("-", "−") if float(text) else text.lstrip("-")


def points(value: Number | None) -> str:
    """A fraction in percentage points."""
    return UNDEFINED if value is None else signed(100 * value, 1)


def range_of(ends: Sequence[Number] | None, factor: Number = 100, decimals: int = 1) -> str:
    """An interval as text: "0.1 to 2.3"."""
    if ends is None:
        return UNDEFINED
    low, high = (signed(factor * end, decimals) for end in ends)
    return f"{low} to {high}"


def mean_of(
    rows: Sequence[Row], metric: str, student: str, trained_on: str
) -> tuple[float | None, float | None, int]:
    """Mean and standard deviation over seeds (and folds) of a metric, and how many they are."""
    mine = [row for row in rows if (row.student, row.trained_on) == (student, trained_on)]
    values = [v for v in (getattr(row.scores, metric) for row in mine) if v is not None]
    if not values:
        return None, None, 0
    spread = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return float(np.mean(values)), spread, len(values)


def gap_table(results: Results) -> Table:
    """What each student loses by training on stimuli, with intervals."""
    rows = []
    for loss in results.summary:
        if loss.trained_on == "stimuli":
            after = [
                mean_of(results.rows, "accuracy", loss.student, on)[0] for on in ("real", "stimuli")
            ]
            margin = f"{100 * loss.accuracy_margin:g}, {loss.kappa_margin:g}"
            cells = [*_lost(loss), margin, verdict(loss), *map(points, after)]
            rows.append([named(loss.student), *cells, loss.family])
    header = ["Student", "Accuracy lost (points)", "Kappa lost", "Margin (points, kappa)"]
    header += ["Verdict", "Accuracy, real (%)", "Accuracy, stimuli (%)", "Family"]
    caption = "Lost by training on stimuli instead of real windows, with 95 % intervals"
    return Table(caption, header, rows)


def verdict(loss: Loss) -> str:
    """Whether a loss is shown to lie within the margin, beyond it, or neither."""
    if loss.non_inferior is None:
        return UNDEFINED
    if loss.non_inferior:
        return WITHIN
    sides = ((loss.accuracy_gap_ci, loss.accuracy_margin), (loss.kappa_gap_ci, loss.kappa_margin))
    return BEYOND if any(ends and ends[0] > margin for ends, margin in sides) else NOT_SHOWN


def fold_table(results: Results) -> Table | None:
    """Accuracy lost on stimuli in each fold, mean over seeds; None without folds."""
    folds = sorted({row.fold for row in results.rows if row.fold is not None})
    if not folds:
        return None
    lost = []
    for student in dict.fromkeys(row.student for row in results.rows):
        cells = []
        for fold in folds:
            inside = [row for row in results.rows if row.fold == fold]
            real, on_stimuli = (
                mean_of(inside, "accuracy", student, source)[0] for source in ("real", "stimuli")
            )
            cells.append(
                UNDEFINED if real is None or on_stimuli is None else points(real - on_stimuli)
            )
        lost.append([named(student), *cells])
    caption = "Accuracy lost by training on stimuli, in points, in each fold (mean over seeds)"
    return Table(caption, ["Student", *(f"Fold {fold}" for fold in folds)], lost)


def baseline_table(results: Results) -> Table | None:
    """The same for everything else that students were trained on; None where there is nothing."""
    losses = [loss for loss in results.summary if loss.trained_on != "stimuli"]
    rows = [[named(loss.student), named(loss.trained_on), *_lost(loss)] for loss in losses]
    header = ["Student", "Trained on", "Accuracy lost (points)", "Kappa lost"]
    return (
        Table(
            "Lost by training on baselines instead of real windows, with 95 % intervals",
            header,
            rows,
            words=2,
        )
        if rows
        else None
    )


def _lost(loss: Loss) -> list[str]:
    """Accuracy and kappa lost, each with its interval."""
    cells = []
    for value, ends, factor, decimals in (
        (loss.accuracy_gap, loss.accuracy_gap_ci, 100, 1),
        (loss.kappa_gap, loss.kappa_gap_ci, 1, 3),
    ):
        interval = "" if ends is None else f" ({range_of(ends, factor, decimals)})"
        cells.append(scaled(value, factor, decimals) + interval)
    return cells


def metric_tables(results: Results, teacher: Scores) -> list[Table]:
    """Every metric: the teacher and students on real windows and stimuli, then the baselines."""
    models = [teacher, *(row.scores for row in results.rows)]
    metrics = [m for m in METRICS if any(getattr(one, m[0]) is not None for one in models)]
    header = ["Model", "Trained on", *(heading for _, heading, _, _ in metrics), "Runs"]
    cells = [scaled(getattr(teacher, key), factor, digits) for key, _, factor, digits in metrics]
    first, baselines = [["teacher", named("real"), *cells, str(results.test.folds)]], []
    for student, source in dict.fromkeys((row.student, row.trained_on) for row in results.rows):
        cells, most = [], 0
        for key, _, factor, decimals in metrics:
            mean, spread, many = mean_of(results.rows, key, student, source)
            most = max(most, many)
            cell = scaled(mean, factor, decimals)
            if spread is not None and key in ("accuracy", "kappa"):
                cell += f" ± {signed(factor * spread, decimals)}"
            cells.append(cell)
        group = first if source in ("real", "stimuli") else baselines
        group.append([named(student), named(source), *cells, str(most)])
    captions = ("Every metric on the real test windows, mean over runs", "Every metric: baselines")
    groups = zip(captions, (first, baselines), strict=True)
    return [Table(caption, header, rows, words=2) for caption, rows in groups if rows]


def scaled(value: Number | None, factor: Number, decimals: int) -> str:
    """A number times `factor`, or that it is not defined."""
    return UNDEFINED if value is None else signed(factor * value, decimals)


def paper_table(results: Results, data: str) -> Table:
    """The figures that the papers report, and below them this run's."""
    rows = [list(row) for row in PAPER]
    losses = [loss for loss in results.summary if loss.trained_on == "stimuli"]
    for family in dict.fromkeys(loss.family for loss in losses):
        members = [loss for loss in losses if loss.family == family]
        lost = [loss.accuracy_gap for loss in members if loss.accuracy_gap is not None]
        kappa = [loss.kappa_gap for loss in members if loss.kappa_gap is not None]
        rows.append(
            [
                f"This run, {len(members)} {family} student{'s' * (len(members) > 1)}",
                data,
                f"{range_of([min(lost), max(lost)])} points" if lost else UNDEFINED,
                range_of([min(kappa), max(kappa)], 1, 3) if kappa else UNDEFINED,
            ]
        )
    header = ["Source", "Data", "Accuracy, real minus stimuli", "Kappa, real minus stimuli"]
    return Table("The papers' figures beside this run's", header, rows, words=ALL)


def night_table(night: Night, classes: tuple[str, ...]) -> Table:
    """Minutes of the classes in a night, as scored and as predicted."""
    two = len(classes) == 2
    shown = [1] if two else list(range(len(classes)))
    scored = np.asarray(night.scored)
    rows = []
    for name, values in (
        ("Scored", scored),
        ("Teacher", night.predicted),
        ("Student on stimuli", night.student),
    ):
        called = (np.asarray(values) > 0.5) if two else np.asarray(values)
        minutes = [(called == k).sum() * night.seconds / 60 for k in shown]
        agree = 100 * float(np.mean(called == scored))
        cells = [signed(float(m), 1) for m in minutes]
        rows.append([name, *cells, UNDEFINED if name == "Scored" else signed(agree, 1)])
    header = ["", *(f"{classes[k]} (min)" for k in shown), "Agrees with scored (% of windows)"]
    return Table("Minutes of this night", header, rows)


def label(key: Any) -> str:
    """A JSON key as words."""
    return str(key).replace("_", " ")


def text(value: Any) -> str:
    """Any JSON value in a table's cell."""
    if value is None:
        return UNDEFINED
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, int | np.integer):
        return f"{value:,}".replace("-", "−")
    if isinstance(value, float | np.floating):
        return f"{value:.4g}".replace("-", "−")
    if isinstance(value, Mapping):
        return text([f"{label(key)} {text(inner)}" for key, inner in value.items()])
    if isinstance(value, list | tuple):
        more = f", … ({len(value)} in all)" if len(value) > MOST_ITEMS else ""
        return ", ".join(text(item) for item in value[:MOST_ITEMS]) + more
    return str(value)
