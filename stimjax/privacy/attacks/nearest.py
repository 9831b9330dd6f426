"""Membership from the nearest stimulus, and copies.

Source: Chen, Yu, Zhang and Fritz, "GAN-Leaks", CCS 2020 (arXiv 1909.03935): a window that a release
lies close to is more likely a member's. What is close depends on the window: a quiet one has near
neighbors everywhere. They calibrate by a generator of other data; here a distance is measured
against its surroundings, twice: how much nearer the nearest stimulus is than the `AROUND - 1` that
follow it, and how much nearer the nearest window of the attacker's own cohort is than those that
follow. The score is the difference of the two, in logs. On noisy copies and on means of two real
windows it finds more than the distance or the ratio of the distances to release and cohort, and it
differs less between subjects, so that intervals are narrower. Where near-copies of one window come
by the dozen, none is alone, and `domias` finds more.

Copies are sought the other way, from each stimulus: the same score for the windows of members. It
is compared with that of windows of others, which nobody copied: a stimulus above all but 0.1 % of
these counts (a conformal test: of a release of further people's windows, 0.1 % do). The distance
alone would not do: stimuli may lie where windows are dense, near everybody's, or repeat what
everybody's windows are, such as a flat line. The interval is that of Clopper and Pearson; its lower
end is divided by how much more often than 0.1 % other people's windows may exceed the threshold.

Threat model: the release and a cohort of the attacker's own. For copies also the members' windows:
that is a check which the data holder can make, and no attacker.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy.stats import beta

from stimjax.privacy import space
from stimjax.privacy.findings import Attack, Finding, Scores, World, membership, share
from stimjax.students.intervals import LEVEL

NAME = "nearest"
AROUND = 10  # nearest points that are looked at
RATE = 0.001  # of windows of others that are called copies
PEOPLE = 20  # others, below whom the threshold for copies is called rough
MOST_MEMBERS = 100_000  # windows among which a copy is sought: one left out is not found


def run(world: World) -> list[Finding]:
    """Findings on membership, and on copies among the stimuli."""
    seen = space.surroundings(world)
    scores = Scores(score(seen.members), score(seen.others))
    return [*membership(NAME, scores, space.sample(world)), copies(world)]


def score(near: space.Near) -> Float[np.ndarray, " n"]:
    """How much each window has a stimulus of its own, more than it has one of the reference."""
    first, second = (
        space.nearest_margin(each[:, :AROUND]) for each in (near.release, near.reference)
    )
    return first - second


def copies(world: World) -> Finding:
    """The share of stimuli that lie nearer to a member's window than windows of others do."""
    world = space.sample(world)._replace(
        members=space.some(world.members, MOST_MEMBERS, world.seed)
    )
    points = space.points(world)
    normal = _nearness(points.others, points.members, points.reference)
    nearness = _nearness(points.release, points.members, points.reference)
    allowed = int(RATE * (len(normal) + 1))  # so many of the others may be nearer
    if allowed < 1:
        note = f"{len(normal)} windows of others are too few"
        return Finding(NAME, "copies", "stimulus", None, None, RATE, note)
    threshold = np.partition(normal, len(normal) - allowed)[len(normal) - allowed]
    value, (low, high) = share(int((nearness > threshold).sum()), len(nearness))
    # The threshold is one of few windows: further ones might exceed it so much more often.
    exceeded = float(beta.ppf((1 + LEVEL) / 2, allowed, len(normal) + 1 - allowed))
    people = len(np.unique(np.asarray(world.others.subject)))
    rough = f"what {people} people exceed is rough: others may without being copied"
    note = rough if people < PEOPLE else ""
    return Finding(NAME, "copies", "stimulus", value, (low * RATE / exceeded, high), RATE, note)


def _nearness(
    of: Float[np.ndarray, "n k"],
    near: Float[np.ndarray, "m k"],
    far: Float[np.ndarray, "l k"],
) -> Float[np.ndarray, " n"]:
    first, second = (
        space.nearest_margin(space.neighbors(of, among, AROUND)[0]) for among in (near, far)
    )
    return first - second


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
