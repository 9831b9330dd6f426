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
import functools
import hashlib
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import tyro

from stimjax import batch, config, release
from stimjax.batch import Batch, Spec
from stimjax.config import settings
from stimjax.data import images as image_sets
from stimjax.data import prepare
from stimjax.disk import store
from stimjax.errors import StimjaxError
from stimjax.excite import methods, rates, synthesize
from stimjax.job import cohort, run, stages
from stimjax.learn import teacher as teachers
from stimjax.learn.teacher import Teacher
from stimjax.machine import runtime
from stimjax.machine.progress import Reporter, reporter
from stimjax.privacy import ratios
from stimjax.study import baselines
from stimjax.study import students as studies

ABOUT = "about.json"  # of stimuli, as `scripts/table.py` shows it
PREDICTED = "predicted.safetensors"  # f32[seeds, n, class], of the test windows


@dataclasses.dataclass(frozen=True)
class Asked:
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
        """The row's settings with the seeds of this fold."""
        return run.of_fold(row.job, self.number)

    def source(self, row: Row) -> Path:
        return self.folder / (row.stimuli or row.name) / "source"

    def teacher(self, row: Row) -> Path:
        """Where the teacher of a row lies; rows of the same settings share it."""
        return self.folder / f"teacher-{digest(settings.dump(self.job(row).teacher))}"

    def piece(self, row: Row, student: str) -> Path:
        return self.folder / row.name / student

    def settings(self, row: Row, student: str) -> str:
        """All that a piece depends on, but for the windows."""
        asked = self.job(row)
        study = dataclasses.replace(asked.study, students=(student,), baselines=())
        parts = ()
        if row.source != "real":  # the whole recipe: what a method's name stands for may change
            parts = (asked.teacher, methods.resolved(asked.synthesis))
        return settings.dump(*parts, study)


def read_setup(path: Path) -> tuple[list[Row], Images | None]:
    """The rows of a setup, "real" first, and how to deal images if it is about images.

    Raises:
        StimjaxError: the file says what no setup can say.
    """
    content = dict(settings.read(path))
    rows = content.pop("rows", None)
    if not isinstance(rows, dict) or not rows:
        raise StimjaxError(f"{path}: rows has to be `name: settings` lines")
    images = content.pop("images", None)
    default = settings.over(config.Job(), content, str(path))
    found = [_row("real", {"source": "real"}, default, path)] + [
        _row(str(name), row or {}, default, path) for name, row in rows.items() if name != "real"
    ]
    try:
        return found, None if images is None else Images(**images)
    except TypeError as error:
        raise StimjaxError(f"{path}: images has to be {{train: N, validation: N}}") from error


def _row(name: str, content: dict[str, Any], default: config.Job, path: Path) -> Row:
    where = f"{path}: rows.{name}"
    sections = {key: value for key, value in content.items() if key not in ("source", "folds")}
    source, folds = content.get("source", "stimuli"), content.get("folds", default.prepare.folds)
    known = ("stimuli", "real", "given", *baselines.BASELINES)
    if source not in known:
        raise StimjaxError(f"{where}.source is {source!r}; choose from {', '.join(known)}")
    if not isinstance(folds, int) or not 1 <= folds <= default.prepare.folds:
        raise StimjaxError(f"{where}.folds is {folds!r}; there are {default.prepare.folds}")
    if "prepare" in sections:
        raise StimjaxError(f"{where}.prepare: all rows have the same windows; make another setup")
    found = settings.over(default, sections, where)
    studies.refuse_unknown(found.study.students)
    return Row(name, source, folds, found)


def make(rows: list[Row], fold: Fold, data: tuple[Path, ...], images: Images | None) -> None:
    """Make what is missing of a fold.

    Raises:
        StimjaxError: what is there was made with other settings.
    """
    make_windows(rows[0].job.prepare, fold, data, images)
    for row in (row for row in rows if fold.number < row.folds):
        make_students(row, fold)


def make_windows(
    asked: config.Prepare, fold: Fold, data: tuple[Path, ...], images: Images | None = None
) -> None:
    """Make the windows of a fold, unless they are there."""
    prepared = dataclasses.replace(asked, fold=fold.number)

    def windows(folder: Path) -> None:
        if images is None:
            cohort.prepare_windows(data, folder, prepared, fold.reporter)
        else:
            whole = image_sets.mnist(*data)
            parts = dataclasses.asdict(images)
            image_sets.deal(whole, folder, **parts, seed=prepared.seed + fold.number)

    once(fold.windows, settings.dump(prepared), windows)


def make_students(row: Row, fold: Fold) -> None:
    """Make the students of a row that a fold with windows lacks, and what they learn from."""
    test = functools.cache(functools.partial(prepare.load, fold.windows, "test"))
    source = functools.cache(functools.partial(make_source, row, fold))  # if a student is lacking
    for name in row.job.study.students:
        train = functools.partial(_train, fold, row, name, source, test)
        once(fold.piece(row, name), fold.settings(row, name), train)


def _train(
    fold: Fold,
    row: Row,
    name: str,
    source: Callable[[], tuple[Batch, Batch]],
    test: Callable[[], Batch],
    folder: Path,
) -> None:
    train, validation = source()
    fold.reporter.note(f"fold {fold.number}, {row.name}: {name}")
    predicted = studies.student(name, train, validation, test(), fold.job(row).study)
    store.save_arrays(folder / PREDICTED, {"probability": predicted})


def gather(row: Row, other: Row, folds: list[Fold], out: Path) -> None:
    """Write the results of a row over the folds in which it and the other row are complete."""
    students = row.job.study.students
    complete = [
        fold
        for fold in folds[: row.folds]
        if all(fold.piece(one, name).exists() for one in (row, other) for name in students)
    ]
    if not complete:
        return
    place = "study" if other.name == "real" else f"against-{other.name}"
    with store.new_folder(out / row.name / place, overwrite=True) as folder:
        judged = [_judged(row, other, fold) for fold in complete]
        study, _ = stages.write_results(judged, folder, row.job.study, other.name)
        results = study.to_json()
        if row.source == "stimuli":
            about = [store.read_json(fold.source(row) / ABOUT) for fold in complete]
            numbers = [{k: v for k, v in one.items() if k != "uses"} for one in about]
            means = {key: np.mean([one[key] for one in numbers], axis=0) for key in numbers[0]}
            results["made"] = {key: mean.tolist() for key, mean in means.items()}
            results["made"]["uses"] = about[0]["uses"]
            store.write_json(folder / "results.json", results)


def _judged(row: Row, other: Row, fold: Fold) -> stages.Judged:
    test = prepare.load(fold.windows, "test")
    name_of = {row.name: "stimuli" if row.source == "stimuli" else row.name}
    predictions = {
        (name, name_of.get(one.name, one.name)): store.load_arrays(
            fold.piece(one, name) / PREDICTED
        )["probability"]
        for name in row.job.study.students
        for one in (other, row)
    }
    answer = None
    if row.source not in ("gaussian", "given"):
        answer = _answer(fold.teacher(row), fold.windows)
    return stages.judge(predictions, fold.windows, test, fold.job(row).study, answer, fold.number)


@functools.cache  # asked for every row, again after every fold
def _answer(teacher: Path, windows: Path) -> tuple[np.ndarray, tuple[str, ...]]:
    """The probabilities of a teacher for the test windows, and its networks."""
    found = teachers.load(teacher)
    return found.probability(prepare.load(windows, "test").x), found.networks


def make_source(row: Row, fold: Fold) -> tuple[Batch, Batch]:
    """What the students of a row learn from, and what chooses their step."""
    asked = fold.job(row)
    train = prepare.load(fold.windows, "train")
    if row.source == "real":
        return train, prepare.load(fold.windows, "validation")
    if row.source == "given":
        return studies.held_out(_given(row, fold, train.spec), asked.study.seed)
    teacher = None if row.source == "gaussian" else make_teacher(row, fold)
    if row.source != "stimuli":
        count, seed = asked.synthesis.count, asked.synthesis.seed
        made = baselines.make(row.source, train, teacher, count, seed)
    else:
        place = fold.source(row)

        def synthesized(folder: Path) -> None:
            assert teacher is not None
            fold.reporter.stage(f"fold {fold.number}, {row.name}: stimuli")
            start = time.monotonic()
            synthesize.synthesize(
                teacher,
                asked.synthesis,
                folder / "release",
                progress=rates.telling(fold.reporter),
            )
            seconds = time.monotonic() - start
            stimuli, test = release.load(folder / "release"), prepare.load(fold.windows, "test")
            label = np.asarray(stimuli.y)
            made = store.read_json(folder / "release" / "manifest.json")
            hits, accepted = np.asarray(made["hits"]), np.asarray(made["accepted"])
            about = {
                "seconds": seconds,
                "confidence": float(label.max(axis=1).mean()),
                "classes": np.eye(label.shape[1])[label.argmax(axis=1)].mean(axis=0).tolist(),
                "hit": (hits / np.maximum(accepted, 1)).tolist(),
                **ratios.ratios(stimuli, train, test),
                "uses": methods.uses(asked.synthesis),
            }
            store.write_json(folder / ABOUT, about)

        wanted = settings.dump(asked.teacher, methods.resolved(asked.synthesis))
        once(place, wanted, synthesized)
        made = release.load(place / "release")
    assert made is not None
    return studies.held_out(made, asked.study.seed)


def _given(row: Row, fold: Fold, spec: Spec) -> Batch:
    """Windows and labels that another program made; within the range of `spec`, as a release is."""
    path = fold.source(row) / "windows.safetensors"
    if not path.exists():
        raise StimjaxError(f"{path}: is missing; put x and y of the windows to learn from there")
    arrays = store.load_arrays(path)
    made = batch.make(np.clip(arrays["x"], spec.low, spec.high), arrays["y"], spec)
    return batch.check(made, str(path))


def make_teacher(row: Row, fold: Fold) -> Teacher:
    """The teacher of a row."""
    asked, place = fold.job(row).teacher, fold.teacher(row)
    once(
        place,
        settings.dump(asked),
        lambda folder: stages.train_teacher(fold.windows, folder, asked, fold.reporter) and None,
    )
    return teachers.load(place)


def digest(text: str) -> str:
    """A short name for settings."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def once(place: Path, wanted: str, make: Callable[[Path], None]) -> None:
    """Let `make` fill the folder `place`, unless it is there already.

    Raises:
        StimjaxError: it is there, but not of the settings `wanted`.
    """
    recorded = place / "config.yaml"
    if place.exists():
        if recorded.read_text(encoding="utf-8") != wanted:
            raise StimjaxError(
                f"{place}: was made with other settings; delete it, or rename the row"
            )
        return
    with store.new_folder(place, private=True) as folder:
        make(folder)
        (folder / "config.yaml").write_text(wanted, encoding="utf-8")


def main(asked: Asked) -> None:
    """Make the pieces that are asked for, and gather all that are complete."""
    runtime.start()
    rows, images = read_setup(asked.setup)
    if images is not None and len(asked.data) != 2:
        raise StimjaxError("name two files of --data: images, then their labels")
    names = [row.name for row in rows]
    for name in (*asked.rows, asked.against):
        if name not in names:
            raise StimjaxError(f"there is no row {name!r}; choose from {', '.join(names)}")
    asked.out.mkdir(mode=0o700, parents=True, exist_ok=True)  # holds private windows and teachers
    with reporter() as report:
        count = rows[0].job.prepare.folds
        folds = [Fold(k, asked.out / f"fold-{k}", report) for k in range(count)]
        for number in asked.folds or range(count):
            if not 0 <= number < count:
                raise StimjaxError(f"there is no fold {number}; there are {count}, from 0")
            chosen = [row for row in rows if row.source == "real" or row.name in asked.rows]
            make(chosen if asked.rows else rows, folds[number], asked.data, images)
            other = rows[names.index(asked.against)]
            for row in (row for row in rows[1:] if row is not other):
                gather(row, other, folds, asked.out)


if __name__ == "__main__":
    try:
        main(tyro.cli(Asked))
    except StimjaxError as error:
        sys.exit(f"stimjax: error: {error}")
