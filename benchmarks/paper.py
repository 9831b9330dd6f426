"""The paper's method as benchmarks run it: a block of lanes, some steps of it at a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from stimjax import config
from stimjax.batch import Spec
from stimjax.excite import lanes, methods
from stimjax.excite.lanes import Emitted, Method, Networks, State
from stimjax.learn.teacher import Teacher

STEPS = 50  # of a dispatch


def teacher(params: Any, spec: Spec) -> Teacher:
    """A teacher of one CNN with these parameters."""
    members = (jax.tree.map(lambda leaf: jnp.asarray(leaf)[None], params),)
    return Teacher(("cnn",), {"members": members, "weights": (jnp.ones(1),)}, spec)


def programs(
    teacher: Teacher, width: int = 0, steps: int = STEPS
) -> tuple[Callable[[Any], State], Callable[[Any, State], tuple[State, Emitted]], int]:
    """How a block of lanes starts from a key, how it takes some steps, and its lanes.

    Args:
        teacher: its parameters are the second function's first argument.
        width: lanes; 0 takes the recipe's.
        steps: of a dispatch.
    """
    settings = methods.resolved(config.Synthesis(method="paper", lanes=width))
    method = methods.method(teacher.spec, methods.recipe(settings), {})

    def start(key: Any) -> State:
        return lanes.start(method, key, settings.lanes)

    def advance(params: Any, state: State) -> tuple[State, Emitted]:
        networks = Networks(lambda x: teacher.model.hidden(params, x))
        return jax.lax.scan(
            lambda state, _: lanes.advance(method, networks, state), state, length=steps
        )

    return start, advance, settings.lanes


def dispatch(method: Method, networks: Networks, width: int, steps: int) -> Callable[[], float]:
    """A function that takes so many steps and says how long one of one lane took, in seconds."""
    state = lanes.start(method, jax.random.key(0), width)

    @jax.jit
    def advance(state: State) -> tuple[State, Any]:
        def step(state: State, _: None) -> tuple[State, Any]:
            state, emitted = lanes.advance(method, networks, state)
            return state, (emitted.probability, emitted.accepted)  # else no label were computed

        return jax.lax.scan(step, state, length=steps)

    held = [jax.block_until_ready(advance(state))[0]]

    def turn() -> float:
        start = time.perf_counter()
        held[0] = jax.block_until_ready(advance(held[0]))[0]
        return (time.perf_counter() - start) / (steps * width)

    return turn
