"""Plain alternatives that stimuli have to beat."""

from __future__ import annotations

import jax
import numpy as np

from stimjax import batch, config
from stimjax.batch import Batch, Spec
from stimjax.config.recipes import Recipe
from stimjax.excite import carriers, methods
from stimjax.learn.teacher import Teacher
from stimjax.prior.known import Known, known
from stimjax.prior.strip import NoPrior

MOST_ROWS = 4000  # training windows of a class from which a Gaussian is drawn
DRAWN = 1000  # windows that a source gives at once


def make(name: str, train: Batch, teacher: Teacher | None, count: int, seed: int) -> Batch | None:
    """The baseline `name`, one of `BASELINES`; None if it cannot be had.

    That is so if it needs a teacher and there is none, or windows that anybody may have and nobody
    has such.
    """
    if name == "gaussian":
        return gaussian(train, count, seed)
    if name == "prior":
        given = known(config.NO_PRIOR, train) if teacher is None else teacher.prior
        return prior(given, train.spec, count)
    if teacher is None:
        return None
    return OF_TEACHER[name](teacher, count, seed)


def prior(given: Known, spec: Spec, count: int) -> Batch | None:
    """The control: windows that anybody may have, `count` at most; nothing private.

    With their own labels. None where nobody has such windows.

    Raises:
        StimjaxError: they lack a class.
    """
    try:
        windows = carriers.scored(given, spec)
    except NoPrior:
        return None
    return carriers.dealt(windows, given, min(count, len(windows)))


def noise(teacher: Teacher, count: int, seed: int) -> Batch:
    """Uniform noise within each channel's range, labeled by the teacher, not excited."""
    spec = teacher.spec
    rng = np.random.default_rng(seed)
    x = rng.uniform(spec.low, spec.high, (count, *spec.shape)).astype(np.float32)
    return batch.make(x, teacher.probability(x), spec)


def gaussian(train: Batch, count: int, seed: int) -> Batch:
    """Draws from a Gaussian with the mean and covariance of each class of `train`.

    Labeled by the class they are drawn for; classes as frequent as in `train`. A draw is the mean
    plus a random normal combination of the class's centered windows, which has exactly their
    covariance and never needs the matrix.
    """
    rng = np.random.default_rng(seed)
    label = train.label
    share = np.bincount(label, minlength=train.y.shape[1]) / len(label)
    drawn = rng.choice(len(share), size=count, p=share)
    x = np.empty((count, *train.spec.shape), np.float32)
    for number in np.unique(drawn):
        rows = rng.permutation(np.flatnonzero(label == number))[:MOST_ROWS]
        windows = np.asarray(train.x)[rows].reshape(len(rows), -1)
        mean = windows.mean(axis=0)
        where = np.flatnonzero(drawn == number)
        mix = rng.standard_normal((len(where), len(rows)), np.float32)
        values = mean + mix @ (windows - mean) / np.sqrt(max(len(rows) - 1, 1))
        x[where] = values.reshape(-1, *train.spec.shape)
    return batch.make(x, batch.one_hot(drawn, train.spec), train.spec)


def components(teacher: Teacher, count: int, seed: int) -> Batch:
    """Draws of the source `mixture`, labeled by the class they are drawn for: no teacher's opinion.

    Classes are as frequent as in the training windows.

    Raises:
        StimjaxError: the teacher holds no statistics of a mixture.
    """
    spec, statistics = teacher.spec, teacher.statistics
    mixture = methods.method(spec, Recipe(source="mixture", balance="prior"), statistics)
    draw = jax.jit(jax.vmap(mixture.source))
    prior = np.asarray(statistics["classes.prior"], float)
    label = np.random.default_rng(seed).choice(len(prior), count, p=prior / prior.sum())
    keys = jax.random.split(jax.random.key(seed), count)
    x = [draw(keys[i : i + DRAWN], label[i : i + DRAWN]) for i in range(0, count, DRAWN)]
    return batch.make(np.concatenate(x), batch.one_hot(label, spec), spec)


OF_TEACHER = {"noise": noise, "components": components}
BASELINES = ("prior", "gaussian", *OF_TEACHER)
