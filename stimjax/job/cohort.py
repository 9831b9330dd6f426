"""The first stages of the job: recordings, and windows of them. Each fills an empty folder.

The folder is one that the caller has opened with `store.new_folder`. What comes after is in
`stimjax.job.stages`, which loads all that learns: seconds that these two need not wait for.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from stimjax import config
from stimjax.config.settings import save as save_settings
from stimjax.data import like as likes
from stimjax.data import prepare
from stimjax.data import prepare_like as similar
from stimjax.machine.progress import Reporter


def simulate_recordings(folder: Path, settings: config.Simulation, reporter: Reporter) -> None:
    """Write the simulated recordings that `settings` describes into the empty `folder`."""
    from stimjax.data import simulate  # it brings scipy.signal, a second that preparing saves

    reporter.stage("simulating recordings")
    simulate.write_cohort(
        folder,
        subjects=settings.subjects,
        hours=settings.hours,
        seed=settings.seed,
        task=settings.task,
        progress=lambda done: reporter.progress(done, settings.subjects),
    )
    save_settings(folder, settings)


def prepare_windows(
    inputs: Sequence[Path], folder: Path, settings: config.Prepare, reporter: Reporter
) -> None:
    """Fill the empty `folder` with windows of the recordings among `inputs`."""
    reporter.stage("preparing windows")
    prepare.prepare(inputs, settings, folder, note=reporter.note, progress=reporter.progress)
    save_settings(folder, dataclasses.replace(settings, workers=0))  # the same for any number


def prepare_like(
    inputs: Sequence[Path], folder: Path, like: Path, settings: config.Prepare, reporter: Reporter
) -> None:
    """Fill the empty `folder` with windows of the recordings among `inputs`, like those of `like`.

    Args:
        inputs: files or folders of recordings, scored or not.
        folder: to write into.
        like: a release, or any other folder with a `spec.json`.
        settings: whose `channels` may name the recordings' own labels; of its other settings none
            that contradicts `like` or splits windows.
        reporter: is told of the progress.

    Raises:
        StimjaxError: `like` is none, settings contradict it, or a recording cannot be used.
    """
    reporter.stage("preparing windows")
    how = likes.asking(likes.like(like), settings.channels)
    settings = similar.settings_of(settings, how)
    similar.prepare(inputs, how, settings, folder, note=reporter.note, progress=reporter.progress)
    save_settings(folder, dataclasses.replace(settings, workers=0))
