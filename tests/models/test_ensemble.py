"""Several networks as one, against their members one by one in NumPy's float64."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from stimjax import models
from stimjax.models import Model, Params
from stimjax.models.layers import Erasure

SHAPE, COUNTS = (7, 3), (2, 1)
FAMILIES = (
    models.classifier("mlp", SHAPE, 3, {"width": 8, "depth": 2}),
    models.classifier("cnn", SHAPE, 3, {"width": 8, "depth": 1}),
)


@pytest.fixture(scope="module")
def model() -> Model:
    return models.ensemble(FAMILIES, COUNTS)


@pytest.fixture(scope="module")
def params(model: Model) -> Params:
    start = jax.jit(model.init)(jax.random.key(0))
    return start | {"weights": (jnp.array([0.7, 0.2]), jnp.array([0.4]))}


@pytest.fixture(scope="module")
def x() -> jax.Array:
    return jax.random.normal(jax.random.key(1), (5, *SHAPE))


def members(params: Params) -> list[tuple[Model, Params, float]]:
    return [
        (family, jax.tree.map(lambda leaf, i=i: leaf[i], stacked), float(weight[i]))
        for family, stacked, weight in zip(
            FAMILIES, params["members"], params["weights"], strict=True
        )
        for i in range(len(weight))
    ]


def test_probabilities_are_weighted_geometric_means(
    model: Model, params: Params, x: jax.Array
) -> None:
    product = np.ones((5, 3))
    for family, single, weight in members(params):
        e = np.exp(np.asarray(family.apply(single, x), float))
        product *= (e / e.sum(1, keepdims=True)) ** weight
    found = jax.nn.softmax(jax.jit(model.apply)(params, x))
    np.testing.assert_allclose(found, product / product.sum(1, keepdims=True), rtol=1e-4)


def test_one_network_of_weight_1_is_itself(x: jax.Array) -> None:
    alone = models.ensemble(FAMILIES[:1], (1,))
    params = alone.init(jax.random.key(0))
    single = jax.tree.map(lambda leaf: leaf[0], params["members"][0])
    expected = jax.nn.softmax(FAMILIES[0].apply(single, x))
    chex.assert_trees_all_close(jax.nn.softmax(alone.apply(params, x)), expected, rtol=1e-5)


def test_hidden_is_that_of_each_member_in_turn(model: Model, params: Params, x: jax.Array) -> None:
    output, activities = jax.jit(model.hidden)(params, x)
    chex.assert_trees_all_close(output, model.apply(params, x), rtol=1e-4, atol=1e-5)
    expected = [a for family, single, _ in members(params) for a in family.hidden(single, x)[1]]
    assert len(activities) == len(expected) == 2 + 2 + 2
    chex.assert_trees_all_close(list(activities), expected, rtol=1e-4, atol=1e-5)


def test_erasures_reach_each_member(model: Model, params: Params, x: jax.Array) -> None:
    rng = np.random.default_rng(0)
    erasures = []
    for family, single, _ in members(params):
        units = family.represent(single, x).shape[-1]
        read, write, mean = (rng.normal(size=s) / 9 for s in ((2, units), (2, units), units))
        erasures.append(Erasure(*(jnp.asarray(a, jnp.float32) for a in (read, write, mean))))
    found, _ = jax.jit(model.hidden)(params, x, tuple(erasures))
    expected = 0.0
    for (family, single, weight), one in zip(members(params), erasures, strict=True):
        expected += weight * jax.nn.log_softmax(family.hidden(single, x, (one,))[0])
    chex.assert_trees_all_close(found, expected, rtol=1e-4, atol=1e-5)


def test_members_start_apart_and_count_alike(model: Model) -> None:
    start = jax.jit(model.init)(jax.random.key(0))
    np.testing.assert_allclose(np.concatenate(start["weights"]), 1 / 3, rtol=1e-6)
    kernel = np.asarray(start["members"][0]["Dense_0"]["kernel"])
    assert abs(np.corrcoef(kernel[0].ravel(), kernel[1].ravel())[0, 1]) < 0.9


def test_dropout_needs_a_key_and_differs_between_members(
    model: Model, params: Params, x: jax.Array
) -> None:
    same = jax.tree.map(lambda leaf: leaf.at[1].set(leaf[0]), params["members"][0])
    one, other = (
        {"members": (same, params["members"][1]), "weights": (jnp.array(w), jnp.zeros(1))}
        for w in ([1.0, 0.0], [0.0, 1.0])
    )
    apply = jax.jit(model.apply)
    chex.assert_trees_all_close(apply(one, x), apply(other, x), rtol=1e-5)
    first, second = (apply(p, x, jax.random.key(2)) for p in (one, other))
    assert float(jnp.abs(first - second).max()) > 1e-4
    chex.assert_trees_all_equal(first, apply(one, x, jax.random.key(2)))


def test_gradients_are_finite_and_reach_every_member(
    model: Model, params: Params, x: jax.Array
) -> None:
    def loss(params: Params, x: jax.Array) -> jax.Array:
        output, activities = model.hidden(params, x)
        return -output[:, 0].sum() + sum(jnp.mean(a**2) for a in activities)

    of_params, of_x = jax.jit(jax.grad(loss, (0, 1)))(params, x)
    chex.assert_tree_all_finite((of_params, of_x))
    for leaf in jax.tree.leaves(of_params):
        assert (jnp.abs(leaf).reshape(len(leaf), -1).max(1) > 0).all()


def test_equal_ensembles_are_the_same_functions(model: Model) -> None:
    assert models.ensemble(FAMILIES, COUNTS) is model
    assert models.ensemble(FAMILIES, (1, 1)) is not model
