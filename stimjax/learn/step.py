"""One step of training: noise on a batch, its gradient, AdamW.

Teachers, students, critics and the networks of shadow pipelines all take this one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, ArrayLike, Float

from stimjax import config
from stimjax.learn import robust
from stimjax.models import Params

CLIP = 1.0  # longest gradient

Windows = tuple[Array, Array, Array]  # x, y and weight: [window, ...] or [part, window, ...]


class Learner(NamedTuple):
    """How a network learns; what it has learned is no part of it.

    Attributes:
        apply: the network, as `Model.apply`.
        weight_decay: of AdamW.
        noise: standard deviation of what is added to every value of a window.
        radius: of robust training, see `robust.move`; 0 for none.
    """

    apply: Callable[..., Array]
    weight_decay: float
    noise: float
    radius: float = 0.0

    def init(self, params: Params) -> optax.OptState:
        """The state of the optimizer before the first step."""
        return _optimizer(self.weight_decay).init(params)

    def step(
        self,
        params: Params,
        opt_state: optax.OptState,
        windows: Windows,
        keys: tuple[Array, Array],
        rate: ArrayLike,
    ) -> tuple[Params, optax.OptState]:
        """Parameters and state of the optimizer after one step.

        Args:
            params: before it.
            opt_state: before it.
            windows: the batch, whole or in parts.
            keys: of the noise; and of the dropout, one or one for each part.
            rate: of learning.
        """
        x, y, weight = windows
        noise_key, dropout_keys = keys
        if self.noise:  # drawing it takes a quarter of a step
            x = x + self.noise * jax.random.normal(noise_key, x.shape)
        gradient = self._gradient(params, (x, y, weight), dropout_keys)
        updates, opt_state = _optimizer(self.weight_decay).update(gradient, opt_state, params)
        updates = jax.tree.map(lambda update: rate * update, updates)
        return optax.apply_updates(params, updates), opt_state

    def _gradient(self, params: Params, windows: Windows, keys: Array) -> Params:
        """The gradient of a batch: of parts, each's by itself, then their sum.

        As one vector, because devices that share the parts wait for each other once a sum, and
        one thread adds up arrays as small as a layer's slowly.
        """
        slope, total = jax.grad(self._loss), jnp.sum(windows[2])
        if not keys.ndim:  # whole
            return slope(params, windows, keys, total)
        gradients = jax.vmap(slope, in_axes=(None, 0, 0, None))(params, windows, keys, total)
        flat = jax.vmap(lambda gradient: ravel_pytree(gradient)[0])(gradients)
        return ravel_pytree(params)[1](flat.sum(axis=0))

    def _loss(self, params: Params, part: Windows, key: Array, total: Array) -> Array:
        x, y, weight = part
        if self.radius > 0:
            x = robust.move(
                lambda moved: cross_entropy(self.apply(params, moved, key), y, weight, total),
                x,
                self.radius,
            )
        return cross_entropy(self.apply(params, x, key), y, weight, total)


def cross_entropy(
    logits: Float[Array, "... class"],
    y: Float[Array, "... class"],
    weight: Float[Array, " ..."],
    total: Array,
) -> Array:
    """The sum of the windows' cross-entropies to `y`, soft or one-hot, by weight out of `total`."""
    value = optax.softmax_cross_entropy(logits, y)
    return jnp.sum(weight * value) / jnp.maximum(total, 1e-9)


def rates(settings: config.Fit) -> optax.Schedule:
    """The rate of each step: a tenth of the steps for warm-up, then cosine decay."""
    return optax.warmup_cosine_decay_schedule(
        0.0, settings.rate, max(1, settings.steps // 10), max(2, settings.steps)
    )


def _optimizer(weight_decay: float) -> optax.GradientTransformation:
    """AdamW for a rate of 1, which `step` multiplies by its own; clipped gradients."""
    return optax.chain(optax.clip_by_global_norm(CLIP), optax.adamw(1.0, weight_decay=weight_decay))
