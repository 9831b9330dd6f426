"""The likelihood-ratio attack: is what is seen of a window likelier with its subject or without?

Carlini, Chien, Nasr, Song, Terzis, Tramèr, "Membership inference attacks from first principles"
(S&P 2022, arXiv 2112.03570), online, on releases instead of models.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float
from scipy.optimize import root_scalar
from scipy.special import digamma, polygamma

from stimjax.privacy.findings import Attack
from stimjax.privacy.shadow.signals import SIGNALS, Observe, Seen, Signal, on_signals

LEAST_EXCESS = 1e-6  # scatter of log variances below which all are taken to be one
LEAST = 0.05  # by which a member's signal is expected to be higher, in standard deviations
STRAY = 1e-3  # chance that a member's signal is like no shadow's, but higher
WIDE = 10.0  # how far such a signal strays, in standard deviations

SOURCE = "Carlini et al., S&P 2022 (arXiv 2112.03570)"
WITH_AND_WITHOUT = "How well somebody who compares the release with releases made with and without "
TELLS = {
    "lira": f"{WITH_AND_WITHOUT}you tells that you took part, by all that the release shows.",
    "lira_answers": f"{WITH_AND_WITHOUT}you tells that you took part, from the answers of networks "
    "that are trained on it.",
    "lira_density": f"{WITH_AND_WITHOUT}you tells that you took part, from how close stimuli come "
    "to your recordings.",
    "lira_refit": f"{WITH_AND_WITHOUT}you tells that you took part, from the statistics that "
    "stimuli were drawn from, which can be measured on them.",
    "lira_labels": f"{WITH_AND_WITHOUT}you tells that you took part, from how the stimuli are "
    "labeled.",
}


def attacks(observe: Observe, signals: Sequence[str] = SIGNALS) -> list[Attack]:
    """The attack on all that is seen, `lira`, and on each of `signals`, `lira_refit` and so on.

    The ratio of all together is the product of theirs, as if one said nothing of another.
    """
    return on_signals(scores(signals), SOURCE, TELLS, observe)


def scores(signals: Sequence[str]) -> dict[str, Callable[[Seen], Float[np.ndarray, " n"]]]:
    """The log likelihood ratio of each window, by all and by each of `signals`, by attack."""

    def one(name: str) -> Callable[[Seen], Float[np.ndarray, " n"]]:
        return lambda seen: ratio(seen[name])

    return {"lira": together} | {f"lira_{name}": one(name) for name in signals}


def together(seen: Seen) -> Float[np.ndarray, " n"]:
    """The log likelihood ratio of membership by all that is seen of each window."""
    return np.sum([ratio(signal) * signal.weight for signal in seen.values()], axis=0)


def ratio(signal: Signal) -> Float[np.ndarray, " n"]:
    """The log likelihood ratio of membership, of each window.

    A Gaussian with, and one without. For few shadows the paper advises one variance for all
    windows; here each has its own, drawn toward that of all by as much as few shadows tell
    (`moderated`). That it is the same with and without, so that more of a signal is always likelier
    a member's, is ours, and so is what is done about differences of means that a few shadows tell
    only roughly: they are drawn toward their mean over all windows by as much as their scatter is
    noise (empirical Bayes; Morris, JASA 1983). Ours is also the chance that the release leaks in a
    way that no shadow release does, by copies for example: then a member's signal may be anywhere
    above.
    """
    inside = signal.inside
    often = np.maximum(inside.sum(axis=0), 1), np.maximum((~inside).sum(axis=0), 1)
    mean_in, mean_out = (
        np.where(mask, signal.shadows, 0).sum(axis=0) / count
        for mask, count in zip((inside, ~inside), often, strict=True)
    )
    beside = signal.shadows - np.where(inside, mean_in, mean_out)
    free = max(len(inside) - 2, 1)
    variance = moderated((beside**2).sum(axis=0) / free + 1e-12, free)
    difference, noise = mean_in - mean_out, variance * (1 / often[0] + 1 / often[1])
    common = difference.mean()
    scatter = max(difference.var() - noise.mean(), 0.0)
    difference = common + (difference - common) * scatter / (scatter + noise)
    difference = np.maximum(difference, LEAST * np.sqrt(variance))
    ratio = difference / variance * (signal.target - (mean_in + mean_out) / 2)
    above = np.maximum(signal.target - mean_out, 0) ** 2 / variance
    return np.logaddexp(ratio, np.log(STRAY / WIDE) + above / 2 * (1 - WIDE**-2))


def moderated(variance: Float[np.ndarray, " n"], free: int) -> Float[np.ndarray, " n"]:
    """Variances drawn toward a common one, by as much as their scatter is noise.

    Smyth, "Linear models and empirical Bayes methods for assessing differential expression", SAGMB
    3 (2004), section 6.2: true variances are a scaled inverse chi-square, whose scale and degrees
    of freedom follow from mean and variance of the logarithms.

    Args:
        variance: as estimated, above 0.
        free: degrees of freedom of each.
    """
    log = np.log(variance) - digamma(free / 2) + np.log(free / 2)
    excess = float(log.var() - polygamma(1, free / 2))
    if excess <= LEAST_EXCESS:  # they scatter as equal ones do
        return np.full(len(variance), np.exp(log.mean()))
    # The trigamma function falls from infinity to 0.
    half = root_scalar(lambda x: polygamma(1, x) - excess, bracket=(1e-8, 1e8)).root
    common = np.exp(log.mean() + digamma(half) - np.log(half))
    return (2 * half * common + free * variance) / (2 * half + free)
