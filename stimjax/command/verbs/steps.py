"""One step of the job each: `simulate`, `prepare`, `train`, `synthesize`, `study`, `audit`."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

import tyro

from stimjax import config as sections
from stimjax.command.options import FLAT, Config, Overwrite, Paths, Seed
from stimjax.command.verbs.names import split_channels
from stimjax.disk.store import new_folder
from stimjax.errors import StimjaxError
from stimjax.machine import runtime
from stimjax.machine.progress import log, reporter

DEFAULT = sections.Job()


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
        like: folder of a release (or of windows) whose channels, rate, context and normalization
            the windows get. Nothing is split: all of scored recordings is the test part; those
            that nobody scored, and a single one, will do. --channels NAME=LABEL names own labels.
    """

    inputs: Paths
    out: Path
    like: Path | None = None
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
            settings = split_channels(self.prepare)
            if self.like is None:
                cohort.prepare_windows(self.inputs, folder, settings, report)
            else:
                cohort.prepare_like(self.inputs, folder, self.like, settings, report)
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
