"""The clock of a scoring, and that of its recording."""

from __future__ import annotations

from stimjax.data.recording import Header, Scoring

_DAY = 86400.0  # s


def shift(header: Header, scoring: Scoring) -> tuple[float, str]:
    """What to add to the onsets of a scoring in s, and why.

    Only the time of day is compared: dates are often removed from one of the two.
    """
    if scoring.start is None or scoring.start.clock is None or header.start.clock is None:
        return 0.0, ""
    seconds = scoring.start.clock - header.start.clock
    seconds = (seconds + _DAY / 2) % _DAY - _DAY / 2
    return seconds, "its start is another time of day" if seconds else ""
