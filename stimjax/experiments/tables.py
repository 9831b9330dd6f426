"""The tables and the plot of a sweep, from its records.

A record is one number: the run (`configuration`, a key for each setting of the grid, `seed` of the
whole job), what was judged (`ABOUT`), `metric` and `value`. The table has their means and intervals
over repeats: whole jobs from several seeds if the grid has them, else students from several seeds,
which share windows, teacher and stimuli, so that their interval is the narrower one. Over folds,
and over the students of one job, the mean is taken first.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import offset_copy

from stimjax.machine.extras import library
from stimjax.report.figures import STYLE
from stimjax.report.tables import over_repeats

ABOUT = ("fold", "student", "family", "trained_on", "student_seed")
REPEATS = {
    "seed": "seeds of the whole job, from the split on",
    "student_seed": "seeds of the students, which share windows, teacher and stimuli",
}
SHOWN = ("accuracy", "kappa")  # in Markdown; the Parquet files have all
MARKERS = "oDs^vPX<>*p"
SPAN = 10  # largest over smallest value from which an axis is logarithmic
MARGIN = 0.1  # of an axis on both sides of its values
SPREAD = 12.0  # points over which the students' lines stand aside, to tell their intervals apart

Rows = list[dict[str, Any]]


def write(out: Path, records: Rows, settings: Sequence[str], repeats: str) -> None:
    """Write `seeds.parquet`, `table.parquet`, `table.md` and `accuracy.png` into `out`.

    Args:
        out: the folder.
        records: one for each number.
        settings: what the grid sweeps, the plot's axis first.
        repeats: the key of what is repeated, one of `REPEATS`.

    Raises:
        StimjaxError: pyarrow is not installed.
    """
    pyarrow, parquet = library("pyarrow"), library("pyarrow.parquet")
    records = tidy(records, settings)
    means = table(records, settings, repeats)
    parquet.write_table(pyarrow.Table.from_pylist(records), out / "seeds.parquet")
    parquet.write_table(pyarrow.Table.from_pylist(means), out / "table.parquet")
    (out / "table.md").write_text(markdown(means, settings, repeats), encoding="utf-8")
    plot(means, settings).savefig(out / "accuracy.png", dpi=150)


def tidy(records: Rows, settings: Sequence[str]) -> Rows:
    """The records with settings of one type each: what is neither number nor text becomes text."""

    def is_number(value: Any) -> bool:
        return isinstance(value, int | float) and not isinstance(value, bool)

    texts = [name for name in settings if not all(is_number(r[name]) for r in records)]
    return [record | {name: text(record[name]) for name in texts} for record in records]


def text(value: Any) -> str:
    """A value of a setting, short."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return ", ".join(map(text, value)) or "none"
    return json.dumps(value, ensure_ascii=False)


def table(records: Rows, settings: Sequence[str], repeats: str) -> Rows:
    """A row for each configuration, student, source and metric."""
    keys = ("configuration", *settings, "student", "family", "trained_on", "metric")
    values: dict[tuple[Any, ...], dict[Any, list[float]]] = {}
    for record in records:
        by_repeat = values.setdefault(tuple(record[key] for key in keys), {})
        if record["value"] is not None:  # where a metric is not defined
            by_repeat.setdefault(record[repeats], []).append(record["value"])
    return [
        dict(zip(keys, key, strict=True))
        | estimate(np.array([np.mean(v) for v in by_repeat.values()]))
        for key, by_repeat in values.items()
    ]


def estimate(values: Float[np.ndarray, " repeats"]) -> dict[str, Any]:
    """Mean and interval (Student's t) over `values`; None where there are too few."""
    mean, ends = over_repeats(values)
    low, high = ends or (None, None)
    return {"mean": mean, "low": low, "high": high, "repeats": len(values)}


def markdown(means: Rows, settings: Sequence[str], repeats: str) -> str:
    """A line for each configuration, student and source, with the metrics of `SHOWN`."""
    head = [*settings, "student", "trained on", *SHOWN, "repeats"]
    lines = [
        f"Means, and half of each 95 % interval (Student's t), over {REPEATS[repeats]}.",
        "table.parquet has all metrics.",
        "",
        _line(head),
        "|---" * len(head) + "|",
    ]
    keys = ("configuration", "student", "trained_on")
    judged: dict[tuple[Any, ...], dict[str, dict[str, Any]]] = {}
    for row in means:
        judged.setdefault(tuple(row[key] for key in keys), {})[row["metric"]] = row
    for by_metric in judged.values():
        first = next(iter(by_metric.values()))
        shown = [_cell(by_metric.get(metric)) for metric in SHOWN]
        most = max(row["repeats"] for row in by_metric.values())
        about = [*(f"{first[name]}" for name in settings), first["student"], first["trained_on"]]
        lines.append(_line([*about, *shown, f"{most}"]))
    return "\n".join([*lines, ""])


def _cell(row: Mapping[str, Any] | None) -> str:
    if row is None or row["mean"] is None:
        return "-"
    half = "" if row["low"] is None else f" ± {row['mean'] - row['low']:.3f}"
    return f"{row['mean']:.3f}{half}"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', ' ') for cell in cells)} |"


def plot(means: Rows, settings: Sequence[str]) -> Figure:
    """Accuracy against the first setting: a line for a student, a panel for the other settings."""
    first, *others = settings
    chosen = [row for row in means if row["metric"] == "accuracy" and row["mean"] is not None]
    panels: dict[str, Rows] = {}
    for row in chosen:
        title = "\n".join(f"{name} {row[name]}" for name in others)
        panels.setdefault(title, []).append(row)
    students = list(dict.fromkeys(row["student"] for row in chosen))
    places = _places([row[first] for row in chosen])
    with matplotlib.rc_context(STYLE):
        figure = Figure((3.4 * len(panels) + 1.6, 3.6), layout="constrained")
        axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
        for one, (title, rows) in zip(axes, panels.items(), strict=True):
            one.set_title(title, fontsize=8)
            for number, student in enumerate(students):
                own = [row for row in rows if row["student"] == student]
                aside = SPREAD * (number / max(1, len(students) - 1) - 0.5)
                _draw(one, own, [places[row[first]] for row in own], number, aside)
            _axis(one, first, places)
        axes[0].set_ylabel("accuracy on real windows")
        ends = [row[key] for row in chosen for key in ("mean", "low", "high")]
        heights = [end for end in ends if end is not None]
        axes[0].set_ylim(max(0.0, min(heights)) - 0.02, min(1.0, max(heights)) + 0.02)
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right upper", fontsize=7)
    return figure


def _places(values: Sequence[Any]) -> Mapping[Any, float]:
    """Where each value of the first setting stands on its axis."""
    different = list(dict.fromkeys(values))
    numbers = not isinstance(different[0], str)
    return {value: value if numbers else i for i, value in enumerate(different)}


def _draw(one: Axes, rows: Rows, places: Sequence[float], number: int, aside: float) -> None:
    """A student on each of its sources: filled on stimuli, hollow and dashed on others."""
    color, marker = f"C{number % 10}", MARKERS[number % len(MARKERS)]
    moved = offset_copy(one.transData, one.get_figure(root=True), aside, units="points")
    for source in dict.fromkeys(row["trained_on"] for row in rows):
        pairs = zip(places, rows, strict=True)
        own = sorted((at, i) for i, (at, row) in enumerate(pairs) if row["trained_on"] == source)
        drawn = [rows[i] for _, i in own]
        filled = source == "stimuli"
        one.errorbar(
            [at for at, _ in own],
            [row["mean"] for row in drawn],
            yerr=[0.0 if row["low"] is None else row["high"] - row["mean"] for row in drawn],
            label=f"{drawn[0]['student']}, {source}",
            color=color,
            marker=marker,
            markersize=4,
            markerfacecolor=color if filled else "white",
            linestyle="-" if filled else "--",
            linewidth=1.2 if filled else 0.8,
            elinewidth=0.6,
            capsize=2,
            transform=moved,
        )


def _axis(one: Axes, first: str, places: Mapping[Any, float]) -> None:
    """Ticks at the values of the first setting, and room for the lines that stand aside."""
    one.set_xlabel(first)
    at, labels = list(places.values()), [f"{name}" for name in places]
    low, high = min(at), max(at)
    if not isinstance(next(iter(places)), str) and low > 0 and high > SPAN * low:
        one.set_xscale("log")
        one.minorticks_off()
        margin = (high / low) ** MARGIN
        one.set_xlim(low / margin, high * margin)
    else:
        margin = MARGIN * (high - low) or 1.0
        one.set_xlim(low - margin, high + margin)
    turned = max(map(len, labels)) * len(labels) > 24
    one.set_xticks(at, labels, rotation=30 * turned, ha="right" if turned else "center")
