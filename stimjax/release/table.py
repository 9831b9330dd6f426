"""Stimuli as the columns of a table, a row each, under names that any program can write down."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from stimjax.batch import Batch, Spec


class Names(NamedTuple):
    """The columns of a table of stimuli.

    Attributes:
        channels: of each channel, in the order of the spec.
        classes: of the probability of each class, likewise.
    """

    channels: tuple[str, ...]
    classes: tuple[str, ...]


def names(spec: Spec) -> Names:
    """Lower-case identifiers: `spo2` for SpO2, `p_apnea` for the probability of apnea."""
    taken = {"label", "weight", "origin"}
    channels = _identifiers((channel.name for channel in spec.channels), taken)
    return Names(channels, _identifiers((f"p {name}" for name in spec.classes), taken))


def columns(stimuli: Batch) -> dict[str, np.ndarray]:
    """Each column by its name: f32[n, value] of a channel, else [n].

    Of an image a channel's column holds the rows of its pixels, one after the other. `label` is
    i64[n], the number of the most probable class. What a release says of each class beside `y` has
    a column for each.
    """
    spec, x, y = stimuli.spec, np.asarray(stimuli.x), np.asarray(stimuli.y)
    named = names(spec)
    table = {
        name: np.ascontiguousarray(x[..., i]).reshape(len(x), -1)
        for i, name in enumerate(named.channels)
    }
    table["label"] = stimuli.label.astype(np.int64)
    table |= {name: y[:, k] for k, name in enumerate(named.classes)}
    table["weight"] = np.asarray(stimuli.weight)
    taken = set(table)
    for name, values in stimuli.columns.items():
        flat = np.asarray(values)
        if flat.ndim == 1:
            table[name] = flat
        else:
            parts = _identifiers((f"{name} {of}" for of in spec.classes), taken)
            table |= {part: flat[:, k] for k, part in enumerate(parts)}
    return table


def _identifiers(words: Iterable[str], taken: set[str]) -> tuple[str, ...]:
    """An identifier for each of `words`, other than those `taken` and than each other's."""
    made = []
    for word in words:
        plain = re.sub(r"\W+", "_", word).strip("_").lower() or "column"
        plain = f"c_{plain}" if plain[0].isdigit() else plain
        name, number = plain, 2
        while name in taken:
            name, number = f"{plain}_{number}", number + 1
        taken.add(name)
        made.append(name)
    return tuple(made)
