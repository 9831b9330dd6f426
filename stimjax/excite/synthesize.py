"""Make a release: lanes over the devices, shard by shard.

A shard is the unit of work: each device works on a shard of its own. Its content depends on the
teacher, the settings, the seed and its number, not on how many devices there are; but for the
last bits with a transformer teacher, whose program XLA rewrites differently for one device. With
proxy students it also depends on the shards of the rounds before.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Array

from stimjax import batch, config, release
from stimjax.batch import Batch
from stimjax.excite import lanes, methods, proxies
from stimjax.excite.collect import Collected, quotas
from stimjax.excite.lanes import Emitted, Networks, State
from stimjax.excite.proxies import Proxies
from stimjax.learn.teacher import Teacher
from stimjax.models import Params
from stimjax.recipes import Recipe
from stimjax.settings import check
from stimjax.store import StimjaxError, new_folder
from stimjax.versions import versions

HOPELESS = 10_000  # steps of a block of lanes without a single stimulus, after which to stop


class Shard(NamedTuple):
    """What one shard gave: its stimuli, and counts by wanted class i64[class]."""

    number: int
    stimuli: Batch
    accepted: np.ndarray
    failed: np.ndarray
    hits: np.ndarray  # accepted ones that the teacher calls as wanted
    steps: int  # of all its lanes together


def synthesize(
    teacher: Teacher,
    settings: config.Synthesis,
    out: Path,
    *,
    overwrite: bool = False,
    progress: Callable[[int, int], None] = lambda done, count: None,
    note: Callable[[str], None] = lambda line: None,
) -> None:
    """Write a release of `settings.count` stimuli as the folder `out`.

    Args:
        teacher: labels the stimuli; only it knows of private data.
        settings: method, lanes, seed.
        out: appears when the release is complete.
        overwrite: replace an earlier release.
        progress: called with stimuli done and wanted.
        note: told of what the holder should know of the result.

    Raises:
        StimjaxError: the settings make no sense, the folder is occupied, or the teacher cannot be
            excited to what the settings ask.
    """
    check(settings, "synthesis: ")
    settings = methods.resolved(settings)
    classes = len(teacher.spec.classes)
    accepted, failed, hits, labeled = (np.zeros(classes, int) for _ in range(4))
    steps = 0
    with new_folder(out, overwrite=overwrite) as folder:
        done = 0
        for shard in shards(teacher, settings):
            stimuli = shard.stimuli[: settings.count - shard.number * settings.shard]
            release.save_shard(folder, shard.number, stimuli)
            accepted, failed = accepted + shard.accepted, failed + shard.failed
            hits += shard.hits
            labeled += np.bincount(np.asarray(stimuli.y).argmax(axis=1), minlength=classes)
            done, steps = done + len(stimuli), steps + shard.steps
            progress(done, settings.count)
        manifest = {
            "count": settings.count,
            "method": dataclasses.asdict(settings),
            "classes": labeled.tolist(),
            "accepted": accepted.tolist(),
            "failed": failed.tolist(),
            "hits": hits.tolist(),
            "lane_steps": steps,
            "uses": methods.uses(methods.recipe(settings)),
            "versions": versions(),
        }
        release.finish(folder, teacher.spec, manifest)
    for name in [name for name, n in zip(teacher.spec.classes, labeled, strict=True) if not n]:
        note(f"{out.name}: holds no stimulus that the teacher calls {name}")


def shards(teacher: Teacher, settings: config.Synthesis) -> Iterator[Shard]:
    """Every shard that `settings.count` stimuli need, in order of number.

    With `rounds` in the recipe they are dealt to as many rounds; before each but the first, proxy
    students learn from all stimuli so far.
    """
    settings = methods.resolved(settings)
    recipe = methods.recipe(settings)
    numbers = list(range(math.ceil(settings.count / settings.shard)))
    so_far: list[Batch] = []
    for index in range(recipe.rounds):
        part = numbers[
            len(numbers) * index // recipe.rounds : len(numbers) * (index + 1) // recipe.rounds
        ]
        if not part:
            continue
        learned = None
        if so_far and recipe.terms.disagreement:
            learned = proxies.train(batch.concatenate(so_far), settings.seed, index)
        for shard in _round(teacher, settings, recipe, part, learned):
            if recipe.rounds > 1:
                so_far.append(shard.stimuli)
            yield shard


def _round(
    teacher: Teacher,
    settings: config.Synthesis,
    recipe: Recipe,
    numbers: list[int],
    learned: Proxies | None,
) -> Iterator[Shard]:
    devices = jax.local_devices()[: len(numbers)]
    start, advance = _programs(teacher, settings, recipe, devices, learned)
    asked = (teacher.params, None if learned is None else learned.params)
    for first in range(0, len(numbers), len(devices)):
        # The last group is filled up, so that it needs no program of another size.
        group = [numbers[min(first + i, len(numbers) - 1)] for i in range(len(devices))]
        made = _make(teacher, settings, recipe, group, start, lambda s: advance(asked, s))
        yield from made[: len(numbers) - first]


def _programs(
    teacher: Teacher,
    settings: config.Synthesis,
    recipe: Recipe,
    devices: Sequence[Any],
    learned: Proxies | None,
) -> tuple[Callable[..., State], Callable[..., tuple[State, Emitted]]]:
    method = methods.method(teacher.spec, recipe, teacher.statistics)
    model = teacher.model
    rotated = teacher.rotated if recipe.teachers == "rotated" else None

    def start(shard: Array) -> State:
        key = jax.random.fold_in(jax.random.key(settings.seed), shard)
        return lanes.start(method, key, settings.lanes)

    def advance(params: tuple[Params, Params], state: State) -> tuple[State, Emitted]:
        asked = Networks(lambda x: model.hidden(params[0], x))
        if rotated is not None:
            turns = rotated
            asked = asked._replace(rotated=lambda x, turn: turns(params[0], x, turn))
        if learned is not None:
            logits = learned.logits
            asked = asked._replace(proxies=lambda x: logits(params[1], x))
        return lanes.block(method, asked, state, settings.steps)

    return (
        jax.pmap(start, axis_name="device", devices=devices),
        jax.pmap(
            advance,
            axis_name="device",
            in_axes=(None, 0),
            devices=devices,
            donate_argnums=1,
        ),
    )


def _make(
    teacher: Teacher,
    settings: config.Synthesis,
    recipe: Recipe,
    numbers: list[int],
    start: Callable[..., State],
    advance: Callable[[State], tuple[State, Emitted]],
) -> list[Shard]:
    """One shard on each device, all at once."""
    state = start(np.asarray(numbers))
    places = quotas(recipe.balance, settings.shard, len(teacher.spec.classes), teacher.statistics)
    collected = [Collected(settings.shard, places) for _ in numbers]
    while not all(c.full for c in collected):
        state, emitted = advance(state)
        emitted = jax.device_get(emitted)
        for device, part in enumerate(collected):
            if not part.full:
                part.take(jax.tree.map(lambda a, d=device: a[d], emitted))
        if any(c.found == 0 and c.steps >= HOPELESS * settings.lanes for c in collected):
            raise StimjaxError(
                f"the teacher accepted no stimulus in {HOPELESS * settings.lanes} steps; lower "
                f"the recipe's confidence threshold (lowest: {recipe.lowest:g}) or allow more tries"
            )
    return [
        Shard(number, c.stimuli(teacher.spec, [settings.seed, number]), *c.counts)
        for c, number in zip(collected, numbers, strict=True)
    ]
