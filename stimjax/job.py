"""The whole job as one readable function, and its stages.

recordings -> windows -> teacher -> stimuli -> students -> report

What a stage writes goes into a folder that its caller has opened with `store.new_folder`. The
whole job lands in one folder:

    config.yaml               the settings that were used
    private/                  mode 0700: recordings of the demo, windows, teacher, report.html
    release/                  what may be published
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

from stimjax import config, ledger, release, settings, work
from stimjax.batch import NOBODY, Batch
from stimjax.data import prepare, reader, simulate
from stimjax.excite import guarantee, methods, rates, synthesize
from stimjax.learn import critic as critics
from stimjax.learn import resume
from stimjax.learn import teacher as teachers
from stimjax.learn.teacher import Teacher
from stimjax.progress import Reporter
from stimjax.recipes import Recipe
from stimjax.store import StimjaxError, new_folder, read_json, write_json
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
    bounds: Mapping[str, float] | None = None,
) -> tuple[str, ...]:
    """Do the whole job on the recordings in `data`; see the module for what `out` holds.

    The same command after an interruption prepares the windows again and goes on with the teacher
    and the stimuli (of each fold).

    Args:
        data: recordings, or folders with them.
        out: appears when all is done.
        job: the settings.
        overwrite: replace earlier results.
        reporter: is told of the progress.
        simulated: simulate the recordings first.
        bounds: of the audit, see `stimjax.privacy.gate`; without, everything may be published.

    Returns:
        A line for each bound that is exceeded; if there are any the release is in private/refused.

    Raises:
        StimjaxError: a recording or a setting is not usable, or `out` is occupied. Nothing is
            left under the name `out` then.
    """
    guarantee.refuse_job(job)
    folds = job.prepare.folds
    if folds > 1 and job.prepare.fold:
        raise StimjaxError(
            f"--fold {job.prepare.fold}: a whole run tests all {folds} folds; leave it out, or see "
            "`stimjax prepare`, which makes the windows of one"
        )
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(new_folder(out, overwrite=overwrite))
        private = folder / "private"
        private.mkdir(mode=0o700)
        if simulated:
            (private / "recordings").mkdir()
            simulate_cohort(private / "recordings", job.simulation, reporter)
            data = [private / "recordings"]
        judged = []
        for fold in range(folds):
            places = _places(folder, fold, folds)
            judged.append(_fold(data, places, of_fold(job, fold), out, stack, reporter))
        (folder / "study").mkdir()
        results, predictions = write_results(judged, folder / "study", job.study)
        first = _places(folder, 0, folds)
        privacy, exceeded = _audited(data, first, folder, job, bounds, reporter)
        from stimjax import report

        reporter.stage("writing the report")
        used = (job.prepare, job.teacher, job.synthesis, job.study, job.audit)
        save_config(folder, *used, *([job.simulation] if simulated else []))
        (folder / "config.yaml").chmod(0o600)  # it may name subjects
        story = _story(
            folder,
            first,
            results,
            predictions,
            simulated,
            _repeat(data, out, simulated),
        )
        story = dataclasses.replace(story, privacy=privacy, exceeded=exceeded)
        report.write(story, private / "report.html")
        (folder / "report.html").symlink_to(Path("private") / "report.html")
        if exceeded:
            first.release.rename(private / "refused")
    return exceeded


def _audited(
    data: Sequence[Path],
    places: _Places,
    folder: Path,
    job: config.Job,
    bounds: Mapping[str, float] | None,
    reporter: Reporter,
) -> tuple[dict[str, Any] | None, tuple[str, ...]]:
    """The audit of a run, in `folder/audit`, and which bounds it exceeds.

    There is none where windows were split at random: nobody is left who had no part.
    """
    from stimjax.privacy import gate

    if job.prepare.split == "random" or not job.audit.attacks:
        if job.audit.attacks:
            reporter.note("no audit: with --split random nobody is left who had no part")
        return None, ("no audit was made",) if bounds else ()
    (folder / "audit").mkdir()
    found = audit_release(
        *(places.release, places.windows, places.windows, folder / "audit"),
        *(job.audit, data, reporter),
    )
    return found, tuple(gate.exceeded(found, bounds or {}))


def of_fold(job: config.Job, fold: int) -> config.Job:
    """The settings of one fold: nothing random is shared with another fold, students least."""
    if job.prepare.folds == 1:
        return job

    def shifted(section: Any, by: int) -> Any:
        return dataclasses.replace(section, seed=(section.seed + by) % (settings.LARGEST_SEED + 1))

    return dataclasses.replace(
        job,
        prepare=dataclasses.replace(job.prepare, fold=fold),  # the same seed: folds are disjoint
        teacher=shifted(job.teacher, fold),
        synthesis=shifted(job.synthesis, fold),
        study=shifted(job.study, fold * job.study.seeds),
    )


@dataclasses.dataclass(frozen=True)
class _Places:
    """Where a fold's parts lie; `fold` is None where there is one only."""

    fold: int | None
    windows: Path
    teacher: Path
    release: Path


def _places(folder: Path, fold: int, folds: int) -> _Places:
    private = folder / "private"
    if folds == 1:
        return _Places(None, private / "windows", private / "teacher", folder / "release")
    own = private / f"fold-{fold}"
    release = own / "release" if fold else folder / "release"
    return _Places(fold, own / "windows", own / "teacher", release)


@dataclasses.dataclass(frozen=True)
class Judged:
    """How a teacher and the students did on the test windows of one fold.

    Small: `test` has no values, see `studies.without_values`.
    """

    rows: list[dict[str, Any]]
    predictions: Predictions
    test: Batch
    teacher: np.ndarray | None  # its probabilities for the test windows, f32[n, class]
    networks: tuple[str, ...]
    split: str


def _fold(
    data: Sequence[Path],
    places: _Places,
    job: config.Job,
    out: Path,
    stack: contextlib.ExitStack,
    reporter: Reporter,
) -> Judged:
    """Windows, teacher, release and students of one fold.

    Checkpoints of the teacher and the shards lie beside `out` until `stack` ends: an interrupted
    run goes on with the teachers and stimuli of all the folds it came to.
    """
    if places.fold is not None:
        reporter.note(f"fold {places.fold + 1} of {job.prepare.folds}")
        places.windows.parent.mkdir()
    for made in (places.windows, places.teacher):
        made.mkdir()
    prepare_windows(data, places.windows, job.prepare, reporter)
    identity = resume.identify(places.windows, job.teacher)
    if places.fold is not None:
        out = out.absolute()
        out = out.with_name(f"{out.name}.fold-{places.fold}")
    checkpoint = stack.enter_context(resume.checkpoints(out, identity))
    teacher = train_teacher(places.windows, places.teacher, job.teacher, reporter, checkpoint)
    reporter.stage("making stimuli")
    identity = synthesize.identify(teacher, job.synthesis)
    made = stack.enter_context(work.kept(out, "stimuli", identity)) / "release"
    if not made.exists():
        tell = rates.telling(reporter)
        synthesize.synthesize(teacher, job.synthesis, made, progress=tell, note=reporter.note)
    shutil.copytree(made, places.release)
    if places.fold == 0:
        (places.windows.parent / "release").symlink_to(Path("..", "..", "release"))
    windows = places.windows
    return _judge(places.release, windows, windows, job.study, teacher, reporter, places.fold)


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

    With a folder `checkpoint`, goes on from the checkpoint there if there is one. A formal
    guarantee does not cover `metrics.json`, which is as private as the windows.
    """
    if asked.dp.epsilon:
        guarantee.refuse_windows(windows)
    if checkpoint is not None and resume.has_checkpoint(checkpoint):
        reporter.note("going on from where an earlier training was interrupted")
    reporter.stage("training the teacher")
    train, validation, test = (prepare.load(windows, part) for part in prepare.PARTS)
    teacher = teachers.train(
        train, validation, asked, checkpoint=checkpoint, progress=reporter.progress
    )
    teacher = dataclasses.replace(teacher, statistics=methods.measure(train, teacher))
    if asked.critic != "none" and not asked.dp.epsilon:  # the critic has no guarantee
        reporter.stage("training the identity critic")
        critic = critics.train(
            train, asked.critic, asked.fit, seed=asked.seed, progress=reporter.progress
        )
        teacher = dataclasses.replace(teacher, critic=critic)
    teachers.save(teacher, folder)
    scores = {
        name: metrics.evaluate(teacher.probability(part.x), part)
        for name, part in (("validation", validation), ("test", test))
    }
    about = {
        "schema": SCHEMA,
        "networks": list(teacher.networks),
        "members": list(teacher.members),
        "critic": None if teacher.critic is None else teacher.critic.about(),
        "privacy": ledger.described(teacher.privacy),
        **scores,
        "versions": versions(),
    }
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
    judged = _judge(stimuli, train, test, asked, teacher, reporter)
    return write_results([judged], folder, asked)


def _judge(
    stimuli: Path,
    train: Path,
    test: Path,
    asked: config.Study,
    teacher: Teacher | None,
    reporter: Reporter,
    fold: int | None = None,
) -> Judged:
    """Train students and let all predict the test part; `fold` is named in the rows."""
    reporter.stage("training students")
    judged = prepare.load(test, "test")
    given = studies.sources(
        release.load(stimuli),
        prepare.load(train, "train"),
        prepare.load(train, "validation"),
        teacher,
        asked,
    )
    predictions = studies.predict(given, judged, asked, progress=reporter.progress)
    answer = None if teacher is None else (teacher.probability(judged.x), teacher.networks)
    return judge(predictions, test, judged, asked, answer, fold)


def audit_release(
    stimuli: Path,
    train: Path,
    holdout: Path,
    folder: Path,
    asked: config.Audit,
    recordings: Sequence[Path],
    reporter: Reporter,
) -> dict[str, Any]:
    """Try all attacks on a release and write `privacy.json` into the empty `folder`.

    Args:
        stimuli: a release.
        train: a folder of windows; the teacher learned from its training part. Its validation part
            is the cohort that attackers have of their own.
        holdout: a folder of windows; its test part are people who had no part in the release.
        folder: to write into.
        asked: what is tried.
        recordings: files of which nothing must be named in the release.
        reporter: is told of the progress.

    Raises:
        StimjaxError: the holdout is not apart from the training part, or a folder is damaged.
    """
    from stimjax.privacy import audit, files
    from stimjax.privacy.attack import World

    made = release.load_manifest(stimuli)
    spent = made.get("privacy") or {}
    world = World(
        release=release.load(stimuli),
        members=prepare.load(train, "train"),
        others=prepare.load(holdout, "test"),
        reference=prepare.load(train, "validation"),
        seed=asked.seed,
    )
    same = train.resolve() == holdout.resolve()
    if not same:  # numbers of subjects mean nothing in another folder
        apart = np.asarray(world.others.subject) + audit.APART
        world = world._replace(others=dataclasses.replace(world.others, subject=apart))
    audit.refuse_overlap(world.members, world.others, same, f"{holdout}: the test part")
    recipe = _recipe(made, stimuli)
    secrets = files.secrets_of(train, reader.find(recordings)) if recordings else []
    published = audit.Published(stimuli, secrets)
    found = {
        "schema": audit.SCHEMA,
        "attacks": audit.audit(world, asked, recipe, published, stage=reporter.stage),
        "epsilon": spent.get("epsilon"),
        "delta": spent.get("delta"),
        "on": audit.counts(world),
        "versions": versions(),
    }
    write_json(folder / "privacy.json", found)
    save_config(folder, asked)
    return found


def _recipe(manifest: dict[str, Any], path: Path) -> Recipe:
    """How the release was made, as its manifest says; as by default if it says nothing of it."""
    made = (manifest.get("method") or {}).get("recipe")
    if made is None:
        return methods.recipe(config.Synthesis())
    given = {"synthesis": {"recipe": made}}
    asked = settings.over(config.Job(), given, f"{path / 'manifest.json'}: method").synthesis
    return methods.recipe(asked)


def judge(
    predictions: Predictions,
    windows: Path,
    test: Batch,
    asked: config.Study,
    teacher: tuple[np.ndarray, tuple[str, ...]] | None,
    fold: int | None = None,
) -> Judged:
    """What is kept of one fold.

    Args:
        predictions: of the students.
        windows: the folder of windows that `test` is a part of.
        test: the windows that were predicted.
        asked: students and seeds.
        teacher: its probabilities f32[n, class] for `test`, and its networks.
        fold: its number, named in the rows if it is given.
    """
    return Judged(
        rows=studies.rows(predictions, test, asked, fold),
        predictions=predictions,
        test=studies.without_values(test),
        teacher=None if teacher is None else teacher[0],
        networks=() if teacher is None else teacher[1],
        split=read_json(windows / "spec.json")["made"].get("settings", {}).get("split", "subject"),
    )


def write_results(
    folds: Sequence[Judged], folder: Path, asked: config.Study, reference: str = "real"
) -> tuple[dict[str, Any], Predictions]:
    """`results.json` over all folds, and the predictions of all their test windows.

    What students lose is counted from what they reach on `reference`.
    """
    predictions, test = studies.pool([(one.predictions, one.test) for one in folds])
    split = folds[0].split
    resample = "windows" if split == "random" else "subjects"
    about = None
    probabilities = [one.teacher for one in folds if one.teacher is not None]
    if probabilities:
        scores = metrics.evaluate(np.concatenate(probabilities), test)
        about = {"networks": list(folds[0].networks), **scores}
    tested = {"windows": len(test), "split": split, "intervals": f"bootstrap of {resample}"}
    results = {
        "schema": SCHEMA,
        "teacher": about,
        "rows": [row for one in folds for row in one.rows],
        "summary": studies.summary(predictions, test, resample, reference),
        "test": tested | ({"folds": len(folds)} if len(folds) > 1 else {}),
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
    places: _Places,
    results: dict[str, Any],
    predictions: Predictions,
    simulated: bool,
    repeat: str,
) -> report.Story:
    """The story of a run; with folds, windows, release and night are those of the first."""
    from stimjax import report

    test = prepare.load(places.windows, "test")
    teacher = teachers.load(places.teacher)
    rng = np.random.default_rng(0)
    real = test[np.sort(rng.permutation(len(test))[:SHOWN])]
    stimuli = release.load(places.release)
    made = read_json(places.windows / "spec.json")["made"]
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
            **({"folds": made["settings"]["folds"]} if places.fold is not None else {}),
            "counts": made["parts"],
            "samples masked or clipped": made["masked"],
        },
        teacher=read_json(places.teacher / "metrics.json"),
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
