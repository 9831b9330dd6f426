"""What recordings hold, in readable lines and as an object: nothing in them is silent."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stimjax import config
from stimjax.command.table import aligned, lasting
from stimjax.data import persons, reader
from stimjax.data.recording import Header, Scored, SignalHeader, Source
from stimjax.errors import StimjaxError

LONGEST = 60  # characters of a text that is shown
SIGNAL = ("channel", "label in the file", "rate", "unit")


def one(path: Path) -> str:
    """Lines on one recording: its signals, person, scoring, and what was odd.

    Raises:
        StimjaxError: it is damaged, or its scoring contradicts it.
    """
    header, scored = reader.header(path), reader.scored(path)
    (person,) = persons.attribute([(path, header)], config.Prepare())
    return "\n".join(
        [
            f"recording {header.name}",
            f"subject   {person.subject} (by its {person.by})",
            f"duration  {lasting(header.duration)}{_beginning(header)}",
            "",
            *aligned(
                [("channel", "label in the file", "rate", "unit"), *map(_row, header.signals)]
            ),
            "",
            *_scoring(scored),
            *_section("notes", [(note,) for note in (*header.notes, *scored.notes)]),
        ]
    )


def several(folder: Path) -> str:
    """A line for each recording in a folder; from the headers alone, so that it is quick.

    Raises:
        StimjaxError: the folder holds no recording.
    """
    headers: dict[Path, Header | str] = {}
    for path in reader.find([folder]):
        try:
            headers[path] = reader.header(path)
        except StimjaxError as error:
            headers[path] = f"cannot be used: {error}"
    good = [(path, header) for path, header in headers.items() if isinstance(header, Header)]
    people = dict(
        zip([path for path, _ in good], persons.attribute(good, config.Prepare()), strict=True)
    )
    rows = [("recording", "subject", "by its", "duration", "channels")]
    for path, header in headers.items():
        if isinstance(header, str):
            rows.append((reader.name(path), "", "", "", header))
        else:
            person, length = people[path], lasting(header.duration)
            rows.append((header.name, person.subject, person.by, length, ", ".join(header.rates)))
    return "\n".join([f"{len(headers)} recordings", "", *aligned(rows)])


def as_object(path: Path) -> dict[str, Any]:
    """One recording as an object of JSON; of a folder, `recordings` lists all in it.

    A recording of a folder that cannot be used has `path` and `error` alone.

    Raises:
        StimjaxError: a recording is damaged, or the folder holds none.
    """
    if not path.is_dir():
        return _object(path)
    objects = []
    for file in reader.find([path]):
        try:
            objects.append(_object(file))
        except StimjaxError as error:
            objects.append({"path": str(file), "error": str(error)})
    return {"recordings": objects}


def _object(path: Path) -> dict[str, Any]:
    header, scored = reader.header(path), reader.scored(path)
    (person,) = persons.attribute([(path, header)], config.Prepare())
    return {
        "path": str(path),
        "subject": person.subject,
        "subject_from": person.by,
        "duration_seconds": header.duration,
        "signals": [dataclasses.asdict(signal) for signal in header.signals],
        "scoring": [
            {
                "file": source.file,
                "kind": source.kind,
                "gives": source.gives,
                "shift_seconds": source.shift,
                "why": source.why,
            }
            for source in scored.sources
        ],
        "events": dict(sorted(Counter(event.kind for event in scored.events).items())),
        "ignored": scored.ignored,
        "notes": [*header.notes, *scored.notes],
    }


def _row(signal: SignalHeader) -> tuple[str, ...]:
    return signal.name or "-", signal.label, f"{signal.rate:g} Hz", signal.unit or "-"


def _beginning(header: Header) -> str:
    day, clock = header.start.day, header.start.clock
    if clock is None:
        return "" if day is None else f", from {day}"
    minutes = int(clock // 60)
    return f", from {'' if day is None else f'{day} '}{minutes // 60:02d}:{minutes % 60:02d}"


def _scoring(scored: Scored) -> list[str]:
    kinds = Counter(event.kind for event in scored.events)
    ignored = sorted(scored.ignored.items(), key=lambda pair: (-pair[1], pair[0]))
    return [
        f"scored events: {len(scored.events) or 'none'}",
        *aligned([(f"  {kind}", str(count)) for kind, count in sorted(kinds.items())]),
        *_section("scoring from", [_source(source) for source in scored.sources]),
        *_section(
            "not understood, and left out",
            [(repr(text[:LONGEST]), str(count)) for text, count in ignored],
        ),
    ]


def _source(source: Source) -> tuple[str, ...]:
    shift = f"moved by {source.shift:+g} s: {source.why}" if source.shift else ""
    return ", ".join(source.gives), source.file, source.kind, shift


def _section(title: str, rows: Sequence[tuple[str, ...]]) -> list[str]:
    return ["", title, *(f"  {line}" for line in aligned(rows))] if rows else []
