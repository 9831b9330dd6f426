"""Linkage by shape: short segments of a window, compared with all of the release by warping time.

Source: Lange, Schreieder, Christen and Rahm, "Slice it up: Unmasking User Identities in Smartwatch
Health Data", 2023 (arXiv 2308.08310), the Slicing-DTW-Attack: seconds of a signal suffice to find
whose they are. Segments last 2 to 15 s, the less the higher the rate, and are averaged down to at
most `VALUES` values, each channel with mean 0 and deviation 1, so that shape alone counts. Their
distance is that of dynamic time warping within a band of a fifth of a segment (Sakoe and Chiba,
1978), all channels warped together.

A window's score is that of its best segment, and that of a segment is as in `nearest`: how much
nearer the nearest segment of the release is than those that follow it, over the same among segments
of the attacker's own cohort. The paper takes the distance itself; a flat segment, which is near to
every other, would speak for everybody.

Weaker than the paper's, for time: heard are the `HEARD` liveliest segments of up to `WINDOWS`
windows a side, searched are at most `SEGMENTS` segments of the release and of the cohort, which
begin half a segment apart, and time is warped only for the `CANDIDATES` segments that are nearest
without. A stimulus that was shifted by other than half segments is hardly found.

Threat model: the release and windows of a cohort of the attacker's own. Images have no time.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from stimjax.batch import Batch, Spec
from stimjax.privacy import space
from stimjax.privacy.findings import Attack, Finding, Scores, World, membership

NAME = "slicing"
SAMPLES = 128  # of a segment, within these limits of time
SHORTEST, LONGEST = 2.0, 15.0  # s
VALUES = 16  # that remain of them
BAND = 0.2  # of a segment
LEAST = 0.1  # deviation of a segment that is made 1, over that of the channel in the cohort
WINDOWS = 1_000  # of members, and of others
HEARD = 4  # segments of a window
SEGMENTS = 160_000
CANDIDATES = 32
AROUND = 10  # of these, the nearest by warping, that are looked at
PAIRS = 20_000  # of segments that are warped at a time
FLOOR = 0.05  # added to distances


def run(world: World) -> list[Finding]:
    """Findings on membership; without a value for images."""
    if world.release.spec.rate is None:
        note = "images have no segments of time"
        return [Finding(NAME, "auc", each, None, None, 0.5, note) for each in ("window", "subject")]
    few = space.sample(world, WINDOWS)
    world = space.sample(world)._replace(members=few.members, others=few.others)
    spread = np.asarray(world.reference.x, np.float64).std(axis=(0, 1)) + 1e-9
    rng = np.random.default_rng(world.seed)
    release, cohort = (_all(each, spread, rng) for each in (world.release, world.reference))
    members, others = (
        _score(side, spread, release, cohort) for side in (world.members, world.others)
    )
    return membership(NAME, Scores(members, others), world)


def segments(
    x: Float[np.ndarray, "n time channel"], spec: Spec
) -> Float[np.ndarray, "n count values channel"]:
    """The overlapping segments of each window, as many values long as `VALUES` allows, f32."""
    rate = spec.rate or 1.0
    seconds = np.clip(SAMPLES / rate, SHORTEST, LONGEST)
    length = min(x.shape[1], max(2, round(seconds * rate)))
    step = -(-length // VALUES)  # samples that are averaged to a value
    length -= length % step
    starts = range(0, x.shape[1] - length + 1, max(1, length // 2))
    cut = np.stack([x[:, start : start + length] for start in starts], axis=1)
    parts = cut.reshape(*cut.shape[:2], length // step, step, x.shape[2])
    return parts.mean(axis=3, dtype=np.float32)


def _all(
    batch: Batch, spread: Float[np.ndarray, " channel"], rng: np.random.Generator
) -> Float[np.ndarray, "n values channel"]:
    """The segments to search in."""
    cut = segments(np.asarray(batch.x), batch.spec)
    flat = cut.reshape(-1, *cut.shape[2:])
    return _standard(flat[rng.permutation(len(flat))[:SEGMENTS]], spread)


def _standard(
    cut: Float[np.ndarray, "n values channel"], spread: Float[np.ndarray, " channel"]
) -> Float[np.ndarray, "n values channel"]:
    """Each channel of a segment with mean 0 and deviation 1, or less where it hardly moves."""
    deviation = np.maximum(cut.std(axis=1, keepdims=True), LEAST * spread)
    return ((cut - cut.mean(axis=1, keepdims=True)) / deviation).astype(np.float32)


def _score(
    side: Batch,
    spread: Float[np.ndarray, " channel"],
    release: Float[np.ndarray, "m values channel"],
    cohort: Float[np.ndarray, "l values channel"],
) -> Float[np.ndarray, " n"]:
    """Of each window, how much its best segment has one of its own in `release`, not `cohort`."""
    cut = segments(np.asarray(side.x), side.spec)
    lively = (cut.std(axis=2) / spread).sum(axis=2)
    best = np.argsort(-lively, axis=1, kind="stable")[:, :HEARD]
    chosen = np.take_along_axis(cut, best[:, :, None, None], axis=1)
    flat = _standard(chosen.reshape(-1, *chosen.shape[2:]), spread)
    near, far = (space.nearest_margin(nearest(flat, among), FLOOR) for among in (release, cohort))
    return (near - far).reshape(best.shape).max(axis=1)


def nearest(
    of: Float[np.ndarray, "n values channel"], among: Float[np.ndarray, "m values channel"]
) -> Float[np.ndarray, "n around"]:
    """Warped distances to the nearest `AROUND` of the `CANDIDATES` nearest without warping."""
    flat, flat_among = (each.reshape(len(each), -1) for each in (of, among))
    _, index = space.neighbors(flat, flat_among, CANDIDATES)
    rows = max(1, PAIRS // index.shape[1])
    parts = [_least(of[i : i + rows], among, index[i : i + rows]) for i in range(0, len(of), rows)]
    return np.concatenate(parts)


def _least(
    of: Float[np.ndarray, "n values channel"],
    among: Float[np.ndarray, "m values channel"],
    index: Int[np.ndarray, "n candidates"],
) -> Float[np.ndarray, "n around"]:
    left = np.repeat(of, index.shape[1], axis=0)
    distance = warped(left, among[index.reshape(-1)]).reshape(index.shape)
    return np.sort(distance, axis=1)[:, :AROUND]


def warped(
    left: Float[np.ndarray, "n values channel"], right: Float[np.ndarray, "n values channel"]
) -> Float[np.ndarray, " n"]:
    """The distance of each pair by dynamic time warping within the band.

    The root of the least sum of squared differences along a path from both starts to both ends
    that steps by one value on the left, on the right or on both.
    """
    n, values, _ = left.shape
    band = max(1, round(BAND * values))
    before = np.full((values + 1, n), np.inf, np.float32)  # of the value before, by right value
    before[0] = 0
    for i in range(values):
        now = np.full_like(before, np.inf)
        for j in range(max(0, i - band), min(values, i + band + 1)):
            cost = ((left[:, i] - right[:, j]) ** 2).sum(axis=1)
            now[j + 1] = cost + np.minimum(np.minimum(before[j], before[j + 1]), now[j])
        before = now
    return np.sqrt(before[-1])


ATTACK = Attack(
    name=NAME,
    holds="the release, and windows of a cohort of its own",
    source="Lange et al., Slice it up, 2023, arXiv 2308.08310",
    tells=(
        "Whether someone who has seconds of your recording can tell from their shape that it was "
        "used, even if stimuli have another level or size."
    ),
    run=run,
)
