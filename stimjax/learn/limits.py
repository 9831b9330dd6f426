"""The most that any attack can reach under a formal guarantee: what an epsilon means in use.

An attack asks whether one unit was among the private data. A mechanism's trade-off function gives,
for each rate of false alarms, the smallest rate of misses (Dong, Roth and Su, "Gaussian
differential privacy", JRSS-B 2022, arXiv 1905.02383). It bounds every attack, whatever else the
attacker knows. Here are those of two kinds of mechanisms:

- **Gaussian**: a mechanism that is mu-GDP is no easier to attack than telling N(0, 1) from N(mu, 1)
  (their section 2). Looks at all units with normal noise are exactly that, however many: mu^2 is
  the sum of theirs (section 3). Looks at units drawn at random are no Gaussian mechanism. A
  test computes their own limits from their privacy loss distribution: for the default settings and
  200 subjects these lie below those of the Gaussian mechanism of the same epsilon and delta. In
  general nothing says so.
- **any**: (epsilon, delta)-differential privacy, and nothing else known of the mechanism
  (section 2, after Wasserman and Zhou 2010, and Kairouz, Oh and Viswanath 2015).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

FALSE_ALARMS = 0.01  # of those who had no part
NORMAL = NormalDist()


class Limits(NamedTuple):
    """What the best attack reaches.

    Attributes:
        auc: area under its ROC curve; .5 is guessing.
        found: share of members that it finds at `FALSE_ALARMS`, which is that of guessing.
    """

    auc: float
    found: float


def gaussian(mu: float) -> Limits:
    """Of a mechanism that is mu-GDP."""
    found = _cdf(NORMAL.inv_cdf(FALSE_ALARMS) + mu)
    return Limits(_cdf(mu / math.sqrt(2)), found)


def general(epsilon: float, delta: float) -> Limits:
    """Of any mechanism that is (epsilon, delta)-differentially private."""
    rest, odds = 1 - delta, math.exp(-epsilon)
    auc = 1 - rest**2 * odds / (1 + odds)
    missed = max(0.0, rest - FALSE_ALARMS / odds if odds else 0.0, odds * (rest - FALSE_ALARMS))
    return Limits(auc, 1 - missed)


def mu_of(epsilon: float, delta: float) -> float:
    """The mu with which a Gaussian mechanism is exactly (epsilon, delta)-differentially private.

    By bisection of delta = Phi(mu / 2 - epsilon / mu) - exp(epsilon) Phi(-mu / 2 - epsilon / mu),
    which grows with mu (section 2; Balle and Wang, ICML 2018, Theorem 8).

    Args:
        epsilon: at least 0.
        delta: above 0 and below 1.
    """
    low, high = 0.0, 1.0
    while delta_of(epsilon, high) < delta:
        high *= 2
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if delta_of(epsilon, middle) < delta else (low, middle)
    return high


def delta_of(epsilon: float, mu: float) -> float:
    """The delta for which a mechanism that is mu-GDP has this epsilon."""
    far = epsilon / mu + mu / 2
    # exp(epsilon) times a tail, each of which may leave the range of numbers alone.
    second = math.exp(epsilon + _log_tail(far))
    return _cdf(mu - far) - second


def mu_of_looks(looks: Sequence[tuple[float, float, int]]) -> float | None:
    """The mu of looks with normal noise, of all of them together; None where it is not known.

    Args:
        looks: of each kind: noise, in units of the most that one unit can add; the probability with
            which a unit takes part; how many. Only where all units take part in all of them is the
            whole exactly Gaussian.
    """
    if not looks or any(sampling != 1 for _, sampling, _ in looks):
        return None
    return math.sqrt(sum(count / noise**2 for noise, _, count in looks))


def sentence(epsilon: float, delta: float) -> str:
    """What an epsilon means, in words: the same in every document."""
    best, whatever = gaussian(mu_of(epsilon, delta)), general(epsilon, delta)
    return (
        "No attack tells members from others with an area under the ROC curve above "
        f"{best.auc:.3f} (guessing: 0.500), or finds more than {_percent(best.found)} of them at "
        "1 % false alarms, if the whole is as hard to attack as the Gaussian mechanism of this "
        f"epsilon; by epsilon and delta alone the limits are {whatever.auc:.3f} and "
        f"{_percent(whatever.found)}."
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _cdf(x: float) -> float:
    return math.erfc(-x / math.sqrt(2)) / 2


def _log_tail(x: float) -> float:
    """Logarithm of the probability that a normal number is above x >= 0; where that is 0, a bound.

    The bound (Mills) is from above: the delta that follows is from below, by less than 1e-300.
    """
    tail = math.erfc(x / math.sqrt(2)) / 2
    return math.log(tail) if tail > 0 else -x * x / 2 - math.log(x * math.sqrt(2 * math.pi))
