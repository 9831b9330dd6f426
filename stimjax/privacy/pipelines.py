"""Many small pipelines at once: teacher, release and student from each of several parts of data.

What shadow models and canaries need is the holder's whole job, many times over. All teachers
train together, as do all students: one program, vmapped over networks that each draw from rows of
their own. A pipeline is the holder's in small: its teacher is one CNN and not an ensemble, its
steps are fewer, its stimuli too, and they are not excited, because gradient steps on every stimulus
of every pipeline would cost more than the rest together. So far as excitation tells of
individuals, attacks by such pipelines miss it.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Int

from stimjax import batch, config, models
from stimjax.batch import Batch, Spec
from stimjax.excite import lanes, methods
from stimjax.excite.sources import SOURCES, Statistics
from stimjax.learn import fit
from stimjax.models import Model, Params
from stimjax.recipes import Recipe, Terms

SEEDS = 2_000_000_000  # first of the pipelines' seeds; teachers and students have those below
MOST = 1000  # pipelines at once
PARTS = (
    *("teacher", "release", "student", "target"),
    *("canary teacher", "canary release", "canary student"),
)

TEACHER, STUDENT = "cnn", "cnn"
STIMULI = 2000
EPOCHS = 6  # of a teacher, within
STEPS = (300, 1000)  # these
FIT = config.Fit(steps=STEPS[0])  # of a student; a teacher's too, but for its steps


class Trained(NamedTuple):
    """Teachers, and the windows that each learned from.

    Attributes:
        windows: of all teachers.
        rows: those of each.
        model: of a teacher.
        params: of all, with a leading axis.
        seeds: one for each, of the chance in its release.
    """

    windows: Batch
    rows: Sequence[Int[np.ndarray, " rows"]]
    model: Model
    params: Params
    seeds: Sequence[int]


Release = Callable[[Trained], list[Batch]]  # of each teacher, its stimuli


class Pipelines(NamedTuple):
    """What came of the pipelines: the stimuli of each, and the students (leading axis) of them."""

    stimuli: list[Batch]
    students: Params


def seeds(seed: int, part: str, count: int) -> list[int]:
    """Seeds of one of `PARTS` of the pipelines, apart from every teacher's and student's."""
    first = (seed * len(PARTS) + PARTS.index(part)) * MOST
    return [SEEDS + (first + i) % SEEDS for i in range(count)]


def halves(count: int, units: int, seed: int) -> np.ndarray:
    """Which units each pipeline holds, bool[pipeline, unit]: of two in a row, each a half.

    Every unit is in exactly half of an even number of pipelines, and every pipeline holds half of
    the units, which half being random.
    """
    rng = np.random.default_rng([seed, SEEDS])
    inside = np.zeros((count, units), bool)
    for first in range(0, count, 2):
        inside[first, rng.permutation(units)[: (units + first // 2 % 2) // 2]] = True
        inside[first + 1 : first + 2] = ~inside[first]
    return inside


def run(
    windows: Batch,
    rows: Sequence[Int[np.ndarray, " rows"]],
    release: Release,
    seed: int,
    prefix: str = "",
) -> Pipelines:
    """Run a pipeline from each set of rows of `windows`.

    Args:
        windows: of all pipelines.
        rows: those that each may learn from.
        release: makes the stimuli.
        seed: of all chance.
        prefix: "canary " for seeds apart from those without.
    """
    spec, count = windows.spec, len(rows)
    model = network(TEACHER, spec)
    steps = int(np.clip(EPOCHS * max(map(len, rows)) // FIT.batch, *STEPS))
    settings = dataclasses.replace(FIT, steps=steps)
    teachers = train(model, windows, rows, seeds(seed, f"{prefix}teacher", count), settings)
    made = release(Trained(windows, rows, model, teachers, seeds(seed, f"{prefix}release", count)))
    ends = np.cumsum([0, *map(len, made)])
    each = [np.arange(first, last) for first, last in itertools.pairwise(ends)]
    own = seeds(seed, f"{prefix}student", count)
    return Pipelines(made, train(student(spec), batch.concatenate(made), each, own))


def network(name: str, spec: Spec) -> Model:
    """The classifier `name` for windows of `spec`."""
    return models.classifier(name, spec.shape, len(spec.classes))


def student(spec: Spec) -> Model:
    """The attacker's student."""
    return network(STUDENT, spec)


def train(
    model: Model,
    windows: Batch,
    rows: Sequence[Int[np.ndarray, " rows"]],
    seeds: Sequence[int],
    settings: config.Fit = FIT,
) -> Params:
    """Train one network from each seed, on its own rows of `windows`, all together.

    As `stimjax.learn.fit` does, but without a validation part: the last step is kept.

    Returns:
        Parameters with a leading axis, one entry for each seed.
    """
    order = np.stack([_order(r, s, settings) for r, s in zip(rows, seeds, strict=True)], axis=1)
    data = tuple(jnp.asarray(a) for a in (windows.x, windows.y, windows.weight))
    return _trained(model, settings, np.asarray(seeds, np.uint32), data, order)


@functools.partial(jax.jit, static_argnums=(0, 1))
def _trained(
    model: Model, settings: config.Fit, seeds: Array, data: tuple[Array, ...], order: Array
) -> Params:
    optimizer = fit.make_optimizer(settings)

    def loss(params: Params, x: Array, y: Array, weight: Array, key: Array) -> Array:
        noise_key, dropout_key = jax.random.split(key)
        x = x + settings.noise * jax.random.normal(noise_key, x.shape)
        value = optax.softmax_cross_entropy(model.apply(params, x, dropout_key), y)
        return jnp.sum(weight * value) / jnp.maximum(jnp.sum(weight), 1e-9)

    def start(seed: Array) -> tuple[Params, optax.OptState, Array]:
        key = jax.random.key(seed)
        params = model.init(key)
        return params, optimizer.init(params), key

    def step(carry: tuple, index: Array) -> tuple:
        params, opt_state, key = carry
        key, own = jax.random.split(key)
        x, y, weight = (a[index] for a in data)
        gradient = jax.grad(loss)(params, x, y, weight, own)
        updates, opt_state = optimizer.update(gradient, opt_state, params)
        return optax.apply_updates(params, updates), opt_state, key

    def all_networks(carry: tuple, index: Array) -> tuple[tuple, None]:
        return jax.vmap(step)(carry, index), None

    (params, _, _), _ = jax.lax.scan(all_networks, jax.vmap(start)(seeds), order)
    return params


def _order(rows: Int[np.ndarray, " rows"], seed: int, settings: config.Fit) -> np.ndarray:
    """Which rows each step takes, i32[step, batch]: one permutation after the other."""
    rng, count = np.random.default_rng(seed), settings.steps * settings.batch
    epochs = [rng.permutation(rows) for _ in range(math.ceil(count / len(rows)))]
    order = np.concatenate(epochs)[:count].astype(np.int32)
    return order.reshape(settings.steps, settings.batch)


def drawn(recipe: Recipe, count: int = STIMULI) -> Release:
    """Releases as `recipe` makes them, about `count` stimuli each, but not excited.

    The statistics of the source are measured on each pipeline's own windows; lanes, views,
    rounding and labels are the recipe's. Classes are as frequent as they are drawn. A recipe that
    starts from a latent vector gets one gradient step, since without any it gives no window.
    """
    latent = recipe.source == "latent"
    asked = dataclasses.replace(
        recipe,
        parametrization=recipe.parametrization if latent else "window",
        terms=recipe.terms if latent else Terms(),
        tries=int(latent),
        accept="end",
        targets="class",
        teachers="together",
    )

    def release(trained: Trained) -> list[Batch]:
        spec = trained.windows.spec
        each = [_measured(trained.windows[rows], asked) for rows in trained.rows]
        draw = _draw(spec, asked, trained.model, math.ceil(count / asked.lanes))
        x, y = draw(trained.params, _stacked(each), np.asarray(trained.seeds, np.uint32))
        return [batch.make(*one, spec) for one in zip(np.asarray(x), np.asarray(y), strict=True)]

    return release


def copied(trained: Trained) -> list[Batch]:
    """No release at all, but the pipelines' windows with their own labels: the worst there is."""
    return [trained.windows[rows] for rows in trained.rows]


def _measured(train: Batch, recipe: Recipe) -> dict[str, np.ndarray]:
    prior = np.asarray(train.y).mean(axis=0, dtype=np.float32)
    own = {} if recipe.source == "latent" else SOURCES[recipe.source].measure(train)
    return own | {"classes.prior": prior}


def _stacked(each: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Statistics with a leading axis; where there are fewer groups or components, zeros.

    A group of zeros has no share, and a component of zeros adds nothing.
    """

    def stack(arrays: list[np.ndarray]) -> np.ndarray:
        out = np.zeros((len(arrays), *np.max([a.shape for a in arrays], axis=0)), arrays[0].dtype)
        for one, a in zip(out, arrays, strict=True):
            one[tuple(map(slice, a.shape))] = a
        return out

    return {name: stack([one[name] for one in each]) for name in each[0]}


@functools.cache
def _draw(spec: Spec, recipe: Recipe, model: Model, steps: int) -> Callable[..., tuple]:
    """One program for all pipelines: `(params, statistics, seeds) -> (x, y)`."""

    def one(given: tuple[Params, Statistics, Array]) -> tuple[Array, Array]:
        params, statistics, seed = given
        method = methods.method(spec, recipe, statistics)
        networks = lanes.Networks(lambda x: model.hidden(params, x))

        def step(state: lanes.State, _: None) -> tuple[lanes.State, tuple[Array, Array]]:
            state, emitted = lanes.advance(method, networks, state)
            return state, (emitted.window, emitted.probability)

        state = lanes.start(method, jax.random.key(seed), recipe.lanes)
        _, (x, y) = jax.lax.scan(step, state, None, steps)
        return x.reshape(-1, *spec.shape), y.reshape(-1, len(spec.classes))

    return jax.jit(lambda *given: jax.lax.map(one, given))


def log_odds(
    model: Model,
    params: Params,
    x: Float[np.ndarray, "n ..."],
    label: Int[np.ndarray, " n"],
) -> Float[np.ndarray, "network n"]:
    """Log-odds of each window's class for networks with a leading axis."""
    log = np.array(fit.log_predict(model, params, x), float)
    rows = np.arange(len(x))
    true = log[:, rows, label]
    log[:, rows, label] = -np.inf
    return true - np.logaddexp.reduce(log, axis=-1)
