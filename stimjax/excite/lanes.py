"""A lane: one loop of excitation as a pure state and a pure step, and a block of them.

The paper's loop is sequential and ends each stimulus at its own time. A lane is that loop turned
inside out: `step` takes one gradient step, and a lane that has accepted or given up draws its next
goal within the same step, so that no lane ever waits for another. Everything here is written for
a single lane; `block` lifts it with `vmap`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Float, Int

from stimjax.excite.accept import Acceptance, Goal
from stimjax.excite.objective import Objective
from stimjax.excite.parametrization import Parametrization
from stimjax.excite.source import Source
from stimjax.excite.terms import Excited
from stimjax.models import Params


class Method(NamedTuple):
    """A way to make stimuli, composed of parts that know nothing of each other."""

    source: Source
    parametrization: Parametrization
    objective: Objective
    acceptance: Acceptance
    optimizer: optax.GradientTransformation


class LaneState(NamedTuple):
    """Everything that changes in a lane."""

    params: Params
    opt_state: Any
    start: Array
    goal: Goal
    tries: Int[Array, ""]
    key: Array


class Emitted(NamedTuple):
    """What one step of a lane gives; `window` is a stimulus where `accepted`.

    Attributes:
        window: f32[*shape].
        probability: the teacher's whole softmax for it, f32[class].
        target: the class that was wanted.
        accepted: the goal was reached.
        failed: the lane gave up.
    """

    window: Float[Array, "..."]
    probability: Float[Array, " classes"]
    target: Int[Array, ""]
    accepted: Bool[Array, ""]
    failed: Bool[Array, ""]


Teacher = Callable[[Float[Array, "n ..."]], Float[Array, "n classes"]]  # windows -> logits


def init(method: Method, key: Array) -> LaneState:
    """A lane that is about to take its first step."""
    key, params_key, start_key, goal_key = jax.random.split(key, 4)
    params = method.parametrization.init(params_key)
    return LaneState(
        params=params,
        opt_state=method.optimizer.init(params),
        start=method.source(start_key),
        goal=method.acceptance.draw(goal_key),
        tries=jnp.zeros((), jnp.int32),
        key=key,
    )


def step(method: Method, teacher: Teacher, state: LaneState) -> tuple[LaneState, Emitted]:
    """One gradient step of one lane, a check, and a new goal if this one is done.

    The generator's dropout is on in the gradient and off in the check; the teacher is always in
    inference. A lane that failed still has to be given new parameters: see `restart`.
    """
    key, dropout_key, start_key, goal_key = jax.random.split(state.key, 4)
    render = method.parametrization.render

    def loss(params: Params) -> Array:
        window = render(params, state.start, dropout_key)
        return method.objective(Excited(window, teacher(window[None])[0], state.goal))

    gradient = jax.grad(loss)(state.params)
    updates, opt_state = method.optimizer.update(gradient, state.opt_state, state.params)
    params = optax.apply_updates(state.params, updates)
    window = render(params, state.start)
    probability = jax.nn.softmax(teacher(window[None])[0])

    accepted = method.acceptance.reached(state.goal, probability)
    failed = ~accepted & (state.tries + 1 >= method.acceptance.tries)
    done = accepted | failed
    fresh = (
        method.source(start_key),
        method.acceptance.draw(goal_key),
        jnp.zeros_like(state.tries),
    )
    start, goal, tries = jax.tree.map(
        lambda new, old: jnp.where(done, new, old),
        fresh,
        (state.start, state.goal, state.tries + 1),
    )
    emitted = Emitted(window, probability, state.goal.target, accepted, failed)
    return LaneState(params, opt_state, start, goal, tries, key), emitted


def restart(method: Method, state: LaneState, failed: Bool[Array, " lane"]) -> LaneState:
    """New parameters for each failed lane of a block; the optimizer's state stays, as in the paper.

    A loop over the failed lanes only: most steps have none, and drawing new parameters for every
    lane and throwing them away would cost more than the step itself.
    """

    def body(carry: tuple[Params, Bool[Array, " lane"]]) -> tuple[Params, Bool[Array, " lane"]]:
        params, waiting = carry
        lane = jnp.argmax(waiting)
        key = jax.random.fold_in(state.key[lane], 4)  # 0 to 3 would be those of the next split
        fresh = method.parametrization.init(key)
        params = jax.tree.map(lambda all_, one: all_.at[lane].set(one), params, fresh)
        return params, waiting.at[lane].set(False)

    params, _ = jax.lax.while_loop(lambda carry: carry[1].any(), body, (state.params, failed))
    return state._replace(params=params)


def block(
    method: Method, teacher: Teacher, state: LaneState, steps: int
) -> tuple[LaneState, Emitted]:
    """`steps` steps of a block of lanes; every leaf of `state` has a leading lane axis.

    What is emitted has leading axes [steps, lane].
    """

    def body(state: LaneState, _: None) -> tuple[LaneState, Emitted]:
        state, emitted = jax.vmap(lambda lane: step(method, teacher, lane))(state)
        return restart(method, state, emitted.failed), emitted

    return jax.lax.scan(body, state, length=steps)
