"""Make a release: lanes over the devices, shard by shard.

A shard is the unit of work: each device works on a shard of its own. Its content depends on the
teacher, the settings, the seed and its number, not on how many devices there are; but for the
last bits with a transformer teacher, whose program XLA rewrites differently for one device.
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
from stimjax.excite import lanes, methods
from stimjax.excite.lanes import Emitted, LaneState
from stimjax.learn.teacher import Teacher
from stimjax.models import Params
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
        settings: method, thresholds, lanes, seed.
        out: appears when the release is complete.
        overwrite: replace an earlier release.
        progress: called with stimuli done and wanted.
        note: told of what the holder should know of the result.

    Raises:
        StimjaxError: the settings make no sense, the folder is occupied, or the teacher cannot be
            excited to what the settings ask.
    """
    check(settings, "synthesis: ")
    classes = len(teacher.spec.classes)
    accepted, failed, steps = np.zeros(classes, int), np.zeros(classes, int), 0
    with new_folder(out, overwrite=overwrite) as folder:
        done = 0
        for shard in shards(teacher, settings):
            stimuli = shard.stimuli[: settings.count - shard.number * settings.shard]
            release.save_shard(folder, shard.number, stimuli)
            accepted, failed = accepted + shard.accepted, failed + shard.failed
            done, steps = done + len(stimuli), steps + shard.steps
            progress(done, settings.count)
        manifest = {
            "count": settings.count,
            "method": dataclasses.asdict(settings),
            "accepted": accepted.tolist(),
            "failed": failed.tolist(),
            "lane_steps": steps,
            "uses": list(methods.USES[settings.method]),
            "versions": versions(),
        }
        release.finish(folder, teacher.spec, manifest)
    for name in [name for name, n in zip(teacher.spec.classes, accepted, strict=True) if not n]:
        note(f"{out.name}: holds no stimulus that was made for the class {name}")


def shards(teacher: Teacher, settings: config.Synthesis) -> Iterator[Shard]:
    """Every shard that `settings.count` stimuli need, in order of number."""
    numbers = range(math.ceil(settings.count / settings.shard))
    devices = jax.local_devices()[: len(numbers)]
    start, advance = _programs(teacher, settings, devices)
    for first in range(0, len(numbers), len(devices)):
        # The last group is filled up, so that it needs no program of another size.
        group = [min(first + i, numbers[-1]) for i in range(len(devices))]
        made = _make(teacher, settings, group, start, advance)
        yield from made[: len(numbers) - first]


def _programs(
    teacher: Teacher, settings: config.Synthesis, devices: Sequence[Any]
) -> tuple[Callable[..., LaneState], Callable[..., tuple[LaneState, Emitted]]]:
    method, model = methods.method(teacher.spec, settings), teacher.model

    def start(shard: Array) -> LaneState:
        key = jax.random.fold_in(jax.random.key(settings.seed), shard)
        return jax.vmap(lambda k: lanes.init(method, k))(jax.random.split(key, settings.lanes))

    def advance(params: Params, state: LaneState) -> tuple[LaneState, Emitted]:
        return lanes.block(method, lambda x: model.apply(params, x), state, settings.steps)

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
    numbers: list[int],
    start: Callable[..., LaneState],
    advance: Callable[..., tuple[LaneState, Emitted]],
) -> list[Shard]:
    """One shard on each device, all at once."""
    state = start(np.asarray(numbers))
    collected = [_Collected(len(teacher.spec.classes)) for _ in numbers]
    while min(c.found for c in collected) < settings.shard:
        state, emitted = advance(teacher.params, state)
        emitted = jax.device_get(emitted)
        for device, part in enumerate(collected):
            if part.found < settings.shard:
                part.take(jax.tree.map(lambda a, d=device: a[d], emitted))
        if any(c.found == 0 and c.steps >= HOPELESS * settings.lanes for c in collected):
            raise StimjaxError(
                f"the teacher accepted no stimulus in {HOPELESS * settings.lanes} steps; lower "
                f"the confidence threshold (--lowest {settings.lowest:g}) or allow more --tries"
            )
    return [
        c.shard(number, teacher, settings.shard)
        for c, number in zip(collected, numbers, strict=True)
    ]


class _Collected:
    """Gathers what one shard's lanes emit, in the order of step and lane."""

    def __init__(self, classes: int) -> None:
        self.windows: list[np.ndarray] = []
        self.labels: list[np.ndarray] = []
        self.accepted, self.failed = np.zeros(classes, int), np.zeros(classes, int)
        self.found, self.steps = 0, 0

    def take(self, emitted: Emitted) -> None:
        classes = len(self.accepted)
        self.windows.append(np.asarray(emitted.window[emitted.accepted]))
        self.labels.append(np.asarray(emitted.probability[emitted.accepted]))
        self.accepted += np.bincount(emitted.target[emitted.accepted], minlength=classes)
        self.failed += np.bincount(emitted.target[emitted.failed], minlength=classes)
        self.found += int(emitted.accepted.sum())
        self.steps += emitted.accepted.size

    def shard(self, number: int, teacher: Teacher, size: int) -> Shard:
        x, y = np.concatenate(self.windows)[:size], np.concatenate(self.labels)[:size]
        stimuli = batch.make(x, y, teacher.spec)
        return Shard(number, stimuli, self.accepted, self.failed, self.steps)
