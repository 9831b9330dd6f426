"""Lanes of any method, timed in turns with others."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import jax

from stimjax.excite import lanes
from stimjax.excite.lanes import Method, Networks, State


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


def microseconds(programs: Sequence[Callable[[], float]], repeats: int) -> list[float]:
    """The medians of programs that say how many seconds they took; they take turns."""
    seconds = [[turn() for turn in programs] for _ in range(repeats)]
    return [1e6 * statistics.median(own) for own in zip(*seconds, strict=True)]
