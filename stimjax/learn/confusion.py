"""A teacher whose last hidden layer is stripped of identity while it learns.

Tzeng et al., "Simultaneous deep transfer across domains and tasks" (ICCV 2015), with subjects as
the domains: a head learns to tell subjects apart, and the network learns that the head cannot: that
its answer is the same for all subjects. To use it against what a teacher knows of individuals is
ours. Turning the head's gradient round (Ganin and Lempitsky, ICML 2015) was tried first and did
nothing on a task where this works: the two chase each other.
"""

from __future__ import annotations

import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Int

from stimjax.models import Model, Params

WIDTH = 64  # hidden units of the head
HEAD = 10.0  # weight of its loss: it has to keep up with the network


class _Head(nn.Module):
    subjects: int

    @nn.compact
    def __call__(self, x: Float[Array, "n unit"]) -> Float[Array, "n subjects"]:
        return nn.Dense(self.subjects)(nn.relu(nn.Dense(WIDTH)(nn.LayerNorm()(x))))


@functools.cache  # equal networks are the same functions
def with_head(model: Model, subjects: int, shape: tuple[int, ...]) -> Model:
    """`model` with a head beside it: its parameters are `{"network": ..., "head": ...}`.

    What it answers is what `model` answers.
    """

    def init(key: Array) -> Params:
        network_key, head_key = jax.random.split(key)
        network = model.init(network_key)
        units = jax.eval_shape(model.hidden, network, jnp.zeros((1, *shape)))[1][-1].shape[-1]
        head = _Head(subjects).init(head_key, jnp.zeros((1, units)))["params"]
        return {"network": network, "head": head}

    def apply(params: Params, x: Array, key: Array | None = None) -> Array:
        return model.apply(params["network"], x, key)

    def hidden(params: Params, x: Array) -> tuple[Array, tuple[Array, ...]]:
        return model.hidden(params["network"], x)

    return Model(init, apply, hidden)


def loss(
    model: Model,
    params: Params,
    x: Float[Array, "n ..."],
    subject: Int[Array, " n"],
    subjects: int,
    strength: float,
) -> Float[Array, ""]:
    """What the head lowers and, `strength` times, what the network lowers.

    The head: its cross-entropy for whose window each is. The network: the cross-entropy of the
    head's answer to one that is the same for all subjects. Neither gradient reaches the other.

    Args:
        model: what `with_head` gave.
        params: its parameters.
        x: windows.
        subject: whose they are, from 0.
        subjects: how many there are.
        strength: of the network's part.
    """
    last = model.hidden(params, x)[1][-1].mean(axis=1)
    still = jax.lax.stop_gradient

    def told(head: Params, activity: Array) -> Array:
        return jnp.asarray(_Head(subjects).apply({"params": head}, activity))

    whose = jax.nn.one_hot(subject, subjects)
    right = optax.softmax_cross_entropy(told(params["head"], still(last)), whose)
    uniform = jnp.full_like(whose, 1 / subjects)
    confused = optax.softmax_cross_entropy(told(still(params["head"]), last), uniform)
    return HEAD * right.mean() + strength * confused.mean()


def numbered(subject: Int[np.ndarray, " n"]) -> Int[np.ndarray, " n"]:
    """The subjects as numbers from 0."""
    return np.unique(subject, return_inverse=True)[1]
