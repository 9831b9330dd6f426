"""Recordings as windows like those of a release: to test on, or to use a model on.

A folder of them holds no parts of a split. Of a night that somebody scored, the labelled windows
are `test-NNNN.safetensors`; of one that nobody scored, all windows are `unscored-NNNN.safetensors`,
without `y`. Both say where each begins (`start`). `nights.csv` tells which recording NNNN is.
"""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from stimjax import config
from stimjax.data import like as likes
from stimjax.data import people, persons, preparation, reader, workers
from stimjax.data.like import NOT_SCORED, Like, Night
from stimjax.data.persons import Recordings
from stimjax.data.prepare import Note, Progress, headers, processes
from stimjax.data.summary import Summary
from stimjax.data.windows import BRIDGED, MASKED, OUTSIDE, Cut, said, scored_as
from stimjax.disk.documents import Cohort, Made, Part
from stimjax.disk.store import save_arrays
from stimjax.errors import StimjaxError
from stimjax.spec import save_spec

TEST, UNSCORED = "test", "unscored"  # what files begin with
TABLE = "nights.csv"
COLUMNS = ("number", "recording", "file", "subject", "windows", "left_out")
# Of settings that split windows, or that a folder of others has no use for.
NOT_SPLIT = ("split", "validation", "test", "test_subjects", "folds", "fold", "public")


@dataclasses.dataclass(frozen=True)
class Task:
    """A recording to cut: its number, that of its person, the folder to write into, and how."""

    path: Path
    folder: Path
    number: int
    subject: int
    like: Like
    words: Mapping[str, str]


class Kept(NamedTuple):
    """A recording whose windows lie on disk: in which file, and what is known of them."""

    part: str
    cut: Cut


def settings_of(settings: config.Prepare, like: Like) -> config.Prepare:
    """A user's settings with those of the windows that there are.

    Raises:
        StimjaxError: they contradict these, or are of a split.
    """
    default, plan = config.Prepare(), like.plan
    theirs = {
        "task": plan.task,
        "rate": plan.rate,
        "before": plan.before,
        "after": plan.after,
        "max_missing": like.max_missing,
    }
    for name, value in theirs.items():
        given = getattr(settings, name)
        if given not in (value, getattr(default, name)):
            raise StimjaxError(
                f"{_option(name)} {given}: the windows of --like have {value}; leave it out"
            )
    for name in NOT_SPLIT:
        if getattr(settings, name) != getattr(default, name):
            raise StimjaxError(f"{_option(name)}: with --like nothing is split; leave it out")
    return dataclasses.replace(settings, **theirs, channels=plan.wishes)


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def prepare(
    inputs: Sequence[Path],
    like: Like,
    settings: config.Prepare,
    folder: Path,
    *,
    note: Note = lambda line: None,
    progress: Progress = lambda done, total: None,
) -> None:
    """Fill `folder` with the windows of all recordings among `inputs`.

    Args:
        inputs: files or folders of recordings; one is enough.
        like: how they become windows.
        settings: from `settings_of`: whose recordings are, words of a scoring, what is left out.
        folder: an empty folder, from `store.new_folder`.
        note: told in a line what the user should know.
        progress: called with recordings done and in all.

    Raises:
        StimjaxError: a recording cannot be used (unless `settings.skip_bad`), or none can.
    """
    paths = reader.find(inputs)
    recordings = headers(paths, settings, note)
    attributed = persons.attribute(recordings, settings)
    for line in persons.notes(recordings, attributed, settings):
        note(line)
    numbers = persons.numbers(attributed)
    tasks = [
        Task(path, folder, number, subject, like, settings.events)
        for number, ((path, _), subject) in enumerate(zip(recordings, numbers, strict=True))
    ]
    kept = _cut_all(tasks, recordings, settings, note, progress)
    for line in _lines(kept, like):
        note(line)
    people.save(folder, zip(numbers, (header.person for _, header in recordings), strict=True))
    _save_table(folder, kept)
    made = Made(settings, _cohort(kept, like, skipped=len(paths) - len(kept)))
    save_spec(like.spec, folder, made, preparation.of(like.spec, like.max_missing))


def _cut_all(
    tasks: Sequence[Task],
    recordings: Recordings,
    settings: config.Prepare,
    note: Note,
    progress: Progress,
) -> list[tuple[Task, Kept]]:
    kept: list[tuple[Task, Kept]] = []
    twins: dict[bytes, Path] = {}
    many = processes([header for _, header in recordings], settings)
    with contextlib.closing(workers.in_order(_cut, tasks, many)) as results:
        for task, result in zip(tasks, results, strict=True):
            try:
                found = result()
                twin = twins.setdefault(found.cut.digest, task.path)
                if twin != task.path:
                    raise StimjaxError(
                        f"{task.path}: holds the same signals as {twin}; remove one of them"
                    )
            except workers.Lost:
                raise
            except StimjaxError as error:
                if not settings.skip_bad:
                    raise
                note(f"left out: {error}")
                for part in (TEST, UNSCORED):  # of a copy
                    _file(task, part).unlink(missing_ok=True)
            else:
                kept.append((task, found))
            progress(task.number + 1, len(tasks))
    if not kept:
        raise StimjaxError("not one recording can be used")
    return kept


def _file(task: Task, part: str) -> Path:
    return task.folder / f"{part}-{task.number:04d}.safetensors"


def _cut(task: Task) -> Kept:
    """Write the windows of one recording. It runs in workers: nothing brings jax."""
    night = likes.night(task.path, task.like, task.words)
    usable, scored = night.why == "", night.label != NOT_SCORED
    part = TEST if (usable & scored).any() else UNSCORED
    meant = scored if part == TEST else np.ones(len(scored), bool)
    keep = usable & meant
    label = night.label[keep]
    arrays = {
        "x": night.x[meant[usable]],
        "subject": np.full(len(label), task.subject, np.int32),
        "weight": np.ones(len(label), np.float32),
        "start": night.start[keep],
    }
    if part == TEST:
        arrays["y"] = np.eye(len(task.like.plan.classes), dtype=np.float32)[label]
    save_arrays(_file(task, part), arrays)
    return Kept(part, _as_cut(night, keep, meant))


def _as_cut(night: Night, keep: np.ndarray, meant: np.ndarray) -> Cut:
    """What is known of a night whose windows `keep` of those `meant` lie on disk."""
    conditioned, recording = night.conditioned, night.recording
    why = night.why[meant]
    return Cut(
        label=night.label[keep].astype(np.int8),
        sample=np.zeros((0, conditioned.x.shape[1]), np.float32),
        source=np.zeros(0, np.int32),
        masked=conditioned.counts,
        whole=conditioned.whole,
        digest=hashlib.sha256(conditioned.x.tobytes()).digest(),
        left_out={reason: int((why == reason).sum()) for reason in (OUTSIDE, MASKED, BRIDGED)},
        scoring=scored_as(recording),
        notes=(*recording.header.notes, *recording.scored.notes),
    )


def _lines(kept: Sequence[tuple[Task, Kept]], like: Like) -> list[str]:
    """What the user should know of all of them."""
    summary = Summary(like.max_missing)
    left_out: Counter[str] = Counter()
    bare = [found.cut for _, found in kept if found.part == UNSCORED]
    for _, found in kept:
        if found.part == TEST:
            summary.add(found.cut)
    lines = list(summary.lines(like.plan.task))
    if bare:
        for cut in bare:
            left_out.update(cut.left_out)
        windows, lost = sum(len(cut.label) for cut in bare), left_out.total()
        why = f"; {lost} more were left out: {said(left_out, like.max_missing)}" if lost else ""
        many = "1 recording" if len(bare) == 1 else f"{len(bare)} recordings"
        lines.append(f"not scored: {many}, with {windows} windows{why}")
        for text, count in Counter(text for cut in bare for text in cut.notes).most_common():
            lines.append(f"{text}{f' ({count} times)' if count > 1 else ''}")
    return lines


def _save_table(folder: Path, kept: Sequence[tuple[Task, Kept]]) -> None:
    """Write which number is which recording; it names files, as nothing else here does."""
    with (folder / TABLE).open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(COLUMNS)
        for task, (part, cut) in kept:
            windows, left_out = len(cut.label), sum(cut.left_out.values())
            name = _file(task, part).name
            table.writerow((task.number, task.path, name, task.subject, windows, left_out))


def _cohort(kept: Sequence[tuple[Task, Kept]], like: Like, *, skipped: int) -> Cohort:
    parts = {}
    for part in (TEST, UNSCORED):
        labels = [found.cut.label for _, found in kept if found.part == part]
        if labels:
            label = np.concatenate(labels)
            counts = np.bincount(label[label >= 0], minlength=len(like.plan.classes)).tolist()
            scored = dict(zip(like.plan.classes, counts, strict=True)) if part == TEST else {}
            subjects = {task.subject for task, found in kept if found.part == part}
            parts[part] = Part(len(label), scored, tuple(sorted(subjects)))
    masked: dict[str, Counter[str]] = {name: Counter() for name in like.plan.channels}
    for _, found in kept:
        for name, counts in found.cut.masked.items():
            masked[name].update(counts)
    return Cohort(
        recordings=len(kept),
        skipped=skipped,
        subjects=len({task.subject for task, _ in kept}),
        parts=parts,
        masked={name: dict(counts) for name, counts in masked.items()},
    )
