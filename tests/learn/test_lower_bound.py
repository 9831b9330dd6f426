"""What an attack on one training shows: nothing above a promise that is kept, much of a broken one.

Where all units take part in every step, epsilon is known in closed form (`limits`).
"""

import dataclasses
import math
import re
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from stimjax import config, models
from stimjax.batch import Spec
from stimjax.disk.documents import Audited
from stimjax.errors import StimjaxError
from stimjax.learn import dp, ledger, limits, lower_bound
from stimjax.learn.ledger import Expense, Ledger

pytest.importorskip("jax_privacy", reason="the extra `privacy` is not installed")
pytestmark = pytest.mark.filterwarnings("ignore:optax.global_norm is deprecated")

STEPS, CANARIES, GROUPS = 4, 600, 4
ASKED = config.Dp(steps=STEPS, batch=8, windows=1, networks=("mlp",), canaries=CANARIES)


class Kept(NamedTuple):
    """A training of which each quarter of the canaries is an audit by itself."""

    spent: Ledger
    asked: config.Dp
    score: np.ndarray
    inside: np.ndarray


def promised(epsilon: float) -> Ledger:
    """All take part in all steps, so that the noise of an epsilon has a closed form."""
    noise = math.sqrt(STEPS) / limits.mu_of(epsilon, ASKED.delta)
    return Ledger("subject", epsilon, ASKED.delta, (Expense("steps", noise, 1.0, STEPS),))


@pytest.fixture(scope="module", params=["subject", "window"])
def kept(request: pytest.FixtureRequest, spec: Spec) -> Kept:
    """Epsilon is 8 where all take part in all steps, and about 1 where units are drawn."""
    asked = dataclasses.replace(ASKED, unit=request.param, canaries=GROUPS * CANARIES)
    spent = promised(8.0)
    if request.param == "window":
        spent = ledger.closed("window", 1e-5, [Expense("steps", 4.0, 0.4, STEPS)])
        assert 0.8 < spent.epsilon < 1.2
    return Kept(spent, asked, *lower_bound.scores(spec, asked, spent, entropy=0))


def test_what_is_shown_is_below_a_promise_that_is_kept(kept):
    for group in range(GROUPS):
        some = slice(group, None, GROUPS)
        found = lower_bound.bounds(kept.score[some], kept.inside[some], kept.asked.delta)
        assert 0 <= found.epsilon <= found.gaussian <= kept.spent.epsilon
        assert found.epsilon < found.most_epsilon and found.gaussian < found.most_gaussian
        assert found.canaries == CANARIES
        assert found.gaussian > 2 or kept.spent.epsilon < 8  # not blind


def test_scores_are_those_of_the_mechanism_that_the_ledger_describes(kept):
    """Normal around 0, and around the number of steps that a canary took part in."""
    look, score, inside = kept.spent.expenses[-1], kept.asked.batch * kept.score, kept.inside
    each = (len(score) / 2) ** -0.5
    assert inside.mean() == pytest.approx(0.5, abs=2 * each)
    deviation = look.noise * math.sqrt(STEPS)
    assert score[~inside].mean() == pytest.approx(0, abs=4 * deviation * each)
    assert score[~inside].std() == pytest.approx(deviation, rel=0.1)
    spread = math.sqrt(STEPS * (look.noise**2 + look.sampling * (1 - look.sampling)))
    assert score[inside].mean() == pytest.approx(STEPS * look.sampling, abs=4 * spread * each)
    assert score[inside].std() == pytest.approx(spread, rel=0.1)


@pytest.fixture
def without_noise(monkeypatch):
    monkeypatch.setattr(dp, "added", lambda deviation, key: optax.identity())


@pytest.fixture
def without_clipping(monkeypatch):
    original = dp.clipped

    def unclipped(model, clip, expected, each):
        gradient = original(model, 1e6 * clip, expected, each)

        class Longer:
            sensitivity = original(model, clip, expected, each).sensitivity

            def __call__(self, *windows, **padding):
                return jax.tree.map(lambda leaf: 1e6 * leaf, gradient(*windows, **padding))

        return Longer()

    monkeypatch.setattr(dp, "clipped", unclipped)


@pytest.mark.parametrize("broken", ["without_noise", "without_clipping"])
def test_a_trainer_that_does_not_do_what_the_ledger_says_is_refused(request, spec, broken):
    request.getfixturevalue(broken)
    with pytest.raises(StimjaxError, match="not keep its guarantee of epsilon 2") as told:
        lower_bound.audited(spec, ASKED, promised(2.0))
    shown, most = map(float, re.findall(r"at least (\d\S+) \(of (\d\S+) ", str(told.value))[0])
    assert 3 < 0.9 * most < shown <= most


def test_scores_are_sums_over_the_steps_of_all_networks(spec, monkeypatch):
    def two_steps(model, start, task, rng, progress, seen):
        for step in (1, 2):
            seen({"canaries": np.arange(CANARIES) * float(step)})
            progress(step)

    monkeypatch.setattr(dp, "descend", two_steps)
    asked, done = dataclasses.replace(ASKED, networks=("mlp", "cnn", "mlp"), steps=2), []
    score, _ = lower_bound.scores(
        spec, asked, promised(1.0), progress=lambda *steps: done.append(steps)
    )
    assert score.tolist() == [6.0 * number for number in range(CANARIES)]
    assert done == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_canaries_touch_no_weight_but_their_own(spec):
    network = models.classifier("mlp", spec.shape, 2)
    model = lower_bound.with_canaries(network, 5, 3.0)
    params = model.init(jax.random.key(0))
    x = np.random.default_rng(0).normal(size=(3, *spec.shape)).astype(np.float32)
    usual = network.apply(params["network"], jnp.asarray(x))
    x[1, 0, 0] = lower_bound.FIRST + 4

    def loss(params):
        logits = model.apply(params, jnp.asarray(x))
        wanted = np.array([1])
        return optax.softmax_cross_entropy_with_integer_labels(logits[1:2], wanted).sum(), logits

    gradient, logits = jax.jit(jax.grad(loss, has_aux=True))(params)
    np.testing.assert_allclose(logits[::2], usual[::2], rtol=1e-5)
    np.testing.assert_array_equal(logits[1], 0)
    assert gradient["canaries"].tolist() == [0, 0, 0, 0, 1.5]
    assert not any(np.any(leaf) for leaf in jax.tree.leaves(gradient["network"]))


def test_a_guess_of_all_is_worth_what_the_paper_says():
    """Theorem 5.2 at delta 0: epsilon with which r right guesses of r have probability .05."""
    inside = np.arange(200) < 100
    found = lower_bound.bounds(inside.astype(float), inside, 1e-12)
    # Thresholds at none, at all that are in, at all: each at a third of the error.
    odds = (0.05 / 3) ** (1 / 100)
    assert found.epsilon == pytest.approx(math.log(odds / (1 - odds)), rel=1e-3)


def test_what_was_found_is_read_back_and_said():
    audited = Audited(1000, 2.3, 3.4, 4.7, 8.4)
    spent = dataclasses.replace(promised(8.0), audited=audited)
    assert Ledger.from_json(spent.to_json(), "teacher.json") == spent
    assert "1000 canaries" in str(audited) and "at least 2.30 (of 4.70 that" in str(audited)
