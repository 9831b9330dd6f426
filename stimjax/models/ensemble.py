"""Several networks as one: their log-probabilities, weighted and added up.

The softmax of that sum is the weighted geometric mean of the networks' probabilities (log-linear
pooling; Heskes, "Selecting weighting factors in logarithmic opinion pools", 1997).
"""

from __future__ import annotations

import functools
import itertools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from stimjax.models.layers import Erasures
from stimjax.models.registry import Model, Params


@functools.cache  # as for one network: equal ensembles are the same functions
def ensemble(families: tuple[Model, ...], counts: tuple[int, ...]) -> Model:
    """One model of `counts[i]` networks of each of `families`.

    Its parameters are `{"members": tuple of a family's parameters with a leading axis for its
    networks, "weights": tuple of f32[count]}`; `init` gives all networks the same weight. Its
    hidden activities are those of the first network of the first family, then those of its
    second, and so on.
    """

    def init(key: Array) -> Params:
        keys = jax.random.split(key, len(families))
        members = tuple(
            jax.vmap(family.init)(jax.random.split(k, count))
            for family, k, count in zip(families, keys, counts, strict=True)
        )
        weights = tuple(jnp.full(count, 1 / sum(counts), jnp.float32) for count in counts)
        return {"members": members, "weights": weights}

    def apply(params: Params, x: Array, key: Array | None = None) -> Array:
        keys: list[Any] = [None] * len(families)
        if key is not None:
            split = jax.random.split(key, len(families))
            keys = [jax.random.split(k, count) for k, count in zip(split, counts, strict=True)]
        axes = (0, None, None if key is None else 0)
        logits = [
            jax.vmap(family.apply, axes)(members, x, k)
            for family, members, k in zip(families, params["members"], keys, strict=True)
        ]
        return _pool(logits, params["weights"])

    def hidden(
        params: Params, x: Array, erasures: Erasures = ()
    ) -> tuple[Array, tuple[Array, ...]]:
        shown = [
            jax.vmap(family.hidden, (0, None, 0))(members, x, of_family)
            for family, members, of_family in zip(
                families, params["members"], _by_family(erasures, counts), strict=True
            )
        ]
        activities = tuple(
            layer[member]
            for (_, layers), count in zip(shown, counts, strict=True)
            for member in range(count)
            for layer in layers
        )
        return _pool([logits for logits, _ in shown], params["weights"]), activities

    return Model(init, apply, hidden)


def _by_family(erasures: Erasures, counts: tuple[int, ...]) -> list[Erasures]:
    """Those of each family: one, with a leading axis of its networks."""
    if not erasures:
        return [()] * len(counts)
    first = np.cumsum([0, *counts])
    return [
        (jax.tree.map(lambda *parts: jnp.stack(parts), *erasures[start:end]),)
        for start, end in itertools.pairwise(first)
    ]


def _pool(logits: list[Array], weights: tuple[Array, ...]) -> Array:
    """The weighted sum f32[n, class] of log-probabilities, from a family's [count, n, class].

    Always in float32: in bfloat16 a probability near 1 is 1.
    """
    return sum(
        jnp.tensordot(
            weight.astype(jnp.float32), jax.nn.log_softmax(of_family.astype(jnp.float32)), 1
        )
        for of_family, weight in zip(logits, weights, strict=True)
    )  # pyright: ignore[reportReturnType]
