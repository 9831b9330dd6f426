"""Networks in bfloat16, against themselves in float32."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from stimjax import models

SHAPE = (20, 2)


def test_float32_is_the_function_itself() -> None:
    assert models.lowered(jnp.sin, "float32") is jnp.sin


def test_what_is_computed_is_rounded_and_what_comes_back_is_not() -> None:
    seen = []

    def add(tree: dict[str, jax.Array], key: jax.Array, number: int) -> tuple[jax.Array, int]:
        seen.append((tree["a"].dtype, tree["n"].dtype, key.dtype, number))
        return tree["a"] + tree["n"], number

    key = jax.random.key(0)
    given = {"a": jnp.array([1.0, 1 + 2**-10, 3.0]), "n": jnp.array([0, 0, 1])}
    found, number = models.lowered(add, "bfloat16")(given, key, 7)
    assert seen == [(jnp.bfloat16, jnp.int32, key.dtype, 7)] and number == 7
    assert found.dtype == jnp.float32
    np.testing.assert_array_equal(found, [1.0, 1.0, 4.0])  # 8 bits of a mantissa


@pytest.mark.parametrize(
    "network", ["cnn", "gru", pytest.param("transformer", marks=pytest.mark.slow)]
)
def test_a_network_says_nearly_the_same_with_nearly_the_same_gradient(network: str) -> None:
    model = models.ensemble((models.classifier(network, SHAPE, 3),), (1,))
    params = jax.jit(model.init)(jax.random.key(0))
    x = jax.random.normal(jax.random.key(1), (4, *SHAPE))

    def gradient(precision: str) -> tuple[jax.Array, jax.Array]:
        hidden = models.lowered(model.hidden, precision)

        def loss(x: jax.Array) -> tuple[jax.Array, jax.Array]:
            logits, activities = hidden(params, x)
            chex.assert_type([logits, *activities], jnp.float32)
            return logits[:, 0].sum() + sum(jnp.square(a).mean() for a in activities), logits

        found, logits = jax.jit(jax.grad(loss, has_aux=True))(x)
        chex.assert_type(found, jnp.float32)
        return found, logits

    (exact, answers), (found, rounded) = gradient("float32"), gradient("bfloat16")
    np.testing.assert_allclose(rounded, answers, atol=0.05)
    assert not np.array_equal(rounded, answers)  # else nothing was rounded
    cosine = (found * exact).sum() / jnp.sqrt((found**2).sum() * (exact**2).sum())
    assert cosine > 0.97
