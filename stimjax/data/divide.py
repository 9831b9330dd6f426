"""Which part of the split each recording's windows go into, and what the parts hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from stimjax import config
from stimjax.data import split
from stimjax.data.seen import Seen, windows_file
from stimjax.data.split import PARTS
from stimjax.disk.documents import Part
from stimjax.disk.store import load_arrays, save_arrays
from stimjax.errors import StimjaxError


def divide(
    folder: Path,
    seen: Seen,
    named: set[int],
    names: dict[int, str],
    settings: config.Prepare,
) -> dict[str, Part]:
    """Give each recording's file, or its windows, to the parts; count what each part has.

    Args:
        folder: with a `recording-*` file of each recording that was seen.
        seen: the recordings; of their samples and resolutions only the training part's are kept.
        named: numbers of the subjects that make up the test part.
        names: of the subjects, by their numbers.
        settings: how to split.

    Raises:
        StimjaxError: a part would have nobody, no window, or the training part not every class.
    """
    which: dict[int, np.ndarray] = {}
    shares = split.Shares(
        settings.validation, settings.test, settings.seed, settings.folds, settings.fold
    )
    if settings.split == "subject":
        if settings.independent:
            known = {number: names[number] for number in set(seen.subject.values())}
            part = split.by_name(known, named, shares)
        else:
            part = split.by_subject(seen.severity(), named, shares)
        for index, label in seen.labels.items():
            which[index] = np.full(len(label), PARTS.index(part[seen.subject[index]]))
    else:
        for index, label in seen.labels.items():
            which[index] = split.at_random(len(label), index, shares)
    summary = {}
    for number, name in enumerate(PARTS):
        labels = [label[which[i] == number] for i, label in seen.labels.items()]
        counts = np.bincount(np.concatenate(labels), minlength=len(seen.plan.classes))
        inside = {seen.subject[i] for i in seen.labels if (which[i] == number).any()}
        summary[name] = Part(
            windows=int(counts.sum()),
            classes=dict(zip(seen.plan.classes, counts.tolist(), strict=True)),
            subjects=tuple(sorted(inside)),
        )
    _refuse_empty(summary)
    for index in seen.labels:
        _distribute(folder, index, which[index])
    for index in seen.sample:  # only the training part may shape what is published
        seen.sample[index] = seen.sample[index][which[index][seen.source[index]] == 0]
        if (which[index] != 0).all():
            del seen.whole[index]
    return summary


def _refuse_empty(summary: dict[str, Part]) -> None:
    for name in PARTS:
        if not summary[name].windows:
            raise StimjaxError(f"no window is left for the {name} part; give more recordings")
    absent = [k for k, count in summary["train"].classes.items() if not count]
    if absent:
        raise StimjaxError(
            f"the training part has no window of the class {absent[0]!r}; give more recordings or "
            "another --seed"
        )


def _distribute(folder: Path, index: int, which: np.ndarray) -> None:
    """Rename a recording's file into its part, or write its windows into several."""
    path = windows_file(folder, index)
    present = np.unique(which)
    if len(present) == 1:
        path.rename(folder / f"{PARTS[present[0]]}-{index:04d}.safetensors")
        return
    arrays = load_arrays(path)
    for number in present:
        chosen = {name: array[which == number] for name, array in arrays.items()}
        save_arrays(folder / f"{PARTS[number]}-{index:04d}.safetensors", chosen)
    path.unlink()
