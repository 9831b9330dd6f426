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
    leaks = {"teacher": by_heart(world, how)}
    if releases.refit(how) is not None:
        leaks["statistics"] = statistics(world, how)
    return leaks


def copies(world: World, share: float) -> World:
    """Windows of the few, the same number of each, stand over the part `share` of the stimuli."""
    rng = np.random.default_rng([world.seed, 1])
    mine = _few(world)
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
    return world._replace(release=batch.make(x, y, world.release.spec), members=members)


def statistics(world: World, how: ReleaseRecipe) -> World:
    """A teacher of all members labels what is drawn from statistics of the few."""
    few, every = _few(world), np.arange(len(world.members))
    return _made(world, how, learned=every, measured=few)


def by_heart(world: World, how: ReleaseRecipe) -> World:
    """A teacher that learned the few by heart labels what is drawn from statistics of all."""
    few, every = _few(world), np.arange(len(world.members))
    return _made(world, how, learned=few, measured=every, heart=True)


def _made(
    world: World,
    how: ReleaseRecipe,
    learned: Int[np.ndarray, " _"],
    measured: Int[np.ndarray, " _"],
    heart: bool = False,
) -> World:
    """A release of one pipeline, as large as that of `world`."""
    parts = ("planted", "planted release")
    start, chance = (pipelines.seeds(world.seed, part, 1) for part in parts)
    trained = pipelines.teachers(world.members, [learned], start, chance, how.by)
    if heart:
        network = pipelines.student(world.members.spec)  # without dropout
        trained = dataclasses.replace(trained, families=(network,), settings=BY_HEART, dp=None)
    trained = dataclasses.replace(trained, measured=[measured])
    release = releases.drawn(how, len(world.release))(trained)[0]
    return world._replace(release=release, members=world.members[_few(world)])


def _few(world: World) -> Int[np.ndarray, " rows"]:
    """The windows of the few."""
    rng = np.random.default_rng([world.seed, 1])
    whose = np.asarray(world.members.subject)
    subjects = np.unique(whose)
    chosen = rng.permutation(subjects)[: max(min(2, len(subjects)), int(FEW * len(subjects)))]
    return np.flatnonzero(np.isin(whose, chosen))
