"""The whole job as one readable function, and its stages.

recordings -> windows -> teacher -> stimuli -> students -> report

What a stage writes goes into a folder that its caller has opened with `store.new_folder`. The
whole job lands in one folder:

    config.yaml               the settings that were used
    private/                  mode 0700: recordings of the demo, windows, teacher, report.html
    release/                  what may be published
    study/results.json        how good the students are
    report.html               a link to private/report.html, which shows real windows
"""

from __future__ import annotations

import contextlib
import dataclasses
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stimjax import config, release, settings
from stimjax.batch import NOBODY, Batch
from stimjax.data import prepare, simulate
from stimjax.excite import synthesize
from stimjax.learn import resume
from stimjax.learn import teacher as teachers
from stimjax.learn.teacher import Teacher
from stimjax.progress import Reporter
from stimjax.store import new_folder, read_json, write_json
from stimjax.study import metrics
from stimjax.study import study as studies
from stimjax.study.study import Predictions
from stimjax.versions import versions

if TYPE_CHECKING:
    from stimjax import report  # brings matplotlib: imported where a report is written

SCHEMA = 1  # of metrics.json and results.json
SHOWN = 400  # real windows and stimuli in the report


def run(
    data: Sequence[Path],
    out: Path,
    job: config.Job,
    *,
    overwrite: bool = False,
    reporter: Reporter,
    simulated: bool = False,
) -> None:
    """Do the whole job on the recordings in `data`; see the module for what `out` holds.

    The same command after an interruption prepares the windows again and goes on with the teacher.

    Raises:
        StimjaxError: a recording or a setting is not usable, or `out` is occupied. Nothing is
            left under the name `out` then.
    """
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(new_folder(out, overwrite=overwrite))
        private = folder / "private"
        private.mkdir(mode=0o700)
        if simulated:
            (private / "recordings").mkdir()
            simulate_cohort(private / "recordings", job.simulation, reporter)
            data = [private / "recordings"]
        windows = private / "windows"
        windows.mkdir()
        prepare_windows(data, windows, job.prepare, reporter)
        (private / "teacher").mkdir()
        identity = resume.identify(windows, job.teacher)
        checkpoint = stack.enter_context(resume.checkpoints(out, identity))
        teacher = train_teacher(windows, private / "teacher", job.teacher, reporter, checkpoint)
        reporter.stage("making stimuli")
        synthesize.synthesize(
            teacher,
            job.synthesis,
            folder / "release",
            progress=reporter.progress,
            note=reporter.note,
        )
        (folder / "study").mkdir()
        results, predictions = study_release(
            folder / "release", windows, windows, folder / "study", job.study, teacher, reporter
        )
        from stimjax import report

        reporter.stage("writing the report")
        used = (job.prepare, job.teacher, job.synthesis, job.study)
        save_config(folder, *used, *([job.simulation] if simulated else []))
        (folder / "config.yaml").chmod(0o600)  # it may name subjects
        story = _story(
            folder, teacher, results, predictions, simulated, _repeat(data, out, simulated)
        )
        report.write(story, private / "report.html")
        (folder / "report.html").symlink_to(Path("private") / "report.html")


def simulate_cohort(folder: Path, asked: config.Simulation, reporter: Reporter) -> None:
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
    save_config(folder, asked)


def prepare_windows(
    inputs: Sequence[Path], folder: Path, asked: config.Prepare, reporter: Reporter
) -> None:
    """Fill the empty `folder` with windows of the recordings among `inputs`."""
    reporter.stage("preparing windows")
    prepare.prepare(inputs, asked, folder, note=reporter.note, progress=reporter.progress)
    save_config(folder, asked)


def train_teacher(
    windows: Path,
    folder: Path,
    asked: config.Teacher,
    reporter: Reporter,
    checkpoint: Path | None = None,
) -> Teacher:
    """Train a teacher on `windows`; write it, and how good it is on real windows, into `folder`.

    With a folder `checkpoint`, goes on from the checkpoint there if there is one.
    """
    if checkpoint is not None and resume.has_checkpoint(checkpoint):
        reporter.note("going on from where an earlier training was interrupted")
    reporter.stage("training the teacher")
    train, validation, test = (prepare.load(windows, part) for part in prepare.PARTS)
    teacher = teachers.train(
        train, validation, asked, checkpoint=checkpoint, progress=reporter.progress
    )
    teachers.save(teacher, folder)
    scores = {
        name: metrics.evaluate(teacher.probability(part.x), part)
        for name, part in (("validation", validation), ("test", test))
    }
    about = {"schema": SCHEMA, "network": teacher.network, **scores, "versions": versions()}
    write_json(folder / "metrics.json", about)
    save_config(folder, asked)
    return teacher


def study_release(
    stimuli: Path,
    train: Path,
    test: Path,
    folder: Path,
    asked: config.Study,
    teacher: Teacher | None,
    reporter: Reporter,
) -> tuple[dict[str, Any], Predictions]:
    """Train students and write `results.json` into the empty `folder`.

    Args:
        stimuli: a release.
        train: a folder of windows; its training and validation parts are used.
        test: a folder of windows; its test part is used.
        folder: to write into.
        asked: students, seeds, fit.
        teacher: labels the noise, and is judged beside the students, if given.
        reporter: is told of the progress.
    """
    reporter.stage("training students")
    judged = prepare.load(test, "test")
    split = read_json(test / "spec.json")["made"].get("settings", {}).get("split", "subject")
    resample = "windows" if split == "random" else "subjects"
    given = studies.sources(
        release.load(stimuli),
        prepare.load(train, "train"),
        prepare.load(train, "validation"),
        teacher,
        asked,
    )
    found, predictions = studies.study(
        given, judged, asked, resample=resample, progress=reporter.progress
    )
    about = None
    if teacher is not None:
        scores = metrics.evaluate(teacher.probability(judged.x), judged)
        about = {"network": teacher.network, **scores}
    results = {
        "schema": SCHEMA,
        "teacher": about,
        **found,
        "test": {"windows": len(judged), "split": split, "intervals": f"bootstrap of {resample}"},
        "versions": versions(),
    }
    write_json(folder / "results.json", results)
    save_config(folder, asked)
    return results, predictions


def save_config(folder: Path, *used: Any) -> None:
    """Write the settings that were used as `folder/config.yaml`, for `--config`."""
    (folder / "config.yaml").write_text(settings.dump(*used), encoding="utf-8")


def _story(
    folder: Path,
    teacher: Teacher,
    results: dict[str, Any],
    predictions: Predictions,
    simulated: bool,
    repeat: str,
) -> report.Story:
    from stimjax import report

    private = folder / "private"
    test = prepare.load(private / "windows", "test")
    rng = np.random.default_rng(0)
    real = test[np.sort(rng.permutation(len(test))[:SHOWN])]
    stimuli = release.load(folder / "release")
    made = read_json(private / "windows" / "spec.json")["made"]
    return report.Story(
        title="Simulated sleepers" if simulated else "Stimuli and students",
        simulated=simulated,
        results=results,
        real=real,
        stimuli=dataclasses.replace(stimuli[:SHOWN], spec=real.spec),
        night=_night(test, teacher.probability(test.x), predictions),
        data={
            "split": made["settings"]["split"],
            "recordings": made["recordings"],
            "subjects": made["subjects"],
            "recordings left out": made["skipped"],
            "counts": made["parts"],
            "samples masked or clipped": made["masked"],
        },
        teacher=read_json(private / "teacher" / "metrics.json"),
        manifest=release.load_manifest(folder / "release"),
        config=(folder / "config.yaml").read_text(encoding="utf-8"),
        versions=versions(),
        repeat=repeat,
        teacher_on_real=teacher.probability(real.x),
    )


def _night(test: Batch, predicted: np.ndarray, predictions: Predictions) -> report.Night | None:
    """The test subject whose classes are most evenly mixed."""
    from stimjax import report

    subjects = [subject for subject in np.unique(test.subject) if subject != NOBODY]
    deep = [name for name, source in predictions if source == "stimuli"]
    if not subjects or not deep or test.spec.label_seconds is None:
        return None
    student = predictions["cnn" if "cnn" in deep else deep[0], "stimuli"][0]
    label = np.asarray(test.y).argmax(axis=1)
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
    )


def _repeat(data: Sequence[Path], out: Path, simulated: bool) -> str:
    if simulated:
        return f"stimjax demo --config config.yaml --out {shlex.quote(out.name)}"
    names = " ".join(shlex.quote(path.name) for path in data)
    return f"stimjax run --data {names} --config config.yaml --out {shlex.quote(out.name)}"
