"""The method `mixture` with untrained teachers, as benchmarks run it."""

from __future__ import annotations

import dataclasses

import jax
import numpy as np

from stimjax import batch, config, models
from stimjax.batch import Channel, Spec
from stimjax.config.recipes import RECIPES, Recipe
from stimjax.excite import methods
from stimjax.learn.teacher import Teacher

# Ranges that differ, as those of real channels do: XLA makes more of equal ones.
CHANNELS = tuple(Channel(str(i), "", low=-3.0 + i / 2, high=3.0 + i / 4) for i in range(4))
SPEC = Spec((60, 4), ("normal", "apnea"), CHANNELS, 1.0, 0.0, 60.0)
# Untrained teachers call nearly all the same, and places by class would stay empty.
RECIPE: Recipe = dataclasses.replace(RECIPES["mixture"], balance="none")


def synthesis(count: int) -> config.Synthesis:
    """How `count` stimuli are made, on this kind of device."""
    return methods.resolved(config.Synthesis(count=count, recipe=RECIPE, seed=0))


def teacher() -> Teacher:
    """Two networks of each of four families, for windows of 240 values."""
    networks, counts = config.Teacher().networks, (2, 2, 2, 2)
    families = tuple(models.classifier(name, SPEC.shape, 2) for name in networks)
    params = models.ensemble(families, counts).init(jax.random.key(7))
    x = np.random.default_rng(0).normal(size=(2000, *SPEC.shape)).astype(np.float32)
    train = batch.make(x, batch.one_hot(np.arange(2000) % 2, SPEC), SPEC)
    bare = Teacher(networks, params, SPEC)
    return dataclasses.replace(bare, statistics=methods.measure(train, bare))
