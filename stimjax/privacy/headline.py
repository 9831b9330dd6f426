"""The largest number of an audit: what its strongest attack tells of who took part.

The strongest of many is above guessing by chance alone. So its interval is also given at the level
at which all of them together would be wrong in 5 % of audits (Bonferroni; attacks that see the same
are counted each, so that it is rather too wide).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from scipy.stats import norm

from stimjax.disk.documents import Entry
from stimjax.students.intervals import LEVEL

METRIC = "auc"
WITH_SEED = "_with_seed"  # ends the metrics of who has the seed too, which the public has not


class Headline(NamedTuple):
    """The strongest attack on membership.

    Attributes:
        strongest: its entry.
        tried: attacks that it is the strongest of.
        interval: of its value, allowing for so many.
    """

    strongest: Entry
    tried: int
    interval: tuple[float, float]

    def __str__(self) -> str:
        entry, (low, high) = self.strongest, self.interval
        return (
            f"{entry.attack} tells a {entry.level} that took part from others with an area of "
            f"{entry.value:.2f} (guessing: {entry.chance:g}), {low:.2f} to {high:.2f} as the "
            f"strongest of {self.tried} attacks"
        )


def headline(attacks: Sequence[Entry], level: str) -> Headline | None:
    """The strongest attack on membership of a window or a subject; None where none was tried."""
    there = [
        entry
        for entry in attacks
        if (entry.metric, entry.level) == (METRIC, level) and entry.value is not None
    ]
    if not there:
        return None
    strongest = max(there, key=lambda entry: entry.value or 0.0)
    return Headline(strongest, len(there), widened(strongest, len(there)))


def with_seed(attacks: Sequence[Entry]) -> str:
    """Why the seed is private: what somebody who had it would find; "" where that was not asked.

    It counts among no attacks of the headline: the public has no seed.
    """
    there = {entry.level: entry for entry in attacks if entry.metric == f"{METRIC}{WITH_SEED}"}
    found = [there[level] for level in ("subject", "window") if level in there]
    if not found:
        return ""
    if found[0].value is None:
        return f"{found[0].note[:1].upper()}{found[0].note[1:]}."
    areas = " and ".join(
        f"a {entry.level} that took part from others with an area of {entry.value:.2f}"
        for entry in found
        if entry.value is not None
    )
    return (
        "The seed is private because noise can be subtracted with it: somebody who had it too "
        f"would tell {areas} (guessing: {found[0].chance:g})."
    )


def widened(entry: Entry, tried: int) -> tuple[float, float]:
    """The interval of one of `tried` numbers that holds for all of them together, as if normal."""
    value = entry.value or 0.0
    low, high = entry.ci or (value, value)
    tail = (1 - LEVEL) / 2
    wider = float(norm.isf(tail / tried) / norm.isf(tail))
    return max(0.0, value - wider * (value - low)), min(1.0, value + wider * (high - value))
