"""What a shard's lanes emit, gathered until every class has its places filled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np

from stimjax import batch
from stimjax.batch import Batch, Spec
from stimjax.excite.lanes import Emitted

ENOUGH = 40  # shards' worth of candidates after which places of a rare class go to the others


def quotas(
    balance: Literal["none", "uniform", "prior"],
    size: int,
    classes: int,
    statistics: Mapping[str, np.ndarray],
) -> np.ndarray:
    """How many of `size` stimuli may have each class as their most probable one, i64[class].

    Args:
        balance: `none` (no limit), `uniform`, or `prior` (as in the training windows).
        size: stimuli in all.
        classes: how many there are.
        statistics: the teacher's; holds the prior.
    """
    if balance == "none":
        return np.full(classes, size)
    uniform = np.full(classes, 1 / classes)
    share = np.asarray(statistics["classes.prior"], float) if balance == "prior" else uniform
    exact = share * size
    places = np.floor(exact).astype(int)
    places[np.argsort(places - exact, kind="stable")[: size - places.sum()]] += 1
    return places


class Collected:
    """The stimuli of one shard, in the order of step and lane, and what was counted."""

    def __init__(self, size: int, places: np.ndarray) -> None:
        self._size, self._places = size, places.copy()
        self._kept: list[tuple[np.ndarray, np.ndarray]] = []
        self._spare: list[tuple[np.ndarray, np.ndarray]] = []
        self._limited = bool(places.sum() == size and len(places) > 1)
        self._spares = 0
        self.accepted, self.failed, self.hits = (np.zeros(len(places), int) for _ in range(3))
        self.found, self.steps = 0, 0

    @property
    def full(self) -> bool:
        """Whether the shard has what it needs."""
        enough = self.accepted.sum() >= ENOUGH * self._size
        return self.found >= self._size or bool(enough and self.found + self._spares >= self._size)

    @property
    def counts(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
        """By wanted class tries accepted, given up, and accepted ones that the teacher calls so;
        steps of all lanes.
        """
        return self.accepted, self.failed, self.hits, self.steps

    def take(self, emitted: Emitted) -> None:
        """Keep what was accepted and still has a place; leading axes are [steps, lane]."""
        classes = len(self.accepted)
        x, y = emitted.window[emitted.accepted], emitted.probability[emitted.accepted]
        label = y.argmax(axis=1)
        kept = np.zeros(len(x), bool)
        for number in range(classes):
            rows = np.flatnonzero(label == number)[: self._places[number]]
            kept[rows] = True
            self._places[number] -= len(rows) if self._limited else 0
        self._kept.append((np.asarray(x[kept]), np.asarray(y[kept])))
        if self._limited and self._spares < self._size:
            self._spare.append((np.asarray(x[~kept]), np.asarray(y[~kept])))
            self._spares += int((~kept).sum())
        wanted = emitted.target[emitted.accepted]
        self.accepted += np.bincount(wanted, minlength=classes)
        self.hits += np.bincount(wanted[wanted == label], minlength=classes)
        self.failed += np.bincount(emitted.target[emitted.failed], minlength=classes)
        self.found += int(kept.sum())
        self.steps += emitted.accepted.size

    def stimuli(self, spec: Spec, seed: list[int]) -> Batch:
        """The shard; shuffled if classes had places, as the rare ones come last."""
        parts = self._kept + (self._spare if self.found < self._size else [])
        x, y = (np.concatenate([part[i] for part in parts])[: self._size] for i in (0, 1))
        if self._limited:
            order = np.random.default_rng(seed).permutation(len(x))
            x, y = x[order], y[order]
        return batch.make(x, y, spec)
