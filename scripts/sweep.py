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

import dataclasses
import sys
from pathlib import Path
from typing import Annotated, Literal

import tyro

from stimjax.errors import StimjaxError
from stimjax.experiments.jobs import Workers
from stimjax.experiments.sweeps import sweep


@dataclasses.dataclass(frozen=True)
class Options:
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


def main(options: Options) -> int:
    """Make what the grid lacks, and its tables; gives the exit status."""
    workers = Workers(options.executor, options.workers, options.slurm)
    failed = sweep(options.grid, options.data, options.out, workers)
    for line in failed:
        print(f"failed: {line}", file=sys.stderr)
    if failed:
        print(
            f"failed runs: {len(failed)}; the same command tries them again, and "
            f"{options.out / 'jobs'} holds what the jobs said",
            file=sys.stderr,
        )
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main(tyro.cli(Options)))
    except StimjaxError as error:
        print(f"stimjax: error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("stopped; the same command goes on from here", file=sys.stderr)
        sys.exit(130)
