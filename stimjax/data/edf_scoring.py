"""Where the scoring of an EDF recording is found."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from stimjax.data import scoring, xml_scoring
from stimjax.data.edf_layout import EdfLayout, layout, texts
from stimjax.data.recording import Event

_HALF_DAY = 43200.0  # s
_CLOCK = re.compile(r"\d\d\.\d\d\.\d\d")


def events(edf: EdfLayout, origin: float) -> tuple[Event, ...]:
    """The scored events of a recording, `scoring.tidy`.

    The first of these that exists and holds an event of the vocabulary counts, alone. What was
    put beside a recording comes first: in the file, a recorder's automatic scoring may remain.
    Names are compared without regard to case.

    1. `NAME-nsrr.xml`, 2. `NAME-profusion.xml`, 3. `NAME.edf.xml`,
    4. `NAME-Hypnogram.edf`, 5. `NAME_annotations.edf` (NAME without a final `-PSG`, too), and
       for Sleep-EDF's `SC4001E0-PSG.edf` the hypnogram whose first seven, else six, characters
       are the same (`SC4001EC-Hypnogram.edf`),
    6. the EDF+ annotations of the recording itself.

    Args:
        edf: the layout of the recording.
        origin: onset of its first data record, in s from its header's start time.

    Raises:
        StimjaxError: a scoring file is damaged.
    """
    sources: list[Callable[[], list[Event]]] = [
        *(lambda file=file: xml_scoring.read(file) for file in _beside(edf.path, _xml_names)),
        *(
            lambda file=file: _companion(file, edf, origin)
            for file in _beside(edf.path, _edf_names)
        ),
        lambda: _annotated(edf, origin),
    ]
    for source in sources:
        if found := source():
            return scoring.tidy(found)
    return ()


def _xml_names(path: Path, _: list[str]) -> list[str]:
    return [f"{path.stem}-nsrr.xml", f"{path.stem}-profusion.xml", f"{path.name}.xml"]


def _edf_names(path: Path, present: list[str]) -> list[str]:
    stem = path.stem.lower()
    bases = [stem, stem.removesuffix("-psg")] if stem.endswith("-psg") else [stem]
    wanted = [f"{base}{end}" for end in ("-hypnogram.edf", "_annotations.edf") for base in bases]
    if stem.endswith("-psg"):
        hypnograms = sorted(name for name in present if name.endswith("-hypnogram.edf"))
        wanted += [
            name for length in (7, 6) for name in hypnograms if name[:length] == stem[:length]
        ]
    return wanted


def _beside(path: Path, wanted: Callable[[Path, list[str]], list[str]]) -> list[Path]:
    """The files of the recording's folder that have one of the wanted names, best first."""
    present = {file.name.lower(): file for file in sorted(path.parent.iterdir())}
    return [
        present[name.lower()] for name in wanted(path, list(present)) if name.lower() in present
    ]


def _annotated(edf: EdfLayout, origin: float) -> list[Event]:
    kinds = ((scoring.kind(text), onset, length) for onset, length, text in texts(edf))
    return [Event(kind, onset - origin, length) for kind, onset, length in kinds if kind]


def _companion(path: Path, edf: EdfLayout, origin: float) -> list[Event]:
    """The events of an annotation file, on the clock of the recording.

    Only the time of day is compared: dates are often removed from one of the two.
    """
    other = layout(path)
    shift = 0.0
    if _CLOCK.fullmatch(other.clock) and _CLOCK.fullmatch(edf.clock):
        shift = _seconds(other.clock) - _seconds(edf.clock)
        shift = (shift + _HALF_DAY) % (2 * _HALF_DAY) - _HALF_DAY
    return _annotated(other, origin - shift)


def _seconds(clock: str) -> float:
    hours, minutes, seconds = (int(part) for part in clock.split("."))
    return 3600.0 * hours + 60.0 * minutes + seconds
