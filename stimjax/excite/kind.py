"""What a part of a recipe is before it has met any data: a source, a term, what is optimized.

A part says which statistics of the training windows it needs, what of the private data it uses, and
whether it may be had under a formal guarantee. What a method uses, what is measured for it, for a
release or for a shadow release, and what a guarantee refuses are loops over its parts
(`methods.parts`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar, runtime_checkable

import numpy as np
from jaxtyping import Array

from stimjax.batch import Batch, Spec
from stimjax.config.recipes import Recipe
from stimjax.errors import StimjaxError
from stimjax.models import Model, Params

Part = TypeVar("Part")
Statistics = Mapping[str, Array | np.ndarray]  # of the training windows, by name; may be traced


@runtime_checkable
class Labeler(Protocol):
    """What a statistic may ask: a teacher, or the single network of a shadow pipeline.

    Attributes:
        model: all networks as one.
        params: its parameters.
        models: every network by itself, with its parameters.
        probability: the softmax f32[n, class] for windows.
    """

    @property
    def model(self) -> Model: ...

    @property
    def params(self) -> Params: ...

    @property
    def models(self) -> Sequence[tuple[Model, Params]]: ...

    def probability(self, x: Array | np.ndarray) -> np.ndarray: ...


class Statistic(NamedTuple):
    """Something that is measured on the training windows; private.

    Attributes:
        name: what the names of its arrays begin with.
        measure: `measure(train, labeler, earlier) -> arrays by name`, f32 or i32, from the windows,
            the networks, and the statistics that stand before it in `Kind.needs`; only of windows
            that `rows.of_class` or `rows.everybody` gives, and with an array `NAME.behind.OF` that
            says how many people these are. Where shadow pipelines run side by side, an array
            shorter than another's is filled up with zeros: they have to mean nothing.
    """

    name: str
    measure: Callable[[Batch, Labeler, Statistics], dict[str, np.ndarray]]


@dataclasses.dataclass(frozen=True)
class Kind(Generic[Part]):
    """A part of a recipe.

    Attributes:
        make: `make(spec, statistics, recipe) -> part`, for windows of `spec`.
        needs: the statistics that it takes, in an order in which they can be measured.
        uses: what it uses of private data, a sentence each; written into the manifest.
        free: a formal guarantee allows it without a charge, because it looks at nothing private
            but what the teacher answers. False until someone has thought about it.
        density: `density(windows, statistics) -> f64[n]`, of a source: how likely it draws each
            window as one of its class, as the log density of a value, up to a constant. Whoever has
            a release can measure `needs` on its stimuli and ask for anybody's windows. None of a
            source that has no statistic of windows.
    """

    make: Callable[[Spec, Statistics, Recipe], Part]
    needs: tuple[Statistic, ...] = ()
    uses: tuple[str, ...] = ()
    free: bool = False
    density: Callable[[Batch, Statistics], np.ndarray] | None = None


def needs(kinds: Iterable[Kind]) -> list[Statistic]:
    """The statistics of all `kinds`, each once, in an order in which they can be measured."""
    return list(dict.fromkeys(one for kind in kinds for one in kind.needs))


def measured(
    statistics: Iterable[Statistic], train: Batch, labeler: Labeler
) -> dict[str, np.ndarray]:
    """All of `statistics`, measured on the windows `train` and the networks of `labeler`."""
    arrays: dict[str, np.ndarray] = {}
    for one in statistics:
        arrays |= one.measure(train, labeler, arrays)
    return arrays


def lacking(statistics: Iterable[Statistic], names: Iterable[str]) -> list[str]:
    """The names of those of `statistics` that are not among the arrays of these `names`."""
    names = list(names)
    return [
        one.name
        for one in statistics
        if not any(name == one.name or name.startswith(f"{one.name}.") for name in names)
    ]


def refuse_lacking(statistics: Iterable[Statistic], names: Iterable[str]) -> None:
    """Raise StimjaxError for the first of `statistics` that `lacking` finds."""
    if absent := lacking(statistics, names):
        raise StimjaxError(
            f"the teacher holds no statistic {absent[0]!r}, which this method needs; train it again"
        )
