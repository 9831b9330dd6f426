"""Where the scoring of an EDF recording is found."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Callable, Iterable
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
    path = edf.path
    # Names, not paths: every recording comes by here, and its folder may hold thousands.
    present = {name.lower(): name for name in sorted(os.listdir(path.parent))}  # noqa: PTH208
    xml, beside = (
        [path.with_name(present[name.lower()]) for name in names if name.lower() in present]
        for names in (_xml_names(path), _edf_names(path, present))
    )
    sources: list[Callable[[], list[Event]]] = [
        *(functools.partial(xml_scoring.read, file) for file in xml),
        *(functools.partial(_companion, file, edf, origin) for file in beside),
        functools.partial(_annotated, edf, origin),
    ]
    for source in sources:
        if found := source():
            return scoring.tidy(found)
    return ()


def _xml_names(path: Path) -> list[str]:
    """Names of scoring files of a recording, best first."""
    return [f"{path.stem}-nsrr.xml", f"{path.stem}-profusion.xml", f"{path.name}.xml"]


def _edf_names(path: Path, present: Iterable[str]) -> list[str]:
    """Names of EDF files with its scoring, best first; `present` are in its folder, lower case."""
    stem = path.stem.lower()
    bases = [stem, stem.removesuffix("-psg")] if stem.endswith("-psg") else [stem]
    wanted = [f"{base}{end}" for end in ("-hypnogram.edf", "_annotations.edf") for base in bases]
    if stem.endswith("-psg"):
        hypnograms = sorted(name for name in present if name.endswith("-hypnogram.edf"))
        wanted += [
            name for length in (7, 6) for name in hypnograms if name[:length] == stem[:length]
        ]
    return wanted


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
