"""One figure of all attacks: what each finds, with its interval, beside guessing."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib
from matplotlib.figure import Figure

from stimjax.disk.documents import Entry, Privacy
from stimjax.privacy.headline import METRIC, WITH_SEED
from stimjax.report.figures import GRAY, INK, REAL, STIMULI, STYLE, svg
from stimjax.report.names import named
from stimjax.report.privacy import blind

WIDTH = 11.0  # inches: across the page
LOOK = {"subject": ("o", REAL, 0.16), "window": ("D", STIMULI, -0.16)}


def areas(privacy: Privacy) -> list[Entry]:
    """The entries that the figure shows: areas under the ROC curve of subjects and windows."""
    metrics = (METRIC, f"{METRIC}{WITH_SEED}")
    return [
        entry
        for entry in privacy.attacks
        if entry.metric in metrics and entry.level in LOOK and entry.value is not None
    ]


def forest(privacy: Privacy) -> str:
    """Area under the ROC curve of each attack, of participants and of windows, with intervals."""
    shown = areas(privacy)
    attacks = list(dict.fromkeys(entry.attack for entry in shown))
    with matplotlib.rc_context(STYLE):
        figure = Figure((WIDTH, 1.1 + 0.26 * len(attacks)), layout="constrained")
        axes = figure.subplots()
        axes.axvline(0.5, color=INK, linewidth=1)
        for level, name in (("subject", "participants"), ("window", "their windows")):
            marker, color, shift = LOOK[level]
            mine = [entry for entry in shown if entry.level == level]
            for entry in mine:
                y = attacks.index(entry.attack) - shift
                filled = color if not blind(entry) else "white"
                if entry.ci is not None:
                    axes.plot(entry.ci, [y, y], color=color, linewidth=1.4)
                axes.plot(
                    [entry.value or 0.0],
                    [y],
                    linestyle="none",
                    marker=marker,
                    markersize=5,
                    color=color,
                    markerfacecolor=filled,
                )
            axes.plot([], [], marker=marker, color=color, label=name)
        axes.plot([], [], "o", color=GRAY, markerfacecolor="white", label="blind: misses any leak")
        axes.set_yticks(range(len(attacks)), [named(name) for name in attacks])
        axes.set_ylim(len(attacks) - 0.5, -0.5)
        axes.set_xlim(0, 1.01)
        axes.set_xlabel("Area under the ROC curve (0.5 is guessing, 1 is certain)")
        axes.grid(axis="x", color="#d8d8d8", linewidth=0.5)
        axes.tick_params(axis="y", length=0)
        figure.legend(loc="outside lower center", ncols=3)
        return svg(figure)


def alt(shown: Sequence[Entry]) -> str:
    """The figure in words: its strongest attacks."""
    strongest = sorted(shown, key=lambda entry: -(entry.ci or (0, entry.value or 0))[1])[:3]
    parts = [
        f"{named(entry.attack)} of a {named(entry.level)} {entry.value:.2f}"
        + (f" ({entry.ci[0]:.2f} to {entry.ci[1]:.2f})" if entry.ci else "")
        for entry in strongest
    ]
    return (
        f"Areas under the ROC curve of {len(shown)} attacks, with 95 % intervals. Those that reach "
        f"highest: {'; '.join(parts)}. The table below has all."
    )
