"""The paper's loop as benchmarks run it: a block of lanes, some steps of it at a time.

With the dense generator, whose lanes are the loop's overhead more than anything; `paper_mnist.py`
has the network of the paper's authors.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from stimjax import config, models
from stimjax.batch import Spec
from stimjax.config.recipes import RECIPES
from stimjax.excite import lanes, methods
from stimjax.excite.lanes import Emitted, Networks, State
from stimjax.learn.teacher import Teacher

STEPS = 50  # of a dispatch
RECIPE = dataclasses.replace(RECIPES["paper"], generator="dense", latent=64, lanes=8, life=0)


def teacher(params: Any, spec: Spec) -> Teacher:
    """A teacher of one CNN with these parameters."""
    members = (jax.tree.map(lambda leaf: jnp.asarray(leaf)[None], params),)
    return Teacher(("cnn",), {"members": members, "weights": (jnp.ones(1),)}, spec)


def untrained(spec: Spec) -> Teacher:
    """A teacher of one CNN for two classes with random weights."""
    return teacher(models.classifier("cnn", spec.shape, 2).init(jax.random.key(7)), spec)


def programs(
    teacher: Teacher, width: int = 0, steps: int = STEPS
) -> tuple[Callable[[Any], State], Callable[[Any, State], tuple[State, Emitted]], int]:
    """How a block of lanes starts from a key, how it takes some steps, and its lanes.

    Args:
        teacher: its parameters are the second function's first argument.
        width: lanes; 0 takes the recipe's.
        steps: of a dispatch.
    """
    settings = methods.resolved(config.Synthesis("paper", recipe=RECIPE, lanes=width))
    method = methods.method(teacher.spec, methods.recipe(settings), {})

    def start(key: Any) -> State:
        return lanes.start(method, key, settings.lanes)

    def advance(params: Any, state: State) -> tuple[State, Emitted]:
        networks = Networks(lambda x: teacher.model.hidden(params, x))
        return jax.lax.scan(
            lambda state, _: lanes.advance(method, networks, state), state, length=steps
        )

    return start, advance, settings.lanes
