"""A grid of configurations: its runs, read from its file, and the folds and rows of a run.

`scripts/sweep.py` says what a grid is.
"""

from __future__ import annotations

import copy
import dataclasses
import functools
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stimjax import config
from stimjax.config import settings
from stimjax.errors import StimjaxError
from stimjax.excite import methods
from stimjax.experiments import tables
from stimjax.experiments.rows import Fold, Row, digest
from stimjax.job.run import refuse_fold
from stimjax.machine.progress import Lines


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
        values = ", ".join(f"{name} {tables.text(v)}" for name, v in self.swept.items())
        seed = "" if self.seed is None else f", seed {self.seed}"
        return f"configuration {self.configuration} ({values}){seed}"


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
    runs: list[Run] = []
    for number, values in enumerate(itertools.product(*grid.values())):
        swept = dict(zip(grid, values, strict=True))
        job = settings.over(settings.DEFAULT, _with(content, swept), f"{path}: grid")
        refuse_fold(job, f"{path}: configuration {number}: prepare.fold")
        for other in runs:
            if other.job == _seeded(job, other.seed):
                raise StimjaxError(f"{path}: grid: a value stands twice ({other})")
        typed = {name: _typed(job, name, value) for name, value in swept.items()}
        runs += [Run(number, typed, seed, _seeded(job, seed)) for seed in seeds]
    simulated = any(name.partition(".")[0] == "simulation" for name in (*content, *grid))
    return runs, simulated


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


def _typed(job: config.Job, name: str, value: Any) -> Any:
    """The value of a setting, for which a file may say 1e-3; of a section what the file says."""
    typed = functools.reduce(getattr, name.split("."), job)
    if isinstance(typed, tuple):
        return list(typed)
    return typed if isinstance(typed, bool | int | float | str) else value


def _seeded(job: config.Job, seed: int | None) -> config.Job:
    """As `--seed`, but for the recordings, which all runs share."""
    return dataclasses.replace(settings.seeded(job, seed), simulation=job.simulation)


def recordings_of(run: Run, out: Path) -> Path:
    """Where the simulated recordings of a run lie."""
    return out / "pieces" / f"recordings-{digest(settings.dump(run.job.simulation))}"


def folds_of(run: Run, data: Sequence[Path], out: Path) -> list[Fold]:
    """The folds of a run; where they lie depends on the recordings and their preparation."""
    recordings = [str(path) for path in data] or [recordings_of(run, out).name]
    preparation = run.job.prepare
    place = out / "pieces" / f"data-{digest(settings.dump(preparation) + repr(recordings))}"
    return [Fold(k, place / f"fold-{k}", Lines()) for k in range(preparation.folds)]


def rows_of(run: Run, fold: Fold) -> list[Row]:
    """What the students of a run learn from; equal rows of different runs have one name."""
    job = run.job
    release = digest(settings.dump(job.teacher, methods.resolved(job.synthesis)))
    rows = []
    for source in dict.fromkeys(("real", "stimuli", *job.study.baselines)):
        row = Row(source, source, job.prepare.folds, job)
        if source == "real":  # whose labels are hard anyway
            study = dataclasses.replace(job.study, labels="soft")
            row = dataclasses.replace(row, job=dataclasses.replace(job, study=study))
        name = f"{source}-{digest(fold.settings(row, ''))}"
        rows.append(dataclasses.replace(row, name=name, stimuli=f"release-{release}"))
    return rows
