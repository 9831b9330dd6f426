"""What one strength of inhibition costs: no file of its own, but read from two.

`results.json` and `privacy.json` of a release that was inhibited so.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import NamedTuple

from stimjax.disk.documents.results import Interval


class Estimate(NamedTuple):
    """What an attack reaches, and its 95 % interval; None where there is none."""

    value: float
    interval: Interval | None


@dataclasses.dataclass(frozen=True)
class TradeoffPoint:
    """Students and attackers at one strength of inhibition.

    Attributes:
        strength: of inhibition, from 0 to 1.
        kappa: Cohen's kappa of each seed where it is defined, by student and what it learned from
            ("cnn on stimuli").
        attacks: what attacks reach, by attack, metric and level ("lira auc (window)").
    """

    strength: float
    kappa: Mapping[str, tuple[float, ...]]
    attacks: Mapping[str, Estimate]
