"""The logistic function and its derivatives, against float64."""

import jax
import jax.numpy as jnp
import numpy as np

from stimjax.numerics.sigmoid import sigmoid


def test_sigmoid_and_its_derivatives_are_those_of_float64() -> None:
    x = np.linspace(-200, 200, 2001)
    value = 0.5 * (1 + np.tanh(x / 2))
    slope = 0.25 / np.cosh(x / 2) ** 2
    at = jnp.asarray(x, jnp.float32)
    np.testing.assert_allclose(sigmoid(at), value, rtol=1e-5, atol=1e-7)
    first = jax.vmap(jax.grad(sigmoid))(at)
    np.testing.assert_allclose(first, slope, rtol=1e-5, atol=1e-30)
    near = np.abs(x) < 40
    second = jax.vmap(jax.grad(jax.grad(sigmoid)))(at)
    np.testing.assert_allclose(second[near], (slope * (1 - 2 * value))[near], rtol=1e-4, atol=1e-7)
