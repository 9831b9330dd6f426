"""What a term is: it turns what a lane has into one number to be lowered.

Terms are written for a single lane. What needs a batch sums over the lanes that are made together
with `jax.lax.psum(..., LANES)`; the gradient then reaches all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from stimjax.excite.accept import Goal

LANES = "lanes"  # the axis over which lanes are vmapped
DECAY = 0.9  # weight of the past in running means


class Excited(NamedTuple):
    """What a term may look at, for one lane.

    Attributes:
        window: f32[*shape], as rendered.
        logits: the teacher's, f32[class].
        hidden: the activity of each hidden layer of each teacher, f32[position, unit].
        goal: what the lane is to reach.
        teacher: `window -> logits`, for terms that ask again.
        proxies: `window -> logits f32[proxy, class]` of proxy students, if there are any.
        key: for terms that are random.
        critic: `window -> logits f32[subject]` of an identity critic, if there is one.
        turn: the number of the step, the same for all lanes.
    """

    window: Float[Array, "..."]
    logits: Float[Array, " classes"]
    hidden: tuple[Array, ...]
    goal: Goal
    teacher: Callable[[Array], Array]
    proxies: Callable[[Array], Array] | None
    key: Array
    critic: Callable[[Array], Array] | None = None
    turn: Int[Array, ""] | int = 0


class Term(NamedTuple):
    """One part of an objective.

    Attributes:
        init: the term's memory before the first step; `()` for most.
        value: `value(excited, memory) -> (number, memory)`; memory is the same for all lanes.
    """

    init: Callable[[], Any]
    value: Callable[[Excited, Any], tuple[Float[Array, ""], Any]]


def plain(value: Callable[[Excited], Float[Array, ""]]) -> Term:
    """A term without memory."""
    return Term(lambda: (), lambda excited, memory: (value(excited), memory))


def lazy(value: Callable[[Excited], Float[Array, ""]], every: int) -> Term:
    """A term without memory, asked in one of `every` steps, when it counts so many times as much.

    The cost of a term that asks a network of its own falls by as much; what it does to a stimulus
    of several steps stays ("lazy regularization", Karras et al., "Analyzing and improving the image
    quality of StyleGAN", arXiv 1912.04958, of a discriminator's and a generator's training).
    """

    def sparse(excited: Excited) -> Float[Array, ""]:
        now = excited.turn % every == 0
        return jax.lax.cond(now, lambda: every * value(excited), lambda: jnp.zeros(()))

    return plain(sparse)


def by_class(value: Array, goal: Goal) -> tuple[Array, Array]:
    """The sum of `value` over the lanes that want each class, [class, ...], and their number.

    Lanes that take what the source gave do not count.
    """
    wanted = jax.nn.one_hot(goal.target, len(goal.label)) * goal.excited
    total = jax.lax.psum(jnp.tensordot(wanted, value, 0), LANES)
    return total, jax.lax.psum(wanted, LANES)


def running(batch: Array, count: Array, memory: tuple[Array, Array], decay: float) -> Any:
    """Straight-through running means by class, so that few lanes are enough.

    The value is the mean over many past steps, of low noise; the gradient is that of this step's
    mean. (Ours.)

    Args:
        batch: sums over the lanes of each class, [class, ...].
        count: lanes of each class, [class].
        memory: the weighted sums and counts of earlier steps.
        decay: weight of the past.

    Returns:
        The means [class, ...], whether a class was ever seen, and the new memory.
    """
    frozen = jax.lax.stop_gradient
    sums, counts = decay * memory[0] + frozen(batch), decay * memory[1] + count

    def spread(a: Array) -> Array:
        return jnp.maximum(a, 1e-6).reshape(-1, *(1,) * (batch.ndim - 1))

    gradient = (batch - frozen(batch)) / spread(count)
    return frozen(sums / spread(counts)) + gradient, counts > 0, (sums, counts)


def class_means(value: Array, goal: Goal, memory: tuple[Array, Array]) -> tuple[Array, Array, Any]:
    """Running means of `value` over the lanes that want each class.

    Returns:
        The means [class, ...], whether a lane wants the class now bool[class], the new memory.
    """
    sums, count = by_class(value, goal)
    means, seen, memory = running(sums, count, memory, DECAY)
    return means, seen & (count > 0), memory


def mean_over(here: Array, value: Array) -> Float[Array, ""]:
    """The mean of `value` f32[class] over the classes that are `here`; 0 if none is."""
    return jnp.sum(here * value) / jnp.maximum(here.sum(), 1)
