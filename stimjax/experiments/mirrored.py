"""Audits of random draws of members, each beside its mirror, in which members and others swap.

A draw whose members happen to be easy or hard to label shows an attack too much or too little, and
its mirror shows the opposite by as much: the two are no independent draws. So the mean of a pair is
one number, and intervals are over pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from stimjax.disk.documents import Entry, Privacy
from stimjax.errors import StimjaxError
from stimjax.report.tables import over_repeats

# Metrics that begin so are areas and shares: from 0 to 1.
BOUNDED = ("auc", "tpr_at_fpr", "worst_subject", "told_apart", "top1")
TWO = (
    "Of two pairs the interval says next to nothing: with one degree of freedom it is the mean and "
    "12.7 standard errors on either side."
)
HEADER = ("attack", "metric", "of a", "pairs", "mean", "95 % of pairs", "highest end", "guessing")


class Mirrored(NamedTuple):
    """One number of an attack over pairs of audits.

    Attributes:
        entry: of the first audit.
        pairs: the mean of each pair.
        mean: of these.
        interval: of 95 % (Student's t over pairs), within what the metric can be; None with a
            single one.
        highest: upper end of the interval of any audit; of values, where there is none.
    """

    entry: Entry
    pairs: tuple[float, ...]
    mean: float
    interval: tuple[float, float] | None
    highest: float


def over_pairs(pairs: Sequence[tuple[Privacy, Privacy]]) -> list[Mirrored]:
    """What attacks find over `pairs` of a draw and its mirror; what all of these could try.

    Raises:
        StimjaxError: there is no pair.
    """
    if not pairs:
        raise StimjaxError("name the audits of a draw and of its mirror, one pair or more")
    found = [[{_named(e): e for e in audit.attacks} for audit in pair] for pair in pairs]
    rows = []
    for entry in pairs[0][0].attacks:
        there = [[audit.get(_named(entry)) for audit in pair] for pair in found]
        values = [[one.value for one in pair if one and one.value is not None] for pair in there]
        if any(len(pair) < 2 for pair in values):
            continue
        means = tuple(float(np.mean(pair)) for pair in values)
        mean, interval = over_repeats(means)
        ends = [one.ci[1] if one.ci else one.value for pair in there for one in pair if one]
        highest = max(end for end in ends if end is not None)
        if interval is not None and entry.metric.startswith(BOUNDED):
            interval = max(0.0, interval[0]), min(1.0, interval[1])
        rows.append(Mirrored(entry, means, mean or 0.0, interval, highest))
    return rows


def table(rows: Sequence[Mirrored]) -> str:
    """The rows as Markdown, and a line on their intervals if these are over two pairs."""
    lines = ["| " + " | ".join(HEADER) + " |", "|---" * len(HEADER) + "|"]
    for row in rows:
        entry = row.entry
        ends = "" if row.interval is None else f"{row.interval[0]:.3f} to {row.interval[1]:.3f}"
        each = ", ".join(f"{value:.3f}" for value in row.pairs)
        numbers = (each, f"{row.mean:.3f}", ends, f"{row.highest:.3f}", f"{entry.chance:.3g}")
        lines.append("| " + " | ".join((entry.attack, entry.metric, entry.level, *numbers)) + " |")
    if any(len(row.pairs) == 2 for row in rows):
        lines += ["", TWO]
    return "\n".join(lines)


def _named(entry: Entry) -> tuple[str, str, str]:
    return entry.attack, entry.metric, entry.level
