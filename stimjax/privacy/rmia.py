"""The relative attack: does the release make a window likelier than it makes other people's?

Zarifzadeh, Liu, Shokri, "Low-cost high-power membership inference attacks" (ICML 2024, arXiv
2312.03262), online, on releases instead of models.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float
from scipy.special import expit

from stimjax.privacy.attack import Attack
from stimjax.privacy.shadows import Observe, Signal, on_signals

GAMMA = 1.0  # by how much a window has to beat another

SOURCE = "Zarifzadeh et al., ICML 2024 (arXiv 2312.03262)"
TELLS = {
    "student": "How well somebody tells that you took part because networks trained on the release "
    "are surer of your recordings, compared with other people's, than they would be without you.",
    "density": "How well somebody tells that you took part because stimuli come closer to your "
    "recordings, compared with other people's, than they would without you.",
}


def attacks(observe: Observe) -> list[Attack]:
    """The attack on the answers of students, `rmia`, and on closeness, `rmia_density`."""
    score = {
        "student": lambda signal: share_beaten(signal, expit),
        "density": lambda signal: share_beaten(signal, np.exp),
    }
    return on_signals("rmia", SOURCE, TELLS, score, observe)


def share_beaten(
    signal: Signal, likelihood: Callable[[np.ndarray], np.ndarray]
) -> Float[np.ndarray, " n"]:
    """Part of the population whose likelihood ratio each window's is `GAMMA` times or more.

    The ratio is of the likelihood under the release to the mean likelihood under releases with and
    without the window (half each; the population is in none). Windows that beat as many are told
    apart by their ratio, so that a small population does not blunt the attack.

    Args:
        signal: of the windows and the population.
        likelihood: p, up to a factor, from a signal; rising.
    """
    p, inside = likelihood(signal.shadows), signal.inside
    means = [
        np.where(mask, p, 0).sum(axis=0) / np.maximum(mask.sum(axis=0), 1)
        for mask in (inside, ~inside)
    ]
    ratio = likelihood(signal.target) / (sum(means) / 2)
    others = likelihood(signal.population) / likelihood(signal.shadows_population).mean(axis=0)
    beaten = np.searchsorted(np.sort(others), ratio / GAMMA, side="right")
    return (beaten + ratio / (1 + ratio)) / (len(others) + 1)
