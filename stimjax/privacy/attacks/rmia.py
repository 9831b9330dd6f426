"""The relative attack: does the release make a window likelier than it makes other people's?

Zarifzadeh, Liu, Shokri, "Low-cost high-power membership inference attacks" (ICML 2024, arXiv
2312.03262), online, on releases instead of models.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.special import expit

from stimjax.privacy.findings import Attack
from stimjax.privacy.shadow.signals import Observe, Seen, Signal, on_signals

GAMMA = 1.0  # by how much a window has to beat another

SOURCE = "Zarifzadeh et al., ICML 2024 (arXiv 2312.03262)"
TELLS = {
    "rmia": "How well somebody tells that you took part because networks trained on the release "
    "are surer of your recordings, and stimuli come closer to them, compared with other people's.",
    "rmia_answers": "How well somebody tells that you took part because networks trained on the "
    "release are surer of your recordings, compared with other people's, than without you.",
    "rmia_density": "How well somebody tells that you took part because stimuli come closer to "
    "your recordings, compared with other people's, than they would without you.",
}


def attacks(observe: Observe) -> list[Attack]:
    """The attack on all that is seen, `rmia`, and on each part of it.

    `rmia_answers` is on the answers of students, `rmia_density` on closeness. The ratio of both
    together is the product of theirs, as if one said nothing of the other.
    """

    def answers(seen: Seen) -> Ratios:
        return ratios(seen.student, expit)

    def density(seen: Seen) -> Ratios:
        return ratios(seen.density, np.exp)

    score = {
        "rmia": lambda seen: share_beaten(answers(seen) * density(seen)),
        "rmia_answers": lambda seen: share_beaten(answers(seen)),
        "rmia_density": lambda seen: share_beaten(density(seen)),
    }
    return on_signals(score, SOURCE, TELLS, observe)


class Ratios(NamedTuple):
    """Likelihood ratios: of the windows, and of the population that they are compared with."""

    windows: Float[np.ndarray, " n"]
    population: Float[np.ndarray, " z"]

    def __mul__(self, other: Ratios) -> Ratios:
        return Ratios(self.windows * other.windows, self.population * other.population)


def ratios(signal: Signal, likelihood: Callable[[np.ndarray], np.ndarray]) -> Ratios:
    """Likelihoods under the release over the mean of those under releases with and without.

    Half each; the population is in none.

    Args:
        signal: of the windows and the population.
        likelihood: p, up to a factor, from a signal; rising.
    """
    p, inside = likelihood(signal.shadows), signal.inside
    means = [
        np.where(mask, p, 0).sum(axis=0) / np.maximum(mask.sum(axis=0), 1)
        for mask in (inside, ~inside)
    ]
    return Ratios(
        likelihood(signal.target) / (sum(means) / 2),
        likelihood(signal.population) / likelihood(signal.shadows_population).mean(axis=0),
    )


def share_beaten(ratio: Ratios) -> Float[np.ndarray, " n"]:
    """Part of the population whose likelihood ratio each window's is `GAMMA` times or more.

    Windows that beat as many are told apart by their ratio, so that a small population does not
    blunt the attack.
    """
    windows, others = ratio
    beaten = np.searchsorted(np.sort(others), windows / GAMMA, side="right")
    return (beaten + windows / (1 + windows)) / (len(others) + 1)
