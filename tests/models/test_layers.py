"""The shared layers against other implementations of the same thing."""

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stimjax.models import layers


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("axes", [(9,), (3, 6)], ids=str)
def test_conv_equals_xla_convolution_with_the_same_kernel(size: int, axes: tuple[int, ...]) -> None:
    channels, features = 3, 4
    x = jax.random.normal(jax.random.key(0), (2, *axes, channels))
    conv = layers.Conv(features, size)
    rng = np.random.default_rng(1)
    kernel = jnp.asarray(rng.normal(size=(*[size] * len(axes), channels, features)), jnp.float32)
    bias = jnp.asarray(rng.normal(size=features), jnp.float32)
    dense = {"kernel": kernel.reshape(-1, features), "bias": bias}
    spatial = "HW"[: len(axes)]
    expected = jax.lax.conv_general_dilated(
        x,
        kernel,
        window_strides=[1] * len(axes),
        padding="SAME",
        dimension_numbers=(f"N{spatial}C", f"{spatial}IO", f"N{spatial}C"),
        precision=jax.lax.Precision.HIGHEST,
    )
    chex.assert_trees_all_close(
        conv.apply({"params": {"Dense_0": dense}}, x), expected + bias, rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize(("size", "stride"), [(2, 2), (4, 2), (4, 1), (3, 1)])
@pytest.mark.parametrize("axes", [(9,), (3, 6)], ids=str)
def test_transposed_equals_xla_convolution_of_the_spread_input(
    size: int, stride: int, axes: tuple[int, ...]
) -> None:
    """Zeros between the values, the kernel turned around."""
    channels, features, d = 3, 5, len(axes)
    x = jax.random.normal(jax.random.key(0), (2, *axes, channels))
    rng = np.random.default_rng(1)
    kernel = rng.normal(size=(channels, *[size] * d, features)).astype(np.float32)
    bias = jnp.asarray(rng.normal(size=features), jnp.float32)
    params = {"kernel": jnp.asarray(kernel.reshape(channels, -1)), "bias": bias}
    spatial, before = "HW"[:d], size - 1 - (size - stride) // 2
    expected = jax.lax.conv_general_dilated(
        x,
        jnp.flip(jnp.moveaxis(jnp.asarray(kernel), 0, d), range(d)),
        window_strides=[1] * d,
        padding=[(before, size + stride - 2 - before)] * d,
        lhs_dilation=[stride] * d,
        dimension_numbers=(f"N{spatial}C", f"{spatial}IO", f"N{spatial}C"),
        precision=jax.lax.Precision.HIGHEST,
    )
    found = jnp.asarray(layers.Transposed(features, size, stride).apply({"params": params}, x))
    assert found.shape == (2, *(stride * length for length in axes), features)
    chex.assert_trees_all_close(found, expected + bias, rtol=1e-4, atol=1e-5)


def test_glorot_starts_with_the_spread_of_both_fans() -> None:
    kernel = layers.glorot_uniform(5, 200, 9)(jax.random.key(0), (5, 9 * 200))
    limit = (6 / (9 * (5 + 200))) ** 0.5
    assert np.abs(kernel).max() == pytest.approx(limit, rel=0.01)
    assert np.std(np.asarray(kernel)) == pytest.approx(limit / 3**0.5, rel=0.03)


def test_conv_starts_with_the_spread_of_its_fan_in() -> None:
    variables = layers.Conv(200, 3).init(jax.random.key(0), jnp.zeros((1, 8, 8, 5)))
    spread = np.std(np.asarray(variables["params"]["Dense_0"]["kernel"]))
    assert spread == pytest.approx((1 / (3 * 3 * 5)) ** 0.5, rel=0.05)


@pytest.mark.parametrize("axes", [(8,), (7,), (1,), (2, 5), (1, 6), (5, 1)], ids=str)
def test_halve_equals_a_loop(axes: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).normal(size=(2, *axes, 3)).astype(np.float32)
    halves = [max(1, size // 2) for size in axes]
    expected = np.empty((2, *halves, 3), np.float32)
    for place in np.ndindex(*halves):
        cells = tuple(
            slice(2 * i, 2 * i + 2) if size > 1 else slice(0, 1)
            for i, size in zip(place, axes, strict=True)
        )
        block = x[(slice(None), *cells)].reshape(2, -1, 3)
        expected[(slice(None), *place)] = block.max(axis=1)
    np.testing.assert_array_equal(layers.halve(jnp.asarray(x)), expected)


def test_summarize_is_mean_and_maximum() -> None:
    x = np.random.default_rng(0).normal(size=(2, 4, 5, 3)).astype(np.float32)
    flat = x.reshape(2, 20, 3)
    expected = np.concatenate([flat.mean(1), flat.max(1)], axis=1)
    np.testing.assert_allclose(layers.summarize(jnp.asarray(x)), expected, rtol=1e-5, atol=1e-6)


@given(time=st.integers(1, 300), channels=st.integers(1, 3), most=st.integers(1, 40))
@settings(max_examples=8, deadline=None, derandomize=True)
def test_patches_of_a_signal_are_its_values_in_order(time: int, channels: int, most: int) -> None:
    x = np.random.default_rng(0).normal(size=(2, time, channels)).astype(np.float32)
    tokens = np.asarray(layers.patches(jnp.asarray(x), most))
    assert 1 <= tokens.shape[1] <= most
    back = tokens.reshape(2, -1, channels)
    np.testing.assert_array_equal(back[:, :time], x)
    assert not back[:, time:].any()
    assert back.shape[1] - time < tokens.shape[2]  # less than one token of padding


@given(height=st.integers(1, 40), width=st.integers(1, 40), most=st.integers(1, 40))
@settings(max_examples=8, deadline=None, derandomize=True)
def test_patches_of_an_image_are_its_squares(height: int, width: int, most: int) -> None:
    x = np.random.default_rng(0).normal(size=(2, height, width, 2)).astype(np.float32)
    tokens = np.asarray(layers.patches(jnp.asarray(x), most))
    side = round((tokens.shape[2] / 2) ** 0.5)
    columns = -(-width // side)
    assert side * side * 2 == tokens.shape[2]
    assert tokens.shape[1] == -(-height // side) * columns <= most
    for number in range(tokens.shape[1]):
        top, left = side * (number // columns), side * (number % columns)
        square = np.zeros((2, side, side, 2), np.float32)
        part = x[:, top : top + side, left : left + side]
        square[:, : part.shape[1], : part.shape[2]] = part
        np.testing.assert_array_equal(tokens[:, number].reshape(square.shape), square)


@pytest.mark.parametrize(("height", "width"), [(28, 28), (3, 200), (1, 33)])
def test_an_image_never_gives_more_patches_than_asked(height: int, width: int) -> None:
    assert layers.patches(jnp.zeros((1, height, width, 1)), 32).shape[1] <= 32


def test_shorten_folds_only_long_signals() -> None:
    signal, image = jnp.arange(24.0).reshape(1, 12, 2), jnp.ones((1, 20, 20, 1))
    assert layers.shorten(signal, 12) is signal
    assert layers.shorten(image, 12) is image
    folded = layers.shorten(signal, 6)
    np.testing.assert_array_equal(folded, np.arange(24.0).reshape(1, 6, 4))


def test_attention_and_its_gradients_equal_flax_s() -> None:
    shape = (2, 5, 3, 4)
    inputs = [3 * jax.random.normal(jax.random.key(i), shape) for i in range(3)]
    seen = jax.random.normal(jax.random.key(3), shape)

    def both(attention):
        value, pull = jax.vjp(attention, *inputs)
        return value, pull(seen)

    chex.assert_trees_all_close(
        both(layers.attend), both(nn.dot_product_attention), rtol=1e-4, atol=2e-5
    )


def test_attention_of_large_scores_is_finite() -> None:
    x = jnp.full((1, 4, 1, 2), 1e4)
    assert np.isfinite(layers.attend(x, x, x)).all()
