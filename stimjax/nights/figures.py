"""The plot of Bland and Altman as SVG, in the colors of the page that it stands in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from markupsafe import Markup, escape
from matplotlib.ticker import MaxNLocator

from stimjax.disk.documents import AgreementFile, BlandAltman, Interval

WIDTH, HEIGHT = 560, 300
LEFT, RIGHT, TOP, BOTTOM = 62, 76, 12, 44


class Picture(NamedTuple):
    """A figure of the page and its caption."""

    svg: Markup
    caption: str


class Scale(NamedTuple):
    """Where values of an axis lie on the page."""

    low: float
    high: float
    first: float
    last: float

    def at(self, value: float) -> float:
        """The place of a value."""
        share = (value - self.low) / (self.high - self.low)
        return round(self.first + share * (self.last - self.first), 1)

    def ticks(self) -> list[float]:
        """Round values of the axis."""
        found = MaxNLocator(5).tick_values(self.low, self.high)
        return [float(value) for value in found if self.low <= value <= self.high]


def pictures(compared: AgreementFile) -> list[Picture]:
    """One for each model: difference against mean of each night, bias and limits of agreement."""
    found = []
    for k, (name, one) in enumerate(zip(compared.models, compared.agreement, strict=True)):
        pairs = np.array([(night.scorer, night.models[k]) for night in compared.nights])
        svg = _svg(pairs.mean(axis=1), pairs[:, 1] - pairs[:, 0], one.bland_altman)
        caption = (
            f"{name}: {compared.quantity}, model minus scorer, against the mean of both. A point "
            "is a night; lines are the bias and the limits of agreement, with their 95 % intervals."
        )
        found.append(Picture(svg, caption))
    return found


def _svg(mean: np.ndarray, difference: np.ndarray, found: BlandAltman) -> Markup:
    lines = [one for one in (found.lower, found.bias, found.upper) if one.value is not None]
    ends = [end for one in lines for end in (one.value, *(one.interval or ()))]
    y = _scale([*difference, *ends], HEIGHT - BOTTOM, TOP)
    x = _scale(mean, LEFT, WIDTH - RIGHT)
    parts = [*_axes(x, y)]
    for name, one in (("lower", found.lower), ("bias", found.bias), ("upper", found.upper)):
        if one.value is not None:
            parts += _line(one.value, one.interval, name, y)
    parts += [
        f'<circle cx="{x.at(a)}" cy="{y.at(b)}" r="3.5"/>'
        for a, b in zip(mean.tolist(), difference.tolist(), strict=True)
    ]
    return Markup(
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="Bland-Altman plot" '
        f'class="plot">{"".join(parts)}</svg>'
    )


def _scale(values: object, first: float, last: float) -> Scale:
    low, high = float(np.min(values)), float(np.max(values))  # pyright: ignore
    room = 0.06 * (high - low) or 1.0
    return Scale(low - room, high + room, first, last)


def _axes(x: Scale, y: Scale) -> Iterator[str]:
    right, floor = WIDTH - RIGHT, HEIGHT - BOTTOM
    yield f'<path class="axis" d="M{LEFT} {TOP}V{floor}H{right}"/>'
    for value in x.ticks():
        yield f'<text x="{x.at(value)}" y="{floor + 17}" text-anchor="middle">{value:g}</text>'
    for value in y.ticks():
        yield f'<text x="{LEFT - 8}" y="{y.at(value) + 4}" text-anchor="end">{value:g}</text>'
    middle = (LEFT + right) / 2
    yield f'<text x="{middle}" y="{HEIGHT - 6}" text-anchor="middle">mean of both</text>'
    center = (TOP + floor) / 2
    turned = f'transform="rotate(-90 14 {center})"'
    yield f'<text x="14" y="{center}" text-anchor="middle" {turned}>model - scorer</text>'


def _line(value: float, interval: Interval | None, name: str, y: Scale) -> Iterator[str]:
    right, at = WIDTH - RIGHT, y.at(value)
    if interval is not None:
        high, low = y.at(interval[1]), y.at(interval[0])
        size = f'width="{right - LEFT}" height="{round(low - high, 1)}"'
        yield f'<rect class="band" x="{LEFT}" y="{high}" {size}/>'
    yield f'<path class="{"bias" if name == "bias" else "limit"}" d="M{LEFT} {at}H{right}"/>'
    yield f'<text x="{right + 6}" y="{at + 4}">{escape(name)} {value:.3g}</text>'
