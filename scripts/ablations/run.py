"""The table of methods, students and data sets, in pieces that resume and add up.

python scripts/ablations/run.py SETUP.yaml --data PATH... --out RESULTS
    [--folds K...] [--rows NAME...] [--against NAME]

A setup is a configuration file (the sections of `--config`) with `rows`: by name, what else a row
sets, `source` (stimuli, real, a baseline or given) and `folds` (how many of the folds it has).
`given` are windows that another program, such as a generator to compare with, has put into
RESULTS/fold-K/ROW/source/windows.safetensors (`x` and `y` as in a release). With
`images: {train: N, validation: N}` the data are an IDX file of images and one of labels. A piece
is one student, trained from all its seeds on the source of one row, in one fold. What RESULTS
holds already is not made again, so that rows, students and folds can be added later; a piece of
other settings is refused. Two commands for different folds can run at the same time.

    RESULTS                                                mode 0700, for it holds
    RESULTS/fold-K/windows, RESULTS/fold-K/teacher-HASH    what is private
    RESULTS/fold-K/ROW/source                              the release, and numbers about it
    RESULTS/fold-K/ROW/STUDENT                             its predictions of the test windows
    RESULTS/ROW/study/results.json                         of the folds that are complete
    RESULTS/ROW/against-OTHER/results.json                 with --against OTHER: from that row, not
                                                           from "real", losses are counted

`python scripts/table.py RESULTS/*/study/results.json` prints the table.
"""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import Annotated

import tyro

from stimjax.errors import StimjaxError
from stimjax.experiments import setups
from stimjax.machine import runtime


@dataclasses.dataclass(frozen=True)
class Options:
    """Make the missing pieces of a table.

    Attributes:
        setup: the YAML file.
        data: recordings.
        out: folder of the pieces.
        folds: these only; all of them without.
        rows: these only; all of them without.
        against: the row that students are compared with.
    """

    setup: Annotated[Path, tyro.conf.Positional]
    data: tuple[Path, ...]
    out: Path
    folds: tuple[int, ...] = ()
    rows: tuple[str, ...] = ()
    against: str = "real"


def main(options: Options) -> None:
    """Make the pieces that are asked for, and gather all that are complete."""
    runtime.start()
    setups.fill(
        options.setup,
        data=options.data,
        out=options.out,
        folds=options.folds,
        rows=options.rows,
        against=options.against,
    )


if __name__ == "__main__":
    try:
        main(tyro.cli(Options))
    except StimjaxError as error:
        sys.exit(f"stimjax: error: {error}")
