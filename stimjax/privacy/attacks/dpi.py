"""Membership from who surrounds a window: stimuli or people's windows?

Source: Ward, Wang and Cheng, "Data Plagiarism Index: characterizing the privacy risk of
data-copying in tabular generative models" (2024, arXiv 2406.13012): of the `AROUND` nearest points
among release and reference together, how many are of the release over how many are of the
reference. Here it is the part that is of the release, which puts windows in the same order and is
defined where there are none of the reference. As in the source a release of many times the
reference's size surrounds everybody, and a single copy is one neighbor only.

Threat model: the release and windows of a cohort of the attacker's own.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from stimjax.privacy import space
from stimjax.privacy.findings import Attack, Finding, Scores, World, membership

NAME = "dpi"
AROUND = 20  # as in the authors' code


def run(world: World) -> list[Finding]:
    """Findings on membership."""
    seen = space.surroundings(world)
    scores = Scores(members=score(seen.members), others=score(seen.others))
    return membership(NAME, scores, space.sample(world))


def score(near: space.Near) -> Float[np.ndarray, " n"]:
    """The part of each window's nearest points that are stimuli."""
    stimuli, windows = near.release[:, :AROUND], near.reference[:, :AROUND]
    order = np.argsort(np.concatenate([stimuli, windows], axis=1), axis=1, kind="stable")
    return (order[:, :AROUND] < stimuli.shape[1]).mean(axis=1)


ATTACK = Attack(
    name=NAME,
    holds="the release, and windows of a cohort of its own",
    source="Ward et al., Data Plagiarism Index, 2024, arXiv 2406.13012",
    tells=(
        "Whether someone who has your recording can tell that it was used, because it has more "
        "stimuli than other people's windows around it."
    ),
    run=run,
)
