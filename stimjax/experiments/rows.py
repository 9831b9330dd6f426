"""The pieces of a table of methods: windows, teachers, sources and students of a row in a fold.

A piece is a folder that is made once. With it lie the settings that made it, so that what is there
is not made again, and is refused where other settings are wanted. `Fold` says where each lies.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from stimjax import batch, config, release
from stimjax.batch import Batch, Spec
from stimjax.config import settings
from stimjax.data import images as image_sets
from stimjax.disk import store
from stimjax.errors import StimjaxError
from stimjax.excite import methods, rates, synthesize
from stimjax.job import cohort, run, stages
from stimjax.learn import teacher as teachers
from stimjax.learn.teacher import Teacher
from stimjax.machine.progress import Reporter
from stimjax.privacy import ratios
from stimjax.students import baselines
from stimjax.students import study as studies

ABOUT = "about.json"  # of stimuli, as `scripts/table.py` shows it
PREDICTED = "predicted.safetensors"  # f32[seeds, n, class], of the test windows


@dataclasses.dataclass(frozen=True)
class Row:
    """One row of the table: what students learn from, with all settings of the job.

    Attributes:
        name: its folder.
        source: stimuli, real, a baseline or given.
        folds: how many of the folds it has.
        job: the settings.
        stimuli: the folder of its source, where rows share one; its own without.
    """

    name: str
    source: str
    folds: int
    job: config.Job
    stimuli: str = ""


@dataclasses.dataclass(frozen=True)
class Images:
    """How many images are for training and for validation; what is left is for the test."""

    train: int
    validation: int


@dataclasses.dataclass(frozen=True)
class Fold:
    """What is the same for all rows of a fold."""

    number: int
    folder: Path
    reporter: Reporter

    @property
    def windows(self) -> Path:
        return self.folder / "windows"

    def job(self, row: Row) -> config.Job:
        """The row's settings with the seeds of this fold.

        A table is made to be made again, so that without a seed its stimuli have that of the other
        sections, 0: nothing of it is to be published.
        """
        synthesis = row.job.synthesis
        if synthesis.seed is None:
            synthesis = dataclasses.replace(synthesis, seed=config.Study().seed)
        return run.of_fold(dataclasses.replace(row.job, synthesis=synthesis), self.number)

    def source(self, row: Row) -> Path:
        return self.folder / (row.stimuli or row.name) / "source"

    def teacher(self, row: Row) -> Path:
        """Where the teacher of a row lies; rows of the same settings share it."""
        return self.folder / f"teacher-{digest(settings.dump(self.job(row).teacher))}"

    def piece(self, row: Row, student: str) -> Path:
        return self.folder / row.name / student

    def settings(self, row: Row, student: str) -> str:
        """All that a piece depends on, but for the windows."""
        job = self.job(row)
        study = dataclasses.replace(job.study, students=(student,), baselines=())
        sections = ()
        if row.source != "real":  # the whole recipe: what a method's name stands for may change
            sections = (job.teacher, methods.resolved(job.synthesis))
        return settings.dump(*sections, study)


def make_windows(
    preparation: config.Prepare, fold: Fold, data: tuple[Path, ...], images: Images | None = None
) -> None:
    """Make the windows of a fold, unless they are there."""
    preparation = dataclasses.replace(preparation, fold=fold.number)

    def windows(folder: Path) -> None:
        if images is None:
            cohort.prepare_windows(data, folder, preparation, fold.reporter)
        else:
            whole = image_sets.mnist(*data)
            parts = dataclasses.asdict(images)
            image_sets.deal(whole, folder, **parts, seed=preparation.seed + fold.number)

    once(fold.windows, settings.dump(preparation), windows)


def make_teacher(row: Row, fold: Fold) -> Teacher:
    """The teacher of a row."""
    training, place = fold.job(row).teacher, fold.teacher(row)

    def teacher(folder: Path) -> None:
        stages.train_teacher(fold.windows, folder, training, fold.reporter)

    once(place, settings.dump(training), teacher)
    return teachers.load(place)


def make_source(row: Row, fold: Fold) -> tuple[Batch, Batch]:
    """What the students of a row learn from, and what chooses their step."""
    job = fold.job(row)
    train = batch.load(fold.windows, "train")
    if row.source == "real":
        return train, batch.load(fold.windows, "validation")
    if row.source == "given":
        return studies.held_out(_given(row, fold, train.spec), job.study.seed)
    teacher = None if row.source == "gaussian" else make_teacher(row, fold)
    if row.source == "stimuli":
        assert teacher is not None
        source = _make_stimuli(row, fold, teacher, train)
    else:
        count, seed = job.synthesis.count, job.synthesis.seed or 0
        source = baselines.make(row.source, train, teacher, count, seed)
        assert source is not None
    return studies.held_out(source, job.study.seed)


def _make_stimuli(row: Row, fold: Fold, teacher: Teacher, train: Batch) -> Batch:
    """The release of a row, and numbers about it beside it."""
    job, place = fold.job(row), fold.source(row)

    def stimuli(folder: Path) -> None:
        fold.reporter.stage(f"fold {fold.number}, {row.name}: stimuli")
        start, listener = time.monotonic(), rates.Listener(rates.telling(fold.reporter))
        synthesize.synthesize(teacher, job.synthesis, folder / "release", listener=listener)
        seconds = time.monotonic() - start
        numbers = _about(folder / "release", train, batch.load(fold.windows, "test"))
        uses = methods.uses(job.synthesis)
        store.write_json(folder / ABOUT, {"seconds": seconds, **numbers, "uses": uses})

    once(place, settings.dump(job.teacher, methods.resolved(job.synthesis)), stimuli)
    return release.load(place / "release")


def _about(folder: Path, train: Batch, test: Batch) -> dict[str, Any]:
    """Labels, hits and distances of a release, by the names that `scripts/table.py` knows."""
    stimuli = release.load(folder)
    label = np.asarray(stimuli.y)
    manifest = store.read_json(folder / "manifest.json")
    hits, accepted = np.asarray(manifest["hits"]), np.asarray(manifest["accepted"])
    return {
        "confidence": float(label.max(axis=1).mean()),
        "classes": np.eye(label.shape[1])[label.argmax(axis=1)].mean(axis=0).tolist(),
        "hit": (hits / np.maximum(accepted, 1)).tolist(),
        **ratios.ratios(stimuli, train=train, held_out=test),
    }


def _given(row: Row, fold: Fold, spec: Spec) -> Batch:
    """Windows and labels that another program made; within the range of `spec`, as a release is."""
    path = fold.source(row) / "windows.safetensors"
    if not path.exists():
        raise StimjaxError(f"{path}: is missing; put x and y of the windows to learn from there")
    arrays = store.load_arrays(path)
    windows = batch.make(np.clip(arrays["x"], spec.low, spec.high), arrays["y"], spec)
    return batch.check(windows, str(path))


def make_students(row: Row, fold: Fold) -> None:
    """Make the students of a row that a fold with windows lacks, and what they learn from."""
    test = functools.cache(functools.partial(batch.load, fold.windows, "test"))
    source = functools.cache(functools.partial(make_source, row, fold))  # if a student is lacking

    def train_student(name: str, folder: Path) -> None:
        train, validation = source()
        fold.reporter.note(f"fold {fold.number}, {row.name}: {name}")
        study = fold.job(row).study
        predicted = studies.student(name, study, train=train, validation=validation, test=test())
        store.save_arrays(folder / PREDICTED, {"probability": predicted})

    for name in row.job.study.students:
        make = functools.partial(train_student, name)
        once(fold.piece(row, name), fold.settings(row, name), make)


def digest(text: str) -> str:
    """A short name for settings."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def once(place: Path, text: str, make: Callable[[Path], None]) -> None:
    """Let `make` fill the folder `place`, unless it is there already.

    Args:
        place: the folder.
        text: the settings that it depends on; they go into its `config.yaml`.
        make: fills an empty folder.

    Raises:
        StimjaxError: it is there, but not of these settings.
    """
    recorded = place / "config.yaml"
    if place.exists():
        if recorded.read_text(encoding="utf-8") != text:
            raise StimjaxError(
                f"{place}: was made with other settings; delete it, or rename the row"
            )
        return
    with store.new_folder(place, private=True) as folder:
        make(folder)
        (folder / "config.yaml").write_text(text, encoding="utf-8")
