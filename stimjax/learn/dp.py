"""A teacher with a formal guarantee: DP-SGD (Abadi et al., 2016, arXiv 1607.00133).

In each step every subject takes part with the same probability, whatever the others do. The
gradient of some of its windows is shortened to a fixed length, so that a subject can change the sum
by no more than that, and normal noise is added to the sum. All else is computed from these sums:
nothing is chosen on private windows, and the parameters are the mean of the last half of the steps.
With the unit "window" each window is a subject of its own.

Shortening, noise and sampling are jax-privacy's. PCG64 draws who takes part, and the 64-bit key of
threefry, which draws the noise; 128 bits of the operating system's seed it, and are kept nowhere:
whoever knew them could take the noise off again. Two trainings are therefore never the same.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import secrets
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Int

from stimjax import config, models
from stimjax.batch import NOBODY, Batch
from stimjax.disk.documents import Member
from stimjax.errors import StimjaxError
from stimjax.learn import ledger
from stimjax.learn.ledger import Expense, Ledger
from stimjax.learn.teacher import Teacher, seeds
from stimjax.machine.extras import library
from stimjax.models import Model, Params

TOGETHER = 64  # windows whose gradients are held at the same time
WARM_UP = 0.1  # part of the steps
RARE = 6.0  # standard deviations: so large a draw has its place without a second compilation
LEAST = 0.02  # smallest frequency of a class that noise may leave


Start = Callable[[Model, int], Params]


class Budget(NamedTuple):
    """How a budget is shared out.

    Attributes:
        spent: the closed ledger.
        noise: of each step of each network, in units of the clipped length.
        prior: of the frequency of the classes; None if they are not measured.
        sampling: probability with which a unit takes part in a step.
    """

    spent: Ledger
    noise: float
    prior: float | None
    sampling: float


def train(
    train: Batch,
    settings: config.Dp,
    *,
    seed: int = 0,
    entropy: int | None = None,
    start: Start | None = None,
    progress: Callable[[int, int], None] = lambda step, steps: None,
) -> Teacher:
    """Train the networks that `settings` names, all with the same weight in the labels.

    Args:
        train: the private windows, of which none may depend on another subject (see
            `excite/guarantee.py`); of their spec, too, nothing.
        settings: budget, unit and so on; `settings.epsilon` is above 0.
        seed: of the initial weights.
        entropy: that seeds sampling and noise, for tests only; by default the operating system's.
        start: gives the first parameters of a network from its seed, and looks at nothing private;
            by default random ones.
        progress: called with steps done and in all.

    Raises:
        StimjaxError: the windows have no subjects, a package is missing, or the budget is too
            small.
    """
    owner = owners(train, settings.unit)
    units = settings.units or len(np.unique(owner))
    share = budget(units, settings)
    rng = np.random.default_rng(secrets.randbits(128) if entropy is None else entropy)
    names, spec = tuple(dict.fromkeys(settings.networks)), train.spec
    families = [models.classifier(name, spec.shape, len(spec.classes)) for name in names]
    task = Task(train, owner, share, share.sampling * units, settings)
    trained = []
    for i, (family, own) in enumerate(zip(families, seeds(seed, len(names)), strict=True)):
        trained.append(
            descend(
                family,
                family.init(jax.random.key(own)) if start is None else start(family, own),
                task,
                rng,
                lambda step, i=i: progress(i * settings.steps + step, len(names) * settings.steps),
            )
        )
    weight = jnp.full(1, 1 / len(names), jnp.float32)
    params = {
        "members": tuple(jax.tree.map(lambda leaf: leaf[None], one) for one in trained),
        "weights": (weight,) * len(names),
    }
    same = Member("", 0, radius=0.0, weight=1 / len(names), loss=None, accuracy=None)
    members = tuple(dataclasses.replace(same, network=name) for name in names)
    statistics = {}
    if share.prior is not None:
        statistics[ledger.PRIOR] = prior(train, owner, Counted(share.prior, units), rng)
    return Teacher(names, params, spec, statistics, members, privacy=share.spent, dp=settings)


def owners(train: Batch, unit: ledger.Unit) -> Int[np.ndarray, " n"]:
    """Whose each window is: its subject's, or its own.

    Raises:
        StimjaxError: a window is nobody's.
    """
    if unit == "window":
        return np.arange(len(train))
    if (np.asarray(train.subject) == NOBODY).any():
        raise StimjaxError("the windows name no subjects; choose --teacher.dp.unit window")
    return np.asarray(train.subject)


@functools.cache  # finding the noise takes seconds, and folds and seeds ask for the same
def budget(units: int, settings: config.Dp) -> Budget:
    """Noise and sampling with which everything together costs `settings.epsilon`.

    Args:
        units: subjects (or windows) that there are, or are said to be.
        settings: epsilon, delta, steps and so on.

    Raises:
        StimjaxError: epsilon is too small, or a package is missing.
    """
    networks = tuple(dict.fromkeys(settings.networks))
    sampling, expenses, prior = min(1.0, settings.batch / units), [], None
    if settings.prior:  # the Gaussian mechanism's budget goes with 1 / noise^2
        accounting = library("dp_accounting")
        sigma = accounting.get_sigma_gaussian(settings.epsilon, settings.delta)
        prior = float(sigma) / math.sqrt(settings.prior)
        expenses = [Expense("the frequency of the classes", prior)]
    count = settings.steps * len(networks)
    noise = ledger.noise_for(
        settings.epsilon, settings.delta, expenses, sampling=sampling, count=count
    )
    expenses += [
        Expense(f"gradients of the network {name}", noise, sampling, settings.steps)
        for name in networks
    ]
    spent = ledger.closed(settings.unit, settings.delta, expenses, settings.units or None)
    return Budget(spent, noise, prior, sampling)


def draws(
    owner: Int[np.ndarray, " n"], sampling: float, settings: config.Dp, rng: np.random.Generator
) -> Int[np.ndarray, "step unit window"]:
    """Rows of the windows that each step takes, a line for each unit that takes part; -1 fills up.

    The units of a step are as many as chance has it (Poisson sampling). There is room for nearly
    any number, so that other draws compile nothing anew.
    """
    selection = library("jax_privacy.batch_selection")
    each = 1 if settings.unit == "window" else settings.windows
    poisson = selection.CyclicPoissonSampling(sampling, settings.steps)
    strategy = selection.UserSelectionStrategy(poisson, each, shuffle_per_user=True)
    steps = [np.reshape(rows, (-1, each)) for rows in strategy.batch_iterator(owner, rng)]
    units, block = len(np.unique(owner)), _block(each)
    mean = sampling * units
    room = math.ceil(min(units, mean + RARE * math.sqrt(mean * (1 - sampling)) + 1))
    room = max(room, *map(len, steps))
    room = -(-room // block) * block
    padded = [selection.split_and_pad_global_batch(rows, room, block)[0] for rows in steps]
    return np.stack(padded).astype(np.int32)


def clipped(model: Model, clip: float, expected: float, each: int) -> Any:
    """The gradient of a step before noise: `(params, x, y, weight, is_padding_example=)`.

    Arrays have axes for units and for each unit's windows. A unit's gradient is that of its mean
    weighted cross-entropy; the result is the sum of the clipped ones divided by the `expected`
    number of units, not by that of a draw. With `clip` 1 as unit of length: `sensitivity()` of
    what is returned is how much one unit can change it.

    Args:
        model: the network.
        clip: longest gradient of a unit.
        expected: units in a step.
        each: windows of a unit.
    """

    def loss(params: Params, x: Array, y: Array, weight: Array) -> Float[Array, ""]:
        value = optax.softmax_cross_entropy(model.apply(params, x), y)
        return jnp.sum(weight * value) / jnp.maximum(jnp.sum(weight), 1e-9)

    return library("jax_privacy.clipping").clipped_grad(
        loss,
        l2_clip_norm=clip,
        rescale_to_unit_norm=True,
        normalize_by=expected,
        batch_argnums=(1, 2, 3),
        keep_batch_dim=False,
        microbatch_size=_block(each),
    )


class Counted(NamedTuple):
    """How a sum over units becomes a mean: its noise, and what it is divided by."""

    noise: float
    units: int


def prior(
    train: Batch, owner: Int[np.ndarray, " n"], by: Counted, rng: np.random.Generator
) -> Float[np.ndarray, " classes"]:
    """How frequent each class is, with noise: each unit adds its own frequencies, of length <= 1.

    Args:
        train: the private windows.
        owner: whose each is.
        by: standard deviation of the noise, and how many units there are or are said to be.
        rng: of the noise.
    """
    _, who = np.unique(owner, return_inverse=True)
    total = np.zeros((who.max() + 1, train.y.shape[1]))
    np.add.at(total, who, np.asarray(train.y, float))
    total /= np.maximum(total.sum(axis=1, keepdims=True), 1e-9)
    noisy = (total.sum(axis=0) + by.noise * rng.normal(size=total.shape[1])) / by.units
    noisy = np.maximum(noisy, LEAST)
    return (noisy / noisy.sum()).astype(np.float32)


class Task(NamedTuple):
    """What a network is trained on, and how.

    Attributes:
        train: the private windows.
        owner: whose each is, see `owners`.
        share: noise and sampling.
        expected: units in a step, by which its sum is divided.
        settings: steps, clip, rate and so on.
    """

    train: Batch
    owner: Int[np.ndarray, " n"]
    share: Budget
    expected: float
    settings: config.Dp


def descend(
    model: Model,
    start: Params,
    task: Task,
    rng: np.random.Generator,
    progress: Callable[[int], None] = lambda step: None,
    seen: Callable[[Params], None] = lambda noisy: None,
) -> Params:
    """All steps of one network; the mean of its parameters over the last half of them.

    Args:
        model: the network.
        start: its first parameters.
        task: what it is trained on.
        rng: of who takes part, and of the key of the noise.
        progress: called with steps done.
        seen: called with each step's sum of clipped gradients after noise, divided by
            `task.expected`. It is all that later steps get of the private windows, and what the
            guarantee takes for public.
    """
    settings, train = task.settings, task.train
    model, start, whole = trained(model, start, settings, train.y.shape[1])
    rows = draws(task.owner, task.share.sampling, settings, rng)
    own = rule(model, settings, task.expected, rows.shape[2], task.share.noise, _key(rng))
    advance = jax.jit(functools.partial(step, own))
    windows = tuple(jax.device_put(np.asarray(a)) for a in (train.x, train.y, train.weight))
    state = begin(own, start)
    for number, (index, share) in enumerate(zip(rows, shares(len(rows)), strict=True)):
        state, noisy = advance(windows, state, index, share)
        seen(noisy)
        progress(number + 1)
    return whole(state.mean)


class Trained(NamedTuple):
    """What noisy steps change of a network.

    Attributes:
        model: the network, whose parameters are those that change.
        start: their first values; None in the place of what does not change.
        whole: all parameters of the network from those that change.
    """

    model: Model
    start: Params
    whole: Callable[[Params], Params]


def trained(model: Model, start: Params, settings: config.Dp, classes: int) -> Trained:
    """All of `start`, or with `settings.numbers` "few" the biases and the last layer.

    Noise is added to every number that changes, so that fewer numbers are changed by less noise; a
    network that knows the prior needs no more (Bu, Wang, Zha, Karypis, "Differentially private
    bias-term fine-tuning of foundation models", ICML 2024, arXiv 2210.00036).
    """
    if settings.numbers == "all":
        return Trained(model, start, lambda params: params)
    own = jax.tree.map(lambda a: a if a.ndim <= 1 or a.shape[-1] == classes else None, start)

    def whole(params: Params) -> Params:
        return jax.tree.map(
            lambda new, old: old if new is None else new, params, start, is_leaf=lambda a: a is None
        )

    def apply(params: Params, x: Array, key: Array | None = None) -> Array:
        return model.apply(whole(params), x, key)

    return Trained(model._replace(apply=apply), own, whole)


class Rule(NamedTuple):
    """How a step changes parameters.

    Attributes:
        gradient: see `clipped`.
        noise: see `added`.
        optimizer: what follows the noise, and costs nothing.
    """

    gradient: Any
    noise: optax.GradientTransformation
    optimizer: optax.GradientTransformation


class State(NamedTuple):
    """All that changes in a descent.

    Attributes:
        params: as they are.
        mean: of them, over the last half of the steps.
        noise: its state.
        optimizer: its state.
    """

    params: Params
    mean: Params
    noise: Any
    optimizer: Any


def rule(
    model: Model,
    settings: config.Dp,
    expected: float,
    each: int,
    noise: float | Array,
    key: Array,
) -> Rule:
    """How the steps of one network change it.

    Args:
        model: the network.
        settings: clip, rate and so on.
        expected: units in a step.
        each: windows of a unit.
        noise: of each step, in units of what one unit may change.
        key: of the noise.
    """
    gradient = clipped(model, settings.clip, expected, each)
    return Rule(gradient, added(noise * gradient.sensitivity(), key), _optimizer(settings))


def begin(rule: Rule, params: Params) -> State:
    """What a descent from `params` starts with."""
    return State(params, params, rule.noise.init(params), rule.optimizer.init(params))


def step(
    rule: Rule,
    windows: tuple[Array, ...],
    state: State,
    index: Int[Array | np.ndarray, "unit window"],
    share: Any,
) -> tuple[State, Params]:
    """One step of a descent; and its noisy sum, which is all that it got of the windows.

    Args:
        rule: how it changes parameters.
        windows: x, y and weight of all.
        state: before it.
        index: rows of the windows that it takes, see `draws`.
        share: of its parameters in the mean, see `shares`.
    """
    drawn = [array[index] for array in windows]
    total = rule.gradient(state.params, *drawn, is_padding_example=index[:, 0] < 0)
    noisy, drawing = rule.noise.update(total, state.noise, state.params)
    updates, moments = rule.optimizer.update(noisy, state.optimizer, state.params)
    params = optax.apply_updates(state.params, updates)
    mean = optax.incremental_update(params, state.mean, share)
    return State(params, mean, drawing, moments), noisy


def shares(steps: int) -> Float[np.ndarray, " step"]:
    """How far each step draws the mean toward its parameters: of the last half all count alike."""
    late = np.arange(steps) - steps // 2
    return np.where(late >= 0, 1 / np.maximum(late + 1, 1), 0).astype(np.float32)


def added(deviation: float | Array, key: Array) -> optax.GradientTransformation:
    """Normal noise on each number of a gradient, fresh in every step."""
    addition = library("jax_privacy.noise_addition")
    return addition.gaussian_privatizer(stddev=deviation, prng_key=key)


def _optimizer(settings: config.Dp) -> optax.GradientTransformation:
    """Adam: what follows the noise costs nothing."""
    rate = optax.warmup_constant_schedule(
        0.0, settings.rate, max(1, round(WARM_UP * settings.steps))
    )
    return optax.adam(rate)


def _block(each: int) -> int:
    """Units whose gradients are held at the same time."""
    return max(1, TOGETHER // each)


def _key(rng: np.random.Generator) -> Array:
    return jax.random.wrap_key_data(jnp.asarray(rng.integers(0, 2**32, 2, dtype=np.uint32)))
