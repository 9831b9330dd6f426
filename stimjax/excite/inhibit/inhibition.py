"""How strongly each way inhibits what is known of individuals, and what that comes to.

`Inhibition` is read off the settings once; releases and shadow releases are inhibited by the same
one. Each way that is more than a number has a file of its own beside this one.
"""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

from jaxtyping import Array

from stimjax import config
from stimjax.config.recipes import Recipe
from stimjax.errors import StimjaxError
from stimjax.excite.inhibit import erasure
from stimjax.excite.kind import Statistics, refuse_lacking
from stimjax.excite.sources import mixture
from stimjax.learn.teacher import Teacher
from stimjax.models.layers import Erasures

IDENTITY = 4.0  # weight of the term `identity` at full strength


class Inhibition(NamedTuple):
    """The strength of each way, see `config.Synthesis.inhibit_by`; 0 inhibits nothing.

    Attributes:
        refusal: stimuli are refused that the critic recognizes more surely than the rest of the
            real windows, of which this part is recognized more surely.
        term: weight that is added to the term `identity`, of a recipe that excites.
        directions: part of the identity directions that are taken out of the teacher's networks.
        groups: part of a mixture's draws that is not of a group, see `mixture.coarser`.
        labels: what labels are rounded to multiples of, see `labels.rounded`.
    """

    refusal: float = 0.0
    term: float = 0.0
    directions: float = 0.0
    groups: float = 0.0
    labels: float = 0.0


NOTHING = Inhibition()


class Inhibited(NamedTuple):
    """What an inhibition comes to with one teacher; in shadow releases with an axis of teachers.

    Attributes:
        bound: what the critic may give a subject at most; None refuses nothing.
        erasures: of each network of the teacher.
    """

    bound: Array | float | None = None
    erasures: Erasures = ()


def inhibition(settings: config.Synthesis, recipe: Recipe) -> Inhibition:
    """What `settings` ask for, as far as `recipe` has a part that it can act on."""
    strength = {way: settings.inhibit for way in settings.inhibit_by}
    return Inhibition(
        refusal=strength.get("refusal", 0.0),
        term=IDENTITY * strength.get("term", 0.0) if recipe.tries else 0.0,
        directions=strength.get("directions", 0.0),
        groups=strength.get("groups", 0.0) if recipe.source == "mixture" else 0.0,
        labels=settings.label_step,
    )


def asks_critic(recipe: Recipe, inhibited: Inhibition) -> bool:
    """Whether lanes ask the identity critic."""
    return bool(recipe.terms.identity or inhibited.term or inhibited.refusal)


def with_term(recipe: Recipe, inhibited: Inhibition) -> Recipe:
    """`recipe` with what is added to the weight of the term `identity`."""
    terms = dataclasses.replace(recipe.terms, identity=recipe.terms.identity + inhibited.term)
    return dataclasses.replace(recipe, terms=terms)


def without_groups(statistics: Statistics, inhibited: Inhibition) -> Statistics:
    """`statistics` with as many draws from whole classes as `inhibited` says."""
    return mixture.coarser(statistics, inhibited.groups)


def refuse_ignorant(teacher: Teacher, recipe: Recipe, inhibition: Inhibition) -> None:
    """Raise StimjaxError where `inhibition` needs a teacher that knows subjects."""
    if teacher.critic is None and (asks_critic(recipe, inhibition) or inhibition.directions):
        raise StimjaxError(
            "the teacher knows no subjects, so that nothing can be inhibited (its windows name "
            "fewer than two, or it was trained with --critic none); leave --inhibit out"
        )


def applied(inhibition: Inhibition, teacher: Teacher) -> Inhibited:
    """What `inhibition` comes to with `teacher`, which knows its subjects.

    Raises:
        StimjaxError: its directions were not measured.
    """
    critic = teacher.critic
    bound = critic.bound(inhibition.refusal) if critic and inhibition.refusal else None
    if not inhibition.directions:
        return Inhibited(bound)
    refuse_lacking([erasure.ERASURE], teacher.statistics)
    return Inhibited(bound, erasure.erasures(teacher.statistics, inhibition.directions))
