"""Stimuli as comma-separated values, for programs without a reader of arrays: base R, for one."""

from __future__ import annotations

import contextlib
import gzip
import io
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import numpy as np

from stimjax.batch import Batch
from stimjax.release import table

DIGITS = "%.9g"  # as many as tell two float32 apart


def write(stimuli: Batch, path: Path) -> None:
    """Write a line for each stimulus, below one with the names of the columns.

    `label` is the name of the class. A channel has a column for each value, `spo2_0` the first.

    Args:
        stimuli: to be written.
        path: of the file; compressed by gzip where its name ends with `.gz`.
    """
    columns = table.columns(stimuli)
    label = np.array(stimuli.spec.classes)[columns.pop("label")]
    header = ["label"]
    for name, values in columns.items():
        header += [f"{name}_{i}" for i in range(values.shape[1])] if values.ndim == 2 else [name]
    with _opened(path) as file:
        file.write(",".join(header) + "\n")
        for row, kind in enumerate(label):
            values = np.concatenate([np.ravel(column[row]) for column in columns.values()])
            quoted = kind.replace('"', '""')
            file.write(f'"{quoted}",' + ",".join(map(DIGITS.__mod__, values.tolist())) + "\n")


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    """The file to write text to; without a time in it, so that the same stimuli give the same."""
    with path.open("wb") as raw:
        if path.suffix != ".gz":
            with io.TextIOWrapper(raw, encoding="utf-8", newline="") as text:
                yield text
            return
        with (
            gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed,
            io.TextIOWrapper(packed, encoding="utf-8", newline="") as text,
        ):
            yield text
