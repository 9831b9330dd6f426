"""Shadow teachers with a guarantee: what a unit may change, and that nothing else is new."""

import dataclasses
from collections.abc import Callable, Iterator

import jax
import numpy as np
import pytest

from stimjax import config, models
from stimjax.batch import Batch, Channel, Spec, make, one_hot
from stimjax.learn import dp, ledger
from stimjax.learn.predict import probabilities
from stimjax.privacy.shadow import private

pytest.importorskip("jax_privacy", reason="the extra `privacy` is not installed")
pytestmark = pytest.mark.filterwarnings("ignore:optax.global_norm is deprecated")

SPEC = Spec((12, 1), ("a", "b"), (Channel("x", "", low=-4, high=4),), rate=1.0)
ASKED = config.Dp(epsilon=8.0, steps=30, batch=10, windows=4, networks=("mlp",), units=20)
MODEL = models.classifier("mlp", SPEC.shape, len(SPEC.classes))


@pytest.fixture(scope="module")
def easy() -> Batch:
    """200 windows of 20 subjects; the class is the sign of the level."""
    rng = np.random.default_rng(0)
    label = rng.integers(0, 2, 200)
    x = rng.normal(size=(200, *SPEC.shape)) + 2.0 * label[:, None, None] - 1
    return make(x.clip(-4, 4), one_hot(label, SPEC), SPEC, subject=np.arange(200) // 10)


@pytest.fixture
def noise_of(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[float], None]]:
    """Sets what a step's noise is, without seconds of accounting."""

    def chosen(noise: float) -> None:
        dp.budget.cache_clear()
        monkeypatch.setattr(ledger, "noise_for", lambda *given, **asked: noise)

    monkeypatch.setattr(ledger, "epsilon", lambda expenses, delta: 8.0)
    yield chosen
    dp.budget.cache_clear()  # no other test may find this noise


def answers(windows: Batch, rows: list[np.ndarray]) -> np.ndarray:
    return probabilities(MODEL, private.train(MODEL, windows, rows, [3, 4], ASKED), windows.x)


def test_a_step_draws_the_same_part_of_fewer_units_for_the_same_budget(monkeypatch) -> None:
    half = private.scaled(ASKED, 10)
    assert (half.units, half.batch) == (10, 5)
    assert private.scaled(dataclasses.replace(ASKED, batch=64), 10).batch == 10  # all of them
    assert dataclasses.replace(half, units=20, batch=10) == ASKED
    asked = []
    monkeypatch.setattr(ledger, "epsilon", lambda expenses, delta: 8.0)
    monkeypatch.setattr(
        ledger, "noise_for", lambda *given, **named: asked.append((*given, named)) or 1.0
    )
    dp.budget.cache_clear()
    for units, settings in ((20, ASKED), (10, half)):
        dp.budget(units, settings)
    dp.budget.cache_clear()
    assert asked[0] == asked[1]  # so that the noise is the same


def test_it_is_the_holders_training_but_for_the_chance(easy, noise_of, monkeypatch) -> None:
    """Without noise and with all units and windows in each step only the weights are chance."""
    asked = dataclasses.replace(ASKED, batch=20, windows=10)
    noise_of(1e-9)
    own = private.train(MODEL, easy, [np.arange(200)], [5], asked)
    monkeypatch.setattr(dp, "seeds", lambda seed, count: [5])
    holders = dp.train(easy, asked, entropy=1).params["members"][0]
    for found, expected in zip(jax.tree.leaves(own), jax.tree.leaves(holders), strict=True):
        np.testing.assert_allclose(found, expected, atol=2e-3)


def test_each_network_learns_from_its_own_rows_alone(easy, noise_of) -> None:
    rows = [np.arange(100), np.arange(100, 200)]
    noise_of(0.01)
    plain = answers(easy, rows)
    assert ((plain.argmax(axis=2) == easy.label).mean(axis=1) > 0.8).all()
    wrong = np.array(easy.y)
    wrong[100:] = wrong[100:, ::-1]
    other = answers(dataclasses.replace(easy, y=wrong), rows)
    np.testing.assert_array_equal(plain[0], other[0])
    assert (other[1].argmax(axis=1) != easy.label).mean() > 0.8
    noise_of(300.0)
    noisy = answers(easy, rows)
    assert ((noisy.argmax(axis=2) == easy.label).mean(axis=1) < 0.8).all()
    np.testing.assert_array_equal(noisy, answers(easy, rows))  # it follows the seeds
