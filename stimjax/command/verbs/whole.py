"""The whole job: `demo` on simulated sleepers, `run` on recordings."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import Annotated

from stimjax import config as sections
from stimjax.command import options
from stimjax.command.options import FLAT, Config, Overwrite, Seed, Thorough
from stimjax.command.talk import TALK, Talk
from stimjax.command.verbs.names import split_channels
from stimjax.errors import StimjaxError
from stimjax.machine import runtime

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
    talk: Annotated[Talk, FLAT] = TALK
    simulation: Annotated[sections.Simulation, FLAT] = DEMO.simulation
    prepare: sections.Prepare = DEMO.prepare
    teacher: sections.Teacher = DEMO.teacher
    synthesis: sections.Synthesis = DEMO.synthesis
    study: sections.Study = DEMO.study
    audit: sections.Audit = DEMO.audit
    tradeoff: sections.Tradeoff = DEMO.tradeoff

    def run(self) -> None:
        runtime.start()
        from stimjax.job.run import run

        task = self.simulation.task
        if self.prepare.task not in (DEMO.prepare.task, task):
            raise StimjaxError("--prepare.task: the demo prepares what it simulates; say --task")
        prepare = dataclasses.replace(split_channels(self.prepare), task=task)
        if task == "stages" and prepare.rate == DEMO.prepare.rate:  # it suits breathing, not EEG
            prepare = dataclasses.replace(prepare, rate=0.0)
        job = job_of(self, prepare)
        with self.talk.reporter() as report:
            run(None, self.out, job, overwrite=self.overwrite, reporter=report)
        self.talk.outcome(self.out)


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
    thorough: Thorough = False
    talk: Annotated[Talk, FLAT] = TALK
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
        from stimjax.job.run import run
        from stimjax.privacy import gate

        job = job_of(self, split_channels(self.prepare))
        bounds = None if self.require_privacy is None else gate.read(self.require_privacy)
        with self.talk.reporter() as report:
            exceeded = run(
                self.data,
                self.out,
                job,
                overwrite=self.overwrite,
                reporter=report,
                bounds=bounds,
            )
        self.talk.outcome(self.out)
        for line in exceeded:
            print(f"stimjax: not published: {line}", file=sys.stderr)
        return REFUSED if exceeded else 0


def job_of(verb: Demo | Run, prepare: sections.Prepare) -> sections.Job:
    """The settings of a whole job: the sections of its verb, of which `prepare` is put right."""
    return dataclasses.replace(sections.Job(**options.sections(verb)), prepare=prepare)
