"""Membership from the ratio of two densities: the release's over that of a cohort like it.

Source: van Breugel, Sun, Qian and van der Schaar, "Membership Inference Attacks against Synthetic
Data through Overfitting Detection" (DOMIAS), AISTATS 2023, arXiv 2302.12580. Where a generator
over-fits, its density is higher than the population's. Both densities are Gaussian kernel estimates
at the window, with one bandwidth for both: the window's distance to the `RANK`-th nearest of the
cohort over the square root of the space's dimensions, so that it is narrow where windows are
dense. A kernel's sum is taken over the `space.NEAREST` nearest points; the others' are small.

Threat model: the release and windows of a cohort of the attacker's own.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy.special import logsumexp

from stimjax.privacy import space
from stimjax.privacy.findings import Attack, Finding, Scores, World, membership

NAME = "domias"
RANK = 10


def run(world: World) -> list[Finding]:
    """Findings on membership."""
    seen = space.surroundings(world)
    scores = Scores(*(score(side, seen.points) for side in (seen.members, seen.others)))
    return membership(NAME, scores, space.sample(world))


def score(near: space.Near, points: space.Points) -> Float[np.ndarray, " n"]:
    """The log of the release's density over the reference's, at each window, f64."""
    ranked = near.reference[:, min(RANK, near.reference.shape[1]) - 1]
    width = ranked / np.sqrt(points.reference.shape[1]) + space.FLOOR
    return log_density(near.release, width, len(points.release)) - log_density(
        near.reference, width, len(points.reference)
    )


def log_density(
    distance: Float[np.ndarray, "n nearest"], width: Float[np.ndarray, " n"], count: int
) -> Float[np.ndarray, " n"]:
    """The log of a kernel density up to a constant for the window's width.

    Args:
        distance: from each window to the nearest of the points.
        width: standard deviation of the Gaussian kernel of each window.
        count: of all points.
    """
    exponent = -0.5 * (distance / width[:, None]).astype(np.float64) ** 2
    return np.asarray(logsumexp(exponent, axis=1)) - np.log(count)


ATTACK = Attack(
    name=NAME,
    holds="the release, and windows of a cohort of its own",
    source="van Breugel et al., DOMIAS, AISTATS 2023, arXiv 2302.12580",
    tells=(
        "Whether someone who has your recording can tell that it was used, because stimuli crowd "
        "around it more than people's windows in general do."
    ),
    run=run,
)
