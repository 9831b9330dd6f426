"""Proxy students: throw-away networks that learn from the stimuli so far."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from stimjax import config, models
from stimjax.batch import Batch, Spec
from stimjax.learn import fit
from stimjax.models import Model, Params

NETWORKS = ("cnn", "mlp")  # the MLP also stands in for classical students
FIT = config.Fit(steps=400, every=100)
SEEDS = 1_900_000_000  # apart from those of teachers and students
RUN = fit.Run(devices=1)  # a release has the same bytes for any number of them
HELD_OUT = 10  # one stimulus in so many chooses a proxy's best step


class Proxies(NamedTuple):
    """Trained proxies.

    Attributes:
        params: of each network.
        logits: `logits(params, x) -> f32[proxy, n, class]`.
    """

    params: tuple[Params, ...]
    logits: Callable[[tuple[Params, ...], Array], Float[Array, "proxy n classes"]]


def train(stimuli: Batch, seed: int, index: int) -> Proxies:
    """Proxies that learned from `stimuli`, for round `index` of the synthesis with `seed`."""
    held_out = np.arange(len(stimuli)) % HELD_OUT == 0
    networks = families(stimuli.spec)
    first = SEEDS + (1000 * seed + index) % 100_000_000
    learn, judge = stimuli[~held_out], stimuli[held_out]
    params = tuple(
        fit.fit(model, learn, judge, seeds=[first], settings=FIT, run=RUN).params
        for model in networks
    )

    def logits(params: tuple[Params, ...], x: Array) -> Array:
        return answers(networks, [jax.tree.map(lambda leaf: leaf[0], part) for part in params], x)

    return Proxies(params, logits)


def families(spec: Spec) -> tuple[Model, ...]:
    """The networks that are proxies, for windows of `spec`."""
    return tuple(models.classifier(name, spec.shape, len(spec.classes)) for name in NETWORKS)


def answers(
    networks: Sequence[Model], params: Sequence[Params], x: Float[Array, "n ..."]
) -> Float[Array, "proxy n classes"]:
    """The logits of proxies, each with its parameters."""
    return jnp.stack([m.apply(part, x) for m, part in zip(networks, params, strict=True)])
