"""Recordings of any format that stimjax reads: find them, look at them, read them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from stimjax.data import wfdb
from stimjax.data.edf import recording as edf
from stimjax.data.recording import Header, Recording, Scored, Scoring, Signal
from stimjax.data.scoring import combine, sources, vocabulary
from stimjax.data.secrets import Secret, content
from stimjax.errors import StimjaxError

HEADER = 256  # bytes at the start of a recording


class Format(NamedTuple):
    """All that a format has to say.

    Attributes:
        name: for messages.
        header: `header(path)`: what a recording holds, read without its samples.
        signals: `signals(path, channels)`: the channels of these names or aliases, None for all,
            by canonical name.
        scorings: `scorings(path)`: what the recording itself holds of a scoring.
        secrets: `secrets(path)`: what its header tells of a person, but for the file's own name and
            first bytes.
    """

    name: str
    header: Callable[[Path], Header]
    signals: Callable[[Path, Sequence[str] | None], dict[str, Signal]]
    scorings: Callable[[Path], list[Scoring]]
    secrets: Callable[[Path], Iterable[Secret]]


# By the ending of the file that stands for a recording.
_FORMATS: dict[str, Format] = {
    ".edf": Format("EDF, EDF+", edf.header, edf.signals, edf.scorings, edf.secrets),
    ".hea": Format("WFDB", wfdb.header, wfdb.signals, wfdb.scorings, wfdb.secrets),
}
_PREFERRED = ("er", "r", "")  # of Apnea-ECG's records of one subject: with respiration first


def find(paths: Iterable[Path | str]) -> list[Path]:
    """The recordings among files and in folders (searched through), sorted, each once.

    Left out are EDF files that hold annotations only (they are read with their recording) and,
    of the WFDB records `a01er`, `a01r` and `a01` in one folder, all but the first in that order.

    Raises:
        StimjaxError: a path does not exist, a named file is of no format read here, or nothing
            is found.
    """
    paths = [Path(path) for path in paths]
    files: dict[Path, Path] = {}  # by what they really are: two paths may lead to one file
    for path in paths:
        if path.is_dir():
            inside = (file for file in path.rglob("*") if file.suffix.lower() in _FORMATS)
            visible = (file for file in inside if not file.name.startswith("."))
        else:
            if not path.exists():
                raise StimjaxError(f"{path}: no such file or folder; check the name")
            _format(path)
            visible = (path,)
        for file in visible:
            files.setdefault(file.resolve(), file)
    present = set(files.values())
    found = [file for file in sorted(present) if not _is_scoring(file) and _is_best(file, present)]
    if not found:
        where = ", ".join(map(str, paths)) or "no path"
        raise StimjaxError(f"{where}: holds no recording; name files or folders of {_accepted()}")
    return found


def header(path: Path) -> Header:
    """What a recording holds, read without its samples.

    Raises:
        StimjaxError: its ending is unknown, or the file is missing or damaged.
    """
    return _format(path).header(path)


def read(
    path: Path,
    channels: Sequence[str] | None = None,
    words: Mapping[str, str] = vocabulary.NO_WORDS,
) -> Recording:
    """Read a recording and its scoring.

    Args:
        path: of a file of a format that is read here.
        channels: names or aliases (`channels.canonical`) of the channels to load; None for all.
        words: a user's own words of a scoring, see `vocabulary.kind`.

    Raises:
        StimjaxError: its ending is unknown, a file is missing, damaged or truncated, or it does
            not have a wanted channel.
    """
    return Recording(header(path), _format(path).signals(path, channels), scored(path, words))


def scored(path: Path, words: Mapping[str, str] = vocabulary.NO_WORDS) -> Scored:
    """What was scored in a recording, read without its samples.

    What was put beside a recording comes first: in the file, a recorder's automatic scoring may
    remain.

    Raises:
        StimjaxError: the recording or a scoring of it is damaged, or they contradict each other.
    """
    held = header(path)
    own = _format(path).scorings(path)
    result = combine.scored(held, [*sources.beside(path, held), *own], words)
    if result.sources:
        return result
    return dataclasses.replace(result, notes=(*result.notes, *sources.near_misses(path)))


def secrets(path: Path) -> Iterator[Secret]:
    """What a recording says of a person: the file's name and first bytes, and its header's fields.

    Raises:
        StimjaxError: its ending is unknown, or the file cannot be read.
    """
    own = _format(path).secrets
    yield Secret("recording name", path.stem)
    yield Secret("file name", path.name)
    yield Secret("first bytes of a recording", content(path, HEADER))
    yield from own(path)


def _accepted() -> str:
    return " and ".join(f"{ending} ({known.name})" for ending, known in _FORMATS.items())


def _format(path: Path) -> Format:
    if path.suffix.lower() not in _FORMATS:
        raise StimjaxError(f"{path}: is of no format read here; accepted are {_accepted()}")
    return _FORMATS[path.suffix.lower()]


def _is_scoring(path: Path) -> bool:
    return path.suffix.lower() == ".edf" and sources.is_scoring(path)


def _is_best(path: Path, files: set[Path]) -> bool:
    if path.suffix.lower() != ".hea":
        return True
    whose = wfdb.subject(path.stem)
    siblings = (path.with_name(f"{whose}{ending}{path.suffix}") for ending in _PREFERRED)
    return path == next((file for file in siblings if file in files), path)
