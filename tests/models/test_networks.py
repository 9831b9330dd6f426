"""One suite for every registered network, classifiers and generators alike."""

import math
from collections.abc import Callable
from itertools import product
from typing import Any, NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from stimjax import models
from stimjax.errors import StimjaxError
from stimjax.models import Model, Params, layers

CLASSES, LATENT, WINDOWS = 3, 5, 4
SHAPES = [(7, 3), (9, 6, 2)]  # odd sizes, which halving cuts and patching fills up
REAL_SHAPES = [(60, 4), (120, 2), (1920, 3), (28, 28, 1)]
NETWORKS = [*models.CLASSIFIERS, *models.GENERATORS]
AUTHORS = ("am_classifier", "am_generator")  # of as many layers as theirs
DEEP = [name for name in NETWORKS if name not in ("dense", *AUTHORS)]  # those with a depth
ARCHITECTURES = [name for name in NETWORKS if name != "cnn_half"]  # a CNN with another default

Outputs = tuple[jax.Array, jax.Array, jax.Array, tuple[Params, jax.Array]]


class Case(NamedTuple):
    """A small network, its input, and one compiled program for all that is asked of it.

    `program(params, x, key)` gives the output, the output window by window, the output with
    dropout, and the gradients of a loss in params and x.
    """

    name: str
    model: Model
    params: Params
    x: jax.Array
    output_shape: tuple[int, ...]
    program: Callable[[Params, jax.Array, jax.Array], Outputs]
    outputs: Outputs


def build(name: str, shape: tuple[int, ...], settings: dict[str, Any]) -> Model:
    if name in models.GENERATORS:
        return models.generator(name, shape, LATENT, settings)
    return models.classifier(name, shape, CLASSES, settings)


def small(name: str) -> dict[str, Any]:
    return {"width": 8, "depth": 1} if name in DEEP else {"width": 8}


def made_up(model: Model, spread: float = 0.3) -> Params:
    """Parameters of the right shapes, without compiling the network's own initialization."""
    rng = np.random.default_rng(0)
    return jax.tree.map(
        lambda leaf: jnp.asarray(spread * rng.normal(size=leaf.shape), leaf.dtype),
        jax.eval_shape(model.init, jax.random.key(0)),
    )


@pytest.fixture(scope="module", params=list(product(ARCHITECTURES, SHAPES)), ids=str)
def case(request: pytest.FixtureRequest) -> Case:
    name, shape = request.param
    model = build(name, shape, small(name) | {"dropout": 0.5})
    # The authors' generator is so deep that it would draw black and white alone.
    params = made_up(model, 0.1 if name == "am_generator" else 0.3)
    input_shape = (LATENT,) if name in models.GENERATORS else shape
    x = jax.random.normal(jax.random.key(1), (WINDOWS, *input_shape))
    weight = jnp.arange(1.0, WINDOWS + 1)  # no symmetry that could hide a gradient

    def loss(params: Params, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        output = model.apply(params, x)
        return jnp.einsum("n...,n->", output**2, weight), output

    @jax.jit
    def program(params: Params, x: jax.Array, key: jax.Array) -> Outputs:
        (_, output), gradients = jax.value_and_grad(loss, (0, 1), has_aux=True)(params, x)
        single = jax.vmap(lambda window: model.apply(params, window[None])[0])(x)
        return output, single, model.apply(params, x, key), gradients

    output_shape = shape if name in models.GENERATORS else (CLASSES,)
    outputs = program(params, x, jax.random.key(2))
    return Case(name, model, params, x, (WINDOWS, *output_shape), program, outputs)


def test_output_has_the_promised_shape_and_dtype(case: Case) -> None:
    output, _, dropped, _ = case.outputs
    chex.assert_shape([output, dropped], case.output_shape)
    chex.assert_type([output, dropped], jnp.float32)
    chex.assert_tree_all_finite((output, dropped))
    assert len(np.unique(output)) > 1


def test_generators_stay_between_0_and_1(case: Case) -> None:
    if case.name in models.GENERATORS:
        extreme, _, dropped, _ = case.program(case.params, 1e4 * case.x, jax.random.key(2))
        for output in (*case.outputs[:3], extreme, dropped):
            assert float(output.min()) >= 0 and float(output.max()) <= 1
        assert float(jnp.ptp(extreme)) > 0.9


def test_jit_equals_no_jit(case: Case) -> None:
    if case.x.ndim < 4:  # operation by operation is slow, and an image is the same code
        eager = case.model.apply(case.params, case.x)
        chex.assert_trees_all_close(eager, case.outputs[0], rtol=1e-4, atol=1e-5)


def test_windows_do_not_see_each_other(case: Case) -> None:
    output, single, _, _ = case.outputs
    chex.assert_trees_all_close(single, output, rtol=1e-4, atol=1e-5)


def test_gradients_are_finite_and_reach_every_parameter_tensor(case: Case) -> None:
    of_params, of_x = case.outputs[3]
    chex.assert_tree_all_finite((of_params, of_x))
    for path, leaf in jax.tree_util.tree_leaves_with_path(of_params):
        place = jax.tree_util.keystr(path)
        if "['key']['bias']" not in place:  # a constant added to every logit moves no softmax
            assert float(jnp.abs(leaf).max()) > 0, place
    assert (jnp.abs(of_x).reshape(WINDOWS, -1).max(axis=1) > 0).all()


def test_dropout_only_with_a_key_and_the_same_for_the_same_key(case: Case) -> None:
    output, _, dropped, _ = case.outputs
    plain, _, again, _ = case.program(case.params, case.x, jax.random.key(2))
    chex.assert_trees_all_equal((plain, again), (output, dropped))
    plain, _, other, _ = case.program(case.params, case.x, jax.random.key(3))
    chex.assert_trees_all_equal(plain, output)
    assert float(jnp.abs(other - dropped).max()) > 1e-4
    assert float(jnp.abs(output - dropped).max()) > 1e-4


# Hidden activity


def positions(name: str, shape: tuple[int, ...]) -> list[int]:
    """Of each hidden layer of a network of depth 1, worked out by hand."""
    if name in models.GENERATORS:
        return []
    places = math.prod(shape[:-1])
    halved = math.prod(size // 2 for size in shape[:-1])
    image = len(shape) == 3
    stem = halved if image else places
    quarter = math.prod(max(1, size // 4) for size in shape[:-1]) if image else halved
    tokens = [layers.patches(jnp.zeros((1, *shape)), most).shape[1] for most in (32, 16)]
    return {
        "mlp": [1],
        "cnn": [halved, 1],
        "resnet": [stem, stem, quarter, quarter],
        "gru": [tokens[0]],
        "transformer": [tokens[1]] * 3,
        "am_classifier": [halved, *[math.prod(max(1, size // 4) for size in shape[:-1])] * 3, 1, 1],
    }[name]


def test_hidden_gives_the_output_and_every_layers_activity(case: Case) -> None:
    output, activities = jax.jit(case.model.hidden)(case.params, case.x)
    chex.assert_trees_all_close(output, case.outputs[0], rtol=1e-4, atol=1e-5)
    assert [a.shape[1] for a in activities] == positions(case.name, case.x.shape[1:])
    for activity in activities:
        assert activity.ndim == 3 and activity.shape[0] == WINDOWS
        assert activity.dtype == jnp.float32


def test_the_output_is_a_function_of_the_last_hidden_layer(case: Case) -> None:
    """Written out for each network: its summary over positions, then the last matrix."""
    if case.name in models.GENERATORS:
        return
    output, activities = case.model.hidden(case.params, case.x)
    last = np.asarray(activities[-1])
    summary = last[:, 0]
    if case.name not in ("mlp", "cnn", "am_classifier"):
        summary = np.concatenate([last.mean(1), last.max(1)], axis=1)
    dense = case.params[max(name for name in case.params if name.startswith("Dense"))]
    expected = summary @ np.asarray(dense["kernel"]) + np.asarray(dense["bias"])
    np.testing.assert_allclose(output, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", models.CLASSIFIERS)
def test_gradients_through_hidden_are_finite_in_scan_and_vmap(name: str) -> None:
    model = build(name, (7, 3), small(name))
    params = made_up(model)

    def loss(window: jax.Array) -> jax.Array:
        _, activities = model.hidden(params, window[None])
        return sum((jnp.mean(a**2) for a in activities), jnp.zeros(()))

    def step(x: jax.Array, _: None) -> tuple[jax.Array, jax.Array]:
        value, gradient = jax.vmap(jax.value_and_grad(loss))(x)
        return x - 1e-3 * gradient, value

    x = jax.random.normal(jax.random.key(1), (2, 7, 3))
    end, values = jax.jit(lambda x: jax.lax.scan(step, x, length=3))(x)
    chex.assert_tree_all_finite((end, values))
    assert (values[-1] < values[0]).all()


def test_a_network_made_by_hand_may_hide_its_activity() -> None:
    with pytest.raises(TypeError, match="does not show"):
        Model(lambda key: None, lambda params, x: x).hidden(None, jnp.zeros((1, 2)))


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_key_fixes_the_parameters_and_another_changes_them(name: str) -> None:
    model = build(name, (7, 3), small(name))
    init = jax.jit(model.init)
    first, again, other = (init(jax.random.key(seed)) for seed in (0, 0, 1))
    chex.assert_trees_all_equal(first, again)
    chex.assert_tree_all_finite(first)
    chex.assert_trees_all_equal_shapes_and_dtypes(first, made_up(model))
    kernels = [
        (np.asarray(one), np.asarray(two))
        for (path, one), two in zip(
            jax.tree_util.tree_leaves_with_path(first), jax.tree.leaves(other), strict=True
        )
        if "kernel" in jax.tree_util.keystr(path)
    ]
    assert kernels
    for one, two in kernels:
        assert abs(np.corrcoef(one.ravel(), two.ravel())[0, 1]) < 0.9
    tensors = [one.tobytes() for one, _ in kernels]
    assert len(set(tensors)) == len(tensors)  # no two layers start alike


@pytest.mark.parametrize("name", ["cnn", "dense"])
def test_a_key_changes_nothing_where_the_dropout_rate_is_0(name: str) -> None:
    model = build(name, (7, 3), small(name) | {"dropout": 0.0})
    params, x = made_up(model), jnp.ones((2, *((LATENT,) if name == "dense" else (7, 3))))
    with_key, without = model.apply(params, x, jax.random.key(2)), model.apply(params, x)
    chex.assert_trees_all_close(with_key, without, rtol=1e-4)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("shape", REAL_SHAPES, ids=str)
def test_defaults_have_a_few_thousand_to_a_few_million_parameters(
    name: str, shape: tuple[int, ...]
) -> None:
    params = jax.eval_shape(build(name, shape, {}).init, jax.random.key(0))
    assert 1_000 <= models.size(params) <= 7_000_000


@pytest.mark.parametrize("name", NETWORKS)
def test_settings_of_width_and_depth_are_respected(name: str) -> None:
    def numbers(**settings: int) -> int:
        model = build(name, (16, 2), small(name) | settings)
        return models.size(jax.eval_shape(model.init, jax.random.key(0)))

    assert numbers(width=16) > 1.5 * numbers(width=8)
    if name in DEEP:
        assert numbers(depth=1) != numbers(depth=2) != numbers(depth=3)


def test_mlp_has_the_size_of_its_formula() -> None:
    model = build("mlp", (6, 2), {"width": 7, "depth": 3})
    params = jax.eval_shape(model.init, jax.random.key(0))
    assert models.size(params) == (12 * 7 + 7) + 2 * (7 * 7 + 7) + (7 * 3 + 3)


def test_the_authors_networks_have_the_layers_of_their_code() -> None:
    """Weights and biases of each layer, from the settings that the authors state."""
    generator, classifier = (
        jax.eval_shape(model.init, jax.random.key(0))
        for model in (
            models.generator("am_generator", (28, 28, 1), 512),
            models.classifier("am_classifier", (28, 28, 1), 10),
        )
    )
    dense = [(512, 512), (512, 3920)]
    transposed = [(80, 128, 4), (128, 64, 16), (64, 32, 16), (32, 32, 16), (32, 32, 16)]
    assert [generator[f"Dense_{i}"]["kernel"].shape for i in range(2)] == dense
    found = [generator[f"Transposed_{i}"]["kernel"].size for i in range(6)]
    assert found == [math.prod(layer) for layer in [*transposed, (32, 1, 16)]]
    convolutions = [(1, 32), (32, 64), (64, 128), (128, 128)]
    found = [classifier[f"Conv_{i}"]["Dense_0"]["kernel"].shape for i in range(4)]
    assert found == [(16 * channels, features) for channels, features in convolutions]
    found = [classifier[f"Dense_{i}"]["kernel"].shape for i in range(3)]
    assert found == [(7 * 7 * 128, 1024), (1024, 128), (128, 10)]
    assert models.size(generator) == sum(a * b + b for a, b in dense) + sum(
        math.prod(layer) + layer[1] for layer in [*transposed, (32, 1, 16)]
    )


def test_the_authors_slopes_below_zero() -> None:
    """Every layer gives -1 before its nonlinearity; the last adds up what one unit makes of it."""

    def given(model: Model, x: jax.Array, last: str) -> np.ndarray:
        params = jax.tree_util.tree_map_with_path(
            lambda path, leaf: jnp.full(leaf.shape, -float(path[-1].key == "bias")),
            jax.eval_shape(model.init, jax.random.key(0)),
        )
        kernel = jnp.zeros_like(params[last]["kernel"]).at[0].set(1.0)
        params[last] = {"kernel": kernel, "bias": jnp.zeros_like(params[last]["bias"])}
        return np.asarray(model.apply(params, x))

    classifier = models.classifier("am_classifier", (8, 1), 2, {"width": 1})
    np.testing.assert_allclose(given(classifier, jnp.ones((1, 8, 1)), "Dense_2"), -0.2, rtol=1e-5)
    generator = models.generator("am_generator", (8, 1), LATENT, {"width": 1})
    middle = given(generator, jnp.ones((1, LATENT)), "Transposed_5")[0, 4, 0]
    assert np.log(middle / (1 - middle)) == pytest.approx(4 * -0.3, rel=1e-4)


def test_a_generator_that_failed_gets_biases_too() -> None:
    model = models.generator("am_generator", (60, 2), LATENT, {"width": 8})
    assert model.renew is not None
    first, again = (jax.jit(draw)(jax.random.key(3)) for draw in (model.init, model.renew))
    for (path, one), other in zip(
        jax.tree_util.tree_leaves_with_path(first), jax.tree.leaves(again), strict=True
    ):
        one, other = np.asarray(one), np.asarray(other)
        if "bias" not in jax.tree_util.keystr(path):
            np.testing.assert_array_equal(other, one)
            continue
        assert not one.any()
        limit = (3 / one.size) ** 0.5
        assert np.abs(other).max() <= limit
        if one.size > 30:
            assert np.std(other) == pytest.approx(limit / 3**0.5, rel=0.3)
    assert models.generator("dense", (60, 2), LATENT).renew is None


@pytest.mark.parametrize(
    "shape", [(60, 4), (61, 1), (100, 1), (1920, 3), (3840, 5), (28, 30, 1)], ids=str
)
def test_the_authors_generator_draws_any_window(shape: tuple[int, ...]) -> None:
    model = models.generator("am_generator", shape, LATENT)
    params = jax.eval_shape(model.init, jax.random.key(0))
    window = jax.eval_shape(model.apply, params, jnp.zeros((2, LATENT)))
    assert window.shape == (2, *shape)
    assert models.size(params) < 3_000_000


def test_half_a_cnn_is_narrower() -> None:
    half, whole = (
        models.size(jax.eval_shape(build(name, (60, 4), {}).init, jax.random.key(0)))
        for name in ("cnn_half", "cnn")
    )
    assert half < 0.6 * whole


@pytest.mark.parametrize("name", NETWORKS)
def test_equal_networks_are_the_same_functions(name: str) -> None:
    """Else jit, which tells functions apart by identity, would compile each of them."""
    assert build(name, (7, 3), small(name)) is build(name, (7, 3), small(name))
    assert build(name, (7, 3), small(name)) is not build(name, (8, 3), small(name))
    wider = small(name) | {"width": 12}
    assert build(name, (7, 3), small(name)) is not build(name, (7, 3), wider)


def test_unknown_names_and_settings_are_one_line() -> None:
    with pytest.raises(StimjaxError, match=r"^there is no network 'cnm'; choose one of mlp, cnn"):
        models.classifier("cnm", (60, 4), 2)
    with pytest.raises(StimjaxError, match=r"^there is no network 'cnn'; choose one of dense"):
        models.generator("cnn", (60, 4), 8)


@pytest.mark.parametrize("name", NETWORKS)
def test_an_unknown_setting_is_one_line(name: str) -> None:
    with pytest.raises(StimjaxError, match="widht") as error:
        build(name, (60, 4), {"widht": 8})
    assert "\n" not in str(error.value)
