"""Leaks that are planted, so that an attack shows what it would find: one for each way to leak.

Each is a world of its own, whose members are the few subjects that the leak is about: a quarter of
the members' subjects, two at least where there are two.

copies: their windows stand among the stimuli.
statistics: the source's statistics were measured on them alone.
teacher: the network that labels learned them alone, and by heart.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from jaxtyping import Int

from stimjax import batch
from stimjax.privacy.findings import World
from stimjax.privacy.shadow import pipelines, releases
from stimjax.privacy.shadow.releases import ReleaseRecipe

FEW = 0.25  # of the members' subjects
BY_HEART = dataclasses.replace(pipelines.STUDENT_FIT, steps=1000)


def made(world: World, how: ReleaseRecipe) -> dict[str, World]:
    """Releases like that of `world`, which `how` made, but for a leak; by its name.

    Where the source has no statistics, none of them is planted.
    """
    mine = few(world)
    leaks = {"teacher": _made(world, how, mine, heart=True)}
    if releases.refit(how) is not None:
        leaks["statistics"] = _made(world, how, mine, heart=False)
    return leaks


def copies(world: World, share: float) -> World:
    """Windows of the few, the same number of each, stand over the part `share` of the stimuli."""
    rng = np.random.default_rng([world.seed, 1])
    mine = few(world)
    whose = np.asarray(world.members.subject)
    subjects = np.unique(whose[mine])
    each = max(1, int(share * len(world.release)) // len(subjects))
    rows = np.concatenate(
        [np.sort(rng.permutation(np.flatnonzero(whose == subject))[:each]) for subject in subjects]
    )[: len(world.release)]
    members = world.members[rows]
    place = rng.permutation(len(world.release))[: len(rows)]
    x, y = np.array(world.release.x), np.array(world.release.y)
    x[place], y[place] = members.x, members.y
    planted = batch.make(x, y, world.release.spec, columns=world.release.columns)
    return world._replace(release=planted, members=members)


def few(world: World) -> Int[np.ndarray, " rows"]:
    """The rows of `world.members` that are the windows of the few."""
    rng = np.random.default_rng([world.seed, 1])
    whose = np.asarray(world.members.subject)
    subjects = np.unique(whose)
    chosen = rng.permutation(subjects)[: max(min(2, len(subjects)), int(FEW * len(subjects)))]
    return np.flatnonzero(np.isin(whose, chosen))


def _made(
    world: World, how: ReleaseRecipe, mine: Int[np.ndarray, " rows"], *, heart: bool
) -> World:
    """A release of one pipeline, as large as that of `world`.

    Args:
        world: without a leak.
        how: the release is made.
        mine: the windows of the few.
        heart: the teacher learned these alone, by heart, and statistics are of all; else the
            teacher learned all, and statistics are of these alone.
    """
    every = np.arange(len(world.members))
    learned, measured = (mine, every) if heart else (every, mine)
    parts = ("planted", "planted release")
    start, chance = (pipelines.seeds(world.seed, part, 1) for part in parts)
    trained = pipelines.teachers(world.members, [learned], start, chance, how.by)
    if heart:
        network = pipelines.student(world.members.spec)  # without dropout
        trained = dataclasses.replace(trained, families=(network,), settings=BY_HEART, dp=None)
    trained = dataclasses.replace(trained, measured=[measured])
    release = releases.drawn(how, len(world.release))(trained)[0]
    return world._replace(release=release, members=world.members[mine])
