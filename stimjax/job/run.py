"""The whole job as one readable function.

recordings -> windows -> teacher -> stimuli -> students -> audit -> report

It lands in one folder:

    config.yaml               the settings that were used
    private/                  mode 0700: recordings of the demo, windows, teacher, report.html,
                              release.seed.json, and tradeoff/ with releases of several strengths
                              of inhibition
    release/                  what may be published, with a report of its own
    study/results.json        how good the students are
    audit/privacy.json        what the release tells of individuals
    report.html               a link to private/report.html, which shows real windows

With `prepare.folds` above 1 everything from the windows on is made anew for each fold, in
private/fold-K/{windows,teacher,release}; the students are compared on all folds together, and
release/ is that of fold 0 (private/fold-0/release is a link to it).
"""

from __future__ import annotations

import contextlib
import dataclasses
import shlex
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stimjax import batch, config, release
from stimjax.batch import NOBODY, Batch
from stimjax.config import settings
from stimjax.disk import pieces
from stimjax.disk.documents import Made, Metrics, Privacy, Results, TradeoffPoint
from stimjax.disk.store import new_folder
from stimjax.errors import StimjaxError
from stimjax.excite import guarantee, rates, secret, synthesize
from stimjax.job import cohort, published, stages, tradeoff
from stimjax.learn import resume
from stimjax.learn import teacher as teachers
from stimjax.machine.progress import Reporter
from stimjax.machine.versions import versions
from stimjax.students.study import Predictions

if TYPE_CHECKING:
    from stimjax import report  # brings matplotlib: imported where a report is written
    from stimjax.privacy.audit import ShadowsByRecipe

SHOWN = 400  # real windows and stimuli in the report


def run(
    data: Sequence[Path] | None,
    out: Path,
    job: config.Job,
    *,
    overwrite: bool = False,
    reporter: Reporter,
    bounds: Mapping[str, float] | None = None,
) -> tuple[str, ...]:
    """Do the whole job on the recordings in `data`; see the module for what `out` holds.

    The same command after an interruption prepares the windows again and goes on with the teacher
    and the stimuli (of each fold).

    Args:
        data: recordings, or folders with them; None simulates them first.
        out: appears when all is done.
        job: the settings.
        overwrite: replace earlier results.
        reporter: is told of the progress.
        bounds: of the audit, see `stimjax.privacy.gate`; without, everything may be published.

    Returns:
        A line for each bound that is exceeded; if there are any the release is in private/refused.

    Raises:
        StimjaxError: a recording or a setting is not usable, or `out` is occupied. Nothing is
            left under the name `out` then.
    """
    settings.check(job)
    guarantee.refuse_job(job)
    tradeoff.refuse(job)
    refuse_fold(job, f"--fold {job.prepare.fold}")
    simulated = data is None
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(new_folder(out, overwrite=overwrite))
        private = folder / "private"
        private.mkdir(mode=0o700)
        recordings = _simulated(private, job, reporter) if data is None else data
        folds = [_places(folder, fold, job.prepare.folds) for fold in range(job.prepare.folds)]
        judged = [
            _fold(recordings, places, of_fold(job, fold), out, stack, reporter)
            for fold, places in enumerate(folds)
        ]
        (folder / "study").mkdir()
        results, predictions = stages.write_results(judged, folder / "study", job.study)
        first = folds[0]
        shadows: ShadowsByRecipe = {}  # those of the audit serve the trade-off as well
        privacy = _audited(recordings, first, folder, job, reporter, shadows)
        exceeded = _exceeded(privacy, bounds, first.release, reporter)
        points = _traded(first, private, of_fold(job, 0), reporter, shadows)
        reporter.stage("writing the report")
        _save_settings(folder, job, simulated)
        repeat = _repeat(data, out)
        story = _story(folder, first, results, predictions, simulated, repeat)
        story = dataclasses.replace(
            story, privacy=privacy, tradeoff=points, exceeded=exceeded, bounds=bounds or {}
        )
        _write_report(story, folder)
        if exceeded:
            first.release.rename(private / "refused")
            secret.move(first.release, private / "refused")
        else:
            published.add_report(story, first.release, first.windows, recordings, reporter)
    return exceeded


def refuse_fold(job: config.Job, where: str) -> None:
    """Refuse one fold of several, where all of them are tested; `where` begins the error.

    Raises:
        StimjaxError: the settings name one.
    """
    if job.prepare.folds > 1 and job.prepare.fold:
        raise StimjaxError(
            f"{where}: a whole run tests all {job.prepare.folds} folds; leave it out, or see "
            "`stimjax prepare`, which makes the windows of one"
        )


def _simulated(private: Path, job: config.Job, reporter: Reporter) -> list[Path]:
    """Simulated recordings, as the data of a run without any."""
    folder = private / "recordings"
    folder.mkdir()
    cohort.simulate_recordings(folder, job.simulation, reporter)
    return [folder]


def _save_settings(folder: Path, job: config.Job, simulated: bool) -> None:
    """The sections that were used, as `config.yaml`; readable by its owner only."""
    used = (job.prepare, job.teacher, job.synthesis, job.study, job.audit, job.tradeoff)
    settings.save(folder, *used, *([job.simulation] if simulated else []))
    (folder / "config.yaml").chmod(0o600)  # it may name subjects


def _write_report(story: report.Story, folder: Path) -> None:
    """The report among what is private, and a link to it."""
    from stimjax import report

    report.write(story, folder / "private" / "report.html")
    (folder / "report.html").symlink_to(Path("private") / "report.html")


def _audited(
    data: Sequence[Path],
    places: _Places,
    folder: Path,
    job: config.Job,
    reporter: Reporter,
    shadows: ShadowsByRecipe,
) -> Privacy | None:
    """The audit of a run, in `folder/audit`; none where it could compare nobody."""
    lacking = _lacking(places.windows)
    if lacking or not job.audit.attacks:
        if job.audit.attacks:
            reporter.note(f"no audit: {lacking}")
        return None
    (folder / "audit").mkdir()
    return stages.audit_release(
        places.compared, folder / "audit", job.audit, data, reporter, shadows
    )


def _exceeded(
    privacy: Privacy | None,
    bounds: Mapping[str, float] | None,
    published: Path,
    reporter: Reporter,
) -> tuple[str, ...]:
    """A line for each bound that is not kept, and for each attack that was needed to tell.

    What is kept without having been tried is noted.
    """
    from stimjax.privacy import gate

    if not bounds:
        return ()
    if privacy is None:
        return ("no audit was made",)
    recipe = release.load_manifest(published).recipe
    for line in gate.trivial(bounds, recipe).values():
        reporter.note(line)
    return (*gate.exceeded(privacy, bounds, recipe), *gate.lacking(privacy, recipe))


def _lacking(windows: Path) -> str:
    """Why an audit could compare nobody, or nothing."""
    from stimjax.privacy import audit

    origin = Made.load(windows)
    if origin.cohort is None or origin.settings.split == "random":
        return "with --split random nobody is left who had no part"
    parts = origin.cohort.parts
    few = [part for part in ("train", "test") if len(parts[part].subjects) < audit.FEWEST]
    return f"the {few[0]} part has one subject; give more recordings" if few else ""


def _traded(
    places: _Places, private: Path, job: config.Job, reporter: Reporter, shadows: ShadowsByRecipe
) -> list[TradeoffPoint]:
    """Students and attackers over the strength of inhibition, in `private/tradeoff`.

    There is none where an audit could compare nobody.
    """
    if not job.tradeoff.strengths or _lacking(places.windows):
        return []
    (private / "tradeoff").mkdir()
    return tradeoff.measure(
        windows=places.windows,
        teacher=teachers.load(places.teacher),
        out=private / "tradeoff",
        job=dataclasses.replace(job, study=dataclasses.replace(job.study, baselines=())),
        reporter=reporter,
        shadows=shadows,
    )


def of_fold(job: config.Job, fold: int) -> config.Job:
    """The settings of one fold: nothing random is shared with another fold, students least."""
    if job.prepare.folds == 1:
        return job

    def shifted(section: Any, by: int, largest: int = settings.LARGEST_SEED) -> Any:
        return dataclasses.replace(section, seed=(section.seed + by) % (largest + 1))

    synthesis = job.synthesis
    if synthesis.seed is not None:  # else each fold gets its own anyway
        synthesis = shifted(synthesis, fold, settings.LARGEST_SECRET)

    return dataclasses.replace(
        job,
        prepare=dataclasses.replace(job.prepare, fold=fold),  # the same seed: folds are disjoint
        teacher=shifted(job.teacher, fold),
        synthesis=synthesis,
        study=shifted(job.study, fold * job.study.seeds),
    )


@dataclasses.dataclass(frozen=True)
class _Places:
    """Where a fold's parts lie; `fold` is None where there is one only."""

    fold: int | None
    windows: Path
    teacher: Path
    release: Path

    @property
    def compared(self) -> stages.Compared:
        return stages.Compared(self.release, train=self.windows, test=self.windows)


def _places(folder: Path, fold: int, folds: int) -> _Places:
    private = folder / "private"
    if folds == 1:
        return _Places(None, private / "windows", private / "teacher", folder / "release")
    own = private / f"fold-{fold}"
    release = own / "release" if fold else folder / "release"
    return _Places(fold, own / "windows", own / "teacher", release)


def _fold(
    data: Sequence[Path],
    places: _Places,
    job: config.Job,
    out: Path,
    stack: contextlib.ExitStack,
    reporter: Reporter,
) -> stages.Judged:
    """Windows, teacher, release and students of one fold.

    Checkpoints of the teacher and the shards lie beside `out` until `stack` ends: an interrupted
    run goes on with the teachers and stimuli of all the folds it came to.
    """
    if places.fold is not None:
        reporter.note(f"fold {places.fold + 1} of {job.prepare.folds}")
        places.windows.parent.mkdir()
    for folder in (places.windows, places.teacher):
        folder.mkdir()
    cohort.prepare_windows(data, places.windows, job.prepare, reporter)
    identity = resume.identify(places.windows, job.teacher)
    if places.fold is not None:
        out = out.absolute()
        out = out.with_name(f"{out.name}.fold-{places.fold}")
    checkpoint = stack.enter_context(resume.checkpoints(out, identity))
    teacher = stages.train_teacher(
        places.windows, places.teacher, job.teacher, reporter, checkpoint
    )
    reporter.stage("making stimuli")
    identity = synthesize.identify(teacher, job.synthesis)
    kept = stack.enter_context(pieces.kept(out, "stimuli", identity)) / "release"
    if not kept.exists():
        listener = rates.Listener(rates.telling(reporter), reporter.note)
        synthesize.synthesize(teacher, job.synthesis, kept, listener=listener)
    shutil.copytree(kept, places.release)
    if (seed := secret.find(kept)) is not None:
        secret.keep(places.release, seed)
    if places.fold == 0:
        (places.windows.parent / "release").symlink_to(Path("..", "..", "release"))
    return stages.predict_and_judge(places.compared, job.study, teacher, reporter, places.fold)


def _story(
    folder: Path,
    places: _Places,
    results: Results,
    predictions: Predictions,
    simulated: bool,
    repeat: str,
) -> report.Story:
    """The story of a run; with folds, windows, release and night are those of the first."""
    from stimjax import report

    test = batch.load(places.windows, "test")
    teacher = teachers.load(places.teacher)
    rng = np.random.default_rng(0)
    real = test[np.sort(rng.permutation(len(test))[:SHOWN])]
    stimuli = release.load(places.release)
    taught = teacher.probability(test.x)
    return report.Story(
        title="Simulated sleepers" if simulated else "Stimuli and students",
        simulated=simulated,
        results=results,
        real=real,
        stimuli=dataclasses.replace(stimuli[:SHOWN], spec=real.spec),
        night=_night(test, taught, predictions),
        answers=_answers(test, taught, predictions),
        origin=Made.load(places.windows),
        teacher=Metrics.load(places.teacher),
        manifest=release.load_manifest(places.release),
        config=(folder / "config.yaml").read_text(encoding="utf-8"),
        versions=versions(),
        repeat=repeat,
        teacher_on_real=teacher.probability(real.x),
    )


def _night(test: Batch, predicted: np.ndarray, predictions: Predictions) -> report.Night | None:
    """The test subject whose classes are most evenly mixed.

    Of `predictions` the first rows are those of `test`; with folds, others follow.
    """
    from stimjax import report

    subjects = [subject for subject in np.unique(test.subject) if subject != NOBODY]
    name = _shown_student(predictions)
    if not subjects or name is None or test.spec.label_seconds is None:
        return None
    student = predictions[name, "stimuli"][0]
    label = test.label
    where = max(
        (np.flatnonzero(np.asarray(test.subject) == subject) for subject in subjects),
        key=lambda rows: -abs((label[rows] > 0).mean() - 0.5),
    )

    def shown(probability: np.ndarray) -> np.ndarray:
        binary = probability.shape[1] == 2
        return (probability[:, 1] if binary else probability.argmax(axis=1)).astype(np.float32)

    return report.Night(
        scored=label[where].astype(np.float32),
        predicted=shown(predicted[where]),
        student=shown(student[where]),
        seconds=float(test.spec.label_seconds),
        x=np.asarray(test.x)[where],
    )


def _answers(test: Batch, taught: np.ndarray, predictions: Predictions) -> report.Answers | None:
    """What the teacher and a student said of the first fold's test windows."""
    from stimjax import report

    name = _shown_student(predictions)
    if name is None:
        return None
    student = predictions[name, "stimuli"][:, : len(test)].mean(axis=0)
    return report.Answers(np.asarray(test.label), np.asarray(test.subject), taught, student, name)


def _shown_student(predictions: Predictions) -> str | None:
    """The student of the pictures: a CNN, else the first; None where there is none on stimuli."""
    students = [name for name, source in predictions if source == "stimuli"]
    return "cnn" if "cnn" in students else next(iter(students), None)


def _repeat(data: Sequence[Path] | None, out: Path) -> str:
    if data is None:
        return f"stimjax demo --config config.yaml --out {shlex.quote(out.name)}"
    names = " ".join(shlex.quote(path.name) for path in data)
    return f"stimjax run --data {names} --config config.yaml --out {shlex.quote(out.name)}"
