"""Can the whole cohort be told from another by the release? One test, over all members.

A release may tell little of any one person and all the same whether a study, a ward, a family took
part: what is faint in each adds up over all. Hilprecht et al. (PoPETs 2019) ask so of sets; Maini,
Yaghini and Papernot, "Dataset inference" (ICLR 2021, arXiv 2104.10706), by a test over everybody's
scores; Li et al. (arXiv 2502.02970), where no single record is remembered, from the distribution of
what is generated, which is nearer to that of the members. All three are done here.

Three scores of windows are averaged over a subject's: `nearest`, `domias`, and how much more the
release is like the window than the attacker's cohort is, with Gaussian kernels as wide as windows
are apart. The mean of this over a set says how near its distribution is to the release's: it is the
witness of the maximum mean discrepancy (Gretton et al., "A kernel two-sample test", JMLR 13, 2012).
The fourth score is a subject's weight in `moments`.

The statistic is the largest, over scores, of the standardized differences between the means of
members and of others. It is compared with that of random exchanges of whole subjects, the largest
taken again (Westfall and Young, "Resampling-based multiple testing", 1993), so that four scores are
one test.

The finding is one minus the p-value, which is uniform where members and others are alike: read as
the chance that a cohort such as the members' scores above one such as the others'. Its interval
takes the statistic as normal with the deviation 1: it lies above .5 where p < .025.

Threat model: the release, windows of both cohorts, and windows of a cohort of the attacker's own.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy.spatial.distance import pdist
from scipy.stats import norm

from stimjax.privacy import kernels, space
from stimjax.privacy.attacks import domias, moments, nearest
from stimjax.privacy.findings import FEW, Attack, Finding, World, pool
from stimjax.students.intervals import LEVEL

NAME = "cohort"
EXCHANGES = 10_000
KERNELS = 2_000  # stimuli, and windows of the reference, that the witness asks
PAIRED = 500  # windows of the reference whose distances tell how wide kernels are


def run(world: World) -> list[Finding]:
    """One finding: how surely members and others are told apart as wholes."""
    seen, sampled = space.surroundings(world), space.sample(world)
    sides = [
        np.stack([weight, *(pool(each, np.asarray(side.subject)) for each in scored)], axis=1)
        for side, weight, scored in zip(
            (sampled.members, sampled.others),
            moments.weights(seen.points, sampled),
            (
                scores(seen.points.members, seen.members, seen.points),
                scores(seen.points.others, seen.others, seen.points),
            ),
            strict=True,
        )
    ]
    at_least, at_most = exchanged(members=sides[0], others=sides[1], seed=world.seed)
    few = min(map(len, sides))
    note = f"p = {at_least:.2g}, one test of {len(sides[0])} members against {len(sides[1])} others"
    if few < FEW:
        note += f"; {few} subjects on one side cannot tell more"
    value = (1 - at_least + at_most) / 2
    return [Finding(NAME, "told_apart", "cohort", value, interval(at_least, at_most), 0.5, note)]


def scores(
    windows: Float[np.ndarray, "n k"], near: space.Near, points: space.Points
) -> list[Float[np.ndarray, " n"]]:
    """Three scores of each window; higher is more a member's."""
    return [nearest.score(near), domias.score(near, points), witness(windows, points)]


def witness(windows: Float[np.ndarray, "n k"], points: space.Points) -> Float[np.ndarray, " n"]:
    """The mean kernel between each window and the release, less that with the reference."""
    release, reference = (some(each, KERNELS) for each in (points.release, points.reference))
    width = np.sqrt(np.median(pdist(some(reference, PAIRED), "sqeuclidean")) / 2) + space.FLOOR
    near, far = (
        np.exp(kernels.log_sum(at, at.bring(windows))) / len(at.points)
        for at in (kernels.even(each, float(width)) for each in (release, reference))
    )
    return near - far


def some(points: Float[np.ndarray, "n k"], most: int) -> Float[np.ndarray, "m k"]:
    """At most `most` of the points, at random, the same ones each time."""
    return points[np.random.default_rng(0).permutation(len(points))[:most]]


def exchanged(
    *,
    members: Float[np.ndarray, "members score"],
    others: Float[np.ndarray, "others score"],
    seed: int = 0,
) -> tuple[float, float]:
    """The shares of exchanges whose statistic is at least, and at most, that of the true sides.

    The true sides count as one exchange, which keeps a test by the first share valid
    (Phipson and Smyth, "Permutation p-values should never be zero", 2010).
    """
    both = np.concatenate([members, others])
    both = (both - both.mean(axis=0)) / (both.std(axis=0) + 1e-300)
    rng, inside = np.random.default_rng(seed), np.arange(len(both)) < len(members)
    drawn = rng.permuted(np.tile(inside, (EXCHANGES, 1)), axis=1)
    largest = (np.concatenate([inside[None], drawn]).astype(float) @ both).max(axis=1)
    # Sums in another order differ by rounding: what differs by less is a tie.
    tie = 1e-9 * len(both)
    own = largest[0]
    return float((largest >= own - tie).mean()), float((largest <= own + tie).mean())


def interval(at_least: float, at_most: float) -> tuple[float, float]:
    """The ends in which a true value of one normal deviate may lie; ties count on either side."""
    wide = norm.ppf((1 + LEVEL) / 2)
    low, high = norm.cdf(norm.ppf(1 - at_least) - wide), norm.cdf(norm.ppf(at_most) + wide)
    return float(low), float(high)


ATTACK = Attack(
    name=NAME,
    holds="the release, windows of all members and of another cohort, and of a cohort of its own",
    source="Hilprecht et al., PoPETs 2019; Maini et al., arXiv 2104.10706; Li et al., "
    "arXiv 2502.02970",
    tells=(
        "Whether someone who has the recordings of all participants can tell that this cohort was "
        "used, and not another, even where nobody is found alone."
    ),
    run=run,
)
