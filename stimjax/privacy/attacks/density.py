"""Membership from the release's density alone: is your window one as the release draws them?

Source: the density estimate of Houssiau et al., "TAPAS: a toolbox for adversarial privacy auditing
of synthetic data" (arXiv 2211.06550), as Ward et al., "Synth-MIA" (arXiv 2509.18014), have it: a
Gaussian kernel estimate of the release with Silverman's bandwidth, at each window. It is the
attack that knows least. What it finds says first how usual a window is, and of membership only what
is left beside that; `domias` and `gen_lra` allow for how usual it is by a cohort.

Threat model: the release alone. That windows are compared in a space that a cohort of the
attacker's own spans (`space.py`) is all that this adds.
"""

from __future__ import annotations

from stimjax.privacy import kernels, space
from stimjax.privacy.findings import Attack, Finding, Scores, World, membership

NAME = "density"


def run(world: World) -> list[Finding]:
    """Findings on membership."""
    points = space.surroundings(world).points
    release = kernels.fit(points.release)
    scores = Scores(
        *(kernels.log_sum(release, release.bring(side)) for side in (points.members, points.others))
    )
    return membership(NAME, scores, space.sample(world))


ATTACK = Attack(
    name=NAME,
    holds="the release",
    source="Houssiau et al., TAPAS, arXiv 2211.06550; Ward et al., Synth-MIA, arXiv 2509.18014",
    tells=(
        "Whether someone who has your recording and nothing but the release can tell that it was "
        "used, because stimuli are dense where it lies."
    ),
    run=run,
)
