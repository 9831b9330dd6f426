"""A scored night as files: CSV for tables, JSON for programs, EDF+ annotations for viewers."""

from __future__ import annotations

import csv
import datetime
import math
import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyedflib

from stimjax.data.edf.writer import START
from stimjax.data.recording import Header, stem
from stimjax.disk.documents import NightFile, NightSummary
from stimjax.nights.night import NOT_SCORED, REASONS, ScoredNight

YEARS = range(1985, 2085)  # that an EDF file can say
LONGEST = 40  # characters of an annotation that pyedflib writes


def write_csv(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows of the same keys; None is an empty field."""
    rows = list(rows)
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, rows[0], lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


def minutes(night: ScoredNight) -> list[dict[str, Any]]:
    """A row for each minute: start and end in s, class and probabilities, what a scorer says."""
    rows = []
    for i, called in enumerate(night.called):
        scored, start = called != NOT_SCORED, float(night.start[i])
        p = {
            f"p_{name}": f"{night.probability[i, k]:.4f}" if scored else None
            for k, name in enumerate(night.classes)
        }
        rows.append(
            {
                "start_s": f"{start:g}",
                "end_s": f"{start + night.seconds:g}",
                "class": night.classes[called] if scored else None,
                **p,
                "not_scored": None if scored else str(night.why[i]),
                "not_covered": int(night.uncovered[i]) if scored else None,
                "scorer": _name(night, night.label[i]),
            }
        )
    return rows


def in_sum(night: NightSummary) -> dict[str, Any]:
    """A night as a row of `nights.csv`."""
    low, high = night.interval or (None, None)
    sleep = {"model": night.sleep_by_model, "scorer": night.sleep_by_scorer}
    row: dict[str, Any] = {
        "name": night.name,
        "recording": night.recording,
        "minutes": night.minutes,
        "scored": night.scored,
        **{f"not_scored_{why}": night.left_out.get(why, 0) for why in REASONS},
        "apnea_minutes_an_hour": _rounded(night.apnea_minutes_an_hour),
        "low": _rounded(low),
        "high": _rounded(high),
        "severity_by_minutes": night.severity,
        "outside": int(night.outside),
        "not_covered_share": _rounded(night.uncovered_share),
    }
    for by, found in sleep.items():
        row[f"sleep_min_by_{by}"] = _rounded(found.asleep if found else None)
        row[f"sleep_efficiency_by_{by}"] = _rounded(found.efficiency if found else None)
        for stage in ("W", "N1", "N2", "N3", "R"):
            row[f"{stage}_min_by_{by}"] = _rounded(found.stages[stage] if found else None)
    return row


def document(
    night: ScoredNight, summary: NightSummary, student: str, versions: Mapping[str, str]
) -> NightFile:
    """A night as its JSON."""
    usable = night.usable
    called = [_name(night, one) for one in night.called]
    return NightFile(
        student=student,
        classes=night.classes,
        seconds=night.seconds,
        start=tuple(night.start.tolist()),
        called=tuple(called),
        probability=tuple(
            tuple(round(float(p), 6) for p in row) if scored else None
            for row, scored in zip(night.probability, usable, strict=True)
        ),
        why=tuple(None if scored else str(w) for w, scored in zip(night.why, usable, strict=True)),
        scored=tuple(_name(night, one) for one in night.label),
        uncovered=tuple(
            bool(o) if scored else None for o, scored in zip(night.uncovered, usable, strict=True)
        ),
        summary=summary,
        versions=versions,
    )


def write_edf(path: Path, night: ScoredNight, student: str) -> None:
    """Write EDF+ with annotations alone: one for each minute, with class and probability.

    Its texts are none that stand for a person's scoring, so that nobody takes it for one.

    Raises:
        OSError: the file cannot be written.
    """
    notes = ("scored by no person", f"by stimjax {student}")
    said = [*((0.0, -1.0, text) for text in notes), *_annotations(night)]
    # Without signals there is a record of at most a minute for each annotation, and viewers drop
    # what lies behind the last one.
    length = min(max(night.seconds, night.recording.header.duration / len(said)), 60.0)
    lacking = math.ceil(night.recording.header.duration / length) - len(said)
    said += [(night.recording.header.duration, -1.0, "end of the recording")] * max(0, lacking)
    with pyedflib.EdfWriter(str(path), 0, file_type=pyedflib.FILETYPE_EDFPLUS) as file:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of rates, which no annotation has
            file.setDatarecordDuration(length)
        file.setStartdatetime(_began(night.recording.header))
        file.setEquipment("stimjax")
        for onset, seconds, text in said:
            if file.writeAnnotation(onset, seconds, text[:LONGEST]) < 0:
                raise OSError(f"{path.name} could not be written whole; is the disk full?")


def _annotations(night: ScoredNight) -> list[tuple[float, float, str]]:
    """Onset and duration in s, and text."""
    kind = "{} minute" if night.task == "apnea" else "stage {}"
    found = []
    for i, called in enumerate(night.called):
        if called == NOT_SCORED:
            text = f"not scored: {night.why[i]}"
        else:
            p = night.probability[i, called]
            text = f"{kind.format(night.classes[called])}, p {p:.2f}"
            text += ", not covered" if night.uncovered[i] else ""
        found.append((float(night.start[i]), night.seconds, text))
    return found


def _began(header: Header) -> datetime.datetime:
    """When a recording begins, as far as it is known, so that viewers lay both over each other."""
    day = header.start.day or START.date()
    if day.year not in YEARS:
        day = START.date()
    seconds = 0.0 if header.start.clock is None else header.start.clock
    return datetime.datetime.combine(day, datetime.time()) + datetime.timedelta(seconds=seconds)


def _name(night: ScoredNight, number: int | np.integer) -> str | None:
    return None if number == NOT_SCORED else night.classes[number]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def unique(paths: Sequence[Path], taken: Iterable[str]) -> list[str]:
    """A name for the files of each recording, that no other has, whatever the case of letters.

    Args:
        paths: of the recordings.
        taken: names that none may have.
    """
    used = {name.casefold() for name in taken}
    names = []
    for path in paths:
        name, number = stem(path), 1
        while name.casefold() in used:
            number += 1
            name = f"{stem(path)}-{number}"
        used.add(name.casefold())
        names.append(name)
    return names
