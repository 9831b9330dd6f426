"""Figures of windows themselves: real ones beside stimuli, as signals or as images."""

from __future__ import annotations

import matplotlib
import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stimjax.batch import Batch, Channel, Spec
from stimjax.report.figures import GRAY, REAL, SMALL, STIMULI, STYLE, WIDTH, svg

SIGNALS_SHOWN, IMAGES_SHOWN = 2, 4  # of each kind and class
WIDE = 9.6  # inches: across the page
MOST_CLASSES = 12  # of images in one figure
POINTS = 240  # of a drawn line; more cannot be seen at this width


def signals(real: Batch, stimuli: Batch, number: int) -> str:
    """Windows of class `number` with all channels in physical units; real left, stimuli right."""
    spec = real.spec
    seconds = spec.shape[0] / (spec.rate or 1)
    row = min(0.8, 8.0 / len(spec.channels))
    with matplotlib.rc_context(SMALL):
        figure = Figure((WIDE, 0.75 + row * len(spec.channels)), layout="constrained")
        axes = _halves(figure, len(spec.channels), SIGNALS_SHOWN)
        for side, batch in enumerate((real, stimuli)):
            shown = _some(batch, number, SIGNALS_SHOWN)
            name = "Real" if side == 0 else "Stimuli"
            axes[0, side * SIGNALS_SHOWN].set_title(name if len(shown) else f"{name}: none")
            color = REAL if side == 0 else STIMULI
            for column, window in enumerate(shown, start=side * SIGNALS_SHOWN):
                for c, channel in enumerate(spec.channels):
                    values = np.asarray(batch.x[window])[:, c] * channel.scale + channel.center
                    line = envelope(values)
                    time = np.linspace(0, seconds, len(line))
                    axes[c, column].plot(time, line, color=color, linewidth=0.9)
        for c, channel in enumerate(spec.channels):
            _share_limits(list(axes[c]))
            axes[c, 0].set_ylabel(axis_name(channel))
            for panel in axes[c, 1:]:
                panel.set_yticklabels([])
        for panel in axes.ravel():
            panel.set_xlim(0, seconds)
            _mark_labeled(panel, spec, seconds)
            panel.tick_params(axis="x", labelbottom=False)
        for panel in axes[-1]:
            panel.tick_params(axis="x", labelbottom=True)
        figure.supxlabel("Seconds" if spec.rate else "Samples", fontsize=8)
        return svg(figure)


def _mark_labeled(panel: Axes, spec: Spec, seconds: float) -> None:
    """Shade what the label speaks of, where that is not the whole window; ticks at its ends."""
    begin, length = spec.label_start, spec.label_seconds or seconds
    end = min(begin + length, seconds)
    panel.set_xticks(sorted({0.0, begin, end, seconds}))
    if end - begin < seconds:
        panel.axvspan(begin, end, color="#e8e8e8", linewidth=0, zorder=0)
        for edge in (begin, end):
            panel.axvline(edge, color=GRAY, linestyle=":", linewidth=0.7)


def _halves(figure: Figure, lines: int, columns: int) -> np.ndarray:
    """Axes `[lines, 2 * columns]` with a gap between the left and the right half."""
    widths = [1.0] * columns + [0.2] + [1.0] * columns
    grid = figure.add_gridspec(lines, len(widths), width_ratios=widths)
    used = [column for column in range(len(widths)) if column != columns]
    return np.array([[figure.add_subplot(grid[r, c]) for c in used] for r in range(lines)])


def axis_name(channel: Channel) -> str:
    """Name and unit; a normalized recording has no unit but its own spread."""
    unit = channel.unit if channel.normalization == "fixed" else "spreads"
    return f"{channel.name}\n({unit})" if unit else channel.name


def _share_limits(panels: list[Axes]) -> None:
    """The same value axis for one channel everywhere, from what is drawn."""
    drawn = [np.asarray(line.get_ydata()) for panel in panels for line in panel.lines]
    if not drawn:
        return
    low = min(float(values.min()) for values in drawn)
    high = max(float(values.max()) for values in drawn)
    margin = 0.06 * (high - low) or 1.0
    for panel in panels:
        panel.set_ylim(low - margin, high + margin)
        panel.locator_params(axis="y", nbins=3)


def envelope(values: Float[np.ndarray, " n"], most: int = POINTS) -> Float[np.ndarray, " m"]:
    """A line of at most `most` values that keeps every peak: lows and highs of stretches."""
    if len(values) <= most:
        return values
    parts = np.array_split(values, most // 2)
    return np.array([end for part in parts for end in (part.min(), part.max())], values.dtype)


def images(real: Batch, stimuli: Batch) -> str:
    """Images of every class (the first 12), a row each; real left, stimuli right."""
    classes = real.spec.classes[:MOST_CLASSES]
    with matplotlib.rc_context(STYLE):
        figure = Figure((WIDTH, 0.4 + 0.52 * len(classes)), layout="constrained")
        axes = _halves(figure, len(classes), IMAGES_SHOWN)
        for panel in axes.ravel():
            panel.set_xticks([])
            panel.set_yticks([])
            panel.spines[:].set_visible(False)
        for side, batch in enumerate((real, stimuli)):
            axes[0, side * IMAGES_SHOWN].set_title("Real" if side == 0 else "Stimuli")
            for number in range(len(classes)):
                shown = _some(batch, number, IMAGES_SHOWN)
                for column, window in enumerate(shown, start=side * IMAGES_SHOWN):
                    _image(axes[number, column], batch, int(window))
        for number, name in enumerate(classes):
            axes[number, 0].set_ylabel(name, rotation=0, ha="right", va="center")
        return svg(figure)


def _image(panel: Axes, batch: Batch, window: int) -> None:
    spec = batch.spec
    pixels = (np.asarray(batch.x[window]) - spec.low) / (spec.high - spec.low)
    pixels = np.clip(pixels if pixels.shape[-1] == 3 else pixels[..., 0], 0, 1)
    panel.imshow(pixels, cmap="gray", vmin=0, vmax=1, interpolation="none", aspect="equal")
    panel.spines[:].set(visible=True, color=GRAY, linewidth=0.5)


def _some(batch: Batch, number: int, most: int) -> np.ndarray:
    """Up to `most` windows of a class, evenly through the batch: nobody picked the good ones."""
    members = np.flatnonzero(batch.label == number)
    return members[np.linspace(0, len(members) - 1, min(most, len(members))).round().astype(int)]
