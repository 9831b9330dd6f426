"""What the labels of a release tell of who its teacher learned from.

Whoever has a release has its windows, and can let shadow teachers label those very windows: no
student, and no window of anybody, stands in between. For every person a linear classifier learns
from the shadows' labels whether their teacher knew that person, and is asked about the published
ones. With so few shadows and so many labels it is a ridge regression, in its dual form (Hoerl and
Kennard, Technometrics 1970); what it says of shadows is predicted by the others, so that it can be
compared with what it says of the release. The form is ours.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

MOST = 4_000  # stimuli whose labels are compared
FEWEST = 4  # shadows, below which nothing is learned
SURE = 0.01  # probabilities nearer to 0 are not told apart
RIDGES = (0.01, 0.1, 1.0, 10.0)  # in units of the mean square of a shadow's labels


def recognized(
    shadows: Float[np.ndarray, "shadow stimulus class"],
    released: Float[np.ndarray, "stimulus class"],
    inside: Bool[np.ndarray, "shadow n"],
) -> tuple[Float[np.ndarray, "shadow n"], Float[np.ndarray, " n"]]:
    """How much labels look like those of a teacher that knew each of `n` windows' people.

    Args:
        shadows: labels of each shadow teacher.
        released: those of the release.
        inside: whether a shadow had learned from the window; two in a row are each other's
            complement (`pipelines.halves`).

    Returns:
        Of the shadows, each pair predicted by all others, and of the release; about 1 where it
        knew them, -1 where not, 0 where nothing is seen.
    """
    if len(shadows) < FEWEST:
        return np.zeros(inside.shape), np.zeros(inside.shape[1])
    x = np.log(np.concatenate([shadows, released[None]]) + SURE).reshape(len(shadows) + 1, -1)
    x = (x - x[:-1].mean(axis=0)) / np.sqrt(x.shape[1])
    product, known = x @ x.T, np.where(inside, 1.0, -1.0)
    unit = np.trace(product[:-1, :-1]) / len(shadows)
    pairs = np.arange(len(shadows)) // 2

    def predicted(ridge: float) -> np.ndarray:
        out = np.empty(known.shape)
        for pair in np.unique(pairs):
            others = np.flatnonzero(pairs != pair)
            asked = np.flatnonzero(pairs == pair)
            out[asked] = _predicted(product, others, asked, known, ridge)
        return out

    each = [predicted(size * unit) for size in RIDGES]
    best = int(np.argmax([(one * known).mean() / (one.std() + 1e-12) for one in each]))
    every, target = np.arange(len(shadows)), np.array([len(shadows)])
    return each[best], _predicted(product, every, target, known, RIDGES[best] * unit)[0]


def _predicted(
    product: Float[np.ndarray, "m m"],
    learned: np.ndarray,
    asked: np.ndarray,
    known: Float[np.ndarray, "shadow n"],
    ridge: float,
) -> Float[np.ndarray, "asked n"]:
    """The ridge regression of `known` on the rows `learned`, at the rows `asked`.

    Args:
        product: of all rows with all, f64[m, m].
        learned: numbers of rows, in pairs, so that no person is known to more than half of them.
        asked: numbers of rows.
        known: 1 or -1.
        ridge: added to the diagonal.
    """
    gram = product[np.ix_(learned, learned)]
    level, rows = gram.mean(axis=0), product[asked][:, learned]
    gram = gram - level - level[:, None] + level.mean()  # around the mean of what is learned from
    rows = rows - rows.mean(axis=1, keepdims=True) - level + level.mean()
    weight = np.linalg.solve(gram + ridge * np.eye(len(learned)), known[learned])
    return rows @ weight
