"""A teacher of random weights and a synthesis whose thresholds it reaches.

For programs that tests start on devices or hosts of their own; they have the folder of this file
in their path. It is a network of the package, because it is its convolutions and matrix products
that have to agree.
"""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from stimjax import config, models
from stimjax.batch import Channel, Spec
from stimjax.config.recipes import RECIPES
from stimjax.learn.teacher import Teacher


def teacher(network: str = "cnn") -> Teacher:
    """One network for windows of 20 values of two channels, and three classes."""
    channels = (Channel("a", "1"), Channel("b", "1", low=0.0))
    spec = Spec(shape=(20, 2), classes=("x", "y", "z"), channels=channels, rate=1.0)
    rng = np.random.default_rng(0)
    shapes = jax.eval_shape(models.classifier(network, spec.shape, 3).init, jax.random.key(0))
    single = jax.tree.map(
        lambda s: jnp.asarray(0.2 * rng.normal(size=(1, *s.shape)), s.dtype), shapes
    )
    return Teacher((network,), {"members": (single,), "weights": (jnp.ones(1),)}, spec)


def synthesis(count: int, seed: int | None = 0, generator: str = "dense") -> config.Synthesis:
    """`count` stimuli in shards of ten."""
    recipe = dataclasses.replace(
        RECIPES["paper"], generator=generator, tries=5, latent=8, lowest=0.2, highest=0.6
    )
    return config.Synthesis("paper", count, recipe, lanes=4, shard=10, seed=seed)
