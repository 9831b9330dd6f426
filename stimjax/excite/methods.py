"""From a recipe to the functions that a lane is made of, and what of the private data they use."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Array

from stimjax import config
from stimjax.batch import Batch, Spec
from stimjax.config.recipes import BY_PRIOR, RECIPES, Recipe
from stimjax.errors import StimjaxError
from stimjax.excite import accept, objective
from stimjax.excite.inhibit import erasure
from stimjax.excite.lanes import Method
from stimjax.excite.parametrization import generator, parametrization, rounded
from stimjax.excite.sign import sign
from stimjax.excite.sources import SOURCES, Source, Statistics, mixture
from stimjax.excite.sources.generator import point, untrained
from stimjax.excite.terms import embedding, features, moments
from stimjax.excite.views import view
from stimjax.learn.teacher import Teacher
from stimjax.models.layers import Erasures
from stimjax.numerics.adam import adam

SHARD = 500  # stimuli
# An accelerator makes so many times as much at a time. A GPU is fastest from some 4,096 lanes on; a
# lane makes as many stimuli of a shard as on a CPU, or those that take longer would be rarer.
WIDER = 32
IDENTITY = 4.0  # weight of the term `identity` at full strength
OPTIMIZERS = {"adam": adam, "sign": sign}

LABELS = "the teacher: its softmax, as the labels of the stimuli"
GRADIENTS = "the teacher: its gradients while stimuli are made"
CRITIC = "the identity critic: which stimuli it recognizes"
RANGE = "the range of each channel in the training windows, two numbers a channel"


def resolved(settings: config.Synthesis) -> config.Synthesis:
    """`settings` with their recipe and the numbers of lanes and of a shard's stimuli filled in.

    Both are part of what fixes the bits of a release, which a CPU and an accelerator do not share
    anyway.

    Raises:
        StimjaxError: there is no such method.
    """
    asked = recipe(settings)
    wider = 1 if jax.default_backend() == "cpu" else WIDER
    lanes, shard = settings.lanes or wider * asked.lanes, settings.shard or wider * SHARD
    return dataclasses.replace(settings, recipe=asked, lanes=lanes, shard=shard)


def recipe(settings: config.Synthesis) -> Recipe:
    """What `settings` ask for: their own recipe, or the named one.

    Raises:
        StimjaxError: there is no such method.
    """
    if settings.method not in RECIPES:
        raise StimjaxError(
            f"there is no method {settings.method!r}; choose one of {', '.join(RECIPES)}"
        )
    return settings.recipe or RECIPES[settings.method]


class Inhibition(NamedTuple):
    """How what is known of individuals is inhibited, see `config.Synthesis`.

    Attributes:
        term: weight that is added to the term `identity`.
        groups: part of a mixture's draws that is not of a group, see `mixture.coarser`.
        bound: see `lanes.Method`.
        erasures: of the teacher's networks.
        critic: whether the lanes ask the critic.
    """

    term: float = 0.0
    groups: float = 0.0
    bound: float | None = None
    erasures: Erasures = ()
    critic: bool = False


NOTHING = Inhibition()
CRITICLESS = {"groups", "labels"}  # ways that need no critic


def inhibition(settings: config.Synthesis, teacher: Teacher) -> Inhibition:
    """What `settings` ask of inhibition.

    Raises:
        StimjaxError: the teacher has no critic, or its directions were not measured.
    """
    strength = settings.inhibit
    by, critic = ways(settings), _asks_critic(settings)
    if teacher.critic is None and (critic or set(by) - CRITICLESS):
        raise StimjaxError(
            "the teacher knows no subjects, so that nothing can be inhibited (its windows name "
            "fewer than two, or it was trained with --critic none); leave --inhibit out"
        )
    with _measured():
        return Inhibition(
            identity_weight(settings),
            coarseness(settings),
            teacher.critic.bound(strength) if "refusal" in by and teacher.critic else None,
            erasure.erasures(teacher.statistics, strength) if "directions" in by else (),
            critic,
        )


def identity_weight(settings: config.Synthesis) -> float:
    """What is added to the weight of the term `identity`; only excitation has terms."""
    excites = "term" in ways(settings) and recipe(settings).tries
    return IDENTITY * settings.inhibit if excites else 0.0


def coarseness(settings: config.Synthesis) -> float:
    """The part of a mixture's draws that is not of a group; no other source has groups."""
    grouped = "groups" in ways(settings) and recipe(settings).source == "mixture"
    return settings.inhibit if grouped else 0.0


def label_step(settings: config.Synthesis) -> float:
    """What labels are rounded to multiples of, see `labels.rounded`; 0 leaves them."""
    return settings.inhibit if "labels" in ways(settings) else 0.0


def ways(settings: config.Synthesis) -> tuple[str, ...]:
    """By what individuals are inhibited, if they are."""
    return settings.inhibit_by if settings.inhibit else ()


def _asks_critic(settings: config.Synthesis) -> bool:
    asked, by = recipe(settings), ways(settings)
    return bool(asked.terms.identity or "refusal" in by or ("term" in by and asked.tries))


def method(
    spec: Spec,
    asked: Recipe,
    statistics: Statistics,
    inhibited: Inhibition = NOTHING,
) -> Method:
    """The method that `asked` describes, for windows of `spec`.

    Args:
        spec: of the windows.
        asked: the recipe.
        statistics: what `measure` gave for the training windows; may be traced.
        inhibited: what of individuals is inhibited.

    Raises:
        StimjaxError: the parts do not go together, or a statistic is missing.
    """
    with _measured():
        return Method(
            source=source(asked, spec, mixture.coarser(statistics, inhibited.groups)),
            parametrization=parametrization(asked, spec, statistics),
            objective=objective.weighted(
                dataclasses.replace(asked.terms, identity=asked.terms.identity + inhibited.term),
                *(spec, statistics),
            ),
            acceptance=accept.acceptance(asked, len(spec.classes), statistics),
            optimizer=OPTIMIZERS[asked.optimizer](asked.rate),
            finish=(lambda x: rounded(x, spec)) if asked.rounded else _as_it_is,
            view=view(asked.view, spec) if asked.views else None,
            bound=inhibited.bound,
        )


def source(asked: Recipe, spec: Spec, statistics: Statistics) -> Source:
    """Where the stimuli of a recipe start.

    Raises:
        KeyError: a statistic is missing.
        StimjaxError: there is no such generator.
    """
    if asked.source != "generator":
        return SOURCES[asked.source].make(spec, statistics)
    if asked.parametrization == "generator":
        return point(asked.latent)
    network = generator(asked.generator, spec, asked.latent)
    return untrained(network.init, network.render, asked.latent)


def measure(train: Batch, teacher: Teacher) -> dict[str, np.ndarray]:
    """Every statistic of the training windows that some method uses; kept with the teacher.

    Of a teacher with a formal guarantee only what it has paid for already.
    """
    if teacher.privacy is not None:
        return dict(teacher.statistics)
    found: dict[str, np.ndarray] = {}
    for kind in SOURCES.values():
        found |= kind.measure(train)
    found |= accept.measure(train, teacher.probability(train.x))
    found |= features.measure(train, teacher.model, teacher.params)
    found |= moments.measure(train, found)
    found |= erasure.measure(train, teacher)
    return found | embedding.measure(train)


def uses(settings: config.Synthesis) -> list[str]:
    """What of the private data is used, a sentence for each; written into the manifest."""
    asked = recipe(settings)
    sentences = [LABELS, RANGE]
    if asked.tries:
        sentences.append(GRADIENTS)
    if coarseness(settings) == 1:
        sentences += mixture.USES_WITHOUT_GROUPS
    elif asked.source != "generator":
        sentences += SOURCES[asked.source].uses
    if asked.parametrization == "components" and asked.source != "mixture":
        sentences.append(mixture.COMPONENTS)
    sentences += [text for name, text in objective.USES.items() if getattr(asked.terms, name)]
    if asked.targets == "histogram" and asked.tries:
        sentences.append(accept.USES)
    if asked.balance in BY_PRIOR:
        sentences.append(accept.PRIOR)
    if _asks_critic(settings):
        sentences.append(CRITIC)
    if "directions" in ways(settings):
        sentences.append(erasure.USES)
    if asked.accept == "threshold":
        sentences.append("whether a try reached its threshold")
    return list(dict.fromkeys(sentences))  # terms may share one


@contextlib.contextmanager
def _measured() -> Iterator[None]:
    """Says in one line which statistic of the teacher is missing, if one is."""
    try:
        yield
    except KeyError as error:
        raise StimjaxError(
            f"the teacher holds no statistic {error}, which this method needs; train it again"
        ) from error


def _as_it_is(x: Array) -> Array:
    return x
