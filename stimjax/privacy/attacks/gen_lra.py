"""The generative likelihood ratio: are the stimuli nearby likelier if people are like you?

Source: Ward et al., "Privacy auditing synthetic data release through local likelihood attacks"
(Gen-LRA, arXiv 2508.21146). Of the stimuli nearest to a window the likelihood under a density of
the reference with the window added, over that under the density of the reference alone. Where a
generator over-fits, stimuli lie where a member's window makes them likelier and nobody else's does.

The density is a Gaussian kernel estimate with Silverman's bandwidth, as in the authors' code. Ours
is that covariance and bandwidth stay those of the reference when one window is added, so that the
ratio at a stimulus s is 1 + K(s, x) / sum K(s, r), up to a factor that all windows share.

Threat model: the release and windows of a cohort of the attacker's own.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from stimjax.privacy import kernels, space
from stimjax.privacy.findings import Attack, Finding, Scores, World, membership

NAME = "gen_lra"
REFERENCE = 5_000  # windows in the density, at most


def run(world: World) -> list[Finding]:
    """Findings on membership."""
    seen = space.surroundings(world)
    points = seen.points
    rows = np.random.default_rng(world.seed).permutation(len(points.reference))[:REFERENCE]
    reference = kernels.fit(points.reference[rows])
    stimuli = reference.bring(points.release)
    known = kernels.log_sum(reference, stimuli)
    scores = Scores(
        *(
            ratio(reference.bring(side), stimuli[near.which], known[near.which])
            for side, near in ((points.members, seen.members), (points.others, seen.others))
        )
    )
    return membership(NAME, scores, space.sample(world))


def ratio(
    windows: Float[np.ndarray, "n k"],
    stimuli: Float[np.ndarray, "n near k"],
    known: Float[np.ndarray, "n near"],
) -> Float[np.ndarray, " n"]:
    """The log likelihood ratio of each window's nearest stimuli, with it over without.

    Args:
        windows: where a kernel is a standard normal density, see `kernels.Kernels`.
        stimuli: the nearest to each, there.
        known: the log of the sum of the reference's kernels at them.
    """
    own = -((stimuli - windows[:, None]) ** 2).sum(axis=2) / 2
    return np.logaddexp(0.0, own - known).sum(axis=1)


ATTACK = Attack(
    name=NAME,
    holds="the release, and windows of a cohort of its own",
    source="Ward et al., Gen-LRA, 2025, arXiv 2508.21146",
    tells=(
        "Whether someone who has your recording can tell that it was used, because the stimuli "
        "near it would be unlikely if you were not among the participants."
    ),
    run=run,
)
