"""A night as one wide strip: signals, what was scored, what was called, and where they differ."""

from __future__ import annotations

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stimjax.report.figures import GRAY, INK, REAL, SMALL, STIMULI, svg
from stimjax.report.story import Night
from stimjax.report.windows import axis_name, envelope
from stimjax.spec import Spec

WIDTH = 11.0  # inches: across the page; a phone scrolls it
POINTS = 1600  # of a drawn line
MOST_CHANNELS = 6
WRONG = "#c2185b"


def strip(night: Night, spec: Spec) -> str:
    """All usable windows of a night, one behind the other."""
    hours = np.arange(len(night.scored) + 1) * night.seconds / 3600
    signals = [] if night.x is None else list(range(len(spec.channels)))[:MOST_CHANNELS]
    ratios = [1.0] * len(signals) + [0.62, 0.62, 0.62]
    with matplotlib.rc_context(SMALL):
        figure = Figure((WIDTH, 0.6 + 0.72 * sum(ratios)), layout="constrained")
        axes = figure.subplots(len(ratios), 1, sharex=True, height_ratios=ratios)
        figure.get_layout_engine().set(hspace=0.01, h_pad=0.02)  # pyright: ignore
        for panel, number in zip(axes, signals, strict=False):
            line = envelope(_joined(night, spec, number), POINTS)
            time = np.linspace(0, hours[-1], len(line))
            panel.plot(time, line, color=INK, linewidth=0.6)
            _named(panel, axis_name(spec.channels[number]))
            panel.locator_params(axis="y", nbins=2)
        rows = axes[len(signals) :]
        _classes(rows[0], hours, night.scored, spec.classes, INK)
        _named(rows[0], "Scored")
        for panel, name, values, color in (
            (rows[1], "Teacher", night.predicted, REAL),
            (rows[2], "Student", night.student, STIMULI),
        ):
            _called(panel, hours, values, spec.classes, color)
            _wrong(panel, hours, wrong(night.scored, values, len(spec.classes)))
            _named(panel, name)
        axes[-1].set_xlabel("Hours of usable windows")
        axes[-1].set_xlim(0, hours[-1])
        return svg(figure)


def wrong(scored: np.ndarray, values: np.ndarray, classes: int) -> np.ndarray:
    """Which windows are called other than they were scored, bool[n]."""
    called = np.asarray(values) > 0.5 if classes == 2 else np.asarray(values)
    return called != np.asarray(scored)


def _joined(night: Night, spec: Spec, number: int) -> np.ndarray:
    """One channel of the labeled spans, in physical units where it has some."""
    rate, channel = spec.rate or 1.0, spec.channels[number]
    begin = round(spec.label_start * rate)
    length = round((spec.label_seconds or night.seconds) * rate)
    windows = np.asarray(night.x)[:, begin : begin + length, number]
    return windows.ravel() * channel.scale + channel.center


def _classes(
    panel: Axes, hours: np.ndarray, values: np.ndarray, classes: tuple[str, ...], color: str
) -> None:
    if len(classes) == 2:
        panel.stairs(values, hours, fill=True, facecolor="#c8c8c8", edgecolor=color, hatch="////")
        panel.set_yticks([0, 1], classes)
        panel.set_ylim(0, 1.05)
        return
    panel.stairs(values, hours, color=color, baseline=None)
    panel.set_yticks(range(len(classes)), classes)
    panel.set_ylim(len(classes) - 0.7, -0.3)


def _called(
    panel: Axes, hours: np.ndarray, values: np.ndarray, classes: tuple[str, ...], color: str
) -> None:
    if len(classes) > 2:
        _classes(panel, hours, values, classes, color)
        return
    panel.stairs(values, hours, color=color, baseline=None)
    panel.axhline(0.5, color=GRAY, linestyle=":", linewidth=0.8)
    panel.set_ylim(-0.03, 1.18)
    panel.set_yticks([0, 0.5, 1])


def _wrong(panel: Axes, hours: np.ndarray, where: np.ndarray) -> None:
    """Crosses along the upper edge, and a shade, over the windows that are called wrongly."""
    middle = (hours[:-1] + hours[1:])[where] / 2
    across = panel.get_xaxis_transform()
    panel.plot(
        middle, np.full(len(middle), 0.94), "x", color=WRONG, markersize=3.5, transform=across
    )
    for begin, end in zip(hours[:-1][where], hours[1:][where], strict=True):
        panel.axvspan(begin, end, color=WRONG, alpha=0.13, linewidth=0)


def _named(panel: Axes, name: str) -> None:
    panel.set_ylabel(name, rotation=0, ha="right", va="center")
