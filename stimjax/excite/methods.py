"""From a recipe to the functions that a lane is made of, and what of the private data they use."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
import optax
from jaxtyping import Array, Float

from stimjax import config
from stimjax.batch import Batch, Spec
from stimjax.config.recipes import RECIPES, Recipe
from stimjax.disk.documents import PeopleBehind
from stimjax.errors import StimjaxError
from stimjax.excite import accept, kind, objective, rows
from stimjax.excite.inhibit import erasure
from stimjax.excite.inhibit.inhibition import asks_critic, inhibition
from stimjax.excite.kind import Kind, Statistic, Statistics
from stimjax.excite.lanes import Method
from stimjax.excite.parametrization import PARAMETRIZATIONS, rounded
from stimjax.excite.sources import SOURCES, mixture
from stimjax.excite.terms import TERMS
from stimjax.excite.views import view
from stimjax.learn.teacher import Teacher
from stimjax.numerics.adam import adam

SHARD = 500  # stimuli
ORIGINS = 10  # shards at least, where a part of them are random signals
# An accelerator makes so many times as much at a time. A GPU is fastest from some 4,096 lanes on; a
# lane makes as many stimuli of a shard as on a CPU, or those that take longer would be rarer.
WIDER = 32
OPTIMIZERS = {"adam": adam, "sign": optax.sign_sgd}

# What a recipe is composed of, by the name of its field.
PARTS: Mapping[str, Mapping[str, Kind[Any]]] = {
    "source": SOURCES,
    "parametrization": PARAMETRIZATIONS,
    "terms": TERMS,
    "targets": accept.TARGETS,
    "balance": accept.BALANCES,
    "accept": accept.ENDS,
}

STATISTICS = (
    "statistics of people: what the stimuli are drawn from or driven to can be measured anew on "
    "them, and tells who took part"
)
LABELS = "the teacher: its softmax, as the labels of the stimuli"
CLASSES = "the teacher: its most probable class, as the labels of the stimuli"
ROUNDED = "the teacher: its softmax, rounded to multiples of {:g}, as the labels of the stimuli"
GRADIENTS = "the teacher: its gradients while stimuli are made"
CRITIC = "the identity critic: which stimuli it recognizes"
COUNTED = (
    f"but for the range, each of these statistics is of at least {rows.PEOPLE} people, of whom "
    f"none gives more than 1 / {rows.PEOPLE - 1} of the windows; of a training part of fewer "
    "people it is of all of them"
)
RANGE = (
    "the range of each channel in the training windows, two numbers a channel, and whether its "
    "values are whole ones"
)


def resolved(settings: config.Synthesis) -> config.Synthesis:
    """`settings` with their recipe and the numbers of lanes and of a shard's stimuli filled in.

    Both are part of what fixes the bits of a release, which a CPU and an accelerator do not share
    anyway.

    Raises:
        StimjaxError: there is no such method.
    """
    chosen = recipe(settings)
    wider = 1 if jax.default_backend() == "cpu" else WIDER
    lanes, shard = settings.lanes or wider * chosen.lanes, settings.shard or wider * SHARD
    if chosen.life and not settings.shard:
        lives = math.ceil(settings.count / (lanes * chosen.life))  # one after the other
        shard = math.ceil(settings.count / lives)
    if chosen.random and not settings.shard:  # each shard is of one origin, see `origin.random`
        shard = min(shard, math.ceil(settings.count / ORIGINS))
    return dataclasses.replace(settings, recipe=chosen, lanes=lanes, shard=shard)


def recipe(settings: config.Synthesis) -> Recipe:
    """The recipe of `settings`: their own, or the named one.

    Raises:
        StimjaxError: there is no such method.
    """
    if settings.method not in RECIPES:
        raise StimjaxError(
            f"there is no method {settings.method!r}; choose one of {', '.join(RECIPES)}"
        )
    return settings.recipe or RECIPES[settings.method]


class Named(NamedTuple):
    """A part of a recipe: the field that names it, its name, and the part itself."""

    field: str
    name: str
    kind: Kind[Any]


def parts(recipe: Recipe) -> list[Named]:
    """What `recipe` is composed of. What is not excited has no targets."""
    weights = dataclasses.asdict(recipe.terms)
    names = [
        ("source", recipe.source),
        ("parametrization", recipe.parametrization),
        *(("terms", name) for name, weight in weights.items() if weight),
        *([("targets", recipe.targets)] if recipe.tries else []),
        ("balance", recipe.balance),
        ("accept", recipe.accept),
    ]
    return [Named(field, name, PARTS[field][name]) for field, name in names]


def needs(recipe: Recipe) -> list[Statistic]:
    """The statistics of the training windows that a method takes, in order of measuring."""
    return kind.needs(part.kind for part in parts(recipe))


def method(spec: Spec, recipe: Recipe, statistics: Statistics) -> Method:
    """The method that `recipe` describes, for windows of `spec`.

    Args:
        spec: of the windows.
        recipe: its parts.
        statistics: what was measured of the training windows; may be traced.

    Raises:
        StimjaxError: the parts do not go together, or a statistic is missing.
    """
    kind.refuse_lacking(needs(recipe), statistics)
    weights = {name: w for name, w in dataclasses.asdict(recipe.terms).items() if w}
    terms = {name: TERMS[name].make(spec, statistics, recipe) for name in weights}
    return Method(
        source=SOURCES[recipe.source].make(spec, statistics, recipe),
        parametrization=PARAMETRIZATIONS[recipe.parametrization].make(spec, statistics, recipe),
        objective=objective.weighted(terms, weights),
        acceptance=accept.acceptance(spec, recipe, statistics),
        optimizer=OPTIMIZERS[recipe.optimizer](recipe.rate),
        finish=(lambda x: rounded(x, spec)) if recipe.rounded else _as_it_is,
        view=view(recipe.view, spec) if recipe.views else None,
    )


def measure(train: Batch, teacher: Teacher) -> dict[str, np.ndarray]:
    """Every statistic of the training windows that some method takes; kept with the teacher.

    No ledger pays for them: `teach` measures none for a teacher with a formal guarantee.
    """
    every = kind.needs(one for table in PARTS.values() for one in table.values())
    measured = kind.measured([*every, erasure.ERASURE], train, teacher)
    return measured | {f"range.{rows.BEHIND}.all": rows.of_all(rows.whole(train))}


def uses(settings: config.Synthesis) -> list[str]:
    """What of the private data is used, a sentence for each; written into the manifest."""
    chosen = recipe(settings)
    inhibited = inhibition(settings, chosen)
    published = any(one.kind.needs for one in parts(chosen) if one.field in ("source", "terms"))
    sentences = [*([STATISTICS] if published else []), _labels(settings.label_step), RANGE]
    counted = [COUNTED] if _statistics(settings) else []
    if chosen.tries:
        sentences.append(GRADIENTS)
    *before, end = parts(chosen)
    for part in before:
        whole = part.field == "source" and inhibited.groups == 1
        sentences += mixture.USES_WITHOUT_GROUPS if whole else part.kind.uses
    if asks_critic(chosen, inhibited):
        sentences.append(CRITIC)
    if inhibited.directions:
        sentences.append(erasure.USES)
    # Parts may share one.
    return list(dict.fromkeys([*sentences, *counted, *end.kind.uses]))


def people_behind(settings: config.Synthesis, statistics: Statistics) -> tuple[PeopleBehind, ...]:
    """Who is behind each statistic that a release depends on; written into the manifest.

    Args:
        settings: of the release.
        statistics: what was measured; nothing is said of what did not count people.
    """
    groups = inhibition(settings, recipe(settings)).groups
    names = ["range", *(one.name for one in _statistics(settings))]
    found = {}
    for array in statistics:
        name, _, of = array.partition(f".{rows.BEHIND}.")
        name = name.removesuffix(".frames")
        # A mixture draws from its groups, its classes, or both.
        unused = {"groups": groups == 1, "classes": not groups}
        if of and name in names and not (name == "mixture" and unused[of]):
            found[name, of] = _behind(name, of, np.asarray(statistics[array], float))
    return tuple(found[key] for key in sorted(found, key=lambda key: names.index(key[0])))


def refuse_uncounted(settings: config.Synthesis, statistics: Statistics) -> None:
    """Refuse statistics of an earlier version, of which nobody knows how many people they are of.

    Raises:
        StimjaxError: a statistic that `settings` need is there, and who is behind it is not.
    """
    needed = _statistics(settings)
    counted = [array for array in statistics if f".{rows.BEHIND}." in array]
    absent = kind.lacking(needed, statistics)  # which is another matter
    if old := [name for name in kind.lacking(needed, counted) if name not in absent]:
        raise StimjaxError(
            f"the teacher's statistic {old[0]!r} does not say how many people are behind it, "
            "for an earlier version measured it; train it again"
        )


def _statistics(settings: config.Synthesis) -> list[Statistic]:
    """What a release of `settings` depends on."""
    chosen = recipe(settings)
    directions = inhibition(settings, chosen).directions
    return [*needs(chosen), *([erasure.ERASURE] if directions else [])]


def few(behind: Sequence[PeopleBehind]) -> list[str]:
    """What a manifest says where fewer people than there should be are behind a statistic."""
    people = min((one.people for one in behind if one.people), default=rows.PEOPLE)
    if people >= rows.PEOPLE:
        return []
    number = "one person is" if people == 1 else f"{people} people are"
    return [f"only {number} behind a statistic, for the training part has no more"]


def _behind(name: str, of: Any, parts: Float[np.ndarray, "part 5"]) -> PeopleBehind:
    windows, people, effective = parts[:, :3].min(axis=0)
    return PeopleBehind(
        statistic=name,
        of=of,
        parts=len(parts),
        coarser=0 if of == "all" else int(parts[:, 4].sum()),
        windows=int(windows),
        people=int(people),
        effective=math.floor(effective * 10 + 1e-3) / 10,
        share=math.ceil(parts[:, 3].max() * 100 - 1e-3) / 100,
    )


def _labels(step: float) -> str:
    return {0.0: LABELS, 1.0: CLASSES}.get(step, ROUNDED.format(step))


def _as_it_is(x: Array) -> Array:
    return x
