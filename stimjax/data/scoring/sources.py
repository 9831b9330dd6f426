"""Where the scoring of a recording is found."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from stimjax.data.edf import annotations
from stimjax.data.edf.layout import layout, patient_code, start
from stimjax.data.recording import Scoring
from stimjax.data.scoring import xml


def beside(path: Path) -> Iterator[Scoring]:
    """The scorings that lie beside a recording, best first.

    Names are compared without regard to case.

    1. `NAME-nsrr.xml`, 2. `NAME-profusion.xml`, 3. `NAME.edf.xml`,
    4. `NAME-Hypnogram.edf`, 5. `NAME_annotations.edf` (NAME without a final `-PSG`, too), and
       for Sleep-EDF's `SC4001E0-PSG.edf` the hypnogram whose first seven, else six, characters
       are the same (`SC4001EC-Hypnogram.edf`).

    Args:
        path: of the recording.

    Raises:
        StimjaxError: a scoring file is damaged.
    """
    # Names, not paths: every recording comes by here, and its folder may hold thousands.
    present = {name.lower(): name for name in sorted(os.listdir(path.parent))}  # noqa: PTH208
    readers: list[tuple[list[str], Callable[[Path], Scoring]]] = [
        (_xml_names(path), xml.read),
        (_edf_names(path, present), _edf),
    ]
    for names, read in readers:
        for name in names:
            if name.lower() in present:
                yield read(path.with_name(present[name.lower()]))


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


def _edf(path: Path) -> Scoring:
    with layout(path) as edf:
        held = annotations.read(edf)
        return Scoring(
            file=path,
            kind="EDF+ annotations",
            remarks=held.remarks,
            start=start(edf),
            patient=patient_code(edf),
            notes=held.notes,
        )
