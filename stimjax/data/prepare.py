"""From recordings to windows on disk, each recording in the memory of one process at a time.

A folder of windows holds `train-*.safetensors`, `validation-*.safetensors`,
`test-*.safetensors` and `spec.json`, which says what the numbers mean and how they were made;
`public-*.safetensors` where recordings are given that anybody may have.
Subjects are numbers there, and nothing else tells who they are; `people` keeps what headers say
of their sex and age.
"""

from __future__ import annotations

import contextlib
import multiprocessing
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from stimjax import config
from stimjax.data import people, persons, preparation, public, reader, windows, workers
from stimjax.data.channels import canonical
from stimjax.data.condition import kind_of
from stimjax.data.divide import divide
from stimjax.data.persons import Recordings
from stimjax.data.plan import plan
from stimjax.data.recording import Header
from stimjax.data.seen import Seen, sampled, windows_file
from stimjax.data.summary import Summary
from stimjax.data.windows import Cut, Task
from stimjax.disk.documents import Made, Part
from stimjax.errors import StimjaxError
from stimjax.machine import runtime
from stimjax.spec import Channel, Spec, save_spec

RANGE = (0.5, 99.5)  # percentiles of the training windows that bound what a stimulus may take
WORTH = 3e7  # samples in recordings for which a further worker is started: that takes a second

Note = Callable[[str], None]
Progress = Callable[[int, int], None]


def prepare(
    inputs: Sequence[Path],
    settings: config.Prepare,
    folder: Path,
    *,
    note: Note = lambda line: None,
    progress: Progress = lambda done, total: None,
) -> None:
    """Fill `folder` with the windows of all recordings among `inputs`.

    Args:
        inputs: files or folders of recordings.
        settings: task, channels, rate, context, split.
        folder: an empty folder, from `store.new_folder`.
        note: told in a line what the user should know: what was left out, or looks odd.
        progress: called with recordings done and in all.

    Raises:
        StimjaxError: a recording cannot be used (unless `settings.skip_bad`), or what they give
            together cannot be learned from: too few subjects, one class only.
    """
    paths = reader.find(inputs)
    recordings = headers(paths, settings, note)
    common = plan([header for _, header in recordings], settings)
    attributed = persons.attribute(recordings, settings)
    for line in persons.notes(recordings, attributed, settings):
        note(line)
    numbers = persons.numbers(attributed)
    tested = persons.named(recordings, attributed, settings.test_subjects)
    beside = _public(settings, recordings, note)
    seen = Seen(common, skipped=len(paths) - len(recordings))
    tasks = [
        Task(
            path=path,
            out=windows_file(folder, index),
            index=index,
            subject=number,
            plan=common,
            words=settings.events,
            max_missing=settings.max_missing,
            sampled=sampled(len(recordings)),
            traced=bool(beside),
        )
        for index, ((path, _), number) in enumerate(zip(recordings, numbers, strict=True))
    ]
    count = processes([header for _, header in recordings], settings)
    with contextlib.closing(workers.in_order(windows.cut, tasks, count)) as results:
        _gather(results, tasks, seen, settings, note, progress)
    seen.refuse_useless()
    if beside:
        _keep_public(beside, folder, seen, settings, note)
    names = {number: one.key for number, one in zip(numbers, attributed, strict=True)}
    parts = divide(folder, seen, tested, names, settings)
    _note_lacking(parts, note)
    people.save(folder, zip(numbers, (header.person for _, header in recordings), strict=True))
    spec = _spec(seen, independent=settings.independent)
    recipe = preparation.of(spec, settings.max_missing)
    save_spec(spec, folder, Made(settings, seen.cohort(parts)), recipe)


def _gather(
    results: Iterable[Callable[[], Cut]],
    tasks: Sequence[Task],
    seen: Seen,
    settings: config.Prepare,
    note: Note,
    progress: Progress,
) -> None:
    """Take note of each recording that was cut, in order; say what was left out, and all in sum."""
    summary = Summary(settings.max_missing)
    for task, result in zip(tasks, results, strict=True):
        try:
            cut = result()
            if not settings.independent:
                seen.refuse_twin(cut.digest, task.path)
        except workers.Lost:
            raise
        except StimjaxError as error:
            if not settings.skip_bad:
                raise
            note(f"left out: {error}")
            task.out.unlink(missing_ok=True)  # of a copy
            seen.skipped += 1
        else:
            if settings.independent:  # leaving the copy out would be a look at the other
                seen.refuse_twin(cut.digest, task.path)
            seen.add(task, cut)
            summary.add(cut)
        progress(task.index + 1, len(tasks))
    for line in summary.lines(settings.task):
        note(line)


def _public(settings: config.Prepare, private: Recordings, note: Note) -> Recordings:
    """The public recordings, which have no say in what becomes of the private ones.

    Raises:
        StimjaxError: one cannot be read, or is of a person of a private one.
    """
    if not settings.public:
        return []
    found = headers(reader.find(settings.public), settings, note)
    public.refuse_codes(private, found)
    return found


def _keep_public(
    recordings: Recordings, folder: Path, seen: Seen, settings: config.Prepare, note: Note
) -> None:
    """Write the nights of public recordings into `folder`; say in sum what they are."""
    tasks = [
        public.Task(path, public.file(folder, number), seen.plan, settings.events)
        for number, (path, _) in enumerate(recordings)
    ]
    count = processes([header for _, header in recordings], settings)
    skip = note if settings.skip_bad else None
    kept = public.keep(tasks, seen.used, count, skip)
    scored = sum(one.windows > 0 for one in kept)
    note(f"public recordings: {len(kept)}, of which {scored} are scored")


def processes(headers: Sequence[Header], settings: config.Prepare) -> int:
    """How many processes read recordings: as many as are wanted, or as pay for their start."""
    if multiprocessing.current_process().daemon:  # it may start none
        return 1
    if settings.workers:
        return min(settings.workers, len(headers))
    samples = sum(h.duration * sum(s.rate for s in h.signals) for h in headers)
    return max(1, min(runtime.cores(), len(headers), int(samples / WORTH)))


def _note_lacking(parts: Mapping[str, Part], note: Note) -> None:
    for part in ("validation", "test"):
        lacking = [name for name, count in parts[part].classes.items() if not count]
        if lacking:
            note(f"the {part} part has no window of the class {lacking[0]!r}")


def headers(paths: Sequence[Path], settings: config.Prepare, note: Note) -> Recordings:
    """The recordings of `paths` whose header can be read, each with that.

    Raises:
        StimjaxError: one cannot be read (unless `settings.skip_bad`: `note` is told), or none can.
    """
    found = []
    for path in paths:
        try:
            found.append((path, reader.header(path, settings.channels or None)))
        except StimjaxError as error:
            if not settings.skip_bad:
                raise
            note(f"left out: {error}")
    if not found:
        raise StimjaxError("not one recording can be read")
    return found


def _spec(seen: Seen, *, independent: bool) -> Spec:
    """The spec with each channel's range and resolution, from the training part.

    With `independent` the range is the channel's fixed one, and there is no resolution.
    """
    plan = seen.plan
    values = np.concatenate(list(seen.sample.values()))
    low, high = np.percentile(values, RANGE, axis=0)
    whole = np.all(list(seen.whole.values()), axis=0)
    channels = []
    for i, name in enumerate(plan.channels):
        kind = kind_of(name)
        fixed = kind.normalization == "fixed"
        step = 1 / kind.scale if fixed and whole[i] else 0.0
        unit = {"SpO2": "%"}.get(canonical(name) or name, "") if fixed else ""
        center, scale = (kind.center, kind.scale) if fixed else (0.0, 1.0)
        span = (float(low[i]), float(max(high[i], low[i] + 1e-3)))
        if independent:
            step, span = 0.0, kind.span
        channels.append(Channel(name, unit, kind.normalization, center, scale, *span, step))
    return Spec(
        shape=(plan.length, len(plan.channels)),
        classes=plan.classes,
        channels=tuple(channels),
        rate=plan.rate,
        label_start=plan.before,
        label_seconds=plan.label_seconds,
    )
