"""The clock of a scoring, and that of its recording.

The rules, in their order:
1. A scoring without a start (a table, XML, a list) counts from the recording's first sample, or
   writes clock times; these are shifted by the recording's start.
2. A start that says nothing is a default: no time, or 00.00.00 on no or on a default date. The
   first of January of any year is a default date: de-identification and writers of EDF leave
   it. A scoring with a default start counts from the recording's first sample. Midnight of any
   other day is midnight.
3. Where both dates are real, date and time of both count: a scoring of another day is refused.
4. Else their times of day count, the nearer way round: at most 12 h.
5. What leaves nothing of a scoring inside the recording is refused.
"""

from __future__ import annotations

from collections.abc import Sequence

from stimjax.data.recording import Event, Header, Scoring, Start
from stimjax.data.times import DAY, Clock
from stimjax.errors import StimjaxError


def elapsed(time: Clock, header: Header) -> float:
    """How long after the recording's first sample a time of day is, in s.

    Without dates, the nearest to the middle of the recording.

    Raises:
        ValueError: the recording does not tell when it starts.
    """
    began = header.start
    if began.clock is None:
        raise ValueError("the recording does not tell at what time it starts")
    seconds = time.seconds - began.clock
    if time.day and began.day:
        return seconds + DAY * (time.day - began.day).days
    middle = header.duration / 2
    return (seconds - middle + DAY / 2) % DAY - DAY / 2 + middle


def shift(header: Header, scoring: Scoring) -> tuple[float, str]:
    """What to add to the onsets of a scoring in s, and why (see the rules above)."""
    own, began = scoring.start, header.start
    if own is None:
        return 0.0, ""
    if own.clock is None:
        return 0.0, "its start is a default: it counts from the recording's first sample"
    if began.clock is None:
        return 0.0, "the recording's start is a default: it counts from its first sample"
    seconds, by = own.clock - began.clock, "time of day"
    if own.day and began.day:
        seconds, by = seconds + DAY * (own.day - began.day).days, "date and time"
    else:
        seconds = (seconds + DAY / 2) % DAY - DAY / 2
    if not seconds:
        return 0.0, ""
    return seconds, f"by {by} it starts {written(own)}, the recording {written(began)}"


def check(header: Header, scoring: Scoring, events: Sequence[Event]) -> str:
    """What of a scoring lies outside its recording, as a note; "" for nothing.

    Args:
        header: of the recording.
        scoring: where the events come from.
        events: on the clock of the recording.

    Raises:
        StimjaxError: nothing of a scoring beside the recording lies inside.
    """
    outside = sum(not inside(event, header.duration) for event in events)
    if not outside:
        return ""
    part = "none" if outside == len(events) else str(len(events) - outside)
    counted = f"{part} of its {len(events)} events lie within the {header.duration:g} s"
    own = scoring.file.suffix.lower() in (".edf", ".rec", ".bdf", ".gz")  # what is inside it
    own = own and scoring.file.name.startswith(f"{header.name}.")
    if outside < len(events) or own:
        return f"{counted} of the recording"
    starts = ""
    if scoring.start and scoring.start.clock is not None:
        starts = f" (it starts {written(scoring.start)}, the recording {written(header.start)})"
    raise StimjaxError(
        f"{scoring.file}: {counted} of recording {header.name}{starts}; "
        "mend its start, or remove it if it belongs to another recording"
    )


def inside(event: Event, duration: float) -> bool:
    """Whether some of an event lies within a recording of `duration` s."""
    return event.onset < duration and (event.onset >= 0 or event.onset + event.duration > 0)


def written(start: Start | None) -> str:
    """A start for messages."""
    if start is None or start.clock is None:
        return "at no stated time"
    minutes, seconds = divmod(start.clock, 60)
    time = f"{int(minutes // 60):02}:{int(minutes % 60):02}:{seconds:02g}"
    return f"{start.day.isoformat()} {time}" if start.day else time
