"""Distance to the closest record and ratio of nearest distances: sanity checks, and no audit.

Both are medians over stimuli and widely reported of synthetic data as privacy. They are here since
readers look for them, and since a value far below 1 is a fault. They cannot clear a release: Yao,
Krco, Ganev and de Montjoye, "The DCR Delusion: Measuring the Privacy Risk of Synthetic Data"
(arXiv 2505.01524), find membership attacks that succeed on releases which pass. A median does not
see copies of a few either; see `nearest.copies`. Hence they have no interval and no gate.

- `dcr`: the median distance from a stimulus to its nearest window of members over that to its
  nearest window of others, as `ratios.ratios` takes it.
- `nndr`: the median ratio of a stimulus's distances to its nearest and its second nearest window,
  of members over of others: below 1 where a stimulus has one single window in mind.

1 where members are as far as others. No threat model: the data holder alone can compute them.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from stimjax.privacy import ratios, space
from stimjax.privacy.findings import Attack, Finding, World

NAME = "dcr"
NOTE = "a sanity check only: releases that pass it can tell who took part (arXiv 2505.01524)"


def run(world: World) -> list[Finding]:
    """The two ratios, for stimuli."""
    dcr = ratios.ratios(world.release, world.members, world.others, world.seed)["from_stimuli"]
    return [
        Finding(NAME, metric, "stimulus", value, None, 1.0, NOTE)
        for metric, value in (("dcr", dcr), ("nndr", _nndr(world)))
    ]


def _nndr(world: World) -> float:
    size = min(ratios.MOST, len(world.members), len(world.others))
    some = space.sample(world, size)  # neither is nearer for being larger
    points = space.points(space.sample(world)._replace(members=some.members, others=some.others))
    return ratio(points.release, points.members) / ratio(points.release, points.others)


def ratio(of: Float[np.ndarray, "n k"], among: Float[np.ndarray, "m k"]) -> float:
    """The median, over `of`, of the distance to the nearest over that to the second nearest."""
    distance = space.neighbors(of, among, 2)[0] + space.FLOOR
    return float(np.median(distance[:, 0] / distance[:, -1]))


ATTACK = Attack(
    name=NAME,
    holds="everything: a sanity check of the data holder, and no attack",
    source="warned of by Yao et al., The DCR Delusion, arXiv 2505.01524",
    tells=(
        "Whether most stimuli lie nearer to participants than to other people; it cannot show that "
        "nobody can be found."
    ),
    run=run,
)
