"""The releases of pipelines: drawn, labeled and inhibited as the release under attack was.

They are not excited, because gradient steps on every stimulus of every pipeline would cost more
than the rest together. So far as excitation tells of individuals, attacks by pipelines miss it.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from stimjax import batch, config, models
from stimjax.batch import NOBODY, Batch, Spec
from stimjax.excite import erasure, labels, lanes, methods
from stimjax.excite.sources import SOURCES, Statistics, mixture
from stimjax.learn import critic, fit
from stimjax.models import Model, Params
from stimjax.models.layers import Erasures
from stimjax.privacy import pipelines
from stimjax.privacy.pipelines import Release, Trained
from stimjax.recipes import RECIPES, Recipe, Terms
from stimjax.store import StimjaxError

STIMULI = 2000
ROUNDS = 50  # of drawing, after which a release is as small as it is
CRITIC = "cnn"


class Made(NamedTuple):
    """How a release was made, so far as the pipelines' are made so too.

    Attributes:
        recipe: of the method.
        refusal: strength of refusing what a critic recognizes, see `config.Synthesis`.
        directions: part of the identity directions that are taken out of the teacher.
        groups: part of a mixture's draws that is not of a group.
        labels: what labels are rounded to multiples of; 0 leaves them.
    """

    recipe: Recipe = RECIPES[config.Synthesis.method]
    refusal: float = 0.0
    directions: float = 0.0
    groups: float = 0.0
    labels: float = 0.0


class Inhibited(NamedTuple):
    """What inhibits the releases, with a leading axis of pipelines; None and () inhibit nothing.

    Attributes:
        critics: their parameters.
        bound: what each may give a subject at most, f32[pipeline].
        erasures: of each teacher.
    """

    critics: Params | None = None
    bound: Array | None = None
    erasures: Erasures = ()


def made(settings: config.Synthesis) -> Made:
    """How a release of these settings is made.

    Raises:
        StimjaxError: there is no such method.
    """
    by = {way: settings.inhibit for way in settings.inhibit_by}
    strengths = (by.get("refusal", 0.0), by.get("directions", 0.0), methods.coarseness(settings))
    return Made(methods.recipe(settings), *strengths, methods.label_step(settings))


def drawn(how: Made, count: int = STIMULI) -> Release:
    """Releases as `how` makes them, about `count` stimuli each, but not excited.

    What is known of the data (the statistics of the source, the critic, identity directions) is
    measured on each pipeline's own windows; lanes, views, rounding and labels are the recipe's.
    Classes are as frequent as they are drawn. A recipe that optimizes a generator's weights gets
    one gradient step, since without any it gives no window.
    """
    recipe = how.recipe
    weights = recipe.parametrization == "generator"
    asked = dataclasses.replace(
        recipe,
        parametrization="generator" if weights else "window",
        terms=recipe.terms if weights else Terms(),
        tries=int(weights),
        accept="end",
        targets="class",
        teachers="together",
    )

    def release(trained: Trained) -> list[Batch]:
        spec, steps = trained.windows.spec, math.ceil(count / asked.lanes)
        each = [_measured(trained.windows[rows], asked, how.groups) for rows in trained.rows]
        erasures = _erasures(trained, how.directions)
        known, bound = _critics(trained, how.refusal)
        recognizes = _critic(trained.windows) if known is not None else None
        draw = _draw(spec, asked, trained.model, recognizes, steps)
        given = (trained.params, _stacked(each), Inhibited(known, bound, erasures))
        whole = _enough(draw, given, trained, steps * asked.lanes)
        return [
            batch.make(one.x, labels.rounded(np.asarray(one.y), how.labels), spec) for one in whole
        ]

    return release


def copied(trained: Trained) -> list[Batch]:
    """No release at all, but the pipelines' windows with their own labels: the worst there is."""
    return [trained.windows[rows] for rows in trained.rows]


def _measured(train: Batch, recipe: Recipe, groups: float) -> Statistics:
    prior = np.asarray(train.y).mean(axis=0, dtype=np.float32)
    own = {} if recipe.source == "generator" else SOURCES[recipe.source].measure(train)
    return {**mixture.coarser(own, groups), "classes.prior": prior}


def _stacked(each: list[Statistics]) -> dict[str, np.ndarray]:
    """Statistics with a leading axis; where there are fewer groups or components, zeros.

    A group of zeros has no share, and a component of zeros adds nothing.
    """

    def stack(arrays: list[np.ndarray]) -> np.ndarray:
        out = np.zeros((len(arrays), *np.max([a.shape for a in arrays], axis=0)), arrays[0].dtype)
        for one, a in zip(out, arrays, strict=True):
            one[tuple(map(slice, a.shape))] = a
        return out

    return {name: stack([np.asarray(one[name]) for one in each]) for name in each[0]}


def _erasures(trained: Trained, strength: float) -> Erasures:
    """The identity directions of each teacher, as `excite.erasure` finds the holder's."""
    whose = np.asarray(trained.windows.subject)
    if not strength or (whose == NOBODY).any():
        return ()
    found = []
    activities = fit.represent(trained.model, trained.params, trained.windows.x)
    label = np.asarray(trained.windows.y).argmax(axis=1)
    for activity, rows in zip(activities, trained.rows, strict=True):
        own = activity[rows].astype(float)
        read, write = erasure.directions(own, whose[rows], label[rows])
        found.append(erasure.strongest(read, write, own.mean(axis=0), strength))
    return (jax.tree.map(lambda *parts: jnp.stack(parts), *found),)


def _critics(trained: Trained, strength: float) -> tuple[Params | None, Array | None]:
    """A critic of each pipeline's subjects and its bound, as the holder's in small.

    Each learns from the first half of its subjects' nights, and its bound is what the part
    `strength` of the windows of their last quarter exceeds.
    """
    windows = trained.windows
    whose = np.asarray(windows.subject)
    if not strength or (whose == NOBODY).any():
        return None, None
    parts = [
        [critic.parts(rows[whose[rows] == number]) for number in np.unique(whose[rows])]
        for rows in trained.rows
    ]
    learned, judged = (
        [np.concatenate([night[i] for night in own]) for own in parts] for i in (0, -1)
    )
    seeds = [critic.own_seed(seed) for seed in trained.seeds]
    named, model = _named(windows), _critic(windows)
    params = pipelines.train(model, named, learned, seeds, trained.settings)
    sure = fit.predict(model, params, windows.x).max(axis=-1)
    bound = [np.quantile(one[rows], 1 - strength) for one, rows in zip(sure, judged, strict=True)]
    return params, jnp.asarray(bound, jnp.float32)


def _named(windows: Batch) -> Batch:
    """The windows with their subjects as classes."""
    names, whose = np.unique(windows.subject, return_inverse=True)
    spec = dataclasses.replace(windows.spec, classes=tuple(map(str, names)))
    return batch.make(windows.x, batch.one_hot(whose, spec), spec)


def _critic(windows: Batch) -> Model:
    return models.classifier(CRITIC, windows.spec.shape, len(np.unique(windows.subject)))


@functools.cache
def _draw(
    spec: Spec, recipe: Recipe, model: Model, recognizes: Model | None, steps: int
) -> Callable[..., tuple[Array, Array, Array]]:
    """One program for all pipelines: `(params, statistics, inhibited, keys) -> (x, y, kept)`."""

    def one(given: tuple[Params, Statistics, Inhibited, Array]) -> tuple[Array, Array, Array]:
        params, statistics, inhibited, key = given
        method = methods.method(spec, recipe, statistics)._replace(bound=inhibited.bound)
        networks = lanes.Networks(lambda x: model.hidden(params, x, inhibited.erasures))
        if recognizes is not None:
            ask = recognizes.apply
            networks = networks._replace(critic=lambda x: ask(inhibited.critics, x))

        def step(state: lanes.State, _: None) -> tuple[lanes.State, tuple[Array, Array, Array]]:
            state, emitted = lanes.advance(method, networks, state)
            return state, (emitted.window, emitted.probability, emitted.accepted)

        _, (x, y, kept) = jax.lax.scan(step, lanes.start(method, key, recipe.lanes), None, steps)
        return x.reshape(-1, *spec.shape), y.reshape(-1, len(spec.classes)), kept.ravel()

    return jax.jit(lambda *given: jax.lax.map(one, given))


def _enough(
    draw: Callable[..., tuple[Array, Array, Array]],
    given: tuple[Params, Statistics, Inhibited],
    trained: Trained,
    count: int,
) -> list[Batch]:
    """Draw until each release has `count` stimuli, or `ROUNDS` times.

    Raises:
        StimjaxError: a release has none.
    """
    keys = jax.vmap(jax.random.key)(np.asarray(trained.seeds, np.uint32))
    found: list[list[tuple[np.ndarray, np.ndarray]]] = [[] for _ in trained.seeds]
    for number in range(ROUNDS):
        own = jax.vmap(jax.random.fold_in, (0, None))(keys, number)
        for release, x, y, kept in zip(found, *map(np.asarray, draw(*given, own)), strict=True):
            release.append((x[kept], y[kept]))
        sizes = [sum(len(x) for x, _ in release) for release in found]
        if min(sizes) >= count:
            break
    if not min(sizes):
        raise StimjaxError(
            "a shadow release has no stimulus that its critic does not recognize: the bound is too "
            "low to try attacks that need shadows; inhibit less, or leave out lira, rmia and canary"
        )
    whole = [[np.concatenate(part)[:count] for part in zip(*one, strict=True)] for one in found]
    return [batch.make(x, y, trained.windows.spec) for x, y in whole]
