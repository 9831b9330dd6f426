"""A sweep: what a grid lacks is made by jobs, then all that is there becomes records and tables.

`scripts/sweep.py` says what a grid is and where its results lie.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from stimjax import batch
from stimjax.batch import Batch
from stimjax.disk import store
from stimjax.disk.documents import Metrics, Scores
from stimjax.errors import StimjaxError
from stimjax.experiments import grids, jobs, tables
from stimjax.experiments.grids import Run
from stimjax.experiments.jobs import Workers
from stimjax.experiments.rows import PREDICTED, Fold, Row
from stimjax.machine.extras import library
from stimjax.machine.progress import reporter
from stimjax.students import study as studies


def sweep(grid: Path, data: Sequence[Path], out: Path, workers: Workers) -> list[str]:
    """Make what the grid lacks, gather all; a line for each run that has failed.

    Raises:
        StimjaxError: the grid, the recordings or the executor are not what they have to be.
    """
    for name in ("submitit", "pyarrow"):  # before hours of work
        library(name)
    runs, simulated = grids.read_grid(grid)
    if simulated == bool(data):
        raise StimjaxError(f"{grid}: give either --data or a section `simulation`")
    for path in data:
        if not path.exists():
            raise StimjaxError(f"{path}: is missing")
    data = [path.absolute() for path in data]
    out = out.absolute()  # a job may start elsewhere
    out.mkdir(mode=0o700, parents=True, exist_ok=True)
    executor = jobs.open_executor(workers, out / "jobs")
    pieces = [jobs.pieces_of(run, data, out) for run in runs]
    everything = itertools.chain.from_iterable(pieces)
    with store.locked(out), reporter() as report:
        lost = jobs.make(everything, executor, workers.count, report)
        gather(runs, data, out, out / "tables" / grid.stem)
    failed = []
    for run, parts in zip(runs, pieces, strict=True):
        reasons = dict.fromkeys(lost[piece.place] for piece in parts if piece.place in lost)
        if reasons:
            failed.append(f"{run}: {'; '.join(reasons)}")
    return failed


def gather(runs: Sequence[Run], data: Sequence[Path], out: Path, folder: Path) -> None:
    """Write the tables and the plot of all students that are there into `folder`."""
    records = [record for run in runs for record in _records(run, data, out)]
    if not records:
        return
    repeats = "seed" if len({run.seed for run in runs}) > 1 else "student_seed"
    folder.mkdir(parents=True, exist_ok=True)
    tables.write(folder, records, list(runs[0].swept), repeats)


def _records(run: Run, data: Sequence[Path], out: Path) -> Iterator[dict[str, Any]]:
    """The metrics of a run, a record for each number."""
    of_run = {"configuration": run.configuration, **run.swept, "seed": run.seed}
    for fold in grids.folds_of(run, data, out):
        for row in grids.rows_of(run, fold):
            for about, scores in _judged(row, fold):
                for metric, value in dataclasses.asdict(scores).items():
                    yield of_run | about | {"metric": metric, "value": value}


def _judged(row: Row, fold: Fold) -> Iterator[tuple[dict[str, Any], Scores]]:
    """The students of a row that are there, each from each seed; the teacher with those of real.

    Of each what `tables.ABOUT` names, and its scores.
    """
    study = fold.job(row).study
    of_teacher = fold.teacher(row)
    if row.source == "real" and (of_teacher / Metrics.FILE).exists():
        about = (fold.number, "teacher", "teacher", "real", 0)
        yield dict(zip(tables.ABOUT, about, strict=True)), Metrics.load(of_teacher).test
    for student in study.students:
        place = fold.piece(row, student) / PREDICTED
        if place.exists():
            predicted = {(student, row.source): store.load_arrays(place)["probability"]}
            for one in studies.rows(predicted, _test(fold.windows), study, fold.number):
                seed = one.seed - study.seed  # from 0 in every fold
                about = (fold.number, one.student, one.family, one.trained_on, seed)
                yield dict(zip(tables.ABOUT, about, strict=True)), one.scores


@functools.cache
def _test(windows: Path) -> Batch:
    return studies.without_values(batch.load(windows, "test"))
