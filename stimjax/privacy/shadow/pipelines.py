"""Many small pipelines at once: teacher, release and student from each of several parts of data.

What shadow models and canaries need is the holder's whole job, many times over. All teachers
train together, as do all students: one program for networks that each draw from rows of their own;
the cores of a CPU share them, an accelerator takes all at once. A pipeline is the holder's in
small: its teacher has a network of each family of the release's, with equal weights, and trained
with a guarantee where that was (`private.py`). Its steps are fewer, its candidates too, and nothing
is chosen on validation; `releases.py` makes its stimuli.
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
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, Float, Int

from stimjax import batch, config, models
from stimjax.batch import Batch, Spec
from stimjax.excite import carriers
from stimjax.learn.predict import log_probabilities
from stimjax.learn.step import Learner, Windows, rates
from stimjax.machine import mesh
from stimjax.models import Model, Params
from stimjax.prior.known import SIMULATED, Known
from stimjax.privacy.shadow import private
from stimjax.privacy.shadow.placing import NETWORKS, placed

SEEDS = 2_000_000_000  # first of the pipelines' seeds; teachers and students have those below
MOST = 1000  # pipelines at once
FAMILY = 100  # between the seeds of two families of a pipeline
# The order is that of their seeds.
PARTS = (
    "teacher",
    "release",
    "student",
    "target",
    "canary teacher",
    "canary release",
    "canary student",
    "planted",
    "planted release",
)

# An MLP as student costs a fifth, but finds less: an area of 0.54 where the CNN finds 0.57.
STUDENT = "cnn"
EPOCHS = 6  # of a teacher of one network, within
STEPS = (300, 1000)  # these
# Of these steps each of several networks takes a part. On a core a step takes, in ms: of a CNN 4.9,
# of a residual CNN 9.2, of a GRU 6.5, of an MLP 3.3 (windows of 240 x 5; of 120 x 2: 3.1, 7.1, 4.1,
# 0.8), so that four take two and a half times a CNN's time. With all steps, on planted leaks of the
# simulated cohort (one release, 8 shadows, CNN and residual CNN), areas of `lira` differ by .001 at
# most; of its part `answers` they are .86, .75, .64 instead of .85, .65, .64 (copies, statistics,
# teacher). Those of `labels` go up and down by more: of so few subjects each is an eighth.
SHARED = 0.5
FIT = config.Fit(steps=STEPS[0])  # of a teacher, but for its steps
# A student is to learn the stimuli by heart. With 300 steps, noise, decay and dropout it tells the
# subjects of copied windows apart with 0.59 where this one does with 0.68 (1,000 steps: 0.72).
STUDENT_FIT = config.Fit(steps=600, weight_decay=0.0, noise=0.0)
LEARNED = 2000  # stimuli that a student learns from, at most
BLOCK = 50  # steps in one dispatch


class Labelers(NamedTuple):
    """Which networks a teacher has, and what they learn beside private windows.

    Attributes:
        networks: their families, each once.
        dp: how they learn under a formal guarantee, with the number of units that the release's
            teacher had; None without one.
        prior: what anybody may know, from which they learn too and of which stimuli may be made.
    """

    networks: tuple[str, ...] = ("cnn",)
    dp: config.Dp | None = None
    prior: Known = SIMULATED


ONE = Labelers()  # as of a release of which nobody knows


@dataclasses.dataclass(frozen=True)
class Trained:
    """Teachers, and the windows that each learned from.

    Attributes:
        windows: of all teachers.
        rows: those of each.
        measured: those that each release's statistics are of.
        families: a network of each is in a teacher.
        settings: of the training of a teacher's networks, and of its critic.
        starts: the seed of each teacher.
        seeds: one for each, of the chance in its release.
        dp: stands in the place of `settings` for a teacher with a formal guarantee.
        prior: from whose windows each learns too, and which its release may draw from.
    """

    windows: Batch
    rows: Sequence[Int[np.ndarray, " _"]]
    measured: Sequence[Int[np.ndarray, " _"]]
    families: tuple[Model, ...]
    settings: config.Fit
    starts: Sequence[int]
    seeds: Sequence[int]
    dp: config.Dp | None = None
    prior: Known = SIMULATED

    @property
    def model(self) -> Model:
        """A teacher's networks as one."""
        return pooled(self.families)

    @functools.cached_property
    def params(self) -> Params:
        """Of all teachers, with a leading axis; they train where a release asks for them."""
        count = len(self.families)
        members = tuple(self._family(number) for number in range(count))
        weight = jnp.full((len(self.rows), 1), 1 / count, jnp.float32)
        return {
            "members": jax.tree.map(lambda leaf: leaf[:, None], members),
            "weights": (weight,) * count,
        }

    def _first(self, number: int) -> Params | None:
        """What a family knows before any private window, if it does; the same for all teachers."""
        if not self.prior.settings.first:
            return None
        start = carriers.taught(self.prior, self.windows.spec)
        return start(self.families[number], self.starts[0] + FAMILY * number)

    def _family(self, number: int) -> Params:
        """A network of one family for each teacher, with a leading axis."""
        given = self.families[number], *self._learned
        seeds = [start + FAMILY * number for start in self.starts]
        if self.dp is not None:
            return private.train(*given, seeds, self.dp, self._first(number))
        return train(*given, seeds, _shared(self.settings, len(self.families)))

    @functools.cached_property
    def _learned(self) -> tuple[Batch, Sequence[Int[np.ndarray, " _"]]]:
        """All windows that teachers learn from, and the rows of each."""
        counts = [carriers.count(len(own), self.prior) for own in self.rows]
        if self.dp is not None or not any(counts):
            return self.windows, self.rows
        end = len(self.windows)
        more = carriers.learned(self.prior, self.windows.spec, max(counts))
        rows = [
            np.concatenate([own, end + np.arange(count)])
            for own, count in zip(self.rows, counts, strict=True)
        ]
        return batch.concatenate([self.windows, more]), rows


Release = Callable[[Trained], list[Batch]]  # of each teacher, its stimuli
State = tuple[Params, optax.OptState, Array]  # parameters, those of the optimizer, keys


class Pipelines(NamedTuple):
    """What came of the pipelines.

    Attributes:
        trained: their teachers.
        stimuli: of each.
        students: of these, with a leading axis.
    """

    trained: Trained
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
    rows: Sequence[Int[np.ndarray, " _"]],
    release: Release,
    seed: int,
    prefix: str = "",
    by: Labelers = ONE,
) -> Pipelines:
    """Run a pipeline from each set of rows of `windows`.

    Args:
        windows: of all pipelines.
        rows: those that each may learn from.
        release: makes the stimuli.
        seed: of all chance.
        prefix: "canary " for seeds apart from those without.
        by: the networks of its teachers.
    """
    spec, count = windows.spec, len(rows)
    starts, drawing = (seeds(seed, prefix + part, count) for part in ("teacher", "release"))
    trained = teachers(windows, rows, starts, drawing, by)
    stimuli = release(trained)
    learned = [one[:LEARNED] for one in stimuli]
    ends = np.cumsum([0, *map(len, learned)])
    each = [np.arange(first, last) for first, last in itertools.pairwise(ends)]
    own = seeds(seed, f"{prefix}student", count)
    students = train(student(spec), batch.concatenate(learned), each, own)
    return Pipelines(trained, stimuli, students)


def teachers(
    windows: Batch,
    rows: Sequence[Int[np.ndarray, " _"]],
    starts: Sequence[int],
    seeds: Sequence[int],
    by: Labelers = ONE,
) -> Trained:
    """Teachers of the networks `by`, each to learn its own rows; see `Trained`."""
    shape, classes = windows.spec.shape, len(windows.spec.classes)
    families = tuple(models.classifier(name, shape, classes) for name in by.networks)
    most = max(len(own) + carriers.count(len(own), by.prior) for own in rows)
    steps = int(np.clip(EPOCHS * most // FIT.batch, *STEPS)) // BLOCK * BLOCK
    settings = dataclasses.replace(FIT, steps=steps)
    return Trained(windows, rows, rows, families, settings, starts, seeds, by.dp, by.prior)


def pooled(families: tuple[Model, ...]) -> Model:
    """The networks of a teacher, one of each of `families`, as one."""
    return models.ensemble(families, (1,) * len(families))


def _shared(settings: config.Fit, families: int) -> config.Fit:
    """`settings` of each network of a teacher that has so many: see `SHARED`."""
    if families == 1:
        return settings
    steps = max(BLOCK, int(SHARED * settings.steps) // BLOCK * BLOCK)
    return dataclasses.replace(settings, steps=steps)


def student(spec: Spec) -> Model:
    """The attacker's student."""
    return models.classifier(STUDENT, spec.shape, len(spec.classes), {"dropout": 0.0})


def train(
    model: Model,
    windows: Batch,
    rows: Sequence[Int[np.ndarray, " _"]],
    seeds: Sequence[int],
    settings: config.Fit = STUDENT_FIT,
) -> Params:
    """Train one network from each seed, on its own rows of `windows`, all together.

    As `stimjax.learn.fit` does, but without a validation part: the last step is kept. The cores of
    a CPU share the networks.

    Returns:
        Parameters with a leading axis, one entry for each seed.
    """
    order = np.stack([_order(r, s, settings) for r, s in zip(rows, seeds, strict=True)])
    rate = np.asarray(rates(settings)(np.arange(settings.steps)), np.float32)
    devices = mesh.shared(len(seeds), "network")
    data = placed(windows, devices)
    learner = Learner(model.apply, settings.weight_decay, settings.noise)
    state = _start(model.init, learner, np.asarray(seeds, np.uint32))
    state = jax.device_put(state, NamedSharding(devices, NETWORKS))
    for first in range(0, settings.steps, BLOCK):
        block = slice(first, first + BLOCK)
        state = _advance(learner, devices, state, data, order[:, block], rate[block])
    return jax.tree.map(jnp.asarray, jax.device_get(state[0]))  # on one device again


@functools.partial(jax.jit, static_argnums=(0, 1))
def _start(init: Callable[[Array], Params], learner: Learner, seeds: Array) -> State:
    def one(seed: Array) -> State:
        key = jax.random.key(seed)
        params = init(key)
        return params, learner.init(params), key

    return jax.vmap(one)(seeds)


@functools.partial(jax.jit, static_argnums=(0, 1), donate_argnums=2)
def _advance(
    learner: Learner, devices: Mesh, state: State, data: Windows, order: Array, rate: Array
) -> State:
    """A block of steps, each on the rows of `data` that `order` names, i[network, step, batch].

    All of any run on about as many windows (`placed`) is this one program, compiled once.
    """

    def step(data: Windows, state: State, given: tuple[Array, Array]) -> tuple[State, None]:
        rows, rate = given
        params, opt_state, key = state
        key, own = jax.random.split(key)
        noise_key, dropout_key = jax.random.split(own)
        keys = noise_key, dropout_key
        x, y, weight = (values[rows] for values in data)
        return (*learner.step(params, opt_state, (x, y, weight), keys, rate), key), None

    def share(state: State, data: Windows, order: Array, rate: Array) -> State:
        def one(network: tuple[State, Array]) -> State:
            state, order = network
            return jax.lax.scan(functools.partial(step, data), state, (order, rate))[0]

        # One after the other their arrays fit a core's cache: three quarters of the time.
        at_once = 1 if devices.devices.flat[0].platform == "cpu" else len(order)
        return jax.lax.map(one, (state, order), batch_size=at_once)

    parts = (NETWORKS, PartitionSpec(), NETWORKS, PartitionSpec())
    # Unchecked: flax starts a GRU from a state that would have to be marked as each device's own.
    return jax.shard_map(share, mesh=devices, in_specs=parts, out_specs=NETWORKS, check_vma=False)(
        state, data, order, rate
    )


def _order(rows: Int[np.ndarray, " rows"], seed: int, settings: config.Fit) -> np.ndarray:
    """Which rows each step takes, i[step, batch]: one permutation after the other."""
    rng, count = np.random.default_rng(seed), settings.steps * settings.batch
    epochs = [rng.permutation(rows) for _ in range(math.ceil(count / len(rows)))]
    return np.concatenate(epochs)[:count].reshape(settings.steps, settings.batch)


def log_odds(
    model: Model,
    params: Params,
    x: Float[np.ndarray, "n ..."],
    label: Int[np.ndarray, " n"],
) -> Float[np.ndarray, "network n"]:
    """Log-odds of each window's class for networks with a leading axis."""
    log = np.array(log_probabilities(model, params, x), float)
    rows = np.arange(len(x))
    true = log[:, rows, label]
    log[:, rows, label] = -np.inf
    return true - np.logaddexp.reduce(log, axis=-1)
