"""One scoring of a night from all its sources.

What a source gives belongs to a group: stages; respiratory events, minute labels included;
arousals; desaturations; lights. Each group is taken from one source as a whole, the best that
gives it: so a hypnogram beside a recording does not hide the apneas inside it. Better is what
lies beside the recording, in the order of `sources.FORMS`, than what the file itself holds, where
a recorder's automatic scoring may remain; within a source it is the scorer listed first. Where two
sources of one group disagree, a note says which was taken and how much differs.
"""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from stimjax.data import recording
from stimjax.data.recording import Event, Header, Scored, Scoring, Source
from stimjax.data.scoring import clock, compare, scorers, vocabulary
from stimjax.data.scoring.rules import EPOCH, MINUTE, ROUNDING
from stimjax.data.scoring.understand import understood


def scored(
    header: Header, scorings: Sequence[Scoring], own: Mapping[str, str] = vocabulary.NO_WORDS
) -> Scored:
    """What is known of a night: each group of what was scored from one source.

    Args:
        header: of the recording.
        scorings: its sources, best first.
        own: a user's own words, see `vocabulary.kind`.

    Raises:
        StimjaxError: a source contradicts the recording.
    """
    taken: dict[str, tuple[str, list[Event]]] = {}  # by group: from where, and what
    sources: list[Source] = []
    ignored: Counter[str] = Counter()
    notes: list[str] = []
    for scoring in (part for whole in scorings for part in scorers.parts(whole, own)):
        shift, why = clock.shift(header, scoring)
        given, unknown, lengths = understood(scoring, shift, own)
        given, lost = on_axis(given, header.cuts)
        given, outside = _usable(header, scoring, given)
        ignored += unknown
        where = _where(scoring)
        said = (*scoring.notes, *lengths, *lost, *outside)
        notes += [f"{scoring.file.name}: {note}" for note in said]
        gives = []
        for group, part in _groups(given):
            if group not in taken:
                taken[group] = (where, part)
                gives.append(group)
                continue
            chosen, first = taken[group]
            if differing := compare.difference(group, first, part, header.duration):
                notes.append(f"{group}: {chosen} counts, {where} does not; {differing}")
        if gives:
            sources.append(Source(scoring.file.name, scoring.kind, tuple(gives), shift, why))
        if why and not shift:
            notes.append(f"{scoring.file.name}: {why}")
    events = [event for _, part in taken.values() for event in part]
    return Scored(tidy(events), tuple(sources), dict(ignored), tuple(dict.fromkeys(notes)))


def _where(scoring: Scoring) -> str:
    """A source for messages: its file, and the scorer if it has several."""
    scorer = next((remark.scorer for remark in scoring.remarks if remark.scorer), "")
    return f"{scoring.file.name} (scorer {scorer})" if scorer else scoring.file.name


def _usable(header: Header, scoring: Scoring, given: list[Event]) -> tuple[list[Event], list[str]]:
    """What counts of the events of one source, and notes.

    Left out are "Normal" remarks shorter than a minute, of a shared source what lies outside the
    recording, and second stages of an epoch.

    Raises:
        StimjaxError: nothing lies inside the recording.
    """
    given = [
        event
        for event in given
        if event.kind != "minute.normal" or event.duration >= MINUTE - ROUNDING
    ]
    if scoring.shared:
        return [event for event in given if clock.inside(event, header.duration)], []
    outside = clock.check(header, scoring, given)
    given, twice = compare.once(given, header.duration)
    return given, [note for note in (outside, twice) if note]


def _groups(events: Sequence[Event]) -> Iterator[tuple[str, list[Event]]]:
    """The events by group; stages that say nothing are no stages."""
    for name in dict.fromkeys(group(event.kind) for event in events):
        part = [event for event in events if group(event.kind) == name]
        if any(event.kind != "stage.unscored" for event in part):
            yield name, part


def on_axis(
    events: Sequence[Event], cuts: Sequence[tuple[float, float]]
) -> tuple[list[Event], list[str]]:
    """Events on a recording's own time axis, without those in what was cut out of it; notes."""
    if not cuts:
        return list(events), []
    placed = []
    for event in events:
        onset = recording.on_axis(cuts, event.onset)
        duration = recording.on_axis(cuts, event.onset + event.duration) - onset
        if duration > 0 or event.duration <= 0:
            placed.append(dataclasses.replace(event, onset=onset, duration=duration))
    lost = len(events) - len(placed)
    return placed, [f"{lost} scored events lie where nothing was recorded"] if lost else []


def group(kind: str) -> str:
    """What a source gives with an event of that kind."""
    return compare.GROUPS.get(kind.partition(".")[0], kind)


def tidy(events: Iterable[Event]) -> tuple[Event, ...]:
    """Events in order of onset, with what only the whole night tells filled in.

    - Where "Normal" minutes were scored, the plain "Apnea" events are scored minutes, too; a
      "Normal" shorter than a minute is a remark and left out.
    - A stage without a duration lasts until the next stage; the last one lasts an epoch.
    - Any other event without a duration is a moment: its duration is 0.
    """
    ordered = sorted(
        (
            event
            for event in events
            if event.kind != "minute.normal" or event.duration >= MINUTE - ROUNDING
        ),
        key=lambda event: (event.onset, event.kind),
    )
    if any(event.kind == "minute.normal" for event in ordered):
        ordered = [
            dataclasses.replace(event, kind="minute.apnea") if event.kind == "apnea" else event
            for event in ordered
        ]
    onsets = [event.onset for event in ordered if event.kind.startswith("stage.")]
    following = dict(zip(onsets, [*onsets[1:], math.inf], strict=False))
    tidied = []
    for event in ordered:
        duration = max(event.duration, 0.0)
        if duration == 0 and event.kind.startswith("stage."):
            until = following[event.onset]
            duration = until - event.onset if math.isfinite(until) else EPOCH
        tidied.append(dataclasses.replace(event, duration=duration))
    return tuple(tidied)
