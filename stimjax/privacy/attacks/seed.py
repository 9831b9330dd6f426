"""Membership for somebody who has the seed: the statistics that a release was drawn from.

Whoever has the seed draws the same random numbers and subtracts them; what is left is what they
were put on, the source's statistics of the private windows (`tests/excite/test_secret.py` does it).
Here the attacker is granted the end of that: the statistics themselves, to the last digit. It needs
no stimulus, and asks how likely the source draws each window, as `refit` of `shadow.signals` does
of statistics that have to be measured on stimuli. Shadows are the same statistics of random halves
of all candidates, and the score is LiRA's ratio (Carlini et al., S&P 2022), a subject's the mean
over its windows. No network has to be trained and no release to be drawn for that.

The seed is not published, so that this is no attack that the public can make, and none of those
that the strongest is sought among: its metrics have names of their own. It is one attack of
somebody who has the seed, and no bound on all of them: that one has the stimuli too, and can try
all else that the audit tries. `refit` may find more windows than it.

Threat model: the seed, how the release was made, and windows of many people, among them all of whom
it asks.
"""

from __future__ import annotations

import functools

import numpy as np

from stimjax import batch
from stimjax.privacy.attacks import lira
from stimjax.privacy.findings import Attack, Finding, Scores, World, membership
from stimjax.privacy.headline import WITH_SEED
from stimjax.privacy.shadow import pipelines, signals
from stimjax.privacy.shadow.releases import Refit

NAME = "seed"


def attack(refit: Refit, count: int, gone: str = "") -> Attack:
    """The attack on the statistics of a source.

    Args:
        refit: measures them, and says how likely the source draws windows.
        count: of shadows; even, so that each subject is in half of them.
        gone: why nobody has the seed; then it is not tried, and its findings say so.
    """
    return Attack(
        name=NAME,
        holds="the seed of the release, which is private, and so the statistics that it was drawn "
        "from; how it was made; and windows of many people, among them all of whom it asks",
        source=f"{lira.SOURCE}; the recovery is ours",
        tells=(
            "How well somebody who got hold of the seed, which is kept private for that reason, "
            "tells that you took part."
        ),
        run=functools.partial(run, refit=refit, count=count) if not gone else lambda _: lost(gone),
    )


def run(world: World, refit: Refit, count: int) -> list[Finding]:
    """Findings on membership; the release of `world` is not looked at, but drawn from its members.

    Raises:
        StimjaxError: a subject is on both sides, or there are less than two of them.
    """
    candidates, population = signals.everybody(world)
    windows, unit = batch.concatenate([candidates, population]), signals.units(candidates)
    inside = pipelines.halves(count, int(unit.max()) + 1, world.seed)[:, unit]
    learned = [*(candidates[np.flatnonzero(row)] for row in inside), world.members]
    each = np.stack([refit(one)(windows) for one in learned])
    places, beyond = np.split(np.arange(len(windows)), [len(candidates)])
    score = lira.ratio(signals.compared(each, windows.label, inside, places, beyond))
    members = len(world.members)
    found = membership(NAME, Scores(score[:members], score[members:]), world)
    return [one._replace(metric=f"{one.metric}{WITH_SEED}") for one in found]


def lost(why: str) -> list[Finding]:
    """The findings where nobody has the seed: no values."""
    note = (
        f"what somebody with the seed could do was not tried: {why}. Whoever had it could subtract "
        "the noise from the stimuli, and look for people in the statistics that are left"
    )
    metric = f"auc{WITH_SEED}"
    return [Finding(NAME, metric, level, None, None, 0.5, note) for level in ("window", "subject")]
