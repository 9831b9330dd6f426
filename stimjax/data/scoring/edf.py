"""Scoring in EDF+ files of its own: hypnograms, lists of annotations, a CPAP's events."""

from __future__ import annotations

import dataclasses
import datetime
import re
from collections.abc import Sequence
from pathlib import Path

from stimjax.data.edf import annotations
from stimjax.data.edf.layout import EdfHeader, layout, patient_code, start
from stimjax.data.recording import Header, Remark, Scoring
from stimjax.data.scoring import clock, vocabulary
from stimjax.data.scoring.understand import SHORTEST

_SLEEP_EDF = re.compile(r"(?:SC4|ST7)\d{3}[A-Z]\w-(?:PSG|Hypnogram)", re.IGNORECASE)
_CHECKSUM = re.compile(r"crc ?(16|32)?", re.IGNORECASE)
_RESMED = re.compile(r"(\d{8})_(\d{6})_(\w{3})\.edf", re.IGNORECASE)
_RESMED_EVENTS = ("eve", "csl")


def read(path: Path, header: Header) -> Scoring:
    """The annotations of an EDF+ file, whatever signals lie beside them.

    Raises:
        StimjaxError: the file is damaged.
    """
    with layout(path) as edf:
        held = annotations.read(edf)
    lacking = "has no list of annotations; export the scoring as EDF+"
    return Scoring(
        file=path,
        kind="EDF+ annotations",
        remarks=held.remarks,
        start=start(edf),
        patient="" if is_sleep_edf(path.stem) else patient_code(edf),
        notes=held.notes if edf.annotations else (*held.notes, lacking),
    )


def is_sleep_edf(stem: str) -> bool:
    """Whether a name has Sleep-EDF's form, SC4ssNEx-PSG or ST7ssNJx-Hypnogram."""
    return _SLEEP_EDF.fullmatch(stem) is not None


def only_scoring(edf: EdfHeader, dummies: int = 0) -> bool:
    """Whether a file holds annotations and no signal, but for checksums and some dummies."""
    signals = [signal for signal in edf.signals if not _CHECKSUM.fullmatch(signal.label.strip())]
    return bool(edf.annotations) and len(signals) <= dummies


def resmed(name: str) -> tuple[str, bool] | None:
    """The night that a ResMed card's file is of, and whether it holds events; None for others.

    A night ends at noon. `YYYYMMDD_HHMMSS_BRP.edf` (also PLD, SAD, SA2) has signals,
    `..._EVE.edf` events, `..._CSL.edf` Cheyne-Stokes respiration.
    """
    if match := _RESMED.fullmatch(name):
        try:
            when = datetime.datetime.strptime(match[1] + match[2], "%Y%m%d%H%M%S")
        except ValueError:
            return None
        night = (when - datetime.timedelta(hours=12)).date()
        return night.isoformat(), match[3].lower() in _RESMED_EVENTS
    return None


def together(path: Path, names: Sequence[str], header: Header) -> Scoring | None:
    """The events of a ResMed card that are of one night, as one scoring of one of its recordings.

    A night has a recording for each time that the mask was worn, and they share these events.
    The time of an apnea or hypopnea is its end, when the device knows its length; OSCAR's loader
    of these cards (`resmed_loader.cpp`: a Cheyne-Stokes span has the time of its end mark) and
    github.com/ilyakruchinin/SomnoTrace/issues/20 (traces of an AirSense 11) say so.

    Args:
        path: of the recording.
        names: of the files with events, in its folder.
        header: of the recording.

    Raises:
        StimjaxError: one of the files is damaged.
    """
    scorings = [read(path.with_name(name), header) for name in names]
    if not scorings:
        return None
    first = scorings[0]
    remarks = []
    for scoring in scorings:
        shift, _ = clock.shift(dataclasses.replace(header, start=first.start), scoring)
        remarks += [
            dataclasses.replace(remark, onset=remark.onset + shift - _before(remark))
            for remark in scoring.remarks
        ]
    notes = (
        f"the events of the night are in {', '.join(names)}",
        "the times of apneas and hypopneas are those of their ends, as such a device writes them",
    )
    return dataclasses.replace(
        first, kind="ResMed events", remarks=tuple(remarks), shared=True, notes=notes
    )


def _before(remark: Remark) -> float:
    """How long before its time a ResMed event begins, in s."""
    if vocabulary.kind(remark.text) not in vocabulary.BREATHING:
        return 0.0
    return remark.duration if remark.duration and remark.duration > 0 else SHORTEST
