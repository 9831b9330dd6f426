"""One scoring of a night from all its sources."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from stimjax.data.recording import Event, Header, Scored, Scoring, Source
from stimjax.data.scoring import clock, vocabulary
from stimjax.data.scoring.rules import EPOCH, MINUTE, ROUNDING
from stimjax.data.scoring.understand import understood

STAGES, BREATHING = "stages", "events"  # what a source can give


def scored(
    header: Header, scorings: Sequence[Scoring], own: Mapping[str, str] = vocabulary.NO_WORDS
) -> Scored:
    """What is known of a night: its stages from one source, its events from one.

    Of several sources that give the same, the first counts.

    Args:
        header: of the recording.
        scorings: its sources, best first.
        own: a user's own words, see `vocabulary.kind`.

    Raises:
        StimjaxError: a source contradicts the recording.
    """
    events: list[Event] = []
    sources: list[Source] = []
    ignored: Counter[str] = Counter()
    notes: list[str] = []
    for scoring in scorings:
        shift, why = clock.shift(header, scoring)
        given, unknown, lengths = understood(scoring, shift, own)
        ignored += unknown
        notes += [*scoring.notes, *lengths]
        for gives in (STAGES, BREATHING):
            part = [event for event in given if group(event.kind) == gives]
            if part and not any(source.gives == gives for source in sources):
                events += part
                sources.append(Source(scoring.file.name, scoring.kind, gives, shift, why))
    return Scored(tidy(events), tuple(sources), dict(ignored), tuple(notes))


def group(kind: str) -> str:
    """What a source gives with an event of that kind."""
    return STAGES if kind.startswith("stage.") else BREATHING


def tidy(events: Iterable[Event]) -> tuple[Event, ...]:
    """Events in order of onset, with what only the whole night tells filled in.

    - Where "Normal" minutes were scored, the plain "Apnea" events are scored minutes, too; a
      "Normal" shorter than a minute is a remark and left out.
    - A stage without a duration lasts until the next stage; the last one lasts an epoch.
    - Any other event without a duration is a moment: its duration is 0.
    """
    found = sorted(
        (
            event
            for event in events
            if event.kind != "minute.normal" or event.duration >= MINUTE - ROUNDING
        ),
        key=lambda event: (event.onset, event.kind),
    )
    if any(event.kind == "minute.normal" for event in found):
        found = [
            dataclasses.replace(event, kind="minute.apnea") if event.kind == "apnea" else event
            for event in found
        ]
    onsets = [event.onset for event in found if event.kind.startswith("stage.")]
    following = dict(zip(onsets, [*onsets[1:], math.inf], strict=False))
    tidied = []
    for event in found:
        duration = max(event.duration, 0.0)
        if duration == 0 and event.kind.startswith("stage."):
            until = following[event.onset]
            duration = until - event.onset if math.isfinite(until) else EPOCH
        tidied.append(dataclasses.replace(event, duration=duration))
    return tuple(tidied)
