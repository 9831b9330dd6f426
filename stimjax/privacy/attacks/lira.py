"""The likelihood-ratio attack: is what is seen of a window likelier with its subject or without?

Carlini, Chien, Nasr, Song, Terzis, Tramèr, "Membership inference attacks from first principles"
(S&P 2022, arXiv 2112.03570), online, on releases instead of models.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from stimjax.privacy.findings import Attack
from stimjax.privacy.shadow.signals import Observe, Signal, on_signals

MANY = 64  # shadows from which on every window has a variance of its own
LEAST = 0.05  # by which a member's signal is expected to be higher, in standard deviations
STRAY = 1e-3  # chance that a member's signal is like no shadow's, but higher
WIDE = 10.0  # how far such a signal strays, in standard deviations

SOURCE = "Carlini et al., S&P 2022 (arXiv 2112.03570)"
TELLS = {
    "lira": "How well somebody who compares the release with releases made with and without you "
    "tells that you took part, from networks trained on them and from how close stimuli come.",
    "lira_answers": "How well somebody who trains on the release, and on releases made with and "
    "without you, tells from the answers of the trained networks that you took part.",
    "lira_density": "How well somebody who compares the release with releases made with and "
    "without you tells from how close stimuli come to your recordings that you took part.",
}


def attacks(observe: Observe) -> list[Attack]:
    """The attack on all that is seen, `lira`, and on each part of it.

    `lira_answers` is on the answers of students, `lira_density` on closeness. The ratio of both
    together is the product of theirs, as if one said nothing of the other.
    """
    score = {
        "lira": lambda seen: ratio(seen.student) + ratio(seen.density),
        "lira_answers": lambda seen: ratio(seen.student),
        "lira_density": lambda seen: ratio(seen.density),
    }
    return on_signals(score, SOURCE, TELLS, observe)


def ratio(signal: Signal) -> Float[np.ndarray, " n"]:
    """The log likelihood ratio of membership, of each window.

    A Gaussian with, and one without. As the paper advises for few shadows, all windows have one
    variance (from `MANY` shadows on, each its own). That it is the same with and without, so
    that more of a signal is always likelier a member's, is ours, and so is what is done about
    differences of means that a few shadows tell only roughly: they are drawn toward their mean over
    all windows by as much as their scatter is noise (empirical Bayes; Morris, JASA 1983). Ours is
    also the chance that the release leaks in a way that no shadow release does, by copies for
    example: then a member's signal may be anywhere above.
    """
    inside, n = signal.inside, len(signal.target)
    often = np.maximum(inside.sum(axis=0), 1), np.maximum((~inside).sum(axis=0), 1)
    mean_in, mean_out = (
        np.where(mask, signal.shadows, 0).sum(axis=0) / count
        for mask, count in zip((inside, ~inside), often, strict=True)
    )
    beside = signal.shadows - np.where(inside, mean_in, mean_out)
    free = max(len(inside) - 2, 1)
    variance = (beside**2).sum(axis=0) / free + 1e-12
    if len(inside) < MANY:
        variance = np.full(n, variance.mean())
    difference, noise = mean_in - mean_out, variance * (1 / often[0] + 1 / often[1])
    common = difference.mean()
    scatter = max(difference.var() - noise.mean(), 0.0)
    difference = common + (difference - common) * scatter / (scatter + noise)
    difference = np.maximum(difference, LEAST * np.sqrt(variance))
    ratio = difference / variance * (signal.target - (mean_in + mean_out) / 2)
    above = np.maximum(signal.target - mean_out, 0) ** 2 / variance
    return np.logaddexp(ratio, np.log(STRAY / WIDE) + above / 2 * (1 - WIDE**-2))
