"""A teacher that needs no training and can be excited to each of its classes."""

import dataclasses
import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from stimjax import config
from stimjax.batch import Batch, Channel, Spec
from stimjax.config.recipes import RECIPES, Recipe
from stimjax.excite import kind, methods
from stimjax.excite.kind import Kind
from stimjax.excite.lanes import Method
from stimjax.learn.teacher import Teacher
from stimjax.models import Model, Params
from stimjax.models.layers import Erasures

# Two channels with ranges of their own.
SPEC = Spec(
    shape=(5, 2),
    classes=("W", "N2", "R"),
    channels=(Channel("SpO2", "%", low=-3.0, high=1.0), Channel("Flow", "1", low=2.0, high=10.0)),
    rate=1.0,
    label_seconds=5.0,
)
RECIPE = dataclasses.replace(
    RECIPES["paper"], generator="dense", latent=4, tries=6, rate=5e-3, lanes=8, life=0
)
SETTINGS = config.Synthesis(method="paper", recipe=RECIPE, seed=0)


def _apply(params: Params, x: jax.Array, key: jax.Array | None = None) -> jax.Array:
    """Undecided in the middle of the range, sure towards its corners."""
    middle, half = jnp.asarray(SPEC.high + SPEC.low) / 2, jnp.asarray(SPEC.high - SPEC.low) / 2
    hidden = jnp.tanh(((x - middle) / half).reshape(len(x), -1) @ params["first"])
    return hidden @ params["second"]


def _hidden(
    params: Params, x: jax.Array, erasures: Erasures = ()
) -> tuple[jax.Array, tuple[jax.Array, ...]]:
    middle, half = jnp.asarray(SPEC.high + SPEC.low) / 2, jnp.asarray(SPEC.high - SPEC.low) / 2
    hidden = jnp.tanh(((x - middle) / half).reshape(len(x), -1) @ params["first"])
    left = hidden
    for one in erasures:
        left = left - (left - one.mean) @ one.read.T @ one.write
    return left @ params["second"], (hidden[:, None],)


def _init(key: jax.Array) -> Params:
    first, second = jax.random.split(key)
    size = math.prod(SPEC.shape)
    return {
        "first": 2 * jax.random.normal(first, (size, 12)) / size**0.5,
        "second": 3 * jax.random.normal(second, (12, len(SPEC.classes))),
    }


class MadeUp(Teacher):
    @property
    def model(self) -> Model:
        return Model(_init, _apply, _hidden)

    @property
    def models(self) -> list[tuple[Model, Params]]:
        return [(self.model, self.params)]


@pytest.fixture(scope="session")
def spec() -> Spec:
    return SPEC


@pytest.fixture(scope="session")
def teacher() -> Teacher:
    return MadeUp(("made up",), _init(jax.random.key(0)), SPEC)


@pytest.fixture(scope="session")
def undecided() -> Teacher:
    """Every window gets the same probability for every class."""
    return MadeUp(("made up",), jax.tree.map(jnp.zeros_like, _init(jax.random.key(0))), SPEC)


@pytest.fixture(scope="session")
def recipe() -> Recipe:
    """The paper's, small, with few tries and a high rate: it soon accepts, and soon fails."""
    return RECIPE


@pytest.fixture(scope="session")
def settings() -> config.Synthesis:
    return SETTINGS


@pytest.fixture(scope="session")
def method() -> Method:
    return methods.method(SPEC, RECIPE, {})


@pytest.fixture(scope="session")
def uniform_windows() -> np.ndarray:
    """Windows f32[50, *shape] anywhere in the range."""
    rng = np.random.default_rng(0)
    return rng.uniform(SPEC.low, SPEC.high, (50, *SPEC.shape)).astype(np.float32)


Measure = Callable[[Kind, Batch], dict[str, np.ndarray]]


@pytest.fixture(scope="session")
def measure(teacher: Teacher) -> Measure:
    """What a part needs of windows, if it asks no network."""
    return lambda part, train: kind.measured(part.needs, train, teacher)
