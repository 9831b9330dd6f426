"""The pieces of a run as jobs of submitit: each is made once, stage after stage.

Nothing is made twice at the same time, for a stage is submitted when the one before it has ended.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from stimjax import config
from stimjax.config import settings
from stimjax.errors import StimjaxError
from stimjax.experiments import grids, rows
from stimjax.experiments.grids import Run
from stimjax.experiments.rows import Fold, Row
from stimjax.job import cohort
from stimjax.machine import runtime
from stimjax.machine.extras import library
from stimjax.machine.progress import Lines, Reporter

if TYPE_CHECKING:
    import submitit

STAGES = ("recordings", "windows", "teachers", "stimuli", "students")
MINUTES = 24 * 60  # after which a job is stopped and goes on in a new one
# Names of submitit for every executor; other names of `Workers.slurm` are sbatch's.
COMMON = ("timeout_min", "mem_gb", "cpus_per_task", "gpus_per_node")


@dataclasses.dataclass(frozen=True)
class Workers:
    """Where jobs run.

    Attributes:
        executor: local processes, job arrays of Slurm, or debug: in this process.
        count: jobs at the same time; 0 is one local process, or what Slurm allows.
        slurm: KEY=VALUE for sbatch, or of `COMMON` for all.
    """

    executor: Literal["local", "slurm", "debug"] = "local"
    count: int = 0
    slurm: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Piece:
    """A folder that a job makes, from folders of earlier stages."""

    stage: str
    place: Path
    needs: tuple[Path, ...]
    make: Callable[[], object]


def pieces_of(run: Run, data: Sequence[Path], out: Path) -> list[Piece]:
    """All that a run consists of, in the order of the stages."""
    pieces, needs = [], ()
    if not data:
        place = grids.recordings_of(run, out)
        make = functools.partial(_simulate, place, run.job.simulation)
        pieces, needs = [Piece("recordings", place, (), make)], (place,)
    for fold in grids.folds_of(run, data, out):
        recordings = tuple(data) or needs
        make = functools.partial(rows.make_windows, run.job.prepare, fold, recordings)
        pieces.append(Piece("windows", fold.windows, needs, make))
        for row in grids.rows_of(run, fold):
            pieces += _pieces_of_row(row, fold)
    return sorted(pieces, key=lambda piece: STAGES.index(piece.stage))


def _pieces_of_row(row: Row, fold: Fold) -> Iterator[Piece]:
    needs = (fold.windows,)
    if row.source == "stimuli":  # the other rows of the run have the same teacher
        make = functools.partial(rows.make_teacher, row, fold)
        yield Piece("teachers", fold.teacher(row), needs, make)
        make = functools.partial(rows.make_source, row, fold)
        yield Piece("stimuli", fold.source(row), (fold.teacher(row),), make)
        needs = (fold.source(row),)
    elif row.source != "real":
        needs = (fold.teacher(row),)
    for student in row.job.study.students:
        study = dataclasses.replace(row.job.study, students=(student,))
        of_student = dataclasses.replace(row, job=dataclasses.replace(row.job, study=study))
        make = functools.partial(rows.make_students, of_student, fold)
        yield Piece("students", fold.piece(row, student), needs, make)


def _simulate(place: Path, simulation: config.Simulation) -> None:
    def simulated(folder: Path) -> None:
        cohort.simulate_recordings(folder, simulation, Lines())

    rows.once(place, settings.dump(simulation), simulated)


class Work:
    """What a job does: after a time limit or preemption a new one makes what still lacks."""

    def __call__(self, pieces: Sequence[Piece]) -> list[str]:
        """Make pieces one after the other; for each why it failed, or nothing."""
        runtime.start()
        return [_attempt(piece) for piece in pieces]

    def checkpoint(self, pieces: Sequence[Piece]) -> submitit.helpers.DelayedSubmission:
        """The job that goes on where this one was stopped, as submitit asks for it."""
        return library("submitit.helpers").DelayedSubmission(self, pieces)


def _attempt(piece: Piece) -> str:
    try:
        piece.make()
    except StimjaxError as error:
        return str(error)
    except Exception as error:  # a run that fails must not end the others
        traceback.print_exc()
        return " ".join(f"{type(error).__name__}: {error}".split())
    return ""


def make(
    pieces: Iterable[Piece], executor: submitit.AutoExecutor, workers: int, report: Reporter
) -> dict[Path, str]:
    """Make the pieces that are not there; why those that are missing afterward are."""
    different = {piece.place: piece for piece in pieces}
    lost: dict[Path, str] = {}
    for stage in STAGES:
        ready = []
        for piece in different.values():
            if piece.stage != stage or piece.place.exists():
                continue
            reason = next((lost[need] for need in piece.needs if need in lost), None)
            if reason is None:
                ready.append(piece)
            else:
                lost[piece.place] = reason
        if ready:
            report.stage(f"{stage}: {len(ready)} to make")
            executor.update_parameters(name=f"stimjax-{stage}")
        jobs = _together(ready)
        for done, (ended, reasons) in enumerate(_submit(jobs, executor, workers), 1):
            lost |= {piece.place: why for piece, why in zip(ended, reasons, strict=True) if why}
            report.progress(done, len(jobs))
    return lost


def _together(pieces: Sequence[Piece]) -> list[list[Piece]]:
    """What each job makes: one piece, or all students that learn from the same."""

    def job_of(piece: Piece) -> Path:
        return piece.place.parent if piece.stage == "students" else piece.place

    return [list(job) for _, job in itertools.groupby(sorted(pieces, key=job_of), job_of)]


def _submit(
    jobs: Sequence[list[Piece]], executor: submitit.AutoExecutor, workers: int
) -> Iterator[tuple[list[Piece], list[str]]]:
    """The jobs with their reasons, in order: one array of Slurm, or so many processes at a time."""
    if not jobs:
        return
    if executor.cluster == "slurm":
        try:
            submitted = executor.map_array(Work(), jobs)
        except library("submitit.core.utils").FailedJobError as error:
            last = str(error).strip().splitlines()[-1]
            raise StimjaxError(f"Slurm takes no jobs: {last}; see --slurm") from error
        try:
            for one, pieces in zip(submitted, jobs, strict=True):
                yield pieces, _reasons(one, pieces)
        finally:
            for one in submitted:  # those that an interruption has left over
                if not one.done():
                    one.cancel()
    else:
        with ThreadPoolExecutor(workers or 1) as pool:  # submitit would start all at once

            def wait(pieces: list[Piece]) -> list[str]:
                return _reasons(executor.submit(Work(), pieces), pieces)

            yield from zip(jobs, pool.map(wait, jobs), strict=True)


def _reasons(submitted: submitit.Job[list[str]], pieces: list[Piece]) -> list[str]:
    if submitted.exception() is None:
        return submitted.result()
    # Killed, out of memory or time: what a piece raises comes back as its reason.
    return [f"job {submitted.job_id} died; see {submitted.paths.stderr}" for _ in pieces]


def open_executor(workers: Workers, folder: Path) -> submitit.AutoExecutor:
    """The executor for these workers; `folder` is for what submitit and the jobs say.

    Raises:
        StimjaxError: there is no Slurm here, or it knows no such parameter.
    """
    parameters: dict[str, Any] = {"timeout_min": MINUTES}
    if workers.count:
        parameters["slurm_array_parallelism"] = workers.count
    for word in workers.slurm:
        name, equals, value = word.partition("=")
        if not name or not equals:
            raise StimjaxError(f"--slurm {word}: has to be KEY=VALUE, as in partition=gpu")
        whole = int(value) if value.isdigit() else value
        parameters[name if name in COMMON else f"slurm_{name}"] = whole
    submitit = library("submitit")
    try:
        executor = submitit.AutoExecutor(folder / "%j", cluster=workers.executor)
        executor.update_parameters(**parameters)
    except (RuntimeError, NameError, AssertionError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise StimjaxError(f"--executor {workers.executor}: {reason}") from error
    return executor
