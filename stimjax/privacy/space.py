"""The space in which attacks compare windows, of any shape: some tens of numbers a window.

Each channel is centered at its median and divided by its mean absolute deviation, and the inverse
hyperbolic sine tames what lies far out. Then follow principal components, not whitened, so that a
distance remains one between windows. Both are fitted on the attacker's own cohort. The way into
the space is taken in float64 and rounded at its end, and distances are those of the differences:
that of a window from its exact copy is 0.

Several attacks ask for the same nearest stimuli and windows: `surroundings` looks once.
"""

from __future__ import annotations

import weakref
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

from stimjax.batch import Batch
from stimjax.privacy.findings import World

COMPONENTS = 40
FITTED = 5_000  # windows of the reference that the components are fitted on
MOST = 20_000  # windows of each kind that an attack looks at
ROWS = 1_000  # brought into the space at a time
NEAREST = 50  # stimuli, and windows of the reference, that are looked for around a window
WHICH = 10  # nearest stimuli that are also named
KEPT = 3  # worlds whose surroundings are kept: an audit tries every attack on three
FLOOR = 1e-3  # added to distances, so that ratios of them exist


class Points(NamedTuple):
    """The windows of a world as rows of the space."""

    release: Float[np.ndarray, "stimuli k"]
    members: Float[np.ndarray, "members k"]
    others: Float[np.ndarray, "others k"]
    reference: Float[np.ndarray, "reference k"]


class Near(NamedTuple):
    """What lies around windows: distances, nearest first, and which the nearest stimuli are."""

    release: Float[np.ndarray, "n stimuli"]
    reference: Float[np.ndarray, "n windows"]
    which: Int[np.ndarray, "n which"]


class Surroundings(NamedTuple):
    """A world's points, and what lies around its members and others."""

    points: Points
    members: Near
    others: Near


class Space:
    """A way from windows to points, fitted on some of `reference`, at least 2 windows.

    Raises:
        ValueError: there are fewer.
    """

    def __init__(self, reference: Batch, seed: int = 0, components: int = COMPONENTS) -> None:
        if len(reference) < 2:
            raise ValueError("a space needs at least 2 windows of a reference")
        x = _values(some(reference, FITTED, seed))
        over = tuple(range(x.ndim - 1))
        self.center = np.median(x, axis=over)
        self.spread = np.abs(x - self.center).mean(axis=over) + 1e-9
        flat = self._tamed(x)
        self.pca = PCA(
            min(components, len(flat) - 1, flat.shape[1]),
            svd_solver="covariance_eigh" if flat.shape[1] <= 1000 else "randomized",
            random_state=seed,
        )
        with np.errstate(invalid="ignore"):  # shares of a variance that may be 0; not used
            self.pca.fit(flat)

    def points(self, batch: Batch) -> Float[np.ndarray, "n k"]:
        """The windows of `batch` in the space, f32."""
        parts = [
            self.pca.transform(self._tamed(_values(batch[i : i + ROWS])))
            for i in range(0, len(batch), ROWS)
        ]
        return np.concatenate(parts).astype(np.float32)

    def _tamed(self, x: np.ndarray) -> np.ndarray:
        return np.arcsinh((x - self.center) / self.spread).reshape(len(x), -1)


def points(world: World) -> Points:
    """All windows of a world in the space of its reference."""
    space = Space(world.reference, world.seed)
    kinds = (world.release, world.members, world.others, world.reference)
    return Points(*map(space.points, kinds))


def near(windows: Float[np.ndarray, "n k"], points: Points) -> Near:
    """The `NEAREST` stimuli and windows of the reference around each window, at most all."""
    release, which = neighbors(windows, points.release, NEAREST)
    reference, _ = neighbors(windows, points.reference, NEAREST)
    return Near(release, reference, which[:, :WHICH])


_kept: list[tuple[tuple[weakref.ref[Batch], ...], int, Surroundings]] = []


def surroundings(world: World) -> Surroundings:
    """The points of `sample(world)` and their surroundings; of the last few worlds, at once.

    They are kept as long as the world's batches are: it is these, not their content, that tell one
    world from another.
    """
    batches = (world.release, world.members, world.others, world.reference)
    _kept[:] = [kept for kept in _kept if all(one() is not None for one in kept[0])][:KEPT]
    for refs, seed, found in _kept:
        if seed == world.seed and all(a() is b for a, b in zip(refs, batches, strict=True)):
            return found
    all_ = points(sample(world))
    found = Surroundings(all_, near(all_.members, all_), near(all_.others, all_))
    _kept.insert(0, (tuple(map(weakref.ref, batches)), world.seed, found))
    return found


def sample(world: World, most: int = MOST) -> World:
    """The world with at most `most` windows of each kind, chosen at random."""
    seed = world.seed
    return world._replace(
        release=some(world.release, most, seed),
        members=some(world.members, most, seed),
        others=some(world.others, most, seed),
        reference=some(world.reference, most, seed),
    )


def some(batch: Batch, most: int, seed: int) -> Batch:
    """At most `most` windows of `batch`, at random, in their order."""
    if len(batch) <= most:
        return batch
    return batch[np.sort(np.random.default_rng(seed).permutation(len(batch))[:most])]


def neighbors(
    of: Float[np.ndarray, "n k"], among: Float[np.ndarray, "m k"], count: int = 1
) -> tuple[Float[np.ndarray, "n count"], Int[np.ndarray, "n count"]]:
    """Distances to the `count` nearest points (at most all), nearest first, and which they are."""
    search = NearestNeighbors(n_neighbors=min(count, len(among)), algorithm="brute").fit(among)
    index = search.kneighbors(of, return_distance=False)
    # The search squares sums, which leaves a copy some way off: differences do not.
    distance = np.stack([np.linalg.norm(of - among[each], axis=1) for each in index.T], axis=1)
    order = np.argsort(distance, axis=1, kind="stable")
    return np.take_along_axis(distance, order, 1), np.take_along_axis(index, order, 1)


def nearest_margin(
    distance: Float[np.ndarray, "n count"], floor: float = FLOOR
) -> Float[np.ndarray, " n"]:
    """How much nearer the nearest point is than those that follow it, as a mean of logs of ratios.

    With one single point it is minus the log of its distance.

    Args:
        distance: of the nearest points, nearest first.
        floor: added to distances.
    """
    log = np.log(distance + floor)
    return (log[:, 1:].mean(axis=1) if log.shape[1] > 1 else 0) - log[:, 0]


def _values(batch: Batch) -> np.ndarray:
    return np.asarray(batch.x, np.float64)
