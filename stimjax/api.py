"""The functions of the Python face: the whole route in memory or in folders, with no command line.

Folders are named as `str` or `Path`. Each function is silent; what it computes and what it writes
is what the command of the same name computes and writes. `import stimjax` hands all of them on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple, TypeVar

from stimjax import batch, config
from stimjax import release as releases
from stimjax.batch import Batch
from stimjax.config import settings as checks
from stimjax.data import people as persons
from stimjax.data import public as recordings
from stimjax.data.people import Person
from stimjax.data.public import Recorded
from stimjax.data.split import PARTS
from stimjax.disk.documents import Guarantee, Made, Privacy, Results, Split
from stimjax.disk.store import new_folder, refuse_occupied
from stimjax.errors import StimjaxError
from stimjax.excite import guarantee, shards
from stimjax.excite import synthesize as making
from stimjax.excite.teach import teach
from stimjax.job import cohort, stages
from stimjax.learn import teacher as teachers
from stimjax.learn.teacher import Teacher
from stimjax.machine import runtime
from stimjax.machine.progress import Reporter
from stimjax.students import study as studies
from stimjax.trained import model as models
from stimjax.trained.model import Model

Folder = str | Path
T = TypeVar("T")


class Windows(NamedTuple):
    """Windows of one preparation, whose spec is the same; private where they are of people.

    Attributes:
        train: the teacher learns from them; in order of time within each subject.
        validation: they choose networks; attackers in an audit hold them as their own cohort.
        test: they judge students; of others who had no part in the release.
        split: by whole subjects, or windows at random.
        independent: none depends on another recording, nor does the part that it is in, as a
            teacher with an epsilon needs it.
        people: what is known of subjects by their numbers: sex, age, device.
        public: nights that anybody may have, of other people, in the form of the windows.
    """

    train: Batch
    validation: Batch
    test: Batch
    split: Split = "subject"
    independent: bool = False
    people: Mapping[int, Person] = MappingProxyType({})
    public: tuple[Recorded, ...] = ()


def prepare(
    recordings: Sequence[Folder],
    out: Folder,
    settings: config.Prepare | None = None,
    *,
    like: Folder | None = None,
    overwrite: bool = False,
) -> Path:
    """Cut recordings into labeled windows, as `stimjax prepare` does.

    Args:
        recordings: EDF or WFDB files, or folders with them.
        out: the folder of windows; it is private (mode 0700).
        settings: task, channels, rate, split; by default those of the command.
        like: a release (or windows) whose form the windows get: nothing is split, and recordings
            need no scoring. Settings may name labels (`channels`), but no other form.
        overwrite: replace a folder that stimjax wrote earlier.

    Returns:
        `out`.

    Raises:
        StimjaxError: a recording cannot be used, settings contradict `like`, or `out` is occupied.
    """
    settings = _checked(settings or config.Prepare())
    with new_folder(out, overwrite=overwrite, private=True) as folder:
        paths = [Path(one) for one in recordings]
        if like is None:
            cohort.prepare_windows(paths, folder, settings, Reporter())
        else:
            cohort.prepare_like(paths, folder, Path(like), settings, Reporter())
    return Path(out)


def load_windows(folder: Folder) -> Windows:
    """The windows that `prepare` made.

    Raises:
        StimjaxError: `folder` is no folder of windows, or damaged.
    """
    folder = Path(folder)
    train, validation, test = (batch.load(folder, part) for part in PARTS)
    made, people = Made.load(folder), persons.load(folder)
    own = guarantee.independent(made)
    given = recordings.load(folder)
    return Windows(train, validation, test, made.settings.split, own, people, given)


def train_teacher(
    windows: Windows | Folder,
    settings: config.Teacher | None = None,
    *,
    out: Folder | None = None,
    overwrite: bool = False,
) -> Teacher:
    """A finished teacher: networks, statistics and critic, or one with a formal guarantee.

    Args:
        windows: in memory, or their folder.
        settings: networks, candidates, fit; by default those of the command.
        out: a private folder to keep it in, for `load_teacher`.
        overwrite: replace a folder that stimjax wrote earlier.

    Raises:
        StimjaxError: training diverged, a guarantee cannot be given, or `out` is occupied.
    """
    settings, given = _checked(settings or config.Teacher()), _windows(windows)
    if settings.dp.epsilon and not given.independent:
        raise StimjaxError(f"Windows.independent is False: {guarantee.INDEPENDENT}")
    if out is None:
        return teach(given.train, given.validation, settings, recorded=given.public)
    with new_folder(out, overwrite=overwrite, private=True) as folder:
        teacher = teach(given.train, given.validation, settings, recorded=given.public)
        stages.save_teacher(teacher, folder, settings, validation=given.validation, test=given.test)
    return teacher


def load_teacher(folder: Folder) -> Teacher:
    """The teacher that `train_teacher` or `stimjax train` kept.

    Raises:
        StimjaxError: there is none, it is damaged, or of another version.
    """
    runtime.start()
    return teachers.load(Path(folder))


def synthesize(
    teacher: Teacher,
    settings: config.Synthesis | None = None,
    *,
    out: Folder | None = None,
    overwrite: bool = False,
) -> Batch:
    """Stimuli, as `stimjax synthesize` makes them: the same settings give the same numbers.

    Args:
        teacher: labels them.
        settings: method, count, inhibition; by default those of the command.
        out: the folder of the release, which may be published; without, they stay in memory.
        overwrite: replace a release that stimjax wrote earlier.

    Returns:
        `settings.count` stimuli, of nobody.

    Raises:
        StimjaxError: the settings make no sense or need what the teacher lacks, or `out` is
            occupied.
    """
    settings = _checked(settings or config.Synthesis())
    if out is not None:
        making.synthesize(teacher, settings, Path(out), overwrite=overwrite)
        return releases.load(Path(out))
    if teacher.privacy is not None:
        guarantee.refuse_synthesis(settings, teacher.statistics)
    parts = [shard.stimuli for shard in shards.shards(teacher, settings)]
    return batch.concatenate(parts)[: settings.count]


def load_release(folder: Folder) -> Batch:
    """The stimuli of a release, verified.

    Raises:
        StimjaxError: a file is missing, was changed, or is unsound.
    """
    return releases.load(Path(folder))


def study(
    release: Batch | Folder,
    windows: Windows | Folder,
    settings: config.Study | None = None,
    *,
    teacher: Teacher | None = None,
) -> Results:
    """Train students on a release, on real windows and on baselines; test all on real windows.

    Args:
        release: stimuli in memory, or the folder of a release.
        windows: real ones of the same kind.
        settings: students, seeds, fit; by default those of the command.
        teacher: labels some baselines, which are left out without it.

    Returns:
        The content of `results.json`.

    Raises:
        StimjaxError: stimuli and windows are not of the same kind, or a student diverged.
    """
    settings, given = _checked(settings or config.Study()), _windows(windows)
    stimuli = release if isinstance(release, Batch) else releases.load(Path(release))
    sources = studies.sources(
        stimuli, teacher, settings, train=given.train, validation=given.validation
    )
    predictions = studies.predict(sources, given.test, settings)
    answer = None if teacher is None else (teacher.probability(given.test.x), teacher.networks)
    judged = stages.judge(predictions, given.split, given.test, settings, answer)
    return stages.results_of([judged])[0]


def audit(
    release: Batch | Folder,
    windows: Windows | Folder,
    settings: config.Audit | None = None,
    *,
    synthesis: config.Synthesis | None = None,
    teacher: Teacher | None = None,
    holdout: Windows | Folder | None = None,
) -> Privacy:
    """Try what a release tells of individuals: attacks, each also on a planted leak.

    Args:
        release: stimuli in memory, or the folder of a release, whose files are searched then too.
        windows: the teacher learned from their training part; their validation part is the
            attackers' own cohort.
        settings: attacks, shadows; by default those of the command.
        synthesis: how stimuli in memory were made; a release says it itself.
        teacher: that labeled stimuli in memory, for shadow teachers like it; without it they are
            of one CNN. A release says what its own was.
        holdout: its test part are people who had no part; by default that of `windows`.

    Returns:
        The content of `privacy.json`.

    Raises:
        StimjaxError: the holdout is not apart from the training part, or a side has one subject.
    """
    from stimjax.privacy import audit as audits
    from stimjax.privacy.findings import World
    from stimjax.privacy.shadow import releases as shadows

    settings, given = _checked(settings or config.Audit()), _windows(windows)
    others = given if holdout is None else _windows(holdout)
    promised, published = Guarantee(), None
    if not isinstance(release, Batch):
        manifest = releases.load_manifest(Path(release))
        how, promised = shadows.recipe_of(manifest, given.public), manifest.privacy
        published = audits.Published(Path(release), ())
        release = releases.load(Path(release))
    elif teacher is None:
        how = shadows.release_recipe(synthesis or config.Synthesis())
    else:
        by = teacher.networks, teacher.dp, teacher.prior
        how = shadows.release_recipe(synthesis or config.Synthesis(), *by)
    world = World(
        release=release,
        members=given.train,
        others=others.test,
        reference=given.validation,
        seed=settings.seed,
        people=given.people,
    )
    if holdout is not None:
        world = audits.apart(world, others.people)
    audits.refuse_unfit(world, holdout is None, "the test part")
    return audits.documented(world, audits.audit(world, settings, how, published), promised)


def fit(
    release: Batch | Folder,
    student: str = "cnn",
    settings: config.Study | None = None,
    *,
    out: Folder | None = None,
    overwrite: bool = False,
) -> Model:
    """Train one student and keep it, as `stimjax fit` does.

    Args:
        release: the folder of a release; one of windows, on whose real training part it is trained
            then, so that the model is private; or stimuli in memory.
        student: its name.
        settings: labels, fit and seed of its training; by default those of the command.
        out: a folder to keep it in, for `load_model`.
        overwrite: replace a model that stimjax wrote earlier.

    Raises:
        StimjaxError: there is no such student, the release is none, training diverged, or `out` is
            occupied.
    """
    settings = _checked(settings or config.Study())
    if out is not None:
        refuse_occupied(Path(out), overwrite)
    if isinstance(release, Batch):
        model, source = models.fit(release, student, settings), None
    else:
        source = Path(release)
        model = models.fit_folder(source, student, settings)
    if out is not None:
        models.keep(model, Path(out), source, overwrite=overwrite)
    return model


def load_model(folder: Folder) -> Model:
    """The student that `fit` or `stimjax fit` kept; its `predict_proba` takes windows.

    Raises:
        StimjaxError: there is none, or a file of it was changed or is damaged.
    """
    runtime.start()
    return models.load(Path(folder))


def _windows(windows: Windows | Folder) -> Windows:
    return windows if isinstance(windows, Windows) else load_windows(windows)


def _checked(settings: T) -> T:
    """`settings`, if they are sound; and a machine that is told what to do."""
    checks.check(settings)
    runtime.start()
    return settings
