"""The report's figures of results, as SVG text: the same input gives the same bytes.

Every distinction is drawn twice, by color and by marker, line style or hatch, so that it survives
black-and-white print. Widths suit a phone; a page scales them up.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stimjax.disk.documents import Loss, Results, TradeoffPoint
from stimjax.report.names import curve, named
from stimjax.report.tables import Number, mean_of, over_repeats

WIDTH = 4.8  # inches
INK, REAL, STIMULI, GRAY = "#1a1a1a", "#0b4f8a", "#b34700", "#595959"
STYLE: dict[Any, Any] = {
    "svg.hashsalt": "stimjax",  # names inside the SVG must not depend on the run
    "font.family": "DejaVu Sans",  # comes with matplotlib
    "font.size": 9,
    "text.parse_math": False,  # a "$" in a channel's name is a "$"
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": INK,
    "text.color": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.titlesize": 9,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "legend.frameon": False,
    "legend.fontsize": 9,
    "hatch.linewidth": 0.6,
    "figure.facecolor": "white",
}
SMALL: dict[Any, Any] = {**STYLE, "font.size": 8}
# Marker, color and whether it is filled, by what a student was trained on.
MARKS = {
    "real": ("o", REAL, True),
    "stimuli": ("D", STIMULI, False),
    "noise": ("^", GRAY, True),
    "gaussian": ("s", GRAY, False),
}
OTHER_MARKS = (("v", INK, True), ("P", INK, False), ("X", INK, True), ("<", INK, False))


def svg(figure: Figure) -> str:
    """A figure as an SVG document without date or software version."""
    file = io.StringIO()
    figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    return file.getvalue()


def gap(results: Results) -> str:
    """What each student loses in accuracy, with intervals: stimuli, and baselines beside them.

    The baselines have a panel of their own, as they often lose ten times as much.
    """
    losses = [loss for loss in results.summary if loss.accuracy_gap is not None]
    students = list(dict.fromkeys(loss.student for loss in losses))
    sources = list(dict.fromkeys(loss.trained_on for loss in losses))
    baselines = [source for source in sources if source != "stimuli"]
    with matplotlib.rc_context(STYLE):
        figure = Figure((WIDTH, 1.3 + 0.3 * len(students)), layout="constrained")
        panels = 1 + bool(baselines)
        axes = figure.subplots(1, panels, sharey=True, squeeze=False)[0]
        for panel, shown in zip(axes, (["stimuli"], baselines), strict=False):
            for source in shown:
                _gaps_of(panel, losses, students, source, shown, sources)
            panel.axvline(0, color=INK, linewidth=0.8)
            panel.set_xlabel("Accuracy lost (points)")
            panel.grid(axis="x", color="#d0d0d0", linewidth=0.5)
        axes[0].set_title("Trained on stimuli")
        _name_rows(axes[0], [named(name) for name in students])
        if baselines:
            axes[1].set_title("Trained on baselines")
            axes[1].tick_params(axis="y", length=0)
        handles, labels = [], []
        for panel in axes:
            for handle, name in zip(*panel.get_legend_handles_labels(), strict=True):
                handles.append(handle)
                labels.append(name)
        figure.legend(handles, labels, loc="outside lower center", ncols=3)
        return svg(figure)


def _gaps_of(
    panel: Axes,
    losses: list[Loss],
    students: list[str],
    source: str,
    shown: list[str],
    sources: list[str],
) -> None:
    marker, color, filled = _mark(source, sources)
    shift = 0.28 * (shown.index(source) - (len(shown) - 1) / 2)
    mine = [loss for loss in losses if loss.trained_on == source]
    at = [students.index(loss.student) + shift for loss in mine]
    for y, loss in zip(at, mine, strict=True):
        if loss.accuracy_gap_ci is not None:
            low, high = loss.accuracy_gap_ci
            panel.plot([100 * low, 100 * high], [y, y], color=color, linewidth=1.6)
    panel.plot(
        [100 * (loss.accuracy_gap or 0) for loss in mine],
        at,
        linestyle="none",
        marker=marker,
        color=color,
        markerfacecolor=color if filled else "white",
        label=named(source),
    )


def accuracy(results: Results, teacher: Number | None) -> str:
    """Accuracy of each student by what it was trained on, and the teacher's as a line."""
    rows = results.rows
    students = list(dict.fromkeys(row.student for row in rows))
    sources = list(dict.fromkeys(row.trained_on for row in rows))
    with matplotlib.rc_context(STYLE):
        figure = Figure((WIDTH, 1.2 + 0.3 * len(students)), layout="constrained")
        axes = figure.subplots()
        for number, source in enumerate(sources):
            marker, color, filled = _mark(source, sources)
            # Close values would hide each other on one line.
            shift = 0.4 * ((number + 0.5) / len(sources) - 0.5)
            means = [mean_of(rows, "accuracy", student, source)[0] for student in students]
            axes.plot(
                [np.nan if mean is None else 100 * mean for mean in means],
                np.arange(len(students)) + shift,
                linestyle="none",
                marker=marker,
                color=color,
                markerfacecolor=color if filled else "none",
                label=named(source),
            )
        if teacher is not None:
            axes.axvline(100 * teacher, color=INK, linestyle="--", linewidth=1, label="teacher")
        axes.set_xlabel("Accuracy on real test windows (%)")
        axes.grid(color="#d0d0d0", linewidth=0.5)
        _name_rows(axes, [named(name) for name in students])
        figure.legend(loc="outside lower center", ncols=3)
        return svg(figure)


def _mark(source: str, sources: list[str]) -> tuple[str, str, bool]:
    if source in MARKS:
        return MARKS[source]
    others = [name for name in sources if name not in MARKS]
    return OTHER_MARKS[others.index(source) % len(OTHER_MARKS)]


def _name_rows(axes: Axes, names: list[str]) -> None:
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)  # the first on top


def confidence(
    stimuli: Float[np.ndarray, "n classes"],
    real: Float[np.ndarray, "m classes"] | None,
    classes: tuple[str, ...],
) -> str:
    """How sure the teacher is, by its own top class: on real windows, and of the stimuli."""
    columns = min(2, len(classes))
    lines = -(-len(classes) // columns)
    edges = np.linspace(1 / len(classes), 1, 21)
    with matplotlib.rc_context(STYLE):
        figure = Figure((WIDTH, 0.6 + 1.5 * lines), layout="constrained")
        axes = figure.subplots(lines, columns, sharex=True, squeeze=False).ravel()
        for number, (name, panel) in enumerate(zip(classes, axes, strict=False)):
            panel.set_title(name)
            style = {"facecolor": "#cfe0ef", "edgecolor": REAL, "hatch": "////", "fill": True}
            if real is not None:
                panel.stairs(_shares(real, number, edges), edges, label="real windows", **style)
            style = {"color": STIMULI, "linewidth": 1.8, "linestyle": "-"}
            panel.stairs(_shares(stimuli, number, edges), edges, label="stimuli", **style)
            panel.set_xlim(edges[0], 1)
            if number % columns == 0:
                panel.set_ylabel("Windows (%)")
        for panel in axes[len(classes) :]:
            panel.remove()
        for panel in axes[max(0, len(classes) - columns) : len(classes)]:
            panel.tick_params(axis="x", labelbottom=True)
            panel.set_xlabel("Top probability")
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=2)
        return svg(figure)


def _shares(probability: np.ndarray, number: int, edges: np.ndarray) -> np.ndarray:
    """Percent of the windows of one top class in each bin of top probability."""
    mine = probability[probability.argmax(axis=1) == number].max(axis=1, initial=0)
    counts = np.histogram(np.clip(mine, edges[0], 1), edges)[0]
    return 100 * counts / max(len(mine), 1)


def tradeoff(points: Sequence[TradeoffPoint]) -> str:
    """Each attack's area under the ROC curve, and the students' kappa, over the strength."""
    strength = [point.strength for point in points]
    students = [name for name in points[0].kappa if name.endswith(" on stimuli")]
    attacks = [name for name in points[0].attacks if " auc " in name]
    with matplotlib.rc_context(STYLE):
        figure = Figure((WIDTH, 6.2), layout="constrained")
        above, below = figure.subplots(2, 1, sharex=True)
        for name, mark in zip(students, itertools.cycle("oDsv^P"), strict=False):
            means = [over_repeats(point.kappa[name])[0] for point in points]
            kappa = [np.nan if mean is None else mean for mean in means]
            above.plot(strength, kappa, f"{mark}-", label=named(name.removesuffix(" on stimuli")))
        for name, mark in zip(attacks, itertools.cycle("oDsv^PX<>"), strict=False):
            values = [
                point.attacks[name].value if name in point.attacks else np.nan for point in points
            ]
            style = "-" if "window" in name else "--"
            below.plot(strength, values, mark + style, label=curve(name).replace(" auc", ""))
        below.axhline(0.5, color=GRAY, linewidth=0.8)
        above.set_ylabel("Kappa on real windows")
        below.set_ylabel("Area under the ROC curve")
        below.set_xlabel("Strength of inhibition")
        above.set_title("Students of the stimuli")
        below.set_title("Attackers (0.5 is guessing)")
        for axes in (above, below):
            axes.legend(ncols=2, loc="upper left", bbox_to_anchor=(0, -0.15), fontsize=7)
        return svg(figure)
