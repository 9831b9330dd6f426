"""One self-contained HTML page: no network, no script, readable on a phone and on paper."""

from __future__ import annotations

import base64
import dataclasses
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from markupsafe import Markup

from stimjax.disk.documents import Results, Scores
from stimjax.disk.store import new_file
from stimjax.report import documents, figures, privacy, tables, windows, words
from stimjax.report.story import Night, Story
from stimjax.report.tables import Table

__all__ = ["Night", "Story", "write"]

PRIVATE = "Private: this report shows real windows. Do not publish it."
HERE = Path(__file__).parent


@dataclasses.dataclass(frozen=True)
class Picture:
    """A figure of the page: its SVG, what it shows for who cannot see it, and its caption."""

    svg: str
    alt: str
    caption: str

    @property
    def source(self) -> str:
        """The SVG as a data URL: as an image of its own, its names cannot clash with others."""
        return "data:image/svg+xml;base64," + base64.b64encode(self.svg.encode()).decode()


def write(story: Story, path: Path) -> None:
    """Write the report of `story` as the file `path`, readable by its owner only.

    The same story gives the same bytes. The file appears whole or not at all.

    Raises:
        StimjaxError: `path` cannot be written.
    """
    page = render(story)
    with new_file(path, overwrite=True, private=True) as file:
        file.write_text(page, encoding="utf-8")


def render(story: Story) -> str:
    """The page as text."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    results, classes = story.results, story.real.spec.classes
    split = story.origin.settings.split
    data_name = _data_name(story)
    return environment.get_template("report.html.j2").render(
        story=story,
        private=PRIVATE,
        style=Markup((HERE / "style.css").read_text(encoding="utf-8")),
        classes=classes,
        data_name=data_name,
        headline=words.headline(results),
        trust=words.trust(results),
        teacher_members=words.teacher(story.teacher),
        folds=results.test.folds,
        cautions=words.cautions(results, simulated=story.simulated, split=split),
        gap_pictures=_gap_pictures(results, story.scores),
        gap_table=tables.gap_table(results),
        fold_table=tables.fold_table(results),
        baseline_table=tables.baseline_table(results),
        metric_tables=tables.metric_tables(results, story.scores),
        night_picture=_night_picture(story),
        night_table=None if story.night is None else tables.night_table(story.night, classes),
        window_pictures=_window_pictures(story),
        confidence_picture=_confidence_picture(story),
        audit=_audit(story),
        tradeoff=_tradeoff(story),
        paper_table=tables.paper_table(results, data_name),
        data_tables=documents.windows(story.origin),
        channel_table=_channel_table(story),
        teacher_tables=documents.teacher(story.teacher),
        manifest_tables=documents.release(story.manifest, classes),
        method=story.manifest.method.method,
        by_window=split == "random",
        version_table=Table(
            "Versions",
            ["Software", "Version"],
            [[*pair] for pair in sorted(story.versions.items())],
            words=2,
        ),
        undefined=tables.UNDEFINED,
    )


def _audit(story: Story) -> dict[str, Any] | None:
    """What the page says of the audit."""
    if story.privacy is None:
        return None
    return {
        "verdict": privacy.verdict(story.privacy),
        "table": privacy.table(story.privacy),
        "meanings": privacy.meanings(story.privacy),
        "notes": privacy.notes(story.privacy),
        "on": story.privacy.on,
    }


def _tradeoff(story: Story) -> dict[str, Any] | None:
    """Students against attackers over the strength of inhibition."""
    if not story.tradeoff:
        return None
    picture = Picture(
        figures.tradeoff(story.tradeoff),
        "Two charts over the strength of inhibition: the kappa of each student of the stimuli, and "
        "the area under the ROC curve of each attack; the table beside them has all numbers.",
        "What students reach and what attackers find, over the strength of inhibition.",
    )
    return {"picture": picture, "table": privacy.tradeoff(story.tradeoff)}


def _data_name(story: Story) -> str:
    kind = "images" if len(story.real.spec.shape) == 3 else "recordings"
    return f"simulated {kind}" if story.simulated else f"the {kind} of this run"


def _gap_pictures(results: Results, teacher: Scores) -> list[Picture]:
    pictures = []
    if any(loss.accuracy_gap is not None for loss in results.summary):
        caption = (
            "Accuracy lost on real test windows against the same student trained on real windows: "
            "mean over training seeds, with the 95 % bootstrap interval. Right of the line at 0 "
            "is a loss. Baselines, where they were run, have a scale of their own."
        )
        pictures.append(Picture(figures.gap(results), words.gap_alt(results), caption))
    if results.rows:
        caption = (
            "Accuracy on real test windows by what a student was trained on, mean over training "
            "seeds. The dashed line is the teacher."
        )
        alt = words.accuracy_alt(results, teacher.accuracy)
        pictures.append(Picture(figures.accuracy(results, teacher.accuracy), alt, caption))
    return pictures


def _night_picture(story: Story) -> Picture | None:
    night, classes = story.night, story.real.spec.classes
    if night is None or not len(night.scored):
        return None
    hours = len(night.scored) * night.seconds / 3600
    by_subject = story.origin.settings.split == "subject"
    unseen = ", whose recording no model was trained on" * by_subject
    scorer = "the simulator" if story.simulated else "a person"
    below = f"probability of {classes[1]}" if len(classes) == 2 else "predicted class"
    return Picture(
        figures.night(night, classes),
        f"{hours:.1f} hours of one subject: scored, teacher and student, one above the other.",
        f"One test subject{unseen}. On top as scored by {scorer}, below it the teacher’s and the "
        f"student’s {below}.",
    )


def _window_pictures(story: Story) -> list[Picture]:
    real, stimuli, classes = story.real, story.stimuli, story.real.spec.classes
    if len(real.spec.shape) == 3:
        alt = "Real images beside stimuli, one row for each of: " + ", ".join(classes) + "."
        caption = "Images of each class, chosen evenly through the file and not by eye."
        return [Picture(windows.images(real, stimuli), alt, caption)]
    channels = ", ".join(channel.name for channel in real.spec.channels)
    return [
        Picture(
            windows.signals(real, stimuli, number),
            f"Real windows of class {name} beside stimuli of that class; channels: {channels}.",
            f"{name}: real windows so scored, stimuli for which the teacher finds it most likely. "
            "Chosen evenly through the file and not by eye.",
        )
        for number, name in enumerate(classes)
    ]


def _confidence_picture(story: Story) -> Picture:
    classes, real = story.real.spec.classes, story.teacher_on_real
    caption = (
        "The teacher’s top probability, by its top class, as a share of the windows of that class: "
        + ("hatched for real windows, outlined for stimuli." if real is not None else "stimuli.")
    )
    parts = []
    for name, batch in (("real windows", real), ("stimuli", np.asarray(story.stimuli.y))):
        if batch is not None:
            mean = float(batch.max(axis=1).mean())
            parts.append(f"mean {tables.signed(mean, 2)} on {name}")
    alt = "Histograms of the teacher’s top probability for each class: " + ", ".join(parts) + "."
    return Picture(figures.confidence(np.asarray(story.stimuli.y), real, classes), alt, caption)


def _channel_table(story: Story) -> Table:
    rows = []
    for channel in story.real.spec.channels:
        fixed = channel.normalization == "fixed"
        ends = [end * channel.scale + channel.center for end in (channel.low, channel.high)]
        rows.append(
            [
                channel.name,
                channel.unit if fixed else "own spread",
                " to ".join(map(tables.text, ends)),
                tables.text(channel.resolution * channel.scale) if channel.resolution else "any",
            ]
        )
    return Table("Channels", ["Channel", "Unit", "Range", "Smallest step"], rows, words=tables.ALL)
