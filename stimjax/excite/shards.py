"""Shards: lanes on every device of this host, each of which fills a shard at a time."""

from __future__ import annotations

import dataclasses
import functools
import math
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import jax
import numpy as np

from stimjax import batch, config, models
from stimjax.batch import Array, Batch
from stimjax.config.recipes import Recipe
from stimjax.errors import StimjaxError
from stimjax.excite import carriers, collect, lanes, methods, origin, proxies, secret
from stimjax.excite.collect import Collected, Counts, Places
from stimjax.excite.inhibit import inhibition as inhibit
from stimjax.excite.inhibit import labels
from stimjax.excite.lanes import Method, Networks, State
from stimjax.excite.sources import public
from stimjax.learn.teacher import Teacher
from stimjax.machine import memory
from stimjax.models import Params
from stimjax.models.layers import Erasures

HOPELESS = 10_000  # steps of a block of lanes without a single stimulus, after which to stop
SHORTEST, LONGEST = 0.25, 1.0  # seconds that a dispatch should take: its steps follow from it


class Shard(NamedTuple):
    """What one shard gave: its stimuli, and what was counted."""

    number: int
    stimuli: Batch
    counts: Counts  # of NumPy arrays


def shards(
    teacher: Teacher,
    settings: config.Synthesis,
    todo: Callable[[list[int]], list[int]] = list,
    earlier: Callable[[list[int]], Batch] | None = None,
    watch: Callable[[int, Counts], None] = lambda stimuli, counts: None,
    available: int | None = None,
) -> Iterator[Shard]:
    """The shards that `settings.count` stimuli need, in order of number.

    With `rounds` in the recipe they are dealt to as many rounds; before each but the first, proxy
    students learn from all stimuli so far.

    Args:
        teacher: labels the stimuli.
        settings: method, lanes; without a seed they are drawn with one that nobody keeps.
        todo: chooses those that are to be made, once for each round.
        earlier: the stimuli of the shards with these numbers; by default those that were made here
            are kept in memory.
        watch: told how many stimuli the shards under way have so far, and their counts, with a
            leading axis of shards.
        available: bytes of memory on each device, instead of what the device says.

    Raises:
        StimjaxError: the lanes do not fit into memory, or accept nothing.
    """
    settings = methods.resolved(settings)
    recipe = methods.recipe(settings)
    seed = secret.drawn() if settings.seed is None else settings.seed
    numbers = list(range(math.ceil(settings.count / settings.shard)))
    kept: list[Batch] = []
    earlier = earlier or (lambda numbers: batch.concatenate(kept[: len(numbers)]))
    workers = functools.cache(functools.partial(_workers, teacher, settings))
    for index in range(recipe.rounds):
        first, last = (len(numbers) * (index + i) // recipe.rounds for i in (0, 1))
        part = todo(numbers[first:last])
        learned = None
        if first and part and recipe.terms.disagreement:
            learned = proxies.train(earlier(numbers[:first]), seed, index)
        critic = None if teacher.critic is None else teacher.critic.params
        params = (teacher.params, None if learned is None else learned.params, critic)
        logits = None if learned is None else learned.logits
        current = Round(part, workers(logits), params, seed)
        for shard in _fill(current, teacher, settings, watch, available):
            if recipe.rounds > 1:
                kept.append(shard.stimuli)
            yield shard


class Workers(NamedTuple):
    """Programs that fill shards, one on each device; all arguments but `steps` and `params` have a
    leading axis of devices.

    Attributes:
        start: `(key, number, random) -> (lanes, an empty shard)`, of the key `u32[2]` of a release;
            `random` says whether a shard is of random signals, see `origin.random`.
        advance: `(steps, params, random, lanes, shard) -> (lanes, shard, counts, full)`, at most so
            many steps, none once the shard is full. `params` are the parameters of teacher, proxies
            and critic; counts and full, bool[device], have a leading axis of devices.
        places: of a shard.
        held: bytes on each device of its lanes and of its shard.
    """

    start: Callable[..., tuple[State, Collected]]
    advance: jax.stages.Wrapped
    places: Places
    held: tuple[int, int]


@dataclasses.dataclass(frozen=True)
class Round:
    """What this process makes before proxy students learn anew.

    Attributes:
        numbers: of its shards.
        workers: that fill them.
        params: of teacher, proxies and critic, as they are now.
        seed: of the release.
    """

    numbers: list[int]
    workers: Workers
    params: tuple[Params, ...]
    seed: int


def _workers(
    teacher: Teacher, settings: config.Synthesis, logits: Callable[..., Array] | None
) -> Workers:
    """Compiled once for any seed and count; `logits` are those of proxy students."""
    spec = teacher.spec
    inhibition = inhibit.inhibition(settings, methods.recipe(settings))
    recipe = inhibit.with_term(methods.recipe(settings), inhibition)
    inhibit.refuse_ignorant(teacher, recipe, inhibition)
    inhibited = inhibit.applied(inhibition, teacher)
    statistics = inhibit.without_groups(teacher.statistics, inhibition)
    statistics = carriers.given(statistics, recipe, teacher.prior, spec)

    def of_origin(random: Array) -> Method:
        whose = {public.RANDOM: random} if recipe.source == "public" else {}
        method = methods.method(spec, recipe, {**statistics, **whose})
        return method._replace(bound=inhibited.bound)

    at = collect.places(recipe.balance, settings.shard, len(spec.classes), teacher.statistics)

    def start(whole: jax.Array, number: Array, random: Array) -> tuple[State, Collected]:
        key = jax.random.fold_in(jax.random.wrap_key_data(whole), number)
        started = lanes.start(of_origin(random), key, settings.lanes)
        return started, collect.empty(at, spec.shape)

    def advance(
        steps: Array,
        params: tuple[Params, ...],
        random: Array,
        state: State,
        shard: Collected,
    ) -> tuple[State, Collected, Counts, Array]:
        networks = _networks(teacher, recipe, logits, params, inhibited.erasures)
        method = of_origin(random)
        state, shard = collect.fill(method, networks, at, steps, state, shard)
        return state, shard, shard.counts, collect.full(shard.counts, at)

    devices = jax.local_devices()
    state, shard = jax.eval_shape(start, secret.key(0), np.uint32(0), np.bool_(False))
    return Workers(
        jax.pmap(start, in_axes=(None, 0, 0), axis_name="device", devices=devices),
        jax.pmap(
            advance,
            axis_name="device",
            in_axes=(None, None, 0, 0, 0),
            devices=devices,
            donate_argnums=(3, 4),
        ),
        at,
        (memory.size(state), memory.size(shard)),
    )


def _networks(
    teacher: Teacher,
    recipe: Recipe,
    logits: Callable[..., Array] | None,
    params: tuple[Params, ...],
    erasures: Erasures,
) -> Networks:
    """What lanes ask, with the parameters of teacher, proxies and critic in `params`."""
    of_teacher, of_proxies, of_critic = params
    ask = models.lowered(teacher.model.hidden, recipe.precision)
    networks = Networks(
        lambda x: teacher.model.hidden(of_teacher, x, erasures),
        gradients=lambda x: ask(of_teacher, x, erasures),
    )
    if (critic := teacher.critic) is not None:
        networks = networks._replace(critic=lambda x: critic.logits(of_critic, x))
    if logits is not None:
        networks = networks._replace(proxies=lambda x: logits(of_proxies, x))
    return networks


def _fill(
    current: Round,
    teacher: Teacher,
    settings: config.Synthesis,
    watch: Callable[[int, Counts], None],
    available: int | None,
) -> Iterator[Shard]:
    """Fill the shards of this round, as many at a time as there are devices.

    The devices are never idle: they get their next steps before the host looks at the last, and
    the next shards before the host writes what is full.
    """
    numbers, workers, params = current.numbers, current.workers, current.params
    devices, steps = jax.local_device_count(), np.int32(8)
    recipe = methods.recipe(settings)
    available = memory.available() if available is None else available
    _refuse_large(workers, settings, available)  # before anything is compiled
    waiting: Iterator[Shard] = iter(())
    for first in range(0, len(numbers), devices):
        # The last group is filled up, so that it needs no program of another size.
        group = [numbers[min(first + i, len(numbers) - 1)] for i in range(devices)]
        random = origin.random(np.asarray(group), recipe.random)
        state, shard = workers.start(secret.key(current.seed), np.asarray(group, np.uint32), random)
        if first == 0:
            given = (steps, params, random, state, shard)
            _refuse_large(workers, settings, available, workers.advance.lower(*given))
        state, shard, counts, full = workers.advance(steps, params, random, state, shard)
        yield from waiting
        while True:
            since = time.monotonic()
            state, shard, *ahead = workers.advance(steps, params, random, state, shard)
            counts, full = jax.device_get((counts, full))
            _refuse_hopeless(counts, settings)
            own = Counts(*[a[: len(set(group))] for a in counts])
            filled = np.minimum(own.filled.sum(axis=1), settings.shard)
            watch(int(filled.sum()), own)
            if full.all():
                break
            seconds = time.monotonic() - since
            if seconds < SHORTEST:
                steps *= 2
            elif seconds > LONGEST:
                steps = max(steps // 2, np.int32(1))
            counts, full = ahead
        waiting = _handed_over(shard, group, current, teacher, settings)
        del state  # or it would stand beside that of the next group
    yield from waiting


def _handed_over(
    shard: Collected, group: list[int], current: Round, teacher: Teacher, settings: config.Synthesis
) -> Iterator[Shard]:
    """The shards of one group, from the devices."""
    recipe = methods.recipe(settings)
    step = inhibit.inhibition(settings, recipe).labels
    for device, number in enumerate(dict.fromkeys(group)):
        one = jax.device_get(jax.tree.map(lambda a, d=device: a[d], shard))
        seed = [current.seed, number]
        stimuli = collect.stimuli(one, current.workers.places, teacher.spec, seed)
        published = labels.rounded(np.asarray(stimuli.y), step)
        beside = origin.columns(recipe, number, len(stimuli))
        stimuli = dataclasses.replace(stimuli, y=published, columns=beside)
        yield Shard(number, stimuli, one.counts)


def _refuse_large(
    workers: Workers,
    settings: config.Synthesis,
    available: int | None,
    program: jax.stages.Lowered | None = None,
) -> None:
    """Stop where lanes and shard do not fit into `available` bytes of a device.

    Args:
        workers: what they hold by themselves is counted where there is no `program`.
        settings: lanes and shard, for the message.
        available: None is not known.
        program: that advances them. It needs more, which a look at its shapes does not tell.
    """
    lanes, shard = workers.held
    need = None if program is None else memory.of_program(program)
    if need is not None:
        need += 2 * shard  # the last one waits to be written, and is copied for that
    memory.refuse(
        f"{settings.lanes} lanes and a shard of {settings.shard} stimuli",
        lanes + shard if need is None else need,
        available,
        "use fewer --lanes or a smaller --shard",
    )


def _refuse_hopeless(counts: Counts, settings: config.Synthesis) -> None:
    """Stop where no shard will ever be full; counts have a leading axis of devices."""
    most = HOPELESS * settings.lanes
    if ((counts.accepted.sum(axis=1) == 0) & (counts.steps >= most)).any():
        raise StimjaxError(
            f"the teacher accepted no stimulus in {most} steps; lower the recipe's confidence "
            f"threshold (lowest: {methods.recipe(settings).lowest:g}) or allow more tries"
        )
