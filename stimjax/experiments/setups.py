"""A setup: the rows of a table of methods, read from its file, made fold by fold, and judged.

`scripts/ablations/run.py` says what a setup is and where its results lie.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from stimjax import batch, config
from stimjax.config import settings
from stimjax.disk import store
from stimjax.errors import StimjaxError
from stimjax.experiments.rows import (
    ABOUT,
    PREDICTED,
    Fold,
    Images,
    Row,
    make_students,
    make_windows,
)
from stimjax.job import stages
from stimjax.learn import teacher as teachers
from stimjax.machine.progress import reporter
from stimjax.students import baselines


def fill(
    setup: Path,
    data: tuple[Path, ...],
    out: Path,
    folds: Sequence[int] = (),
    rows: Sequence[str] = (),
    against: str = "real",
) -> None:
    """Make the pieces of a setup that are missing, and gather all that are complete.

    Args:
        setup: the YAML file.
        data: recordings, or two files: images, then their labels.
        out: folder of the pieces.
        folds: these only; all of them without.
        rows: these only; all of them without.
        against: the row that students are compared with.

    Raises:
        StimjaxError: the setup, the data or a name are not what they have to be, or a piece was
            made with other settings.
    """
    every, images = read_setup(setup)
    if images is not None and len(data) != 2:
        raise StimjaxError("name two files of --data: images, then their labels")
    names = [row.name for row in every]
    for name in (*rows, against):
        if name not in names:
            raise StimjaxError(f"there is no row {name!r}; choose from {', '.join(names)}")
    chosen = [row for row in every if not rows or row.source == "real" or row.name in rows]
    other, count = every[names.index(against)], every[0].job.prepare.folds
    out.mkdir(mode=0o700, parents=True, exist_ok=True)  # holds private windows and teachers
    with reporter() as report:
        places = [Fold(k, out / f"fold-{k}", report) for k in range(count)]
        for number in folds or range(count):
            if not 0 <= number < count:
                raise StimjaxError(f"there is no fold {number}; there are {count}, from 0")
            make_windows(every[0].job.prepare, places[number], data, images)
            for row in (row for row in chosen if number < row.folds):
                make_students(row, places[number])
            for row in (row for row in every[1:] if row is not other):
                gather(row, other, places, out)


def read_setup(path: Path) -> tuple[list[Row], Images | None]:
    """The rows of a setup, "real" first, and how to deal images if it is about images.

    Raises:
        StimjaxError: the file says what no setup can say.
    """
    content = dict(settings.read(path))
    lines = content.pop("rows", None)
    if not isinstance(lines, dict) or not lines:
        raise StimjaxError(f"{path}: rows has to be `name: settings` lines")
    images = content.pop("images", None)
    default = settings.over(config.Job(), content, str(path))
    rows = [_row("real", {"source": "real"}, default, path)] + [
        _row(str(name), line or {}, default, path) for name, line in lines.items() if name != "real"
    ]
    try:
        return rows, None if images is None else Images(**images)
    except TypeError as error:
        raise StimjaxError(f"{path}: images has to be {{train: N, validation: N}}") from error


def _row(name: str, content: dict[str, Any], default: config.Job, path: Path) -> Row:
    where = f"{path}: rows.{name}"
    sections = {key: value for key, value in content.items() if key not in ("source", "folds")}
    source, folds = content.get("source", "stimuli"), content.get("folds", default.prepare.folds)
    sources = ("stimuli", "real", "given", *baselines.BASELINES)
    if source not in sources:
        raise StimjaxError(f"{where}.source is {source!r}; choose from {', '.join(sources)}")
    if not isinstance(folds, int) or not 1 <= folds <= default.prepare.folds:
        raise StimjaxError(f"{where}.folds is {folds!r}; there are {default.prepare.folds}")
    if "prepare" in sections:
        raise StimjaxError(f"{where}.prepare: all rows have the same windows; make another setup")
    return Row(name, source, folds, settings.over(default, sections, where))


def gather(row: Row, other: Row, folds: list[Fold], out: Path) -> None:
    """Write the results of a row over the folds in which it and the other row are complete."""
    students = row.job.study.students
    complete = [
        fold
        for fold in folds[: row.folds]
        if all(fold.piece(one, name).exists() for one in (row, other) for name in students)
    ]
    if not complete:
        return
    place = "study" if other.name == "real" else f"against-{other.name}"
    with store.new_folder(out / row.name / place, overwrite=True) as folder:
        judged = [_judged(row, other, fold) for fold in complete]
        results, _ = stages.write_results(judged, folder, row.job.study, other.name)
        if row.source == "stimuli":
            about = [store.read_json(fold.source(row) / ABOUT) for fold in complete]
            dataclasses.replace(results, made=_means(about)).save(folder)


def _means(about: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Means over folds of the numbers about stimuli; what they use is the same in each."""
    numbers = [{key: one[key] for key in one if key != "uses"} for one in about]
    means = {key: np.mean([one[key] for one in numbers], axis=0).tolist() for key in numbers[0]}
    return means | {"uses": about[0]["uses"]}


def _judged(row: Row, other: Row, fold: Fold) -> stages.Judged:
    test = batch.load(fold.windows, "test")
    name_of = {row.name: "stimuli" if row.source == "stimuli" else row.name}
    predictions = {
        (name, name_of.get(one.name, one.name)): store.load_arrays(
            fold.piece(one, name) / PREDICTED
        )["probability"]
        for name in row.job.study.students
        for one in (other, row)
    }
    answer = None
    if row.source not in ("gaussian", "given"):
        answer = _answer(fold.teacher(row), fold.windows)
    split, study = stages.split_of(fold.windows), fold.job(row).study
    return stages.judge(predictions, split, test, study, answer, fold.number)


@functools.cache  # wanted by every row, again after every fold
def _answer(teacher: Path, windows: Path) -> tuple[np.ndarray, tuple[str, ...]]:
    """The probabilities of a teacher for the test windows, and its networks."""
    judge = teachers.load(teacher)
    return judge.probability(batch.load(windows, "test").x), judge.networks
