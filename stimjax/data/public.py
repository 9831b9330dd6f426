"""Recordings that anybody may have, beside the private ones: whole nights in the folder of windows.

They change nothing of the private windows. What is refused is a recording that is no other than a
private one: by its signals (`alike`), whatever its name, and by the patient's code.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from stimjax.data import alike, persons, reader, whole, workers
from stimjax.data.condition import Conditioned, condition
from stimjax.data.persons import Recordings
from stimjax.data.plan import Plan
from stimjax.data.scoring.vocabulary import NO_WORDS
from stimjax.data.whole import NONE, Night
from stimjax.disk.documents import PublicRecording
from stimjax.disk.store import load_arrays, save_arrays
from stimjax.errors import StimjaxError

NAME = "public"  # what their files in a folder begin with
REMEDY = "which is private; what anybody may have has to be of others: leave it out of --public"


@dataclasses.dataclass(frozen=True)
class Recorded:
    """A night that anybody may have. Two are the same if all that is said of them is.

    Attributes:
        about: what tells it from others.
        night: its values, and where windows may begin.
    """

    about: PublicRecording
    night: Night = dataclasses.field(compare=False, repr=False)


@dataclasses.dataclass(frozen=True)
class Task:
    """A recording to read: its path, the file for its night, and how, see `night`."""

    path: Path
    out: Path
    plan: Plan
    words: Mapping[str, str]


class Private(NamedTuple):
    """What is known of a private recording: its digest, and its course (`alike.trace`)."""

    path: Path
    digest: bytes
    trace: Float[np.ndarray, "s channel"]


class Read(NamedTuple):
    """What is known of a recording whose night lies on disk."""

    about: PublicRecording
    trace: Float[np.ndarray, "s channel"]


def night(path: Path, plan: Plan, words: Mapping[str, str] = NO_WORDS) -> Night:
    """A recording as private ones are read, conditioned, and kept whole.

    Args:
        path: of the recording.
        plan: of the private windows.
        words: a user's own words of a scoring, see `vocabulary.kind`.

    Raises:
        StimjaxError: it cannot be read, lacks a channel, or no window can begin in it.
    """
    return _opened(path, plan, words)[0]


def _opened(path: Path, plan: Plan, words: Mapping[str, str]) -> tuple[Night, Conditioned]:
    recording = reader.read(path, plan.wishes, words)
    conditioned = condition(recording, plan.channels, plan.rate)
    made = whole.night(recording, conditioned, plan)
    if (made.carrier == NONE).all():
        raise StimjaxError(
            f"{path}: no window can begin in it, for it is too short, or too much of it is "
            "missing; leave it out"
        )
    return made, conditioned


def refuse_codes(private: Recordings, public: Recordings) -> None:
    """Refuse a public recording of a person who has a private one, by the codes in headers.

    Raises:
        StimjaxError: two have the same code, which names somebody.
    """
    owners = dict(zip(persons.codes_of(private), private, strict=True))
    for code, (path, _) in zip(persons.codes_of(public), public, strict=True):
        if code and code in owners:
            raise StimjaxError(f"{path}: has the patient code of {owners[code][0]}, {REMEDY}")


def keep(
    tasks: Sequence[Task],
    private: Sequence[Private],
    many: int,
    skip: Callable[[str], None] | None = None,
) -> list[PublicRecording]:
    """Write the night of each recording to its file; what is known of them.

    Args:
        tasks: the recordings.
        private: with which none may share signals.
        many: processes that read them.
        skip: told of each that cannot be read, which is left out; None refuses it.

    Raises:
        StimjaxError: one cannot be read (`night`), or shares signals with a private one.
    """
    courses = [alike.Course(one.trace) for one in private]
    kept = []
    with contextlib.closing(workers.in_order(_read, tasks, many)) as results:
        for task, result in zip(tasks, results, strict=True):
            try:
                found = result()
            except workers.Lost:
                raise
            except StimjaxError as error:
                if skip is None:
                    raise
                skip(f"left out: {error}")
                continue
            _refuse_shared(task.path, found, private, courses)
            kept.append(found.about)
    return kept


def _refuse_shared(
    path: Path, found: Read, private: Sequence[Private], courses: Sequence[alike.Course]
) -> None:
    """Refuse a recording that has signals of a private one, whose courses stand in its order."""
    course, digest = alike.Course(found.trace), bytes.fromhex(found.about.sha256)
    for one, other in zip(private, courses, strict=True):
        if digest == one.digest:
            raise StimjaxError(f"{path}: holds the same signals as {one.path}, {REMEDY}")
        if course.likeness(other) > alike.BOUND:
            raise StimjaxError(f"{path}: shares a piece of a night with {one.path}, {REMEDY}")


def _read(task: Task) -> Read:
    made, conditioned = _opened(task.path, task.plan, task.words)
    save_arrays(task.out, made._asdict())
    return Read(made.about, alike.trace(conditioned, task.plan.rate))


def file(folder: Path, number: int) -> Path:
    """Where the night of this number lies in a folder."""
    return folder / f"{NAME}-{number:04d}.safetensors"


def files(folder: Path) -> list[Path]:
    """Those that hold nights in a folder, in order; none where there are none."""
    return sorted(folder.glob(f"{NAME}-*.safetensors"))


def save(nights: Sequence[Recorded], folder: Path) -> None:
    """Write nights into a folder, for `load`."""
    for number, one in enumerate(nights):
        save_arrays(file(folder, number), one.night._asdict())


def load(folder: Path) -> tuple[Recorded, ...]:
    """The nights in a folder, in order; none where there are none.

    Raises:
        StimjaxError: a file is damaged.
    """
    nights = []
    for path in files(folder):
        arrays = load_arrays(path)
        if set(arrays) != set(Night._fields):
            raise StimjaxError(f"{path}: is damaged (it has to hold {', '.join(Night._fields)})")
        nights.append(Night(**arrays))
    return tuple(Recorded(one.about, one) for one in nights)
