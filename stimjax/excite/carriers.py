"""What the prior gives: windows that a teacher learns from, a strip that a source draws from."""

from __future__ import annotations

import dataclasses
import math

import jax
import numpy as np

from stimjax import batch, config
from stimjax.batch import Batch, Spec
from stimjax.config.recipes import Recipe
from stimjax.disk.documents import PublicRecording
from stimjax.errors import StimjaxError
from stimjax.excite.kind import Statistics
from stimjax.excite.sources import generic, public
from stimjax.learn import dp, fit
from stimjax.models import Model, Params
from stimjax.prior import known
from stimjax.prior.known import Known
from stimjax.prior.strip import NoPrior

DRAWN = 1000  # random signals that are drawn at once
HELD_OUT = 8
RUN = fit.Run(devices=1)  # the same weights on any machine


def given(statistics: Statistics, recipe: Recipe, prior: Known, spec: Spec) -> Statistics:
    """`statistics`, with the strip of `prior` where the source of `recipe` draws from it.

    Raises:
        NoPrior: nobody has windows of `spec`.
    """
    if recipe.source != "public":
        return statistics
    return {**statistics, **public.arrays(known.strip(prior, spec))}


def published(prior: Known, recipe: Recipe) -> config.Prior | None:
    """What a manifest says of the prior: nothing where neither teacher nor stimuli depend on it."""
    settings = prior.settings
    return settings if settings.part or settings.first or recipe.source == "public" else None


def recordings(prior: Known, recipe: Recipe) -> tuple[PublicRecording, ...]:
    """What a manifest says of public recordings: nothing where nothing depends on the prior."""
    if published(prior, recipe) is None:
        return ()
    return tuple(one.about for one in prior.recorded)


def scored(prior: Known, spec: Spec) -> Batch:
    """Windows of the prior with the labels that a scorer would give, in order of sleeper.

    Channels that nobody simulates are random signals. The subject of a window is the number of its
    sleeper, or of an image.

    Raises:
        NoPrior: nobody has windows of `spec`.
    """
    found = known.strip(prior, spec)
    x = found.x[found.scored[:, None] + np.arange(spec.shape[0])]
    there = found.there(found.scored)
    if not there.all():
        beside = _random(spec, len(x), prior.settings.cohort)
        x = np.where(there[:, None], x, beside)
    y = batch.one_hot(found.label, spec)
    return batch.make(x, y, spec, subject=found.whose.astype(np.int32))


def beside(train: Batch, prior: Known) -> Batch:
    """`train` and windows of the prior, which are the part `settings.part` of all; of nobody.

    Raises:
        NoPrior: nobody has such windows.
    """
    if not (more := count(len(train), prior)):
        return train
    return batch.concatenate([train, learned(prior, train.spec, more)])


def count(private: int, prior: Known) -> int:
    """How many windows of the prior a teacher of `private` windows learns from."""
    part = prior.settings.part
    return round(private * part / (1 - part))


def learned(prior: Known, spec: Spec, count: int) -> Batch:
    """The first `count` of an endless row of the prior's scored windows, of nobody.

    Raises:
        NoPrior: nobody has such windows.
    """
    return dealt(scored(prior, spec), prior, count)


def dealt(windows: Batch, prior: Known, count: int) -> Batch:
    """The same of `windows`, which are what `scored` gave."""
    rng = np.random.default_rng(prior.settings.cohort)
    rounds = math.ceil(count / len(windows))
    rows = np.concatenate([rng.permutation(len(windows)) for _ in range(rounds)])[:count]
    return batch.make(np.asarray(windows.x)[rows], np.asarray(windows.y)[rows], windows.spec)


def taught(prior: Known, spec: Spec) -> dp.Start:
    """Networks that have learned the prior's windows, and nothing else.

    One sleeper, or image, in `HELD_OUT` chooses the best step.

    Raises:
        NoPrior: nobody has such windows.
        StimjaxError: there is one sleeper alone.
    """
    try:
        windows = scored(prior, spec)
    except NoPrior as error:
        raise NoPrior(
            f"{error}, and a teacher of random weights (--teacher.prior.first 0 "
            "--teacher.dp.numbers all)"
        ) from error
    beside = np.asarray(windows.subject) % HELD_OUT == 0
    if beside.all():
        raise StimjaxError(
            "of one simulated sleeper alone no network can learn first: another has to choose its "
            "best step; ask for more with --teacher.prior.sleepers"
        )
    settings = dataclasses.replace(config.Fit(), steps=prior.settings.first)

    def start(model: Model, seed: int) -> Params:
        fitted = fit.fit(
            model, windows[~beside], windows[beside], seeds=[seed], settings=settings, run=RUN
        )
        return jax.tree.map(lambda leaf: leaf[0], fitted.params)

    return start


def _random(spec: Spec, count: int, seed: int) -> np.ndarray:
    draw = jax.jit(jax.vmap(generic.make(spec, {}, Recipe()), in_axes=(0, None)))
    keys = jax.random.split(jax.random.key(seed), count)
    return np.concatenate([draw(keys[i : i + DRAWN], 0) for i in range(0, count, DRAWN)])
