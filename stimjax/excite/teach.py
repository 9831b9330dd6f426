"""A finished teacher: its networks, what is measured of its windows, and its critic."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from stimjax import config
from stimjax.batch import Batch
from stimjax.data.public import Recorded
from stimjax.excite import carriers, methods
from stimjax.learn import candidates, critic, lower_bound
from stimjax.learn.teacher import Teacher
from stimjax.machine.progress import Reporter
from stimjax.prior.known import Known, known, strip
from stimjax.prior.strip import NoPrior

SILENT = Reporter()


def teach(
    train: Batch,
    validation: Batch,
    settings: config.Teacher,
    *,
    recorded: tuple[Recorded, ...] = (),
    checkpoint: Path | None = None,
    reporter: Reporter = SILENT,
) -> Teacher:
    """Train a teacher, complete: `synthesize` accepts it with every method.

    With a formal guarantee it holds what the guarantee covers and nothing else, so that only some
    methods accept it, see `excite.guarantee`.

    Args:
        train: private windows, in order of time within each subject.
        validation: of other subjects; they choose and weigh the networks.
        settings: networks, critic, guarantee, seed.
        recorded: nights that anybody may have, in the form of the windows.
        checkpoint: a folder of checkpoints, from which training goes on if there are any.
        reporter: is told of each stage and its steps.

    Raises:
        StimjaxError: an unknown network, training diverged, or a guarantee that cannot be given or
            is not kept.
    """
    reporter.stage("training the teacher")
    prior = learned_from(settings, train, recorded)
    networks = candidates.train(
        carriers.beside(train, prior),
        validation,
        settings,
        checkpoint=checkpoint,
        start=carriers.taught(prior, train.spec) if prior.settings.first else None,
        progress=reporter.progress,
    )
    networks = dataclasses.replace(networks, prior=prior)
    if networks.privacy is not None:  # neither statistics nor a critic would have a guarantee
        if not settings.dp.canaries:
            return networks
        reporter.stage("auditing the guarantee")
        spent = lower_bound.audited(
            networks.spec, settings.dp, networks.privacy, progress=reporter.progress
        )
        return dataclasses.replace(networks, privacy=spent)
    statistics = methods.measure(train, networks)
    recognizes = None
    if settings.critic != "none":
        reporter.stage("training the identity critic")
        recognizes = critic.train(
            train, settings.critic, settings.fit, seed=settings.seed, progress=reporter.progress
        )
    return dataclasses.replace(networks, statistics=statistics, critic=recognizes)


def learned_from(
    settings: config.Teacher, train: Batch, recorded: tuple[Recorded, ...] = ()
) -> Known:
    """What anybody may know, as far as a teacher of `settings` learns from it.

    With a formal guarantee before the private windows, else beside them; where nobody has such
    windows a teacher without a guarantee goes without.
    """
    prior = known(settings.prior, train, recorded)
    if settings.dp.epsilon:
        return dataclasses.replace(prior, settings=dataclasses.replace(settings.prior, part=0.0))
    part = settings.prior.part
    if part:
        try:
            strip(prior, train.spec)
        except NoPrior:
            part = 0.0
    beside = dataclasses.replace(settings.prior, part=part, first=0)
    return dataclasses.replace(prior, settings=beside)
