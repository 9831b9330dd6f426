"""How stimuli and real windows are alike as signals: mean spectra, and principal components."""

from __future__ import annotations

import matplotlib
import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.signal import welch

from stimjax.batch import Batch
from stimjax.report.figures import REAL, SMALL, STIMULI, STYLE, WIDTH, svg

SEGMENT = 256  # samples of a segment of Welch's method
MOST_CHANNELS = 8


def spectra(real: Batch, stimuli: Batch) -> str:
    """Mean power spectral density of each channel (Welch, 1967); real windows and stimuli."""
    channels = real.spec.channels[:MOST_CHANNELS]
    rate = real.spec.rate or 1.0
    columns = min(3, len(channels))
    lines = -(-len(channels) // columns)
    with matplotlib.rc_context(SMALL):
        figure = Figure((WIDTH, 1.0 + 1.3 * lines), layout="constrained")
        axes = figure.subplots(lines, columns, sharex=True, squeeze=False).ravel()
        for number, (channel, panel) in enumerate(zip(channels, axes, strict=False)):
            for name, batch, color, line in _sides(real, stimuli):
                signal = np.asarray(batch.x[:, :, number], float)
                at, power = welch(signal, rate, nperseg=min(SEGMENT, signal.shape[1]))
                mean = power.mean(axis=0)
                drawn = (mean > 0) & (at > 0)
                decibels = 10 * np.log10(mean[drawn])
                panel.plot(at[drawn], decibels, color=color, linestyle=line, label=name)
            panel.set_title(channel.name)
        for panel in axes[len(channels) :]:
            panel.remove()
        axes[len(channels) - 1].set_xlabel("Frequency (Hz)" if real.spec.rate else "1 / sample")
        figure.supylabel("Power spectral density (dB)", fontsize=8)
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=2)
        return svg(figure)


def components(real: Batch, stimuli: Batch) -> str:
    """Both on the first two principal components of the real windows, a panel for each class."""
    one, two = project(real, stimuli)
    classes = real.spec.classes
    columns = min(2 if len(classes) < 5 else 3, len(classes))
    lines = -(-len(classes) // columns)
    with matplotlib.rc_context(STYLE):
        figure = Figure((WIDTH, 1.0 + 2.1 * lines), layout="constrained")
        axes = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False).ravel()
        for number, (name, panel) in enumerate(zip(classes, axes, strict=False)):
            panel.set_title(name)
            _points(panel, one[real.label == number], ("o", REAL), "real windows")
            _points(panel, two[stimuli.label == number], ("x", STIMULI), "stimuli")
        for panel in axes[len(classes) :]:
            panel.remove()
        axes[len(classes) - 1].set_xlabel("First component")
        figure.supylabel("Second component", fontsize=9)
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=2)
        return svg(figure)


def project(
    real: Batch, stimuli: Batch
) -> tuple[Float[np.ndarray, "n 2"], Float[np.ndarray, "m 2"]]:
    """Both on the axes along which the real windows differ most."""
    rows = np.asarray(real.x, float).reshape(len(real), -1)
    mean = rows.mean(axis=0)
    # Few windows of many numbers: the small side has the same axes.
    axes = np.linalg.svd(rows - mean, full_matrices=False)[2][:2]
    signs = np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)])
    axes = axes * np.where(signs == 0, 1, signs)[:, None]  # the same picture on every machine
    others = np.asarray(stimuli.x, float).reshape(len(stimuli), -1)
    return (rows - mean) @ axes.T, (others - mean) @ axes.T


def _sides(real: Batch, stimuli: Batch) -> list[tuple[str, Batch, str, str]]:
    return [("real windows", real, REAL, "-"), ("stimuli", stimuli, STIMULI, "--")]


def _points(panel: Axes, at: np.ndarray, look: tuple[str, str], label: str) -> None:
    marker, color = look
    panel.plot(
        at[:, 0],
        at[:, 1],
        marker=marker,
        linestyle="none",
        markersize=3,
        color=color,
        markerfacecolor="none",
        alpha=0.7,
        label=label,
    )
