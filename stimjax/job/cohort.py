"""The first stages of the job: recordings, and windows of them. Each fills an empty folder.

The folder is one that the caller has opened with `store.new_folder`. What comes after is in
`stimjax.job.stages`, which loads all that learns: seconds that these two need not wait for.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from stimjax import config
from stimjax.config import settings
from stimjax.data import prepare, simulate
from stimjax.machine.progress import Reporter


def simulate_recordings(folder: Path, asked: config.Simulation, reporter: Reporter) -> None:
    """Write the simulated recordings that `asked` describes into the empty `folder`."""
    reporter.stage("simulating recordings")
    simulate.write_cohort(
        folder,
        subjects=asked.subjects,
        hours=asked.hours,
        seed=asked.seed,
        task=asked.task,
        progress=lambda done: reporter.progress(done, asked.subjects),
    )
    settings.save(folder, asked)


def prepare_windows(
    inputs: Sequence[Path], folder: Path, asked: config.Prepare, reporter: Reporter
) -> None:
    """Fill the empty `folder` with windows of the recordings among `inputs`."""
    reporter.stage("preparing windows")
    prepare.prepare(inputs, asked, folder, note=reporter.note, progress=reporter.progress)
    settings.save(folder, asked)
