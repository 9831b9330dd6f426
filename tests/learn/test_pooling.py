"""Weights of an ensemble, against another solver and what is promised of them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, special

from stimjax.learn import pooling

N, CLASSES = 400, 3


def drawn(
    rng: np.random.Generator, *skills: float, n: int = N
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Log-probabilities of members that see the truth behind noise of their own."""
    truth = rng.integers(CLASSES, size=n)
    y = np.eye(CLASSES)[truth]
    logits = [skill * y + rng.normal(size=(n, CLASSES)) for skill in skills]
    return special.log_softmax(np.array(logits), axis=-1), y, rng.uniform(0.2, 2, n)


def test_weights_are_those_of_another_solver() -> None:
    logs, y, weight = drawn(np.random.default_rng(0), 1.0, 2.0, 0.1, 3.0)
    effective = weight.sum() ** 2 / (weight**2).sum()

    def objective(w: np.ndarray) -> float:
        total = sum(w[i] * logs[i] for i in range(4))
        p = np.exp(total) / np.exp(total).sum(1, keepdims=True)
        data = -(weight[:, None] * y * np.log(p)).sum() / weight.sum()
        return data + 10 / effective / 2 * ((w - 0.25) ** 2).sum()

    bounds = [(0, None)] * 4
    other = optimize.minimize(objective, np.ones(4), method="SLSQP", bounds=bounds, tol=1e-12)
    found = pooling.weights(logs, y, weight, 10.0)
    np.testing.assert_allclose(found, other.x, atol=2e-3)
    assert objective(found) <= other.fun + 1e-9


def test_cross_entropy_of_soft_labels_by_hand() -> None:
    rng = np.random.default_rng(0)
    logs, _, weight = drawn(rng, 1.0, 2.0, n=5)
    y, w = rng.dirichlet([1, 1, 1], 5), np.array([0.3, 0.6])
    p = np.exp(logs[0]) ** 0.3 * np.exp(logs[1]) ** 0.6
    p /= p.sum(1, keepdims=True)
    expected = -sum(weight[i] * y[i] @ np.log(p[i]) for i in range(5)) / weight.sum()
    assert pooling.cross_entropy(w, logs, y, weight) == pytest.approx(expected)


@pytest.mark.parametrize("confidence", [0.0, 5.0], ids=["undecided", "sure of anything"])
def test_a_useless_member_gets_no_weight(confidence: float) -> None:
    rng = np.random.default_rng(1)
    logs, y, weight = drawn(rng, 2.0, 2.0)
    useless = special.log_softmax(confidence * rng.normal(size=(1, N, CLASSES)), axis=-1)
    found = pooling.choose(np.concatenate([logs, useless]), y, weight)
    assert found[2] == 0
    np.testing.assert_allclose(found[:2], pooling.weights(logs, y, weight, 30.0))
    assert (
        pooling.weights(np.concatenate([logs, useless]), y, weight, 3.0)[2] < 0.1 or not confidence
    )


def test_different_members_help_each_other() -> None:
    logs, y, weight = drawn(np.random.default_rng(2), 2.0, 2.0, 1.5)
    found = pooling.choose(logs, y, weight)
    assert (found > 0.3).all()
    fresh, truth, count = drawn(np.random.default_rng(3), 2.0, 2.0, 1.5, n=5000)
    best = min(pooling.cross_entropy(w, fresh, truth, count) for w in np.eye(3))
    assert pooling.cross_entropy(found, fresh, truth, count) < best - 0.05


def test_equal_members_share_the_weight() -> None:
    logs, y, weight = drawn(np.random.default_rng(4), 2.0)
    found = pooling.choose(np.concatenate([logs, logs]), y, weight)
    assert found[0] == pytest.approx(found[1], rel=1e-4) and found[0] > 0.3


@given(
    seed=st.integers(0, 2**31),
    skills=st.lists(st.floats(-1, 4), min_size=1, max_size=5),
    scale=st.floats(0.1, 8),
    n=st.integers(1, 60),
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_the_labels_are_never_worse_than_the_best_members(
    seed: int, skills: list[float], scale: float, n: int
) -> None:
    rng = np.random.default_rng(seed)
    logs, y, weight = drawn(rng, *skills, n=n)
    logs = special.log_softmax(scale * logs, axis=-1)
    found = pooling.choose(logs, y, weight)
    assert (found >= 0).all() and found.any()
    right = [pooling.correct(w, logs, y) for w in np.eye(len(skills))]
    top = max(right, key=lambda r: r @ weight)
    lost = weight * (top - pooling.correct(found, logs, y))
    assert lost.sum() <= np.sqrt((lost**2).sum()) * (1 + 1e-6)
    rivals = [  # members that the most accurate one does not beat
        pooling.cross_entropy(w, logs, y, weight)
        for w, r in zip(np.eye(len(skills)), right, strict=True)
        if (weight * (top - r)).sum() <= np.sqrt(((weight * (top - r)) ** 2).sum())
    ]
    assert pooling.cross_entropy(found, logs, y, weight) <= min(rivals) + 1e-12


def test_one_member_stays_itself_unless_temperature_helps() -> None:
    logs, y, weight = drawn(np.random.default_rng(5), 2.0)
    found = pooling.choose(logs, y, weight)
    assert pooling.cross_entropy(found, logs, y, weight) <= pooling.cross_entropy(
        np.ones(1), logs, y, weight
    )


def test_nothing_useful_leaves_one_member() -> None:
    rng = np.random.default_rng(6)
    logs, y, weight = drawn(rng, -3.0, -4.0)
    found = pooling.choose(logs, y, weight)
    assert sorted(found) == [0, 1]
