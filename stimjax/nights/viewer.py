"""A page on which one scored night can be looked at: without a network, and with the keyboard.

Bokeh draws it: it has tracks that zoom together, on phones as well, and its script travels inside
the page. What it lacks, keys and colors for dark and light, is in `viewer.js`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from bokeh.core.types import ID
from bokeh.embed import json_item
from bokeh.layouts import column
from bokeh.models import (
    ColumnDataSource,
    CrosshairTool,
    DatetimeTickFormatter,
    FactorRange,
    FixedTicker,
    HoverTool,
    LinearAxis,
    Range1d,
    Span,
    WheelZoomTool,
)
from bokeh.plotting import figure
from bokeh.resources import Resources
from markupsafe import Markup

from stimjax.data.recording import Header
from stimjax.disk.documents import NightSummary
from stimjax.nights import words
from stimjax.nights.night import APNEA, NOT_SCORED, REASONS, ScoredNight
from stimjax.nights.tracks import Track, tracks

HERE = Path(__file__).parent
MS = 1000.0  # Bokeh counts time in ms
LEFT, RIGHT = 78, 12  # pixels beside every track, so that their times lie under each other
TALL, LOWEST, HIGHEST = 420, 112, 200  # pixels of all signals together, and of each
CLOSEST = 20.0  # s; the least that the view shows
DEPTH = ("N3", "N2", "N1", "R", "W")  # of a hypnogram, from below
# Rows of bands can be told apart without color as well.
HATCH: dict[str, str | None] = {"model": None, "scorer": "/", "left out": "x", "not covered": "."}


def page(night: ScoredNight, summary: NightSummary, channels: tuple[str, ...]) -> str:
    """The page of a night as text.

    Args:
        night: what the model says.
        summary: the same in sum.
        channels: whose signals are shown.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    content = {
        "item": json_item(_layout(night, tracks(night.recording, channels)), ID("tracks")),
        "marks": _marks(night),
        "shift": _shift(night.recording.header) * MS,
        "length": night.recording.header.duration * MS,
    }
    return environment.get_template("viewer.html.j2").render(
        title=summary.name,
        lines=words.of_night(summary),
        warnings=words.warnings(summary),
        mark="apnea minute" if night.task == "apnea" else "change of stage",
        clock=_has_clock(night.recording.header),
        style=Markup((HERE / "nights.css").read_text(encoding="utf-8")),
        bokeh=Markup(Resources(mode="inline", components=["bokeh"]).render_js()),
        script=Markup((HERE / "viewer.js").read_text(encoding="utf-8")),
        content=Markup(_harmless(content)),
    )


def _harmless(content: Any) -> str:
    """JSON that ends no script element, whatever texts a recording has."""
    return json.dumps(content).replace("<", "\\u003c")


def _has_clock(header: Header) -> bool:
    """Whether the time of day is known; where gaps were cut out it is not the axis."""
    return header.start.clock is not None and not header.cuts


def _shift(header: Header) -> float:
    """Seconds from where the axis has 0:00 to the start of the recording."""
    clock = header.start.clock if _has_clock(header) else None
    return 0.0 if clock is None else clock


def _marks(night: ScoredNight) -> list[float]:
    """The moments that the keys n and p go to, in ms from the start."""
    called = night.called
    if night.task == "apnea":
        at = called == APNEA
    else:
        at = (called != NOT_SCORED) & (called != np.roll(called, 1))
    return (night.start[at] * MS).tolist()


def _layout(night: ScoredNight, shown: list[Track]) -> Any:
    """All tracks under each other, over one time."""
    header = night.recording.header
    shift, length = _shift(header) * MS, header.duration * MS
    time = Range1d(
        start=shift,
        end=shift + length,
        bounds=(shift, shift + length),
        min_interval=CLOSEST * MS,
    )
    rows = [_bands(night, time)] if _spans(night) else []
    rows += [_hypnogram(night, time)] if night.task == "stages" else []
    rows.append(_probability(night, time))
    height = min(max(TALL // max(1, len(shown)), LOWEST), HIGHEST)
    rows += [_signal(night, track, time, height) for track in shown]
    cursor = Span(dimension="height", line_dash="dotted", line_width=1, name="cursor")
    for row in rows:
        row.add_tools(CrosshairTool(overlay=cursor, dimensions="height"))
        row.xaxis.visible = row is rows[-1]
    rows[-1].xaxis.formatter = DatetimeTickFormatter(
        days="%H:%M",
        hours="%H:%M",
        hourmin="%H:%M",
        minutes="%H:%M",
        minsec="%H:%M:%S",
        seconds="%H:%M:%S",
        milliseconds="%H:%M:%S",
    )
    rows[-1].height += 28
    return column(*rows, sizing_mode="stretch_width", spacing=6, name="rows")


def _row(title: str, time: Range1d, height: int, values: Any) -> Any:
    """An empty track."""
    wheel = WheelZoomTool(dimensions="width")
    row = figure(
        height=height,
        sizing_mode="stretch_width",
        x_range=time,
        y_range=values,
        x_axis_type="datetime",
        tools=["xpan", wheel],
        active_drag="xpan",
        active_scroll=wheel,
        toolbar_location=None,
        min_border_left=LEFT,
        min_border_right=RIGHT,
        min_border_top=3,
        min_border_bottom=3,
        background_fill_color=None,
        border_fill_color=None,
        outline_line_color=None,
        output_backend="canvas",
    )
    row.yaxis.axis_label = title
    row.yaxis.axis_label_text_font_style = "normal"
    row.ygrid.visible = False
    # Bars that lie beyond the view are drawn as a line at its right end: the axis goes over it.
    nothing = FixedTicker(ticks=[])
    row.add_layout(LinearAxis(ticker=nothing, axis_line_width=2), "right")  # pyright: ignore
    return row


def _bands(night: ScoredNight, time: Range1d) -> Any:
    """Which minutes are apnea by the model and by a scorer, which were left out, and why."""
    rows = _spans(night)
    row = _row("", time, 22 * len(rows) + 10, FactorRange(factors=list(rows)))
    for name, chosen in rows.items():
        data = _times(night, chosen) | {"row": [name] * int(chosen.sum())}
        _bars(row, name, data | {"text": _texts(night, chosen)})
    return row


def _spans(night: ScoredNight) -> dict[str, np.ndarray]:
    """The rows of bands from below, each with the minutes that it shows."""
    found = {"left out": night.why != "", "not covered": night.uncovered}
    found = {name: chosen for name, chosen in found.items() if chosen.any()}
    if night.task == "apnea":
        if (night.label != NOT_SCORED).any():
            found["scorer"] = night.label == APNEA
        found["model"] = night.called == APNEA
    return found


def _bars(row: Any, name: str, data: dict[str, Any], y: str = "row", height: float = 0.8) -> None:
    drawn = row.hbar(
        y=y,
        left="left",
        right="right",
        height=height,
        source=ColumnDataSource(data),
        name=name,
        line_width=0,
        hatch_pattern=HATCH[name],
        hatch_scale=6,
        hatch_weight=1,
    )
    row.add_tools(HoverTool(renderers=[drawn], tooltips="@text", point_policy="follow_mouse"))


def _hypnogram(night: ScoredNight, time: Range1d) -> Any:
    """Stages by the model, and below each by a scorer where there is one."""
    row = _row("stage", time, 150, FactorRange(factors=list(DEPTH)))
    row.ygrid.visible = True
    for name, number, off in (("model", night.called, 0.2), ("scorer", night.label, -0.2)):
        chosen = number != NOT_SCORED
        if chosen.any():
            places = [(night.classes[k], off) for k in number[chosen]]
            data = _times(night, chosen) | {"row": places, "text": _texts(night, chosen)}
            _bars(row, name, data, height=0.36)
    return row


def _probability(night: ScoredNight, time: Range1d) -> Any:
    """The probability of apnea, or of the stage that is called, as a bar for each minute."""
    row = _row("p", time, 84, Range1d(start=0, end=1.02))
    row.left[0].ticker = [0, 0.5, 1]
    chosen = night.usable
    p = night.probability[chosen]
    top = p[:, APNEA] if night.task == "apnea" else p.max(axis=1)
    data = _times(night, chosen) | {"top": top.astype(np.float32), "text": _texts(night, chosen)}
    drawn = row.quad(
        left="left",
        right="right",
        bottom=0,
        top="top",
        source=ColumnDataSource(data),
        name="probability",
        line_width=0,
    )
    if night.task == "apnea":
        row.hspan(y=[0.5], name="half", line_dash="dashed")
    row.add_tools(HoverTool(renderers=[drawn], tooltips="@text", point_policy="follow_mouse"))
    return row


def _signal(night: ScoredNight, track: Track, time: Range1d, height: int) -> Any:
    """A signal, with the minutes of apnea by the model in its background."""
    unit = f" ({track.unit})" if track.unit else ""
    row = _row(f"{track.name}{unit}", time, height, Range1d(start=track.low, end=track.high))
    row.left[0].ticker.desired_num_ticks = 3
    if night.task == "apnea":
        data = _times(night, night.called == APNEA)
        ends = {"bottom": track.low, "top": track.high}
        row.quad("left", "right", **ends, source=ColumnDataSource(data), name="shade", line_width=0)
    at = track.time * np.float32(MS) + np.float32(_shift(night.recording.header) * MS)
    source = ColumnDataSource({"x": at, "y": track.value})
    row.line("x", "y", source=source, name="signal", line_width=1)
    return row


def _times(night: ScoredNight, chosen: np.ndarray) -> dict[str, Any]:
    left = (night.start[chosen] + _shift(night.recording.header)) * MS
    return {"left": left, "right": left + night.seconds * MS}


def _texts(night: ScoredNight, chosen: np.ndarray) -> list[str]:
    """What is shown of each chosen minute when it is pointed at."""
    said, called = [], night.called
    for i in np.flatnonzero(chosen):
        at = words.clock(night.start[i] + _shift(night.recording.header))
        if called[i] == NOT_SCORED:
            said.append(f"{at} not scored: {REASONS[str(night.why[i])]}")
            continue
        text = f"{at} {night.classes[called[i]]}, p {night.probability[i, called[i]]:.2f}"
        if night.label[i] != NOT_SCORED:
            text += f"; scorer: {night.classes[night.label[i]]}"
        said.append(text + ("; not covered by the release" if night.uncovered[i] else ""))
    return said
