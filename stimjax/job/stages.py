"""The stages of the job that follow `stimjax.job.cohort`; each fills an empty folder.

windows -> teacher -> stimuli -> students -> audit

The folder is one that the caller has opened with `store.new_folder`. Stimuli are made by
`stimjax.excite.synthesize`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stimjax import batch, config, release
from stimjax.batch import Batch
from stimjax.config.settings import save as save_settings
from stimjax.data import people, public, reader
from stimjax.data.split import PARTS
from stimjax.disk.documents import (
    HeldOut,
    Made,
    Metrics,
    Privacy,
    Results,
    Row,
    Split,
    TeacherScores,
)
from stimjax.excite import anew, guarantee
from stimjax.excite.teach import teach
from stimjax.learn import ledger, resume
from stimjax.learn import teacher as teachers
from stimjax.learn.teacher import Teacher
from stimjax.machine.progress import Reporter
from stimjax.machine.versions import versions
from stimjax.students import metrics
from stimjax.students import study as studies
from stimjax.students.study import Predictions

if TYPE_CHECKING:
    from stimjax.privacy.audit import ShadowsByRecipe
    from stimjax.privacy.findings import World


@dataclasses.dataclass(frozen=True)
class Judged:
    """How a teacher and the students did on the test windows of one fold.

    Small: `test` has no values, see `studies.without_values`.
    """

    rows: tuple[Row, ...]
    predictions: Predictions
    test: Batch
    teacher: np.ndarray | None  # its probabilities for the test windows, f32[n, class]
    networks: tuple[str, ...]
    split: Split


@dataclasses.dataclass(frozen=True)
class Compared:
    """A release, and the folders of real windows that it is compared with.

    Attributes:
        release: the folder of the release.
        train: windows whose training and validation parts are used.
        test: windows whose test part is used: it judges students; in an audit they are people who
            had no part in the release.
    """

    release: Path
    train: Path
    test: Path


def train_teacher(
    windows: Path,
    folder: Path,
    settings: config.Teacher,
    reporter: Reporter,
    checkpoint: Path | None = None,
) -> Teacher:
    """Train a teacher on `windows`; write it, and how good it is on real windows, into `folder`.

    With a folder `checkpoint`, goes on from the checkpoint there if there is one. A formal
    guarantee does not cover `metrics.json`, which is as private as the windows.
    """
    if settings.dp.epsilon:
        guarantee.refuse_windows(windows)
    if checkpoint is not None and resume.has_checkpoint(checkpoint):
        reporter.note("going on from where an earlier training was interrupted")
    train, validation, test = (batch.load(windows, part) for part in PARTS)
    teacher = teach(
        train,
        validation,
        settings,
        recorded=public.load(windows),
        checkpoint=checkpoint,
        reporter=reporter,
    )
    save_teacher(teacher, folder, settings, validation=validation, test=test)
    return teacher


def save_teacher(
    teacher: Teacher, folder: Path, settings: config.Teacher, *, validation: Batch, test: Batch
) -> None:
    """Write a teacher, how good it is on real windows, and its settings into `folder`."""
    teachers.save(teacher, folder)
    about = Metrics(
        networks=teacher.networks,
        members=teacher.members,
        critic=None if teacher.critic is None else teacher.critic.about(),
        privacy=ledger.described(teacher.privacy),
        validation=metrics.evaluate(teacher.probability(validation.x), validation),
        test=metrics.evaluate(teacher.probability(test.x), test),
        versions=versions(),
    )
    about.save(folder)
    save_settings(folder, settings)


def study_release(
    compared: Compared,
    folder: Path,
    settings: config.Study,
    teacher: Teacher | None,
    reporter: Reporter,
) -> tuple[Results, Predictions]:
    """Train students and write `results.json` into the empty `folder`.

    Args:
        compared: the release, and real windows.
        folder: to write into.
        settings: students, seeds, fit.
        teacher: labels the noise, and is judged beside the students, if given.
        reporter: is told of the progress.
    """
    judged = predict_and_judge(compared, settings, teacher, reporter)
    return write_results([judged], folder, settings)


def predict_and_judge(
    compared: Compared,
    settings: config.Study,
    teacher: Teacher | None,
    reporter: Reporter,
    fold: int | None = None,
) -> Judged:
    """Train students and let all predict the test part; `fold` is named in the rows."""
    reporter.stage("training students")
    if teacher is None and "prior" in settings.baselines and public.files(compared.train):
        reporter.note(
            "the baseline prior is of simulated sleepers alone; name the --teacher, who keeps the "
            "public recordings"
        )
    judged = batch.load(compared.test, "test")
    given = studies.sources(
        release.load(compared.release),
        teacher,
        settings,
        train=batch.load(compared.train, "train"),
        validation=batch.load(compared.train, "validation"),
    )
    predictions = studies.predict(given, judged, settings, progress=reporter.progress)
    answer = None if teacher is None else (teacher.probability(judged.x), teacher.networks)
    return judge(predictions, split_of(compared.test), judged, settings, answer, fold)


def audit_release(
    compared: Compared,
    folder: Path,
    settings: config.Audit,
    recordings: Sequence[Path],
    reporter: Reporter,
    shadows: ShadowsByRecipe | None = None,
) -> Privacy:
    """Try all attacks on a release and write `privacy.json` into the empty `folder`.

    Args:
        compared: the release; windows whose training part the teacher learned from, and whose
            validation part is the cohort that attackers have of their own; and the holdout.
        folder: to write into.
        settings: what is tried.
        recordings: files of which nothing must be named in the release.
        reporter: is told of the progress.
        shadows: of earlier audits with the same windows and settings; what is made here is added.

    Raises:
        StimjaxError: the holdout is not apart from the training part, one of them has a single
            subject, or a folder is damaged.
    """
    from stimjax.privacy import audit
    from stimjax.privacy.attacks import files
    from stimjax.privacy.shadow import releases

    manifest = release.load_manifest(compared.release)
    recorded = public.load(compared.train) if manifest.public else ()
    how = releases.recipe_of(manifest, recorded)
    guaranteed = manifest.privacy.epsilon is not None
    if why := releases.unlike(how.by, manifest.networks, guaranteed):
        reporter.note(f"{compared.release}: {why}")
    world = _world(compared, settings.seed)
    for why in anew.others(manifest, world.release.spec, recorded):
        reporter.note(f"{compared.release}: {why}; shadow releases are of others")
    secrets = files.secrets_of(compared.train, reader.find(recordings)) if recordings else []
    attacks = audit.audit(
        world,
        settings,
        how,
        audit.Published(compared.release, secrets),
        shadows=shadows,
        stage=reporter.stage,
    )
    privacy = audit.documented(world, attacks, manifest.privacy)
    privacy.save(folder)
    save_settings(folder, settings)
    return privacy


def _world(compared: Compared, seed: int) -> World:
    """What an audit is about, from the folders.

    Raises:
        StimjaxError: see `audit_release`.
    """
    from stimjax.privacy import audit
    from stimjax.privacy.findings import World

    world = World(
        release=release.load(compared.release),
        members=batch.load(compared.train, "train"),
        others=batch.load(compared.test, "test"),
        reference=batch.load(compared.train, "validation"),
        seed=seed,
        people=people.load(compared.train),
    )
    same = compared.train.resolve() == compared.test.resolve()
    if not same:
        world = audit.apart(world, people.load(compared.test))
    audit.refuse_unfit(world, same, f"{compared.test}: the test part")
    return world


def judge(
    predictions: Predictions,
    split: Split,
    test: Batch,
    settings: config.Study,
    teacher: tuple[np.ndarray, tuple[str, ...]] | None,
    fold: int | None = None,
) -> Judged:
    """What is kept of one fold.

    Args:
        predictions: of the students.
        split: that `test` comes from.
        test: the windows that were predicted.
        settings: students and seeds.
        teacher: its probabilities f32[n, class] for `test`, and its networks.
        fold: its number, named in the rows if it is given.
    """
    return Judged(
        rows=tuple(studies.rows(predictions, test, settings, fold)),
        predictions=predictions,
        test=studies.without_values(test),
        teacher=None if teacher is None else teacher[0],
        networks=() if teacher is None else teacher[1],
        split=split,
    )


def split_of(windows: Path) -> Split:
    """The split of a folder of windows."""
    return Made.load(windows).settings.split


def write_results(
    folds: Sequence[Judged], folder: Path, settings: config.Study, reference: str = "real"
) -> tuple[Results, Predictions]:
    """What `results_of` gives, written as `results.json` into `folder`."""
    results, predictions = results_of(folds, reference)
    results.save(folder)
    save_settings(folder, settings)
    return results, predictions


def results_of(folds: Sequence[Judged], reference: str = "real") -> tuple[Results, Predictions]:
    """The results over all folds, and the predictions of all their test windows.

    What students lose is counted from what they reach on `reference`.
    """
    predictions, test = studies.pool([(one.predictions, one.test) for one in folds])
    split = folds[0].split
    resample = "windows" if split == "random" else "subjects"
    teacher = None
    probabilities = [one.teacher for one in folds if one.teacher is not None]
    if probabilities:
        scores = metrics.evaluate(np.concatenate(probabilities), test)
        teacher = TeacherScores(folds[0].networks, scores)
    results = Results(
        teacher=teacher,
        rows=tuple(row for one in folds for row in one.rows),
        summary=tuple(studies.summary(predictions, test, resample, reference)),
        test=HeldOut(len(test), split, f"bootstrap of {resample}", len(folds)),
        versions=versions(),
    )
    return results, predictions
