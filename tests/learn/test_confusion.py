"""Confusion: whose gradient goes where, and that identity is lost by it."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from stimjax import batch, config, models
from stimjax.batch import Batch, Spec
from stimjax.learn import confusion, fit
from stimjax.models import Model, Params

SUBJECTS = 3


@pytest.fixture(scope="module")
def base(spec: Spec) -> Model:
    return models.classifier("mlp", spec.shape, 2, {"width": 16, "depth": 1, "input_dropout": 0.0})


def test_each_gradient_lowers_its_own_part_only(base: Model, spec: Spec) -> None:
    model = confusion.with_head(base, SUBJECTS, spec.shape)
    params = model.init(jax.random.key(0))
    x = jax.random.normal(jax.random.key(1), (12, *spec.shape))
    whose = jnp.arange(12) % SUBJECTS

    def gradient(strength: float) -> Params:
        loss = jax.jit(lambda p: confusion.loss(model, p, x, whose, SUBJECTS, strength))
        return jax.grad(loss)(params)

    none, some, more = gradient(0.0), gradient(1.0), gradient(2.5)
    chex.assert_trees_all_close(none["head"], more["head"], rtol=1e-5)
    chex.assert_trees_all_equal(none["network"], jax.tree.map(jnp.zeros_like, none["network"]))
    expected = jax.tree.map(lambda g: 2.5 * g, some["network"])
    chex.assert_trees_all_close(more["network"], expected, rtol=1e-4, atol=1e-6)


def cohort(spec: Spec) -> Batch:
    """The class is in one channel, the subject in the other."""
    rng = np.random.default_rng(0)
    subject, label = rng.integers(0, SUBJECTS, 600), rng.integers(0, 2, 600)
    x = 0.3 * rng.normal(size=(600, *spec.shape))
    x[:, :, 0] += (label * 2 - 1)[:, None]
    x[:, :, 1] += (subject - 1)[:, None]
    return batch.make(x, batch.one_hot(label, spec), spec, subject=subject)


def test_a_probe_finds_less_identity_and_as_much_of_the_class(base: Model, spec: Spec) -> None:
    windows = cohort(spec)
    asked = config.Fit(steps=600, every=300, batch=64)
    told = []
    for strength in (0.0, 3.0):
        fitted = fit.fit(base, windows, windows[:200], seeds=[0], settings=asked, stripped=strength)
        chex.assert_trees_all_equal_shapes(
            jax.tree.map(lambda leaf: leaf[0], fitted.params), base.init(jax.random.key(0))
        )
        params = jax.tree.map(lambda leaf: leaf[0], fitted.params)
        logits, hidden = base.hidden(params, jnp.asarray(windows.x))
        right = (np.asarray(logits).argmax(1) == np.asarray(windows.y).argmax(1)).mean()
        probe = LogisticRegression(max_iter=2000).fit(hidden[-1][:400, 0], windows.subject[:400])
        told.append((right, probe.score(hidden[-1][400:, 0], windows.subject[400:])))
    (right, plain), (still_right, stripped) = told
    assert right > 0.95 and still_right > 0.95
    assert stripped < plain - 0.1
