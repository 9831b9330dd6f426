"""The report that may be published beside a release, and the same numbers as a document.

Numbers of students on test people are statistics of these people, and so are those of attacks. So
there are means over people with their intervals, rounded, and nothing of a single person: no
window, no curve of predictions, no worst-off participant, and no number of students where fewer
than two people are behind it.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping

from stimjax.disk.documents import (
    AttackUtility,
    Entry,
    Loss,
    Manifest,
    Privacy,
    Results,
    StudentUtility,
    Utility,
)
from stimjax.report import documents, page, pictures, privacy, tables, verdicts
from stimjax.report.story import Story

FILE = "report.html"
NOTICE = (
    "This report may be published: it holds no recording, no window of a person and no number of a "
    "single one."
)
DIGITS = 3  # more would count windows
OF_ONE = ("worst_subject",)  # metrics that speak of one person
FEWEST = 2  # people behind a number


def contents(story: Story) -> dict[str, str]:
    """The files to be added to a release, by name.

    Args:
        story: of the run that made it. Of its windows and answers nothing is used.
    """
    told = _of_groups(story)
    document = utility(told.results, told.privacy, told.bounds, told.manifest)
    text = json.dumps(document.to_json(), indent=2, allow_nan=False) + "\n"
    return {FILE: render(told), Utility.FILE: text}


def _of_groups(story: Story) -> Story:
    """The story without what speaks of a single person."""
    results, audit = story.results, story.privacy
    if any(loss.accuracy_gap_ci is None for loss in results.summary):
        results = dataclasses.replace(results, rows=(), summary=(), teacher=None)
    if audit is not None:
        few = min(audit.on.members.subjects, audit.on.others.subjects) < FEWEST
        shown = () if few else tuple(e for e in audit.attacks if e.metric not in OF_ONE)
        shown = tuple(dataclasses.replace(e, note="") for e in shown)
        audit = dataclasses.replace(audit, attacks=shown)
    return dataclasses.replace(story, results=results, privacy=audit, night=None, answers=None)


def utility(
    results: Results, audit: Privacy | None, bounds: Mapping[str, float], manifest: Manifest
) -> Utility:
    """The document."""
    losses = [loss for loss in results.summary if loss.trained_on == "stimuli"]
    attacks = () if audit is None else audit.attacks
    return Utility(
        of=whose(results),
        students=tuple(_student(loss, results) for loss in losses),
        test=results.test,
        attacks=tuple(_attack(entry) for entry in attacks if entry.metric not in OF_ONE),
        epsilon=manifest.privacy.epsilon,
        delta=manifest.privacy.delta,
        bounds=dict(bounds),
        versions=results.versions,
    )


def whose(results: Results) -> str:
    """Whose numbers these are."""
    by = "windows" if results.test.split == "random" else "subjects"
    return (
        "Means over training seeds on the data holder's own test part, which had no part in the "
        f"release; 95 % intervals are a {results.test.intervals}, and speak of other {by} like "
        "these."
    )


def _student(loss: Loss, results: Results) -> StudentUtility:
    accuracy, kappa = (
        tables.mean_of(results.rows, metric, loss.student, "stimuli")[0]
        for metric in ("accuracy", "kappa")
    )
    return StudentUtility(
        student=loss.student,
        family=loss.family,
        accuracy=_rounded(accuracy),
        kappa=_rounded(kappa),
        accuracy_lost=_rounded(loss.accuracy_gap),
        accuracy_lost_ci=_ends(loss.accuracy_gap_ci),
        kappa_lost=_rounded(loss.kappa_gap),
        kappa_lost_ci=_ends(loss.kappa_gap_ci),
        non_inferior=loss.non_inferior,
    )


def _attack(entry: Entry) -> AttackUtility:
    return AttackUtility(
        attack=entry.attack,
        metric=entry.metric,
        level=entry.level,
        value=_rounded(entry.value),
        ci=_ends(entry.ci),
        chance=round(entry.chance, DIGITS),
        blind=privacy.blind(entry),
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)


def _ends(ends: tuple[float, float] | None) -> tuple[float, float] | None:
    return None if ends is None else (round(ends[0], DIGITS), round(ends[1], DIGITS))


def render(story: Story) -> str:
    """The page as text."""
    results, audit = story.results, story.privacy
    classes = story.real.spec.classes
    return page.render(
        "public.html.j2",
        NOTICE,
        title=f"What this release teaches, and what it tells of people: {', '.join(classes)}",
        simulated=story.simulated,
        verdicts=[
            verdicts.students(results),
            verdicts.people(audit),
            verdicts.published(story.bounds, audit),
        ],
        whose=whose(results),
        student_pictures=pictures.of_students(results, None)[:1],
        gap_table=tables.gap_table(results) if results.summary else None,
        audit=None if audit is None or not audit.attacks else privacy.verdict(audit),
        attacks=None if audit is None else pictures.of_attacks(audit),
        attack_table=None if audit is None else privacy.table(audit),
        meanings=[] if audit is None else privacy.meanings(audit),
        bounds=story.bounds,
        manifest_tables=documents.release(story.manifest, classes),
    )
