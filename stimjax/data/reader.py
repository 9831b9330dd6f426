"""Recordings of any format that stimjax reads: find them, look at them, read them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

from stimjax.data import montage, wfdb
from stimjax.data.edf import recording as edf
from stimjax.data.recording import Header, Opened, Recording, Scored
from stimjax.data.scoring import combine, sources, vocabulary
from stimjax.data.secrets import Secret, content
from stimjax.errors import StimjaxError

HEADER = 256  # bytes at the start of a recording


class Format(NamedTuple):
    """All that a format has to say.

    Attributes:
        name: for messages.
        open: `open(path)`: a context in which a recording is open.
        secrets: `secrets(path)`: what its header tells of a person, but for the file's own name and
            first bytes.
    """

    name: str
    open: Callable[[Path], AbstractContextManager[Opened]]
    secrets: Callable[[Path], Iterable[Secret]]


_EDF = Format("EDF, EDF+, BDF, BDF+", edf.open_, edf.secrets)
# By the ending, in lower case, of the file that stands for a recording.
_FORMATS: dict[str, Format] = {
    ".edf": _EDF,
    ".rec": _EDF,
    ".bdf": _EDF,
    ".edf.gz": _EDF,
    ".rec.gz": _EDF,
    ".bdf.gz": _EDF,
    ".hea": Format("WFDB", wfdb.open_, wfdb.secrets),
}
_PREFERRED = ("er", "r", "")  # of Apnea-ECG's records of one subject: with respiration first


def find(paths: Iterable[Path | str]) -> list[Path]:
    """The recordings among files and in folders (searched through), sorted, each once.

    Left out are EDF files that hold annotations only (they are read with their recording), the
    summaries that devices write, a compressed file beside the same one decompressed, what begins
    with a dot, and in folders `.rec` files of other formats. Of the WFDB records `a01er`, `a01r`
    and `a01` in one folder, the first in that order is taken.

    Raises:
        StimjaxError: a path does not exist, a named file is of no format read here, or nothing
            is found.
    """
    paths = [Path(path) for path in paths]
    files: dict[Path, Path] = {}  # by what they really are: two paths may lead to one file
    for path in paths:
        if not path.exists():
            raise StimjaxError(f"{path}: no such file or folder; check the name")
        if not path.is_dir():
            _format(path)
        for file in _inside(path) if path.is_dir() else (path,):
            files.setdefault(file.resolve(), file)
    present = set(files.values())
    reasons = {file: _left_out(file) for file in sorted(present)}
    recordings = [file for file, no in reasons.items() if not no and _is_best(file, present)]
    if not recordings:
        where = ", ".join(map(str, paths)) or "no path"
        first = next((f" ({file.name} {no})" for file, no in reasons.items() if no), "")
        raise StimjaxError(
            f"{where}: holds no recording{first}; name files or folders of {_accepted()}"
        )
    return recordings


def name(path: Path) -> str:
    """A recording's file name without its ending.

    Raises:
        StimjaxError: its ending is unknown.
    """
    _format(path)
    return path.name[: -len(_ending(path))]


def header(path: Path, channels: Sequence[str] | None = None) -> Header:
    """What a recording holds, read without its samples.

    Args:
        path: a file of one of the endings that `_FORMATS` lists.
        channels: those that are asked for, see `montage.pick`: then `rates` and `notes` speak of
            these signals; None for what the rules take.

    Raises:
        StimjaxError: its ending is unknown, or the file is missing or damaged.
    """
    with _format(path).open(path) as night:
        return _header(night, channels)


def read(
    path: Path,
    channels: Sequence[str] | None = None,
    words: Mapping[str, str] = vocabulary.NO_WORDS,
) -> Recording:
    """Read a recording and its scoring.

    Args:
        path: a file of one of the endings that `_FORMATS` lists.
        channels: those to load, each a name, an alias, a label or NAME=PATTERN (`montage.pick`);
            None for all.
        words: a user's own words of a scoring, see `vocabulary.kind`.

    Raises:
        StimjaxError: its ending is unknown, a file is missing, damaged or truncated, or it does
            not have a wanted channel.
    """
    with _format(path).open(path) as night:
        signals = night.signals(channels)
        return Recording(_header(night, channels), signals, _scored(path, night, words))


def scored(path: Path, words: Mapping[str, str] = vocabulary.NO_WORDS) -> Scored:
    """What was scored in a recording, read without its samples.

    What was put beside a recording comes first: in the file, a recorder's automatic scoring may
    remain.

    Raises:
        StimjaxError: the recording or a scoring of it is damaged, or they contradict each other.
    """
    with _format(path).open(path) as night:
        return _scored(path, night, words)


def secrets(path: Path) -> Iterator[Secret]:
    """What a recording says of a person: the file's name and first bytes, and its header's fields.

    Raises:
        StimjaxError: its ending is unknown, or the file cannot be read.
    """
    own = _format(path).secrets
    yield Secret("recording name", name(path))
    yield Secret("file name", path.name)
    yield Secret("first bytes of a recording", content(path, HEADER))
    yield from own(path)


def _header(night: Opened, channels: Sequence[str] | None) -> Header:
    bare = night.header
    return dataclasses.replace(
        bare,
        rates=montage.rates(bare.signals, channels),
        notes=(*bare.notes, *montage.notes(bare.signals, channels)),
    )


def _scored(path: Path, night: Opened, words: Mapping[str, str]) -> Scored:
    result = combine.scored(
        night.header, [*sources.beside(path, night.header), *night.scorings()], words
    )
    if result.sources:
        return result
    return dataclasses.replace(result, notes=(*result.notes, *sources.near_misses(path)))


def _accepted() -> str:
    endings = {form: [e for e, of in _FORMATS.items() if of is form] for form in _FORMATS.values()}
    return " and ".join(f"{', '.join(of)} ({form.name})" for form, of in endings.items())


def _ending(path: Path) -> str:
    """The longest ending by which a format is known (`.edf`, `.edf.gz`), "" for none."""
    name = path.name.lower()
    endings = (ending for ending in _FORMATS if name.endswith(ending) and name != ending)
    return max(endings, key=len, default="")


def _format(path: Path) -> Format:
    if _ending(path) not in _FORMATS:
        raise StimjaxError(f"{path}: is of no format read here; accepted are {_accepted()}")
    return _FORMATS[_ending(path)]


def _inside(folder: Path) -> Iterator[Path]:
    """The files in a folder and its folders that may be recordings."""
    for file in folder.rglob("*"):
        hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
        if _ending(file) not in _FORMATS or hidden or not file.is_file():
            continue
        if not _ending(file).startswith(".rec") or edf.is_edf(file):  # others use `.rec`, too
            yield file


def _left_out(path: Path) -> str:
    """Why a file is no recording of a night, "" if it is one."""
    if _format(path) is not _EDF:
        return ""
    return edf.left_out(path) or (
        "is the scoring of a recording" if sources.is_scoring(path) else ""
    )


def _is_best(path: Path, files: set[Path]) -> bool:
    """Whether no other file stands for the same recording."""
    if _ending(path).endswith(".gz"):
        return path.with_suffix("") not in files
    if _ending(path) != ".hea":
        return True
    whose = wfdb.subject(path.stem)
    siblings = (path.with_name(f"{whose}{ending}{path.suffix}") for ending in _PREFERRED)
    return path == next((file for file in siblings if file in files), path)
