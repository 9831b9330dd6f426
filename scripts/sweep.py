"""A grid of configurations: what is missing is made through submitit, then one table and a plot.

python scripts/sweep.py GRID.yaml [--data PATH...] --out RESULTS
    [--executor local|slurm|debug] [--workers N] [--slurm KEY=VALUE...]

A grid is a configuration file (the sections of `--config`) with `grid`: dotted settings and the
values that each takes; every combination is a configuration. `seeds: [0, 1, 2]` repeats each of
them as a whole, from the split on, as `--seed` would. With a section `simulation` a simulated
cohort, made once, is used instead of `--data`.

A run is a configuration with a seed. Runs share what does not differ between them, and RESULTS
keeps it by a hash of its settings: what is there is not made again, and what has failed is tried
again by the same command. Nothing is made twice at the same time, for each stage (recordings,
windows, teachers, stimuli, students) is submitted when the one before it has ended.

    RESULTS                     mode 0700, for it holds what is private
    RESULTS/pieces              as `scripts/ablations/run.py` makes them; grids may share them
    RESULTS/jobs                what submitit and the jobs say
    RESULTS/tables/GRID         the results of GRID.yaml
        seeds.parquet           a row for each number: run, fold, student, metric
        table.parquet, table.md means and 95 % intervals over the seeds
        accuracy.png            accuracy against the first setting of the grid

The exit status is 1 if a run has failed, and 2 if nothing was submitted because of bad input.
"""

from __future__ import annotations

import copy
import dataclasses
import functools
import itertools
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any, Literal

import submitit
import sweep_table
import tyro
from ablations import run as ablations
from submitit.core.utils import FailedJobError
from submitit.helpers import Checkpointable, environment_variables

from stimjax import config
from stimjax.batch import Batch
from stimjax.config import settings
from stimjax.data import prepare
from stimjax.disk import store
from stimjax.errors import StimjaxError
from stimjax.excite import methods
from stimjax.job import cohort
from stimjax.machine import runtime
from stimjax.machine.progress import Lines, Reporter, reporter
from stimjax.study import students as studies

STAGES = ("recordings", "windows", "teachers", "stimuli", "students")
MINUTES = 24 * 60  # after which a job is stopped and goes on in a new one
# Names of submitit for every executor; other names of --slurm are sbatch's.
COMMON = ("timeout_min", "mem_gb", "cpus_per_task", "gpus_per_node")


@dataclasses.dataclass(frozen=True)
class Asked:
    """Make what a grid lacks, and its table.

    Attributes:
        grid: the YAML file.
        out: folder of the results.
        data: recordings; none if the file has a section `simulation`.
        executor: local processes, job arrays of Slurm, or debug: in this process.
        workers: jobs at the same time; 0 is one local process, or what Slurm allows.
        slurm: KEY=VALUE for sbatch (partition=gpu), or for all (timeout_min, mem_gb,
            cpus_per_task, gpus_per_node; a local job sees no GPU without the last).
    """

    grid: Annotated[Path, tyro.conf.Positional]
    out: Path
    data: tuple[Path, ...] = ()
    executor: Literal["local", "slurm", "debug"] = "local"
    workers: int = 0
    slurm: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Run:
    """A configuration with a seed.

    Attributes:
        configuration: its number.
        swept: what the grid sets in it.
        seed: of the whole job; None leaves each section its own.
        job: all settings.
    """

    configuration: int
    swept: dict[str, Any]
    seed: int | None
    job: config.Job

    def __str__(self) -> str:
        said = ", ".join(f"{name} {sweep_table.text(v)}" for name, v in self.swept.items())
        seed = "" if self.seed is None else f", seed {self.seed}"
        return f"configuration {self.configuration} ({said}){seed}"


@dataclasses.dataclass(frozen=True)
class Piece:
    """A folder that a job makes, from folders of earlier stages."""

    stage: str
    place: Path
    needs: tuple[Path, ...]
    make: Callable[[], object]


class Work(Checkpointable):
    """What a job does: after a time limit or preemption a new one makes what still lacks."""

    def __call__(self, pieces: Sequence[Piece]) -> list[str]:
        """Make pieces one after the other; for each why it failed, or nothing."""
        runtime.start()
        return [_attempt(piece) for piece in pieces]


def _attempt(piece: Piece) -> str:
    try:
        piece.make()
    except StimjaxError as error:
        return str(error)
    except Exception as error:  # a run that fails must not end the others
        traceback.print_exc()
        return " ".join(f"{type(error).__name__}: {error}".split())
    return ""


def read_grid(path: Path) -> tuple[list[Run], bool]:
    """The runs of a grid, and whether it says something about simulated recordings.

    Raises:
        StimjaxError: the file says what no grid can say.
    """
    content = settings.read(path)
    grid, seeds = {}, [None]
    if isinstance(content, dict):
        content = dict(content)
        grid, seeds = content.pop("grid", {}), content.pop("seeds", [None])
    settings.over(settings.DEFAULT, content, str(path))
    _check_lists(path, grid, seeds)
    found: list[Run] = []
    for number, values in enumerate(itertools.product(*grid.values())):
        swept = dict(zip(grid, values, strict=True))
        asked = settings.over(settings.DEFAULT, _with(content, swept), f"{path}: grid")
        _refuse_fold(asked, f"{path}: configuration {number}")
        for other in found:
            if other.job == _seeded(asked, other.seed):
                raise StimjaxError(f"{path}: grid: a value stands twice ({other})")
        typed = {name: _typed(asked, name, value) for name, value in swept.items()}
        found += [Run(number, typed, seed, _seeded(asked, seed)) for seed in seeds]
    simulated = any(name.partition(".")[0] == "simulation" for name in (*content, *grid))
    return found, simulated


def _check_lists(path: Path, grid: Any, seeds: Any) -> None:
    if not isinstance(grid, dict) or not grid:
        raise StimjaxError(f"{path}: grid has to be `setting: [value, ...]` lines, at least one")
    for name, values in grid.items():
        if not isinstance(name, str) or not isinstance(values, list) or not values:
            raise StimjaxError(
                f"{path}: grid: {name} has to be a list of values ([a, b]), at least one"
            )
    if seeds == [None]:
        return
    whole = isinstance(seeds, list) and all(type(seed) is int for seed in seeds)
    if not whole or not seeds or len(set(seeds)) < len(seeds):
        raise StimjaxError(f"{path}: seeds has to be a list of different whole numbers ([0, 1])")
    for seed in seeds:
        if not 0 <= seed <= settings.LARGEST_SEED:
            raise StimjaxError(f"{path}: seeds: {seed} is not from 0 to {settings.LARGEST_SEED}")
    for name in grid:
        if name.rpartition(".")[2] == "seed":
            raise StimjaxError(f"{path}: grid: {name} is set by seeds; leave out one of them")


def _with(content: dict[str, Any], swept: dict[str, Any]) -> dict[str, Any]:
    """The content of a configuration file with some settings replaced."""
    content = copy.deepcopy(content)
    for name, value in swept.items():
        *sections, last = name.split(".")
        inner = content
        for section in sections:
            if not isinstance(inner.get(section), dict):
                inner[section] = {}
            inner = inner[section]
        inner[last] = copy.deepcopy(value)
    return content


def _typed(asked: config.Job, name: str, value: Any) -> Any:
    """The value of a setting, for which a file may say 1e-3; of a section what the file says."""
    found = functools.reduce(getattr, name.split("."), asked)
    if isinstance(found, tuple):
        return list(found)
    return found if isinstance(found, bool | int | float | str) else value


def _refuse_fold(asked: config.Job, where: str) -> None:
    """One fold alone, where a run tests all of them."""
    if asked.prepare.folds > 1 and asked.prepare.fold:
        raise StimjaxError(
            f"{where}: all {asked.prepare.folds} folds are tested; leave out prepare.fold"
        )


def _seeded(asked: config.Job, seed: int | None) -> config.Job:
    """As `--seed`, but for the recordings, which all runs share."""
    return dataclasses.replace(settings.seeded(asked, seed), simulation=asked.simulation)


def folds_of(run: Run, data: Sequence[Path], out: Path) -> list[ablations.Fold]:
    """The folds of a run; where they lie depends on the recordings and their preparation."""
    recordings = [str(path) for path in data] or [recordings_of(run, out).name]
    digest = ablations.digest(settings.dump(run.job.prepare) + repr(recordings))
    place = out / "pieces" / f"data-{digest}"
    count = run.job.prepare.folds
    return [ablations.Fold(k, place / f"fold-{k}", Lines()) for k in range(count)]


def rows_of(run: Run, fold: ablations.Fold) -> list[ablations.Row]:
    """What the students of a run learn from; equal rows of different runs have one name."""
    asked = run.job
    release = settings.dump(asked.teacher, methods.resolved(asked.synthesis))
    found = []
    for source in dict.fromkeys(("real", "stimuli", *asked.study.baselines)):
        row = ablations.Row(source, source, asked.prepare.folds, asked)
        if source == "real":  # whose labels are hard anyway
            study = dataclasses.replace(asked.study, labels="soft")
            row = dataclasses.replace(row, job=dataclasses.replace(asked, study=study))
        name = f"{source}-{ablations.digest(fold.settings(row, ''))}"
        shared = f"release-{ablations.digest(release)}"
        found.append(dataclasses.replace(row, name=name, stimuli=shared))
    return found


def recordings_of(run: Run, out: Path) -> Path:
    """Where the simulated recordings of a run lie."""
    digest = ablations.digest(settings.dump(run.job.simulation))
    return out / "pieces" / f"recordings-{digest}"


def pieces_of(run: Run, data: Sequence[Path], out: Path) -> list[Piece]:
    """All that a run consists of, in the order of the stages."""
    found, needs = [], ()
    if not data:
        place = recordings_of(run, out)
        make = functools.partial(_simulate, place, run.job.simulation)
        found, needs = [Piece("recordings", place, (), make)], (place,)
    for fold in folds_of(run, data, out):
        recordings = tuple(data) or needs
        make = functools.partial(ablations.make_windows, run.job.prepare, fold, recordings)
        found.append(Piece("windows", fold.windows, needs, make))
        for row in rows_of(run, fold):
            found += _pieces_of_row(row, fold)
    return sorted(found, key=lambda piece: STAGES.index(piece.stage))


def _pieces_of_row(row: ablations.Row, fold: ablations.Fold) -> Iterator[Piece]:
    needs = (fold.windows,)
    if row.source == "stimuli":  # the other rows of the run have the same teacher
        make = functools.partial(ablations.make_teacher, row, fold)
        yield Piece("teachers", fold.teacher(row), needs, make)
        make = functools.partial(ablations.make_source, row, fold)
        yield Piece("stimuli", fold.source(row), (fold.teacher(row),), make)
        needs = (fold.source(row),)
    elif row.source != "real":
        needs = (fold.teacher(row),)
    for student in row.job.study.students:
        study = dataclasses.replace(row.job.study, students=(student,))
        alone = dataclasses.replace(row, job=dataclasses.replace(row.job, study=study))
        make = functools.partial(ablations.make_students, alone, fold)
        yield Piece("students", fold.piece(row, student), needs, make)


def _simulate(place: Path, asked: config.Simulation) -> None:
    def simulated(folder: Path) -> None:
        cohort.simulate_recordings(folder, asked, Lines())

    ablations.once(place, settings.dump(asked), simulated)


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
        for done, (made, reasons) in enumerate(_submit(jobs, executor, workers), 1):
            lost |= {piece.place: why for piece, why in zip(made, reasons, strict=True) if why}
            report.progress(done, len(jobs))
    return lost


def _together(pieces: Sequence[Piece]) -> list[list[Piece]]:
    """What each job makes: one piece, or all students that learn from the same."""

    def job_of(piece: Piece) -> Path:
        return piece.place.parent if piece.stage == "students" else piece.place

    ordered = sorted(pieces, key=job_of)
    return [list(made) for _, made in itertools.groupby(ordered, job_of)]


def _submit(
    jobs: Sequence[list[Piece]], executor: submitit.AutoExecutor, workers: int
) -> Iterator[tuple[list[Piece], list[str]]]:
    """The jobs with their reasons, in order: one array of Slurm, or so many processes at a time."""
    if not jobs:
        return
    if executor.cluster == "slurm":
        try:
            submitted = executor.map_array(Work(), jobs)
        except FailedJobError as error:
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


def open_executor(asked: Asked) -> submitit.AutoExecutor:
    """The executor that is asked for.

    Raises:
        StimjaxError: there is no Slurm here, or it knows no such parameter.
    """
    parameters: dict[str, Any] = {"timeout_min": MINUTES}
    if asked.workers:
        parameters["slurm_array_parallelism"] = asked.workers
    for word in asked.slurm:
        name, equals, value = word.partition("=")
        if not name or not equals:
            raise StimjaxError(f"--slurm {word}: has to be KEY=VALUE, as in partition=gpu")
        whole = int(value) if value.isdigit() else value
        parameters[name if name in COMMON else f"slurm_{name}"] = whole
    try:
        found = submitit.AutoExecutor(asked.out / "jobs" / "%j", cluster=asked.executor)
        found.update_parameters(**parameters)
    except (RuntimeError, NameError, AssertionError, ValueError) as error:
        raise StimjaxError(f"--executor {asked.executor}: {str(error).splitlines()[0]}") from error
    return found


def gather(runs: Sequence[Run], data: Sequence[Path], out: Path, tables: Path) -> None:
    """Write the tables and the plot of all students that are there into `tables`."""
    found = [number for run in runs for number in _numbers(run, data, out)]
    if not found:
        return
    repeats = "seed" if len({run.seed for run in runs}) > 1 else "student_seed"
    tables.mkdir(parents=True, exist_ok=True)
    sweep_table.write(tables, found, list(runs[0].swept), repeats)


def _numbers(run: Run, data: Sequence[Path], out: Path) -> Iterator[dict[str, Any]]:
    """The metrics of a run, a row for each number."""
    of_run = {"configuration": run.configuration, **run.swept, "seed": run.seed}
    for fold in folds_of(run, data, out):
        for row in rows_of(run, fold):
            for found in _judged(row, fold):
                about = {name: found.pop(name) for name in sweep_table.ABOUT}
                for metric, value in found.items():
                    yield of_run | about | {"metric": metric, "value": value}


def _judged(row: ablations.Row, fold: ablations.Fold) -> Iterator[dict[str, Any]]:
    """The students of a row that are there, each from each seed; the teacher with those of real."""
    study = fold.job(row).study
    about = fold.teacher(row) / "metrics.json"
    if row.source == "real" and about.exists():
        names = {"student": "teacher", "family": "teacher", "trained_on": "real"}
        test = store.read_json(about)["test"]
        yield names | {"fold": fold.number, "student_seed": 0} | test
    for student in study.students:
        place = fold.piece(row, student) / ablations.PREDICTED
        if place.exists():
            predicted = {(student, row.source): store.load_arrays(place)["probability"]}
            for found in studies.rows(predicted, _test(fold.windows), study, fold.number):
                found["student_seed"] = found.pop("seed") - study.seed  # from 0 in every fold
                yield found


@functools.cache
def _test(windows: Path) -> Batch:
    return studies.without_values(prepare.load(windows, "test"))


def main(asked: Asked) -> list[str]:
    """Make what the grid lacks, gather all; a line for each run that has failed.

    Raises:
        StimjaxError: the grid, the recordings or the executor are not what they have to be.
    """
    runs, simulated = read_grid(asked.grid)
    if simulated == bool(asked.data):
        raise StimjaxError(f"{asked.grid}: give either --data or a section `simulation`")
    for path in asked.data:
        if not path.exists():
            raise StimjaxError(f"{path}: is missing")
    data = [path.absolute() for path in asked.data]
    out = asked.out.absolute()  # a job may start elsewhere
    out.mkdir(mode=0o700, parents=True, exist_ok=True)
    executor = open_executor(dataclasses.replace(asked, out=out))
    pieces = [pieces_of(run, data, out) for run in runs]
    everything = itertools.chain.from_iterable(pieces)
    here = str(Path(__file__).parent)  # where jobs find the scripts
    path = os.pathsep.join(filter(None, (here, os.environ.get("PYTHONPATH"))))
    with store.locked(out), environment_variables(PYTHONPATH=path), reporter() as report:
        lost = make(everything, executor, asked.workers, report)
        gather(runs, data, out, out / "tables" / asked.grid.stem)
    failed = []
    for run, parts in zip(runs, pieces, strict=True):
        reasons = dict.fromkeys(lost[piece.place] for piece in parts if piece.place in lost)
        if reasons:
            failed.append(f"{run}: {'; '.join(reasons)}")
    return failed


def command(asked: Asked) -> int:
    """The exit status; what has failed goes to standard error."""
    failed = main(asked)
    for line in failed:
        print(f"failed: {line}", file=sys.stderr)
    if failed:
        print(
            f"failed runs: {len(failed)}; the same command tries them again, and "
            f"{asked.out / 'jobs'} holds what the jobs said",
            file=sys.stderr,
        )
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(command(tyro.cli(Asked)))
    except StimjaxError as error:
        print(f"stimjax: error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("stopped; the same command goes on from here", file=sys.stderr)
        sys.exit(130)
