"""How much each network of an ensemble counts, from windows that none of them learned from.

The label is `softmax(sum_i w_i log p_i)`. The weights are those, not negative, with the lowest
cross-entropy on the validation part: a convex problem. A weak pull towards equal weights, as
strong as a few windows, keeps a few hundred windows from deciding too much.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy import optimize, special

PULLS = (30.0, 10.0, 3.0, 0.0)  # windows' worth of pull towards equal weights, tried in turn
NEGLIGIBLE = 0.02  # of all weight: a member with less is not worth its time

Logs = Float[np.ndarray, "member n classes"]
Labels = Float[np.ndarray, "n classes"]
Weight = Float[np.ndarray, " n"]


def choose(logs: Logs, y: Labels, weight: Weight) -> Float[np.ndarray, " member"]:
    """Weights whose labels are, on these windows, at least as good as the best member's.

    The best member is the one with the lowest cross-entropy among those that the most accurate
    member does not beat by more than one standard error (of the paired difference). The weights
    are those of the strongest pull with which the pool has no higher cross-entropy than it and is
    not beaten in that sense either; the best member's alone if there are none. Members that know
    no more than how frequent the classes are get no weight.

    Args:
        logs: finite log-probabilities of each member for each window.
        y: what the windows are.
        weight: how much each window counts.
    """
    members = np.eye(len(logs))
    losses = np.array([cross_entropy(w, logs, y, weight) for w in members])
    right = np.array([correct(w, logs, y) for w in members])
    most_accurate = max(range(len(logs)), key=lambda i: (right[i] @ weight, -losses[i]))

    def beaten(hits: np.ndarray) -> bool:
        difference = weight * (right[most_accurate] - hits)
        return bool(difference.sum() > (1 + 1e-9) * np.sqrt((difference**2).sum()))

    best = min((i for i in range(len(logs)) if not beaten(right[i])), key=lambda i: losses[i])
    frequency = weight @ y / max(weight.sum(), 1e-9)
    useful = np.flatnonzero(losses < special.entr(frequency).sum())
    for pull in PULLS if len(useful) else ():
        pooled = _pruned(useful, logs, y, weight, pull)
        loss = cross_entropy(pooled, logs, y, weight)
        if pooled.any() and loss <= losses[best] and not beaten(correct(pooled, logs, y)):
            return pooled
    return members[best]


def _pruned(
    kept: np.ndarray, logs: Logs, y: Labels, weight: Weight, pull: float
) -> Float[np.ndarray, " member"]:
    """Weights of the members `kept`, without those that turn out to count for next to nothing."""
    while True:
        pooled = np.zeros(len(logs))
        pooled[kept] = weights(logs[kept], y, weight, pull)
        enough = np.flatnonzero(pooled > NEGLIGIBLE * pooled.sum())
        if len(enough) in (0, len(kept)):
            return pooled
        kept = enough


def weights(logs: Logs, y: Labels, weight: Weight, pull: float) -> Float[np.ndarray, " member"]:
    """The weights with the lowest cross-entropy, pulled towards equal ones by `pull` windows."""
    equal = 1 / len(logs)
    effective = weight.sum() ** 2 / max((weight**2).sum(), 1e-9)  # windows, if all counted alike
    ridge = pull / max(effective, 1e-9)
    share = weight / max(weight.sum(), 1e-9)
    logs = logs.astype(float)

    def objective(w: np.ndarray) -> tuple[float, np.ndarray]:
        pooled = special.log_softmax(np.tensordot(w, logs, 1), axis=-1)
        residual = share[:, None] * (y.sum(-1, keepdims=True) * np.exp(pooled) - y)
        value = -np.sum(share[:, None] * y * pooled) + ridge / 2 * np.sum((w - equal) ** 2)
        return value, np.tensordot(logs, residual, 2) + ridge * (w - equal)

    start, bounds = np.full(len(logs), equal), [(0.0, None)] * len(logs)
    options = {"ftol": 1e-12, "gtol": 1e-8}
    minimum = optimize.minimize(
        objective, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options
    )
    return np.maximum(minimum.x, 0.0)


def cross_entropy(w: np.ndarray, logs: Logs, y: Labels, weight: Weight) -> float:
    """Of the labels that members with weights `w` give together."""
    pooled = special.log_softmax(np.tensordot(w, logs.astype(float), 1), axis=-1)
    return float(-np.sum(weight[:, None] * y * pooled) / max(weight.sum(), 1e-9))


def correct(w: np.ndarray, logs: Logs, y: Labels) -> Float[np.ndarray, " n"]:
    """1 where the most probable class of members with weights `w` is the right one, 0 elsewhere."""
    pooled = np.tensordot(w, logs.astype(float), 1)
    return (pooled.argmax(-1) == y.argmax(-1)).astype(float)
