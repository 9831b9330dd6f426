"""Students against attackers over the strength of inhibition: what anonymity costs.

For each strength of `synthesis.inhibit` a release of the same teacher, its study and its audit:

    inhibit-STRENGTH/release
    inhibit-STRENGTH/study
    inhibit-STRENGTH/audit
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from stimjax import config
from stimjax.disk.documents import Estimate, Privacy, Results, TradeoffPoint
from stimjax.disk.store import new_folder
from stimjax.errors import StimjaxError
from stimjax.excite import rates, synthesize
from stimjax.job import stages
from stimjax.learn.teacher import Teacher
from stimjax.machine.progress import Reporter

if TYPE_CHECKING:
    from stimjax.privacy.audit import ShadowsByRecipe

SHOWN = ("auc", "worst_subject", "told_apart", "top1", "tpr_at_fpr_0.01")  # metrics of attacks


def refuse(job: config.Job) -> None:
    """Refuse a whole run whose trade-off could not be measured, before hours of work.

    Raises:
        StimjaxError: there would be no audit, or nothing that could be inhibited.
    """
    if not job.tradeoff.strengths:
        return
    if job.prepare.split == "random" or not job.audit.attacks:
        raise StimjaxError(
            "--tradeoff.strengths: needs an audit; use --split subject and name --audit.attacks"
        )
    if job.teacher.critic == "none" or job.teacher.dp.epsilon:
        raise StimjaxError(
            "--tradeoff.strengths: needs an identity critic; leave out --teacher.critic none and "
            "--teacher.dp.epsilon, or the strengths"
        )


def measure(
    windows: Path,
    teacher: Teacher,
    out: Path,
    job: config.Job,
    reporter: Reporter,
    shadows: ShadowsByRecipe | None = None,
) -> list[TradeoffPoint]:
    """Make what is not yet in `out` of each strength, and read all of it.

    Args:
        windows: a folder of windows; its test part judges students and is the audit's holdout.
        teacher: knows the subjects (`excite/inhibit/inhibition.py`).
        out: an existing folder.
        job: `tradeoff` names the strengths; `synthesis`, `study` and `audit` are the rest.
        reporter: is told of the progress.
        shadows: of an earlier audit with the same windows and settings.

    Raises:
        StimjaxError: as its stages.
    """
    shadows = {} if shadows is None else shadows
    for strength in job.tradeoff.strengths:
        folder = out / f"inhibit-{strength:g}"
        folder.mkdir(exist_ok=True)
        reporter.note(f"inhibition {strength:g}")
        synthesis = dataclasses.replace(job.synthesis, inhibit=strength)
        inhibited = dataclasses.replace(job, synthesis=synthesis)
        _measure(windows, teacher, folder, inhibited, reporter, shadows)
    return [_point(out, strength) for strength in job.tradeoff.strengths]


def _measure(
    windows: Path,
    teacher: Teacher,
    folder: Path,
    job: config.Job,
    reporter: Reporter,
    shadows: ShadowsByRecipe,
) -> None:
    compared = stages.Compared(folder / "release", train=windows, test=windows)
    if not compared.release.exists():
        reporter.stage("making stimuli")
        listener = rates.Listener(note=reporter.note)
        synthesize.synthesize(teacher, job.synthesis, compared.release, listener=listener)

    if not (folder / "study").exists():
        with new_folder(folder / "study", private=True) as place:
            stages.study_release(compared, place, job.study, None, reporter)
    if not (folder / "audit").exists():
        with new_folder(folder / "audit", private=True) as place:
            stages.audit_release(compared, place, job.audit, (), reporter, shadows)


def _point(out: Path, strength: float) -> TradeoffPoint:
    folder = out / f"inhibit-{strength:g}"
    kappa: dict[str, tuple[float, ...]] = {}
    for row in Results.load(folder / "study").rows:
        name = f"{row.student} on {row.trained_on}"
        defined = () if row.scores.kappa is None else (row.scores.kappa,)
        kappa[name] = kappa.get(name, ()) + defined
    attacks = {
        f"{entry.attack} {entry.metric} ({entry.level})": Estimate(entry.value, entry.ci)
        for entry in Privacy.load(folder / "audit").attacks
        if entry.metric in SHOWN and entry.value is not None
    }
    return TradeoffPoint(strength, kappa, attacks)
