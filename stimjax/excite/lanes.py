"""A lane: one loop of excitation as a pure state and a pure step, and a block of them.

The paper's loop is sequential and ends each stimulus at its own time. A lane is that loop turned
inside out: `step` takes one gradient step, and a lane that has accepted or given up draws its next
goal within the same step, so that no lane ever waits for another. Everything here is written for
a single lane; `advance` lifts it to a block with `vmap`, over an axis that terms may sum over.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Float, Int

from stimjax.excite.accept import Acceptance, Goal
from stimjax.excite.parametrization import Parametrization
from stimjax.excite.sources import Source
from stimjax.excite.terms import LANES, Excited, Term
from stimjax.excite.views import View
from stimjax.models import Params
from stimjax.numerics import threefry
from stimjax.numerics.gradients import whole

RESTARTED = 64  # this part of a block's lanes gets new weights at a time


class Method(NamedTuple):
    """A way to make stimuli, composed of parts that know nothing of each other.

    Attributes:
        source: where a stimulus starts.
        parametrization: what is optimized.
        objective: what is lowered.
        acceptance: what is wanted, and when it is reached.
        optimizer: makes steps of gradients.
        finish: what a window goes through before it is labeled, such as rounding.
        view: changes a window (it may take another to do so), for a method that publishes views.
        bound: a stimulus is refused if the identity critic gives a subject more than this; None
            refuses none.
    """

    source: Source
    parametrization: Parametrization
    objective: Term
    acceptance: Acceptance
    optimizer: optax.GradientTransformation
    finish: Callable[[Array], Array]
    view: View | None = None
    bound: Array | float | None = None


class Networks(NamedTuple):
    """The networks that lanes ask, with their parameters.

    Attributes:
        teacher: `windows -> (logits f32[n, class], hidden activities f32[n, position, unit])`.
        proxies: `windows -> logits f32[proxy, n, class]` of proxy students, if there are any.
        gradients: `windows -> (logits, hidden activities)`, what gradients are taken of: the
            teacher, perhaps in another precision. The teacher itself if None.
        critic: `windows -> logits f32[n, subject]` of an identity critic, if there is one.
    """

    teacher: Callable[[Float[Array, "n ..."]], tuple[Float[Array, "n classes"], tuple[Array, ...]]]
    proxies: Callable[[Float[Array, "n ..."]], Array] | None = None
    gradients: Callable[[Array], tuple[Array, tuple[Array, ...]]] | None = None
    critic: Callable[[Float[Array, "n ..."]], Float[Array, "n subjects"]] | None = None


class LaneState(NamedTuple):
    """Everything that changes in a lane."""

    params: Params
    opt_state: Any
    start: Array
    goal: Goal
    tries: Int[Array, ""]
    key: Array


class State(NamedTuple):
    """Lanes, with a leading axis on every leaf; the objective's memory and the number of steps.

    These two are shared by all lanes.
    """

    lanes: LaneState
    memory: Any
    turn: Int[Array, ""]


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


def init(method: Method, key: Array) -> LaneState:
    """A lane that is about to take its first step."""
    key, params_key, start_key, goal_key = jax.random.split(key, 4)
    goal = method.acceptance.draw(goal_key)
    start = method.source(start_key, goal.target)
    params = method.parametrization.init(params_key, start)
    return LaneState(
        params=params,
        opt_state=method.optimizer.init(params),
        start=start,
        goal=goal,
        tries=jnp.zeros((), jnp.int32),
        key=key,
    )


def start(method: Method, key: Array, lanes: int) -> State:
    """A block of `lanes` lanes."""
    keys = jax.random.split(threefry.unrolled(key), lanes)
    states = jax.vmap(lambda k: init(method, k))(keys)
    return State(states, method.objective.init(), jnp.zeros((), jnp.int32))


def step(
    method: Method, networks: Networks, state: LaneState, memory: Any, turn: Int[Array, ""]
) -> tuple[LaneState, Any, Emitted]:
    """One gradient step of one lane, a check, and a new goal if this one is done.

    The generator's dropout is on in the gradient and off in the check; the teacher is always in
    inference. A lane that failed still has to be given new parameters: see `restart`.
    """
    key, dropout_key, start_key, goal_key = jax.random.split(state.key, 4)
    params, opt_state, window = state.params, state.opt_state, state.start
    keeps = method.parametrization.keeps
    if method.acceptance.tries:
        params, opt_state, memory = improve(method, networks, state, memory, turn, dropout_key)
        # Else a GPU renders the window in the same loop as the optimizer, 8 % slower in all.
        params, opt_state = jax.lax.optimization_barrier((params, opt_state))
        rendered = method.parametrization.render(params, state.start)
        window = rendered if keeps else jnp.where(state.goal.excited, rendered, state.start)
    window = method.finish(window)
    probability = jax.nn.softmax(networks.teacher(window[None])[0][0])

    tries = state.tries + 1
    accepted = method.acceptance.reached(state.goal, probability, tries)
    if method.view is not None:
        view = method.view(window, _neighbor(window), jax.random.fold_in(state.key, 5))
        window = jnp.where(state.goal.view, method.finish(view), window)
        probability = jax.nn.softmax(networks.teacher(window[None])[0][0])
    if method.bound is not None and networks.critic is not None:  # the last word: on what is kept
        accepted &= _unrecognized(networks.critic, window, method.bound, accepted)
    failed = ~accepted & ((tries >= method.acceptance.tries) | ~state.goal.excited)
    goal = method.acceptance.draw(goal_key)
    fresh_start = method.source(start_key, goal.target)
    fresh = (fresh_start, goal, jnp.zeros_like(tries))
    old = (state.start, state.goal, tries)
    if not keeps:  # else new weights are drawn where they are needed only
        fresh_params = method.parametrization.init(key, fresh_start)
        fresh += (fresh_params, method.optimizer.init(fresh_params))
        old += (params, opt_state)
    done = accepted | failed
    chosen = jax.tree.map(lambda new, kept: jnp.where(done, new, kept), fresh, old)
    if not keeps:
        params, opt_state = chosen[3:]
    emitted = Emitted(window, probability, state.goal.target, accepted, failed)
    start, goal, tries = chosen[:3]
    return LaneState(params, opt_state, start, goal, tries, key), memory, emitted


def _unrecognized(
    critic: Callable[[Array], Array], window: Array, bound: Array | float, accepted: Bool[Array, ""]
) -> Bool[Array, ""]:
    """Whether the critic gives no subject more than `bound`; asked if any lane has accepted."""

    def ask(window: Array) -> Bool[Array, ""]:
        return jax.nn.softmax(critic(window[None])[0]).max() <= bound

    some = jax.lax.psum(accepted.astype(jnp.int32), LANES) > 0
    return jax.lax.cond(some, ask, lambda _: jnp.array(True), window)


def improve(
    method: Method,
    networks: Networks,
    state: LaneState,
    memory: Any,
    turn: Int[Array, ""],
    key: Array,
) -> tuple[Params, Any, Any]:
    """One step of the optimizer: new parameters, its state, and the objective's memory."""
    ask = networks.gradients or networks.teacher

    def loss(params: Params) -> tuple[Array, Any]:
        window = method.parametrization.render(params, state.start, key)
        logits, hidden = ask(window[None])
        excited = Excited(
            window,
            logits[0],
            tuple(layer[0] for layer in hidden),
            state.goal,
            teacher=lambda x: ask(x[None])[0][0],
            proxies=_single(networks.proxies),
            key=threefry.rolled(key),
            critic=None if networks.critic is None else _alone(networks.critic),
            turn=turn,
        )
        return method.objective.value(excited, memory)

    gradient, memory = jax.grad(loss, has_aux=True)(state.params)
    updates, opt_state = method.optimizer.update(whole(gradient), state.opt_state, state.params)
    return optax.apply_updates(state.params, updates), opt_state, memory


def _neighbor(window: Array) -> Array:
    """The window of another lane of the block: the one before, around the end."""
    lanes = jax.lax.axis_size(LANES)
    return jax.lax.ppermute(window, LANES, [(i, (i + 1) % lanes) for i in range(lanes)])


def _alone(ask: Callable[[Array], Array]) -> Callable[[Array], Array]:
    return lambda x: ask(x[None])[0]


def _single(proxies: Callable[[Array], Array] | None) -> Callable[[Array], Array] | None:
    return None if proxies is None else lambda x: proxies(x[None])[:, 0]


def restart(method: Method, state: LaneState, failed: Bool[Array, " lane"]) -> LaneState:
    """New weights for each failed lane of a block; the optimizer's state stays, as in the paper.

    A loop over the failed lanes only, a few of them at a time: most steps have none or few, and
    drawing new weights for every lane and throwing them away would cost more than the step itself.
    One at a time would keep a GPU waiting for the host.
    """
    lanes = len(failed)
    few = max(1, lanes // RESTARTED)

    def fresh(key: Array, start: Array) -> Params:
        draw = method.parametrization.renew or method.parametrization.init
        return draw(jax.random.fold_in(key, 4), start)  # 0 to 3 would be those of the next split

    def body(carry: tuple[Params, Bool[Array, " lane"]]) -> tuple[Params, Bool[Array, " lane"]]:
        params, waiting = carry
        (chosen,) = jnp.nonzero(waiting, size=few, fill_value=lanes)  # what is too many is dropped
        drawn = jax.vmap(fresh)(state.key[chosen], state.start[chosen])
        params = jax.tree.map(lambda a, b: a.at[chosen].set(b, mode="drop"), params, drawn)
        return params, waiting.at[chosen].set(False, mode="drop")

    params, _ = jax.lax.while_loop(lambda carry: carry[1].any(), body, (state.params, failed))
    return state._replace(params=params)


def advance(method: Method, networks: Networks, state: State) -> tuple[State, Emitted]:
    """One step of a block of lanes; what is emitted has a leading axis of lanes."""

    def one(lane: LaneState, memory: Any, turn: Array) -> tuple[LaneState, Any, Emitted]:
        return step(method, networks, lane, memory, turn)

    together = jax.vmap(one, in_axes=(0, None, None), out_axes=(0, None, 0), axis_name=LANES)
    lanes, memory, emitted = together(*state)
    if method.parametrization.keeps:
        lanes = restart(method, lanes, emitted.failed)
    return State(lanes, memory, state.turn + 1), emitted
