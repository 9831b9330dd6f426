"""Training a teacher: the candidates of each family together, and the choice on validation."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from stimjax import config, models
from stimjax.batch import Batch
from stimjax.disk.documents import Member
from stimjax.errors import StimjaxError
from stimjax.learn import dp, fit, pooling, robust
from stimjax.learn.predict import log_probabilities
from stimjax.learn.teacher import Teacher, seeds
from stimjax.models import Model


def train(
    train: Batch,
    validation: Batch,
    settings: config.Teacher,
    *,
    checkpoint: Path | None = None,
    start: dp.Start | None = None,
    progress: Callable[[int, int], None] = lambda step, steps: None,
) -> Teacher:
    """Train the candidates of each family together, then weigh all of them on `validation`.

    With `settings.ensemble` as `pooling.choose` does; without, the one network with the lowest
    validation loss is the teacher, as the paper's was. Candidates that diverged are left out.
    With `settings.radii` that is done for each, and `robust.largest` chooses one on `validation`.
    Each family has a folder of its own in `checkpoint`. With `settings.dp.epsilon` as
    `dp.train` does, from where `start` says; it sees `train` only and has no checkpoints.

    Raises:
        StimjaxError: an unknown network, or training of every family diverged.
    """
    if settings.dp.epsilon:
        return dp.train(train, settings.dp, seed=settings.seed, start=start, progress=progress)
    if not settings.networks or settings.candidates < 1:
        raise StimjaxError("a teacher needs at least one network and one candidate of it")
    radii = sorted(set(settings.radii)) or [settings.fit.radius]
    teachers: list[Teacher | None] = []
    for i, radius in enumerate(radii):
        fit_settings = dataclasses.replace(settings.fit, radius=radius)
        try:
            teachers.append(
                _train(
                    train,
                    validation,
                    dataclasses.replace(settings, fit=fit_settings),
                    checkpoint,
                    lambda done, count, i=i: progress(i * count + done, len(radii) * count),
                )
            )
        except fit.DivergedError:
            teachers.append(None)
            if not any(teachers) and i + 1 == len(radii):
                raise
    if len(radii) == 1:
        chosen = teachers[0]
    else:
        losses = np.stack([_losses(teacher, validation) for teacher in teachers])
        chosen = teachers[robust.largest(losses, np.asarray(validation.subject))]
    assert chosen is not None
    return chosen


def _losses(teacher: Teacher | None, validation: Batch) -> np.ndarray:
    """Cross-entropy of each window times its weight; infinite without a teacher."""
    if teacher is None:
        return np.full(len(validation), np.inf)
    log = np.log(np.maximum(teacher.probability(validation.x), np.finfo(np.float32).tiny))
    return -(np.asarray(validation.y) * log).sum(axis=1) * np.asarray(validation.weight)


def _train(
    train: Batch,
    validation: Batch,
    settings: config.Teacher,
    checkpoint: Path | None,
    progress: Callable[[int, int], None],
) -> Teacher:
    """With one radius, that of `settings.fit`."""
    spec, networks = train.spec, tuple(dict.fromkeys(settings.networks))
    families = [models.classifier(name, spec.shape, len(spec.classes)) for name in networks]
    each, steps, radius = settings.candidates, settings.fit.steps, settings.fit.radius
    own = np.array(seeds(settings.seed, len(networks) * each)).reshape(-1, each)
    fits: list[fit.Fitted] = []
    for i, (name, family) in enumerate(zip(networks, families, strict=True)):
        run = fit.Run(
            checkpoint=None if checkpoint is None else checkpoint / f"{name}-{radius:g}",
            progress=lambda step, _, i=i: progress(i * steps + step, len(networks) * steps),
        )
        try:
            fitted = fit.fit(
                family,
                train,
                validation,
                seeds=own[i].tolist(),
                settings=settings.fit,
                run=run,
            )
        except fit.DivergedError:
            if i + 1 == len(networks) and not any(np.isfinite(f.loss).any() for f in fits):
                raise
            fitted = fit.Fitted(None, np.full(each, np.inf), 0)
        fits.append(fitted)
    weight, members = _weigh(families, fits, validation, single=not settings.ensemble)
    kept = [i for i in range(len(networks)) if weight[i].any()]
    params = {
        "members": tuple(
            jax.tree.map(lambda leaf, i=i: leaf[np.flatnonzero(weight[i])], fits[i].params)
            for i in kept
        ),
        "weights": tuple(jnp.asarray(weight[i][weight[i] > 0], jnp.float32) for i in kept),
    }
    about = tuple(
        Member(name, number, radius, **scores)
        for name, row in zip(networks, members, strict=True)
        for number, scores in enumerate(row)
    )
    return Teacher(tuple(networks[i] for i in kept), params, spec, members=about)


def _weigh(
    families: list[Model], fits: list[fit.Fitted], validation: Batch, *, single: bool
) -> tuple[np.ndarray, list[list[dict[str, Any]]]]:
    """Weights f64[family, candidate], and what is said of each candidate."""
    loss = np.array([fitted.loss for fitted in fits], float)
    usable = np.isfinite(loss)
    logs = np.zeros((*loss.shape, *validation.y.shape))
    for i in np.flatnonzero(usable.any(axis=1)):
        logs[i] = log_probabilities(families[i], fits[i].params, validation.x)
    y, count = np.asarray(validation.y, float), np.asarray(validation.weight, float)
    weight = np.zeros(loss.shape)
    if single:
        weight.flat[np.nanargmin(loss)] = 1.0
    else:
        weight[usable] = pooling.choose(logs[usable], y, count)
    right = logs.argmax(-1) == y.argmax(-1)
    accuracy = right @ count / max(count.sum(), 1e-9)
    return weight, [
        [
            {
                "weight": float(weight[i, j]),
                "loss": float(loss[i, j]) if usable[i, j] else None,
                "accuracy": float(accuracy[i, j]) if usable[i, j] else None,
            }
            for j in range(loss.shape[1])
        ]
        for i in range(len(fits))
    ]
