"""One self-contained HTML page: no network, no script, readable on a phone and on paper."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stimjax.disk.store import new_file
from stimjax.report import documents, figures, page, pictures, privacy, tables, verdicts, words
from stimjax.report.pictures import Picture
from stimjax.report.story import Night, Story
from stimjax.report.tables import Table

__all__ = ["Night", "Story", "write"]

PRIVATE = "Private: this report shows real windows. Do not publish it."


def write(story: Story, path: Path) -> None:
    """Write the report of `story` as the file `path`, readable by its owner only.

    The same story gives the same bytes. The file appears whole or not at all.

    Raises:
        StimjaxError: `path` cannot be written.
    """
    text = render(story)
    with new_file(path, overwrite=True, private=True) as file:
        file.write_text(text, encoding="utf-8")


def render(story: Story) -> str:
    """The page as text."""
    results, classes = story.results, story.real.spec.classes
    split = story.origin.settings.split
    return page.render(
        "report.html.j2",
        PRIVATE,
        title=story.title,
        story=story,
        classes=classes,
        data_name=_data_name(story),
        verdicts=[
            verdicts.students(results),
            verdicts.people(story.privacy),
            verdicts.publishing(story.bounds, story.exceeded, story.privacy),
        ],
        headline=words.headline(results),
        trust=words.trust(results),
        teacher_members=words.teacher(story.teacher),
        folds=results.test.folds,
        cautions=words.cautions(results, simulated=story.simulated, split=split),
        student_pictures=[
            *pictures.of_students(results, story.scores.accuracy),
            *pictures.of_answers(story.answers, classes),
        ],
        night_picture=pictures.of_night(story),
        window_pictures=pictures.of_windows(story),
        likeness_pictures=pictures.of_likeness(story),
        audit=_audit(story),
        tradeoff=_tradeoff(story),
        method=story.manifest.method.method,
        by_window=split == "random",
        undefined=tables.UNDEFINED,
        **_tables(story),
    )


def _tables(story: Story) -> dict[str, Any]:
    """All tables but those of the audit."""
    results, classes = story.results, story.real.spec.classes
    versions = [[*pair] for pair in sorted(story.versions.items())]
    return {
        "gap_table": tables.gap_table(results),
        "fold_table": tables.fold_table(results),
        "baseline_table": tables.baseline_table(results),
        "metric_tables": tables.metric_tables(results, story.scores),
        "night_table": None if story.night is None else tables.night_table(story.night, classes),
        "paper_table": tables.paper_table(results, _data_name(story)),
        "data_tables": documents.windows(story.origin),
        "channel_table": _channel_table(story),
        "teacher_tables": documents.teacher(story.teacher),
        "manifest_tables": documents.release(story.manifest, classes),
        "version_table": Table("Versions", ["Software", "Version"], versions, words=2),
        "bounds_table": _bounds_table(story) if story.bounds else None,
    }


def _bounds_table(story: Story) -> Table:
    rows = [[name, f"{most:g}"] for name, most in story.bounds.items()]
    return Table("Your bounds", ["Bound", "At most"], rows)


def _audit(story: Story) -> dict[str, Any] | None:
    """What the page says of the audit."""
    if story.privacy is None:
        return None
    return {
        "verdict": privacy.verdict(story.privacy),
        "picture": pictures.of_attacks(story.privacy),
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
