"""The report's tables of what was prepared, of the teacher, and of what is published."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from stimjax import config
from stimjax.config.recipes import Recipe
from stimjax.disk.documents import Cohort, Made, Manifest, Metrics, PeopleBehind
from stimjax.learn import limits
from stimjax.report.names import named
from stimjax.report.tables import ALL, METRICS, UNDEFINED, Table, label, scaled, text


def windows(origin: Made) -> list[Table]:
    """What was prepared: the split, and of recordings how many windows each part has."""
    settings, cohort = origin.settings, origin.cohort
    rows = [["split", settings.split]]
    if isinstance(settings, config.Prepare) and settings.folds > 1:
        rows.append(["folds", text(settings.folds)])
    if cohort is not None:
        rows.append(["recordings", text(cohort.recordings)])
        rows.append(["subjects", text(cohort.subjects)])
        rows.append(["recordings left out", text(cohort.skipped)])
    first = Table("The prepared windows", ["What", "Value"], rows, words=ALL)
    return [first] if cohort is None else [first, _counts(cohort), _masked(cohort)]


def _counts(cohort: Cohort) -> Table:
    classes = list(dict.fromkeys(name for part in cohort.parts.values() for name in part.classes))
    rows = []
    for name, part in cohort.parts.items():
        by_class = [text(part.classes.get(one, 0)) for one in classes]
        rows.append([name, text(part.windows), *by_class, text(len(part.subjects))])
    return Table("Windows of each part", ["Part", "Windows", *classes, "Subjects"], rows)


def _masked(cohort: Cohort) -> Table:
    reasons = list(dict.fromkeys(name for counts in cohort.masked.values() for name in counts))
    rows = [
        [channel, *(text(counts.get(reason, 0)) for reason in reasons)]
        for channel, counts in cohort.masked.items()
    ]
    return Table("Samples masked or clipped", ["Channel", *map(label, reasons)], rows)


def teacher(metrics: Metrics) -> list[Table]:
    """How good the teacher is on real windows, its networks, and its identity critic."""
    parts = (metrics.validation, metrics.test)
    scores = [
        [heading, *(scaled(getattr(part, name), factor, decimals) for part in parts)]
        for name, heading, factor, decimals in METRICS
        if any(getattr(part, name) is not None for part in parts)
    ]
    members = [
        [
            named(member.network),
            *map(text, (member.radius, member.weight, member.loss, member.accuracy)),
        ]
        for member in metrics.members
    ]
    header = ["Network", "Radius", "Weight", "Loss (validation)", "Accuracy (validation)"]
    tables = [
        Table("The teacher’s metrics", ["", "Validation", "Test"], scores),
        Table("The teacher’s networks", header, members),
    ]
    if metrics.critic is not None:
        critic = metrics.critic
        cells = [
            named(critic.network),
            *map(text, (critic.subjects, critic.accuracy, critic.chance)),
        ]
        header = ["Network", "Subjects", "Accuracy", "Guessing"]
        tables.append(Table("The identity critic", header, [cells]))
    return tables


def release(manifest: Manifest, classes: tuple[str, ...]) -> list[Table]:
    """What is published: how many stimuli, how they were made, what of private data was used."""
    method, guarantee = manifest.method, manifest.privacy
    formal = (
        "none"
        if guarantee.epsilon is None
        else f"epsilon {text(guarantee.epsilon)}, delta {text(guarantee.delta)}, "
        f"for one {guarantee.unit}"
    )
    by = text(method.inhibit_by)
    inhibited = f"{method.inhibit:g} ({by})" if method.inhibit else "none"
    about = {
        "stimuli": text(manifest.count),
        "method": method.method,
        "inhibition": inhibited,
        "steps of all lanes": text(manifest.lane_steps),
        "license": method.license or UNDEFINED,
        "formal guarantee": formal,
    }
    if guarantee.epsilon is not None and guarantee.delta is not None:
        unit = guarantee.unit or "unit"
        about["what that allows"] = limits.sentence(guarantee.epsilon, guarantee.delta, unit)
    if guarantee.audited is not None:
        about["what an attack showed"] = str(guarantee.audited)
    numbers = (manifest.classes, manifest.accepted, manifest.failed, manifest.hits)
    by_class = [[name, *map(text, row)] for name, *row in zip(classes, *numbers, strict=True)]
    header = ["Class", "Stimuli", "Accepted", "Given up", "Called so by the teacher"]
    tables = [
        Table("The release", ["What", "Value"], [[*row] for row in about.items()], words=ALL),
        Table("Stimuli by class, and tries by wanted class", header, by_class),
        Table("The recipe", ["What", "Value"], _recipe(manifest.recipe), words=ALL),
        Table("Private information", ["Used of it"], [[use] for use in manifest.uses], words=ALL),
    ]
    if manifest.people_behind:
        tables.append(_people_behind(manifest.people_behind))
    if guarantee.expenses:
        columns = list(guarantee.expenses[0])
        spent = [[text(expense[column]) for column in columns] for expense in guarantee.expenses]
        header = [label(column) for column in columns]
        tables.append(Table("What was spent of the privacy budget", header, spent))
    return tables


def _people_behind(statistics: Sequence[PeopleBehind]) -> Table:
    """How many people are behind each statistic: of its parts, those with the fewest."""
    rows = [[one.statistic, one.of, *map(text, dataclasses.astuple(one)[2:])] for one in statistics]
    header = ["Statistic", "Of", "Parts", "Filled up with other classes", "Windows", "People"]
    header += ["People in effect", "Largest share of one"]
    return Table("People behind each statistic (the fewest of its parts)", header, rows, words=2)


def _recipe(recipe: Recipe) -> list[list[str]]:
    """The lines of a recipe; of its terms those with a weight."""
    terms = {name: weight for name, weight in dataclasses.asdict(recipe.terms).items() if weight}
    lines = dataclasses.asdict(recipe) | {"terms": terms or "none"}
    return [[label(name), text(value)] for name, value in lines.items()]
