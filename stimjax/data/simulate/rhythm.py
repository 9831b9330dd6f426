"""How a person's heart beats."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Rhythm:
    """Rates in beats a minute, times in s. What is left out is as in a cohort.

    Attributes:
        response: factor on all that events, arousals and movements do to the heart.
        surge_seconds: from the start of a surge to the fastest beats.
        surge_delay: from the arousal to the start of the surge.
        surge_most: a surge never exceeds.
        level: factor on the differences between stages.
        spread: factor on the variability that belongs to the stage.
        memory: time constant of that variability.
        trend: change from the first to the last second of the night.
        wander: standard deviation of a change over hours.
        fibrillation: coefficient of variation of the beats' intervals in atrial fibrillation, 0
            without.
        burden: share of the night in fibrillation.
        ectopics: premature beats an hour.
        pacemaker: the rate below which one takes over, 0 without.
        slowest: the heart beats no slower.
    """

    response: float = 1.0
    surge_seconds: float = 4.0
    surge_delay: float = 0.0
    surge_most: float = 25.0
    level: float = 1.0
    spread: float = 1.0
    memory: float = 12.0
    trend: float = 0.0
    wander: float = 0.0
    fibrillation: float = 0.0
    burden: float = 1.0
    ectopics: float = 0.0
    pacemaker: float = 0.0
    slowest: float = 35.0
