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
from stimjax.data import whole
from stimjax.data.public import Recorded
from stimjax.excite.sources import Source
from stimjax.learn.teacher import Teacher
from stimjax.prior.known import Known


def teacher(network: str = "cnn") -> Teacher:
    """One network for windows of 20 values of two channels, and three classes."""
    channels = (Channel("a", "1"), Channel("b", "1", low=0.0))
    return _of(network, Spec((20, 2), ("x", "y", "z"), channels, rate=1.0))


def of_sleep() -> Teacher:
    """One network for minutes of saturation, and two simulated sleepers."""
    channel = Channel("SpO2", "%", "fixed", 95.0, 4.0, low=-6.0, high=1.25, resolution=0.25)
    spec = Spec((60, 1), ("normal", "apnea"), (channel,), 1.0, label_seconds=60.0)
    statistics = {
        "classes.prior": np.array([0.6, 0.4], np.float32),
        "classes.prior.behind.all": np.array([[70, 7, 7, 1 / 7, 1]], np.float32),
    }
    prior = Known(config.Prior(sleepers=2, hours=0.5))
    return dataclasses.replace(_of("mlp", spec), statistics=statistics, prior=prior)


def recorded(spec: Spec, seed: int, scored: bool = True, samples: int = 900) -> Recorded:
    """A night in the form of `spec`, of values that no other night has, classes in turn."""
    rng, step = np.random.default_rng(seed), whole.step_of(spec.rate or 1.0)
    x = rng.normal(seed, 0.1, (samples, spec.shape[1])).astype(np.float32)
    places = np.arange(0, samples, step)
    carrier = np.where(places + spec.shape[0] <= samples, whole.ANY, whole.NONE).astype(np.int8)
    at = places[:: spec.shape[0]][:-1]
    label = np.arange(len(at)) % len(spec.classes)
    if scored:
        carrier[:] = whole.NONE
        carrier[at // step] = label
    night = whole.Night(x, carrier, *((at, label) if scored else (at[:0], label[:0])))
    return Recorded(night.about, night)


def white(spec: Spec, statistics: object, recipe: object) -> Source:
    """Random signals in the place of `generic.make`, of a program that is soon compiled."""
    low, high = jnp.asarray(spec.low), jnp.asarray(spec.high)
    return lambda key, target: low + (high - low) * jax.random.uniform(key, spec.shape)


def _of(network: str, spec: Spec) -> Teacher:
    rng, model = np.random.default_rng(0), models.classifier(network, spec.shape, len(spec.classes))
    shapes = jax.eval_shape(model.init, jax.random.key(0))
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
