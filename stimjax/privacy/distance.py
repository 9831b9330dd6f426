"""Membership from the nearest stimulus, and copies.

Source: Chen, Yu, Zhang and Fritz, "GAN-Leaks", CCS 2020 (arXiv 1909.03935): a window that a
release lies close to is more likely a member's. How close is near depends on the window: a quiet
one has near neighbors everywhere. As there, a distance is therefore measured against that which
the attacker finds without the release: the score is the log of the distance to the nearest window
of the attacker's cohort over that to the nearest stimulus. Uncalibrated distances mostly tell
quiet windows from others; they are not used.

Copies are sought the other way, from each stimulus. Its distance to the nearest member window,
again over that to the nearest window of the cohort, is compared with the same ratio of windows of
others, which nobody copied: a stimulus nearer than all but 0.1 % of these counts (a conformal
test: of a release from anywhere but the members, 0.1 % do). The ratio, since stimuli may lie where
windows are dense, near everybody's, or repeat what everybody's windows are, such as a flat line.

Threat model: the release and a cohort of the attacker's own. For copies also the members' windows:
that is a check which the data holder can make, and no attacker.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from stimjax.privacy import space
from stimjax.privacy.attack import Attack, Finding, Scores, World, membership, share

NAME = "nearest"
RATE = 0.001  # of windows of others that are called copies
MOST_MEMBERS = 100_000  # windows among which a copy is sought: one left out is not found


def run(world: World) -> list[Finding]:
    """Findings on membership, and on copies among the stimuli."""
    asked = space.sample(world)
    points = space.points(asked)
    scores = Scores(*(score(each, points) for each in (points.members, points.others)))
    return [*membership(NAME, scores, asked), copies(world)]


def score(windows: Float[np.ndarray, "n k"], points: space.Points) -> Float[np.ndarray, " n"]:
    """How much nearer each window is to the release than to the reference, as a log of ratios."""
    return _nearness(windows, points.reference, points.release)


def copies(world: World) -> Finding:
    """The share of stimuli that lie nearer to a member's window than windows of others do."""
    world = space.sample(world)._replace(
        members=space.some(world.members, MOST_MEMBERS, world.seed)
    )
    points = space.points(world)
    normal = _nearness(points.others, points.reference, points.members)
    found = _nearness(points.release, points.reference, points.members)
    allowed = int(RATE * (len(normal) + 1))  # so many of the others may be nearer
    if allowed < 1:
        note = f"{len(normal)} windows of others are too few"
        return Finding(NAME, "copies", "stimulus", None, None, RATE, note)
    threshold = np.partition(normal, len(normal) - allowed)[len(normal) - allowed]
    hits = int((found > threshold).sum())
    return Finding(NAME, "copies", "stimulus", *share(hits, len(found)), RATE)


def _nearness(
    of: Float[np.ndarray, "n k"],
    far: Float[np.ndarray, "m k"],
    near: Float[np.ndarray, "l k"],
) -> Float[np.ndarray, " n"]:
    """The log of the distance to the nearest of `far` over that to the nearest of `near`."""
    away, close = (space.neighbors(of, among)[0][:, 0] + space.FLOOR for among in (far, near))
    return np.log(away / close)


ATTACK = Attack(
    name=NAME,
    holds="the release, and windows of a cohort of its own",
    source="Chen et al., GAN-Leaks, CCS 2020, arXiv 1909.03935",
    tells=(
        "Whether someone who has your recording can tell, from how near it lies to the stimuli, "
        "that it was used; and whether stimuli are copies of what participants gave."
    ),
    run=run,
)
