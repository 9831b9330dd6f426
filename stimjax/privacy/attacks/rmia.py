"""The relative attack: does the release make a window likelier than it makes other people's?

Zarifzadeh, Liu, Shokri, "Low-cost high-power membership inference attacks" (ICML 2024, arXiv
2312.03262), online, on releases instead of models.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.special import expit

from stimjax.privacy.findings import Attack
from stimjax.privacy.shadow.signals import SIGNALS, Observe, Seen, Signal, on_signals

GAMMA = 1.0  # by how much a window has to beat another

SOURCE = "Zarifzadeh et al., ICML 2024 (arXiv 2312.03262)"
BESIDE_OTHERS = "How well somebody tells that you took part because "
TELLS = {
    "rmia": f"{BESIDE_OTHERS}the release knows your recordings better than other people's, by all "
    "that it shows.",
    "rmia_answers": f"{BESIDE_OTHERS}networks trained on the release are surer of your recordings, "
    "compared with other people's, than without you.",
    "rmia_density": f"{BESIDE_OTHERS}stimuli come closer to your recordings, compared with other "
    "people's, than they would without you.",
    "rmia_refit": f"{BESIDE_OTHERS}the statistics that stimuli were drawn from fit your "
    "recordings, compared with other people's, better than they would without you.",
    "rmia_labels": f"{BESIDE_OTHERS}the stimuli are labeled as by a network that knew you, more "
    "than as by one that knew other people.",
}
LIKELIHOOD = {
    "answers": expit,
    "density": np.exp,
    "refit": np.exp,
    "labels": np.exp,
}  # from a signal


def attacks(observe: Observe, signals: Sequence[str] = SIGNALS) -> list[Attack]:
    """The attack on all that is seen, `rmia`, and on each of `signals`, `rmia_refit` and so on.

    The ratio of all together is the product of theirs, as if one said nothing of another.
    """

    def every(seen: Seen) -> Float[np.ndarray, " n"]:
        each = [weighted(ratios(seen[name], LIKELIHOOD[name]), seen[name]) for name in signals]
        return share_beaten(functools.reduce(Ratios.__mul__, each))

    def one(name: str) -> Callable[[Seen], Float[np.ndarray, " n"]]:
        return lambda seen: share_beaten(ratios(seen[name], LIKELIHOOD[name]))

    score = {"rmia": every} | {f"rmia_{name}": one(name) for name in signals}
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


def weighted(ratio: Ratios, signal: Signal) -> Ratios:
    """What the windows' ratios count beside those of other signals."""
    return ratio._replace(windows=ratio.windows**signal.weight)


def share_beaten(ratio: Ratios) -> Float[np.ndarray, " n"]:
    """Part of the population whose likelihood ratio each window's is `GAMMA` times or more.

    Windows that beat as many are told apart by their ratio, so that a small population does not
    blunt the attack.
    """
    windows, others = ratio
    beaten = np.searchsorted(np.sort(others), windows / GAMMA, side="right")
    return (beaten + windows / (1 + windows)) / (len(others) + 1)
