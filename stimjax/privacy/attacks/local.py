"""Membership from how many stimuli lie in a ball around the window.

Source: Hilprecht, Härterich and Bernau, "Monte Carlo and reconstruction membership inference
attacks against generative models", PoPETs 2019(4), section 4: the share of stimuli nearer than a
radius, which is the median, over all windows that are asked about, of the distance to the nearest
stimulus. The local neighborhood attack of Houssiau et al., "TAPAS" (arXiv 2211.06550), and of Ward
et al., "Synth-MIA" (arXiv 2509.18014), is the same share for a radius that the attacker has to
name; with a radius from the data both are one score.

Threat model: the release alone. That distances are taken in a space that a cohort of the attacker's
own spans (`space.py`) is all that this adds.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from stimjax.privacy import space
from stimjax.privacy.findings import Attack, Finding, Scores, World, membership

NAME = "local"
ROWS = 1_000  # whose distances to all stimuli are taken at a time


def run(world: World) -> list[Finding]:
    """Findings on membership."""
    seen = space.surroundings(world)
    nearest = np.concatenate([side.release[:, 0] for side in (seen.members, seen.others)])
    radius, points = float(np.median(nearest)), seen.points
    scores = Scores(
        members=share(points.members, seen.members, points.release, radius=radius),
        others=share(points.others, seen.others, points.release, radius=radius),
    )
    return membership(NAME, scores, space.sample(world))


def share(
    windows: Float[np.ndarray, "n k"],
    near: space.Near,
    release: Float[np.ndarray, "stimuli k"],
    *,
    radius: float,
) -> Float[np.ndarray, " n"]:
    """The part of the stimuli that lie within `radius` of each window.

    Args:
        windows: points.
        near: what is around them, so that only where all that is known is inside the others count.
        release: points.
        radius: in units of the space.
    """
    count = (near.release <= radius).sum(axis=1)
    full = np.flatnonzero(count == near.release.shape[1])
    size = (release**2).sum(axis=1)
    for rows in np.split(full, range(ROWS, len(full), ROWS)):
        of = windows[rows]
        square = (of**2).sum(axis=1)[:, None] + size - 2 * of @ release.T
        # Squares are rough; those that are known are not counted again by them.
        count[rows] = np.maximum(count[rows], (square <= radius**2).sum(axis=1))
    return count / len(release)


ATTACK = Attack(
    name=NAME,
    holds="the release",
    source="Hilprecht et al., PoPETs 2019; Houssiau et al., TAPAS, arXiv 2211.06550",
    tells=(
        "Whether someone who has your recording and nothing but the release can tell that it was "
        "used, from how many stimuli lie close to it."
    ),
    run=run,
)
