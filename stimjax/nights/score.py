"""From nights and models to a folder: the minutes of each, all in sum, agreement with scorers."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from stimjax.data import like as likes
from stimjax.data import reader
from stimjax.data.like import Like, Night
from stimjax.disk.documents import AgreementFile, Compared, Nights, NightSummary
from stimjax.disk.store import write_json
from stimjax.errors import StimjaxError
from stimjax.machine.progress import Reporter
from stimjax.machine.versions import versions
from stimjax.nights import agreement, files, page, severity, viewer, words
from stimjax.nights.night import ScoredNight, quantity, summary
from stimjax.students.study import refuse_other
from stimjax.trained import coverage, model
from stimjax.trained.model import Model

OWN = ("index", "nights", "agreement", "config")  # names of the folder's own files
QUANTITY = {
    "apnea": "apnea minutes an hour",
    "stages": "minutes of sleep in an hour of staged time",
}
HOW = (
    "Compared are the minutes that the scorer and all models scored. Intervals are of 95 %: of "
    "kappas by a bootstrap of nights, of the ICC(2,1) by Shrout and Fleiss (1979), of bias and "
    "limits by Bland and Altman (1999), of sensitivity and specificity by Wilson."
)


class Named(NamedTuple):
    """A model and what it is called."""

    name: str
    model: Model


@dataclasses.dataclass(frozen=True)
class Rated:
    """The minutes of a night that a person and all models scored.

    Attributes:
        night: by the first model.
        scorer: the class of each minute by the person.
        models: the same by each model.
    """

    night: ScoredNight
    scorer: Int[np.ndarray, " n"]
    models: tuple[Int[np.ndarray, " n"], ...]


def load(folders: Sequence[Path]) -> list[Named]:
    """The models of some folders, which have to take the same windows.

    Raises:
        StimjaxError: one is no model, was changed, or takes other windows than the first.
    """
    names = files.unique(folders, ())
    found = [Named(n, model.load(folder)) for n, folder in zip(names, folders, strict=True)]
    for folder, other in zip(folders[1:], found[1:], strict=True):
        refuse_other(found[0].model.spec, other.model.spec, f"{folder}: windows of the model")
    return found


def score(
    models: Sequence[Named],
    like: Like,
    paths: Sequence[Path],
    folder: Path,
    *,
    skip_bad: bool = False,
    report: Reporter,
) -> tuple[Nights, AgreementFile | None]:
    """Fill an empty folder with what models say of nights.

    Args:
        models: the first scores the nights; the others are compared with scorers beside it.
        like: how nights are prepared for them.
        paths: recordings, or folders with them.
        folder: that `store.new_folder` gave.
        skip_bad: name nights that cannot be scored, instead of stopping.
        report: is told of warnings and of nights that were left out.

    Raises:
        StimjaxError: a night cannot be scored, or none can.
    """
    recordings = reader.find(paths)
    names = files.unique(recordings, OWN)
    failed: dict[str, str] = {}
    found: list[NightSummary] = []
    rated: list[Rated] = []
    report.stage("scoring nights")
    for number, (path, name) in enumerate(zip(recordings, names, strict=True)):
        try:
            prepared = likes.night(path, like)
        except StimjaxError as error:
            if not skip_bad:
                raise
            failed[path.name] = str(error)
            report.note(f"left out: {error}")
            continue
        night = scored(models[0].model, prepared, like, path, name)
        found.append(_write(night, folder, models[0].model.student, like, report.note))
        if night.both.any():
            rated.append(_rated(night, prepared, models))
        report.progress(number + 1, len(recordings))
    if not found:
        raise StimjaxError("not one night could be scored")
    if not rated:
        report.note("nobody scored these nights: no agreement was measured")
    return _finish(folder, models, found, failed, rated)


def scored(chosen: Model, prepared: Night, like: Like, path: Path, name: str) -> ScoredNight:
    """A prepared night as a model scores it."""
    usable = prepared.why == ""
    probability = np.full((len(usable), len(like.spec.classes)), np.nan)
    probability[usable] = chosen.predict_proba(prepared.x)
    uncovered = np.zeros(len(usable), bool)
    uncovered[usable] = coverage.outside(prepared.x, chosen.coverage)
    return ScoredNight(
        name=name,
        path=path,
        recording=prepared.recording,
        task=like.plan.task,
        seconds=like.plan.label_seconds,
        start=prepared.start,
        why=prepared.why,
        probability=probability,
        label=prepared.label,
        uncovered=uncovered,
        outside=float(uncovered[usable].mean()) > coverage.MOST,
    )


def _write(
    night: ScoredNight, folder: Path, student: str, like: Like, note: Callable[[str], None]
) -> NightSummary:
    """Write the files of a night."""
    in_sum = summary(night)
    for line in words.warnings(in_sum):
        note(f"{night.path}: {line}")
    files.write_csv(folder / f"{night.name}.csv", files.minutes(night))
    document = files.document(night, in_sum, student, versions())
    write_json(folder / f"{night.name}.json", document.to_json())
    files.write_edf(folder / f"{night.name}.edf", night, student)
    text = viewer.page(night, in_sum, like.plan.channels)
    (folder / f"{night.name}.html").write_text(text, encoding="utf-8")
    return in_sum


def _rated(night: ScoredNight, prepared: Night, models: Sequence[Named]) -> Rated:
    both, usable = night.both, night.usable
    called = [night.called[both]]
    for other in models[1:]:
        called.append(other.model.predict_proba(prepared.x).argmax(axis=1)[both[usable]])
    return Rated(night, night.label[both], tuple(called))


def _finish(
    folder: Path,
    models: Sequence[Named],
    found: Sequence[NightSummary],
    failed: dict[str, str],
    rated: Sequence[Rated],
) -> tuple[Nights, AgreementFile | None]:
    """Write what is said of all nights together."""
    first = models[0].model
    nights = Nights(
        student=first.student,
        release=first.release,
        interval=severity.HOW,
        nights=tuple(found),
        failed=failed,
        versions=versions(),
    )
    nights.save(folder)
    files.write_csv(folder / "nights.csv", map(files.in_sum, found))
    compared = _compared(models, rated) if rated else None
    if compared is not None:
        compared.save(folder)
        files.write_csv(folder / "agreement.csv", page.rows(compared))
    text = page.page(nights, compared)
    (folder / "index.html").write_text(text, encoding="utf-8")
    return nights, compared


def _compared(models: Sequence[Named], rated: Sequence[Rated]) -> AgreementFile:
    task = rated[0].night.task
    nights = []
    for one in rated:
        numbers = [quantity(one.night, called) for called in (one.scorer, *one.models)]
        nights.append(Compared(one.night.name, len(one.scorer), numbers[0], tuple(numbers[1:])))
    scorer = [one.scorer for one in rated]
    found = []
    for k in range(len(models)):
        called = [one.models[k] for one in rated]
        quantities = np.array([(night.scorer, night.models[k]) for night in nights])
        found.append(agreement.agreement(scorer, called, quantities, severities=task == "apnea"))
    names = tuple(one.name for one in models)
    return AgreementFile(QUANTITY[task], names, tuple(found), tuple(nights), HOW, versions())
