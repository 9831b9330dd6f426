"""The verbs of the `stimjax` command: each a dataclass of what may be said, and one thin call.

What a verb needs is imported when it runs, so that `stimjax --help` answers at once.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import Annotated, Literal

import tyro

from stimjax import config as sections
from stimjax.command import options
from stimjax.command.options import FLAT, Config, Overwrite, Paths, Seed
from stimjax.disk.store import new_folder
from stimjax.errors import StimjaxError
from stimjax.machine import runtime
from stimjax.machine.progress import log, reporter

REFUSED = 3  # exit status of a run whose release exceeds the holder's bounds
DEFAULT, DEMO = sections.Job(), sections.DEMO


@dataclasses.dataclass(frozen=True)
class Demo:
    """Try the whole job on simulated sleepers; takes some minutes.

    Nobody's data is needed. What is private lands in OUT/private, what may be published in
    OUT/release, and OUT/report.html shows what came out.

    Attributes:
        out: folder for all results.
    """

    out: Path = Path("stimjax-demo")
    config: Config = None
    seed: Seed = None
    overwrite: Overwrite = False
    simulation: Annotated[sections.Simulation, FLAT] = DEMO.simulation
    prepare: sections.Prepare = DEMO.prepare
    teacher: sections.Teacher = DEMO.teacher
    synthesis: sections.Synthesis = DEMO.synthesis
    study: sections.Study = DEMO.study
    audit: sections.Audit = DEMO.audit
    tradeoff: sections.Tradeoff = DEMO.tradeoff

    def run(self) -> None:
        runtime.start()
        from stimjax.command import inspect
        from stimjax.job.run import run

        task = self.simulation.task
        if self.prepare.task not in (DEMO.prepare.task, task):
            raise StimjaxError("--prepare.task: the demo prepares what it simulates; say --task")
        prepare = dataclasses.replace(split_channels(self.prepare), task=task)
        if task == "stages" and prepare.rate == DEMO.prepare.rate:  # it suits breathing, not EEG
            prepare = dataclasses.replace(prepare, rate=0.0)
        job = job_of(self, prepare)
        with reporter() as report:
            run(None, self.out, job, overwrite=self.overwrite, reporter=report)
        print(inspect.describe(self.out))


@dataclasses.dataclass(frozen=True)
class Run:
    """Do the whole job on your recordings, from EDF or WFDB files to the report.

    A teacher is trained on the recordings, stimuli are made, students learn from the stimuli
    alone and are tested on recordings that were held out. What is private lands in OUT/private,
    what may be published in OUT/release, and OUT/report.html shows what came out.

    Attributes:
        data: EDF or WFDB files, or folders with them.
        out: folder for all results.
        require_privacy: a YAML file of bounds on the audit (`auc: 0.57`); a release that exceeds
            one is not published, and the exit status is 3.
    """

    data: tuple[Path, ...]
    out: Path
    require_privacy: Path | None = None
    config: Config = None
    seed: Seed = None
    overwrite: Overwrite = False
    prepare: Annotated[sections.Prepare, FLAT] = DEFAULT.prepare
    teacher: sections.Teacher = DEFAULT.teacher
    synthesis: sections.Synthesis = DEFAULT.synthesis
    study: sections.Study = DEFAULT.study
    audit: sections.Audit = DEFAULT.audit
    tradeoff: sections.Tradeoff = DEFAULT.tradeoff

    def run(self) -> int:
        if not self.data:
            raise StimjaxError("name the recordings: `stimjax run --data FOLDER --out RESULTS`")
        runtime.start()
        from stimjax.command import inspect
        from stimjax.job.run import run
        from stimjax.privacy import gate

        job = job_of(self, split_channels(self.prepare))
        bounds = None if self.require_privacy is None else gate.read(self.require_privacy)
        with reporter() as report:
            exceeded = run(
                self.data,
                self.out,
                job,
                overwrite=self.overwrite,
                reporter=report,
                bounds=bounds,
            )
        print(inspect.describe(self.out))
        for line in exceeded:
            print(f"stimjax: not published: {line}", file=sys.stderr)
        return REFUSED if exceeded else 0


@dataclasses.dataclass(frozen=True)
class Simulate:
    """Write recordings of simulated sleepers (EDF+ with annotations).

    Attributes:
        out: folder for the recordings.
    """

    out: tyro.conf.Positional[Path]
    config: Config = None
    seed: Seed = None
    overwrite: Overwrite = False
    simulation: Annotated[sections.Simulation, FLAT] = DEFAULT.simulation

    def run(self) -> None:
        runtime.start()
        from stimjax.job import cohort

        settings = self.simulation
        with reporter() as report, new_folder(self.out, overwrite=self.overwrite) as folder:
            cohort.simulate_recordings(folder, settings, report)
        print(f"{self.out}: {settings.subjects} recordings of {settings.hours:g} h")


@dataclasses.dataclass(frozen=True)
class Prepare:
    """Cut recordings into labeled windows for training, validation and test.

    Attributes:
        inputs: EDF or WFDB files, or folders with them.
        out: folder for the windows; it is private (mode 0700).
    """

    inputs: Paths
    out: Path
    config: Config = None
    seed: Seed = None
    overwrite: Overwrite = False
    prepare: Annotated[sections.Prepare, FLAT] = DEFAULT.prepare

    def run(self) -> None:
        if not self.inputs:
            raise StimjaxError("name the recordings: `stimjax prepare FOLDER --out WINDOWS`")
        from stimjax.command import inspect
        from stimjax.job import cohort

        with (
            reporter() as report,
            new_folder(self.out, overwrite=self.overwrite, private=True) as folder,
        ):
            cohort.prepare_windows(self.inputs, folder, split_channels(self.prepare), report)
        print(inspect.describe(self.out))


@dataclasses.dataclass(frozen=True)
class Train:
    """Train the teacher on windows; it is private as they are.

    A training that was interrupted goes on where it stopped when the same command is given
    again.

    Attributes:
        windows: folder that `stimjax prepare` made.
        out: folder for the teacher; it is private (mode 0700).
    """

    windows: tyro.conf.Positional[Path]
    out: Path
    config: Config = None
    seed: Seed = None
    overwrite: Overwrite = False
    teacher: Annotated[sections.Teacher, FLAT] = DEFAULT.teacher

    def run(self) -> None:
        runtime.start()
        from stimjax.command import inspect
        from stimjax.job import stages
        from stimjax.learn import resume

        identity = resume.identify(self.windows, self.teacher)
        with (
            reporter() as report,
            resume.checkpoints(self.out, identity) as checkpoint,
            new_folder(self.out, overwrite=self.overwrite, private=True) as folder,
        ):
            stages.train_teacher(self.windows, folder, self.teacher, report, checkpoint)
        print(inspect.describe(self.out))


@dataclasses.dataclass(frozen=True)
class Synthesize:
    """Make stimuli with a teacher: the release, which may be published.

    After an interruption the same command goes on with the shards that are there. Several
    processes (--distributed) share them out.

    Attributes:
        teacher: folder that `stimjax train` made.
        out: folder for the release; on a file system that all processes see.
        distributed: join the other processes that the cluster started (Slurm, Open MPI, Cloud
            TPU), or that --coordinator names.
        coordinator: HOST:PORT of process 0, where the cluster does not tell.
        processes: how many there are.
        process: the number of this one, from 0.
        log: file for a line of JSON every few seconds, for a monitor to read; each process but the
            first writes one of its own, FILE.1 and so on.
        device_memory: GB that lanes may use on each device; by default what the device has left.
    """

    teacher: tyro.conf.Positional[Path]
    out: Path
    distributed: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    coordinator: str | None = None
    processes: int | None = None
    process: int | None = None
    log: Path | None = None
    device_memory: float | None = None
    config: Config = None
    seed: Seed = None
    overwrite: Overwrite = False
    synthesis: Annotated[sections.Synthesis, FLAT] = DEFAULT.synthesis

    def run(self) -> None:
        if self.device_memory is not None and not 0 < self.device_memory < float("inf"):
            raise StimjaxError("--device-memory: has to be a number above 0")
        runtime.start()
        from stimjax.excite import rates, synthesize
        from stimjax.learn import teacher
        from stimjax.machine import hosts

        if self.distributed or self.coordinator:
            hosts.join(self.coordinator, self.processes, self.process)
        trained = teacher.load(self.teacher)
        with reporter() as report, log(self.log, hosts.index()) as write:
            report.stage("making stimuli")
            synthesize.synthesize(
                trained,
                self.synthesis,
                self.out,
                overwrite=self.overwrite,
                available=None if self.device_memory is None else int(1e9 * self.device_memory),
                listener=rates.Listener(rates.telling(report, write), report.note),
            )
        if hosts.index() == 0:
            print(f"{self.out}: {self.synthesis.count} stimuli")


@dataclasses.dataclass(frozen=True)
class Prior:
    """Make anew the simulated windows (or the images) that a release depends on, with their labels.

    Nobody's data is needed: whoever has a release can have them. They are what students are worth
    without the release, and more windows without a teacher's label.

    Attributes:
        release: folder that `stimjax synthesize` made, of the method public.
        out: folder for the windows: `prior-00000.safetensors` and `spec.json`.
        public: the public recordings that the release depends on as well, if it says so; without
            them the windows are those of simulated sleepers alone.
        channels: as in `stimjax prepare`, where the holder named labels of these recordings.
    """

    release: tyro.conf.Positional[Path]
    out: Path
    public: tuple[Path, ...] = ()
    channels: tuple[str, ...] = ()
    overwrite: Overwrite = False

    def run(self) -> None:
        runtime.start()
        from stimjax import batch, release
        from stimjax.excite import anew, carriers

        manifest, spec = release.load_manifest(self.release), batch.load_spec(self.release)
        try:
            prior = anew.prior(manifest, spec, self.public, split_names(self.channels))
        except StimjaxError as error:
            raise StimjaxError(f"{self.release}: {error}") from error
        windows = carriers.scored(prior, spec)
        with new_folder(self.out, overwrite=self.overwrite) as folder:
            batch.save(windows, folder, "prior-00000")
            batch.save_spec(spec, folder)
        whose = "simulated sleepers" if len(spec.shape) == 2 else "scikit-learn's digits"
        if prior.recorded:
            whose += f" and {len(prior.recorded)} public recordings"
        elif manifest.public:
            whose += (
                f" alone; it also depends on {len(manifest.public)} public recordings (--public)"
            )
        print(f"{self.out}: {len(windows)} windows of {whose}")


@dataclasses.dataclass(frozen=True)
class Study:
    """Train students on a release and test them on real windows.

    Attributes:
        release: folder that `stimjax synthesize` made.
        train: folder of windows; its training part is what students on real data learn from.
        test: folder of windows; its test part judges all students.
        out: folder for the results.
        teacher: folder that `stimjax train` made; it labels the noise baseline.
    """

    release: tyro.conf.Positional[Path]
    train: Path
    test: Path
    out: Path
    teacher: Path | None = None
    config: Config = None
    seed: Seed = None
    overwrite: Overwrite = False
    study: Annotated[sections.Study, FLAT] = DEFAULT.study

    def run(self) -> None:
        runtime.start()
        from stimjax.command import inspect
        from stimjax.job import stages
        from stimjax.learn import teacher as teachers

        teacher = None if self.teacher is None else teachers.load(self.teacher)
        with reporter() as report, new_folder(self.out, overwrite=self.overwrite) as folder:
            compared = stages.Compared(self.release, train=self.train, test=self.test)
            stages.study_release(compared, folder, self.study, teacher, report)
        print(inspect.describe(self.out))


@dataclasses.dataclass(frozen=True)
class Audit:
    """Try what a release tells of individuals: attacks, each also on a planted leak.

    Attributes:
        release: folder that `stimjax synthesize` made.
        train: folder of windows; the teacher learned from its training part. Its validation part is
            the cohort that attackers have of their own.
        holdout: folder of windows; its test part are people who had no part in the release.
        out: folder for the results.
        recordings: the EDF or WFDB files, or folders with them: names, dates and codes in their
            headers are sought in the release.
    """

    release: tyro.conf.Positional[Path]
    train: Path
    holdout: Path
    out: Path
    recordings: tuple[Path, ...] = ()
    config: Config = None
    seed: Seed = None
    overwrite: Overwrite = False
    audit: Annotated[sections.Audit, FLAT] = DEFAULT.audit

    def run(self) -> None:
        runtime.start()
        from stimjax.command import inspect
        from stimjax.job import stages

        with reporter() as report, new_folder(self.out, overwrite=self.overwrite) as folder:
            compared = stages.Compared(self.release, train=self.train, test=self.holdout)
            stages.audit_release(compared, folder, self.audit, self.recordings, report)
        print(inspect.describe(self.out))


@dataclasses.dataclass(frozen=True)
class Export:
    """Write a release as one file of another format: npz, Parquet or EDF+.

    Attributes:
        release: folder of the release.
        to: npz (arrays, for NumPy), parquet (a row for each stimulus, a column for each channel
            and class) or edf (the stimuli one after another, their classes as annotations).
        out: the file.
    """

    release: tyro.conf.Positional[Path]
    to: Literal["npz", "parquet", "edf"]
    out: Path
    overwrite: Overwrite = False

    def run(self) -> None:
        runtime.start()
        from stimjax.release import export

        count = export.export(self.release, self.to, self.out, overwrite=self.overwrite)
        print(f"{self.out}: {count} stimuli")


@dataclasses.dataclass(frozen=True)
class Verify:
    """Check a release: every file unchanged, every number in its range.

    Attributes:
        release: folder of the release.
    """

    release: tyro.conf.Positional[Path]

    def run(self) -> int:
        runtime.start()
        from stimjax import release

        try:
            stimuli = release.load(self.release)
        except StimjaxError as error:
            print(f"stimjax: {error}", file=sys.stderr)
            return 1
        counts = stimuli.y.argmax(axis=1)
        named = ", ".join(
            f"{name} {int((counts == k).sum())}" for k, name in enumerate(stimuli.spec.classes)
        )
        print(f"{self.release}: ok, {len(stimuli)} stimuli ({named})")
        return 0


@dataclasses.dataclass(frozen=True)
class Inspect:
    """Show what a recording, a folder of windows, a teacher or a release holds.

    Attributes:
        path: the file or folder.
        json: of recordings, give all that is shown as an object of JSON.
    """

    path: tyro.conf.Positional[Path]
    json: bool = False

    def run(self) -> None:
        runtime.start()
        from stimjax.command import inspect

        if self.json:
            print(json.dumps(inspect.as_object(self.path), indent=1, ensure_ascii=False))
        else:
            print(inspect.describe(self.path))


def job_of(verb: Demo | Run, prepare: sections.Prepare) -> sections.Job:
    """The settings of a whole job: the sections of its verb, of which `prepare` is put right."""
    return dataclasses.replace(sections.Job(**options.sections(verb)), prepare=prepare)


def split_channels(settings: sections.Prepare) -> sections.Prepare:
    """`--channels SpO2,HR` as well as `--channels SpO2 HR`."""
    return dataclasses.replace(settings, channels=split_names(settings.channels))


def split_names(words: tuple[str, ...]) -> tuple[str, ...]:
    """The names in words that commas may join."""
    names = [name.strip() for word in words for name in word.split(",")]
    return tuple(name for name in names if name)
