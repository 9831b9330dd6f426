"""Where two scorings of one night differ, by the second."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from stimjax.data.recording import Event
from stimjax.data.scoring.rules import APNEA_SECONDS, EPOCH, MINUTE

STAGES, BREATHING = "stages", "respiratory events"
# The group of a kind, by the first part of its name.
GROUPS = {
    "stage": STAGES,
    "apnea": BREATHING,
    "hypopnea": BREATHING,
    "minute": BREATHING,
    "arousal": "arousals",
    "desaturation": "desaturations",
    "lights": "lights",
}


def once(events: Sequence[Event], duration: float) -> tuple[list[Event], str]:
    """Events of one source without second stages of an epoch, and a note on these.

    Of two stages for the same time the first listed counts: a stage is left out where half of it
    or more has one already.

    Args:
        events: in the order of the file.
        duration: of the recording in s.
    """
    stages = [event for event in events if _is_stage(event)]
    until = _lasting(stages)
    taken = np.zeros(int(np.ceil(duration)) + 1, np.uint8)  # kind + 1, by the second
    kinds = {kind: number for number, kind in enumerate(sorted({e.kind for e in stages}), 1)}
    left_out: set[int] = set()
    seconds = differing = 0
    for event in stages:
        span = taken[_seconds(event, until, len(taken))]
        filled = int(np.count_nonzero(span))
        if len(span) and 2 * filled >= len(span):
            left_out.add(id(event))
            seconds += filled
            differing += filled - int(np.count_nonzero(span == kinds[event.kind]))
        else:
            span[span == 0] = kinds[event.kind]
    if not left_out:
        return list(events), ""
    note = (
        f"gives two stages for {_epochs(seconds)} epochs, of which {_epochs(differing)} differ; "
        "the first listed counts"
    )
    return [event for event in events if id(event) not in left_out], note


def difference(group: str, first: Sequence[Event], second: Sequence[Event], duration: float) -> str:
    """In what two sources of a group disagree, "" where they agree.

    Args:
        group: of all these events, see `GROUPS`.
        first: of the source that counts.
        second: of the other.
        duration: of the recording in s.
    """
    if group == STAGES:
        a, b = _hypnogram(first, duration), _hypnogram(second, duration)
        other = int(np.count_nonzero((a != b) & (a > 0) & (b > 0)))
        more = int(np.count_nonzero((a == 0) & (b > 0)))
        parts = [
            f"{_epochs(other)} epochs have another stage in it" if other else "",
            f"{_epochs(more)} epochs are scored in it alone" if more else "",
        ]
        return ", ".join(part for part in parts if part)
    if group == BREATHING:
        a, b = _breathing(first, duration), _breathing(second, duration)
        if minutes := int(np.count_nonzero(a != b)):
            return f"{len(first)} and {len(second)} events, {minutes} minutes differ"
    places = [Counter((event.kind, round(event.onset)) for event in one) for one in (first, second)]
    if places[0] != places[1]:
        rest = ((places[0] - places[1]) + (places[1] - places[0])).total()
        return f"{len(first)} and {len(second)} events, {rest} are in one of the two only"
    return ""


def _is_stage(event: Event) -> bool:
    return event.kind.startswith("stage.")


def _epochs(seconds: int) -> int:
    return max(round(seconds / EPOCH), 1) if seconds else 0


def _lasting(stages: Sequence[Event]) -> dict[float, float]:
    """When a stage without a duration ends, by its onset: at the next, or after an epoch."""
    if all(event.duration > 0 for event in stages):
        return {}
    onsets = sorted({event.onset for event in stages})
    ends = [*onsets[1:], onsets[-1] + EPOCH] if onsets else []
    return dict(zip(onsets, ends, strict=True))


def _seconds(event: Event, until: dict[float, float], length: int) -> slice:
    """The seconds of a recording that an event lasts."""
    end = (
        event.onset + event.duration if event.duration > 0 else until.get(event.onset, event.onset)
    )
    first, last = (min(max(round(time), 0), length) for time in (event.onset, end))
    return slice(first, max(first, last))


def _hypnogram(events: Sequence[Event], duration: float) -> np.ndarray:
    """The stage of each second as a number, 0 for none, u32[second]."""
    stages = [event for event in events if event.kind != "stage.unscored"]
    until = _lasting(events)
    given = np.zeros(int(np.ceil(duration)), np.uint32)
    for event in stages:
        # The same number for the same stage in two sources: its name's own bytes.
        given[_seconds(event, until, len(given))] = int.from_bytes(event.kind[-2:].encode())
    return given


def _breathing(events: Sequence[Event], duration: float) -> np.ndarray:
    """Whether each minute has 10 s of apneas and hypopneas, or is labelled so, bool[minute]."""
    minutes = int(np.ceil(duration / MINUTE))
    given = np.zeros(minutes * int(MINUTE), bool)
    labels = any(event.kind == "minute.normal" for event in events)
    for event in events:
        if event.kind != "minute.normal":
            span = given[_seconds(event, {}, len(given))]
            span[:] = True
    share = given.reshape(minutes, int(MINUTE)).sum(1)
    return share >= (MINUTE / 2 if labels else APNEA_SECONDS)
