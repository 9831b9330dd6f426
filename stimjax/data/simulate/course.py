"""How events come over a person's night."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Course:
    """Times in s. What is left out is as in a cohort.

    Attributes:
        longest: an event.
        spread: of the logarithm of an event's length.
        pause: the longest breathing between events that follow each other.
        jitter: share by which that varies.
        light, deep, dream: how prone to events the person is in N1, in N3 and in R, on the scale
            of the slow process by which events come in clusters, which has a variance of 1.
        supine_prone: the same, lying on the back.
        supine: share of postures that are on the back.
        cluster_seconds: how long a stretch with many or few events is.
        scatter: what of an event's happening is chance, on the same scale.
        aroused: share of events that end in an arousal.
        arousals: an hour, without an event.
        silent: share of events that hardly take oxygen.
        kicks: limb movements an hour of sleep, which come in series.
        dips: falls of saturation that nobody scored, an hour.
        sags: minutes of shallow breathing that nobody scored, an hour.
        sag: fall in % of such a sag.
    """

    longest: float = 60.0
    spread: float = 0.35
    pause: float = 22.0
    jitter: float = 0.4
    light: float = 0.5
    deep: float = -0.9
    dream: float = 0.5
    supine_prone: float = 0.7
    supine: float = 0.5
    cluster_seconds: float = 480.0
    scatter: float = 0.35
    aroused: float = 0.8
    arousals: float = 8.0
    silent: float = 0.0
    kicks: float = 0.0
    dips: float = 1.2
    sags: float = 0.0
    sag: float = 0.0

    @property
    def prone(self) -> tuple[float, ...]:
        """How prone to events each stage is."""
        return (0.0, self.light, 0.3, self.deep, self.dream)
