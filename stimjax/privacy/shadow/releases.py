"""The releases of pipelines: drawn, excited, labeled and inhibited as the release under attack was.

Where that was made in rounds against proxy students, so are they: a pipeline's proxies learn from
its own stimuli, to the last step. Gradients are those of the whole teacher, in float32.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from stimjax import batch, config
from stimjax.batch import Batch, Spec
from stimjax.config.names import NETWORKS
from stimjax.config.recipes import Recipe
from stimjax.data.public import Recorded
from stimjax.disk.documents import Manifest
from stimjax.errors import StimjaxError
from stimjax.excite import carriers, collect, kind, lanes, methods, proxies
from stimjax.excite.inhibit import erasure
from stimjax.excite.inhibit import inhibition as inhibit
from stimjax.excite.inhibit import labels as rounding
from stimjax.excite.inhibit.inhibition import NOTHING, Inhibition
from stimjax.excite.kind import Statistic, Statistics
from stimjax.excite.sources import SOURCES
from stimjax.learn import critic, dp
from stimjax.learn.predict import probabilities
from stimjax.models import Model, Params
from stimjax.models.layers import Erasures
from stimjax.prior.known import SIMULATED, Known
from stimjax.privacy.shadow import pipelines
from stimjax.privacy.shadow.pipelines import ONE, Labelers, Release, Trained

STIMULI = 2000  # of a release that is excited, or as many as are asked for
VALUES = 400_000_000  # of all pipelines' stimuli together, for memory's sake
ROUNDS = 50  # steps for each stimulus of a lane, or two whole tries: then a release stays small
CRITIC = "cnn"


# Windows f32[n, ...] -> the labels of each pipeline, f32[pipeline, n, class].
Labels = Callable[[np.ndarray], np.ndarray]
Density = Callable[[Batch], np.ndarray]  # windows -> f64[window], see `Kind.density`
Refit = Callable[[Batch], Density]  # from what the statistics are measured on


def _unknown(*asked: Any) -> Any:
    raise AssertionError("the statistics of a source ask no teacher")


UNKNOWN = Model(_unknown, _unknown, _unknown)  # the teacher of somebody who refits a source


class ReleaseRecipe(NamedTuple):
    """How a release is made, as far as those of pipelines are made so too.

    Attributes:
        recipe: of the method.
        inhibition: of individuals.
        by: the teacher's networks.
    """

    recipe: Recipe
    inhibition: Inhibition = NOTHING
    by: Labelers = ONE


class InhibitedPipelines(NamedTuple):
    """What inhibits the releases, with a leading axis of pipelines; None and () inhibit nothing.

    Attributes:
        critics: their parameters.
        bound: what each may give a subject at most, f32[pipeline]; infinite refuses none.
        erasures: of each teacher.
    """

    critics: Params | None = None
    bound: Array | None = None
    erasures: Erasures = ()


def release_recipe(
    settings: config.Synthesis,
    networks: Sequence[str] = (),
    private: config.Dp | None = None,
    prior: Known = SIMULATED,
) -> ReleaseRecipe:
    """How a release of these settings is made.

    Args:
        settings: of the release.
        networks: families of the teacher that labels; those that this version has, or one CNN.
        private: how it was trained under a formal guarantee, if it was and that is known.
        prior: what anybody may know, which it learned or of which the stimuli are made.

    Raises:
        StimjaxError: there is no such method.
    """
    recipe = methods.recipe(settings)
    known = tuple(name for name in networks if name in NETWORKS)
    by = Labelers(known or ONE.networks, private, prior)
    return ReleaseRecipe(recipe, inhibit.inhibition(settings, recipe), by)


def recipe_of(manifest: Manifest, recorded: tuple[Recorded, ...] = ()) -> ReleaseRecipe:
    """How the release of this manifest was made, as far as it says.

    Args:
        manifest: of the release.
        recorded: nights that anybody may have, for shadows of a release that depends on such.
    """
    prior = SIMULATED
    if manifest.prior is not None:
        prior = Known(manifest.prior, recorded if manifest.public else ())
    return release_recipe(manifest.method, manifest.networks, manifest.dp, prior)


def unlike(by: Labelers, networks: Sequence[str], guaranteed: bool) -> str:
    """In what shadow teachers are not of the kind of the release's teacher; "" where they are.

    Args:
        by: what they are, see `release_recipe`.
        networks: families of the release's teacher, as it names them.
        guaranteed: whether that had a formal guarantee.
    """
    lacks = []
    if by.networks != tuple(networks):
        named = ", ".join(networks) or "none: another version made it or its teacher"
        lacks.append(
            f"the networks of its teacher are not all known here (it names {named}), so that "
            f"shadow teachers are of {', '.join(by.networks)}"
        )
    if guaranteed and by.dp is None:
        lacks.append(
            "it does not say how its teacher was trained under the guarantee, so that shadow "
            "teachers have none and know more of people than it may"
        )
    return "; ".join(lacks)


def counted(how: ReleaseRecipe, members: Batch) -> ReleaseRecipe:
    """`how` with the number of units that its teacher had, counted where nobody stated it.

    Raises:
        StimjaxError: the windows of `members` name no subjects, and these are the units.
    """
    settings = how.by.dp
    if settings is None or settings.units:
        return how
    units = len(np.unique(dp.owners(members, settings.unit)))
    return how._replace(by=how.by._replace(dp=dataclasses.replace(settings, units=units)))


def drawn(how: ReleaseRecipe, count: int = STIMULI) -> Release:
    """Releases as `how` makes them, about `count` stimuli each, fewer where memory is short.

    Of a method that excites its stimuli `STIMULI` at most: more would take hours.

    What is known of the data (statistics, the critic, identity directions) is measured on each
    pipeline's own windows. Classes are as frequent as they are drawn.

    Raises:
        StimjaxError: a release has no stimulus, for its critic refuses all.
    """
    inhibition, terms = how.inhibition, inhibit.with_term(how.recipe, how.inhibition).terms

    def release(trained: Trained) -> list[Batch]:
        spec = trained.windows.spec
        size = _size(how.recipe, count, len(trained.rows) * math.prod(spec.shape))
        critics, bound = _critics(trained, inhibition.refusal, bool(terms.identity))
        recognizes = _critic(trained.windows) if critics is not None else None
        own = terms if recognizes else dataclasses.replace(terms, identity=0.0)  # of nobody
        recipe = dataclasses.replace(how.recipe, terms=own)
        each = [
            inhibit.without_groups(_measured(trained, number, methods.needs(recipe)), inhibition)
            for number in range(len(trained.rows))
        ]
        erasures = _erasures(trained, inhibition.directions)
        given = trained.params, _stacked(each), InhibitedPipelines(critics, bound, erasures)
        nights = carriers.given({}, recipe, trained.prior, spec)
        stimuli: list[Batch] = []
        rounds = recipe.rounds if recipe.terms.disagreement else 1  # else all rounds are alike
        draw = _draw(spec, recipe, trained.model, recognizes, math.ceil(size / rounds))
        for index in range(rounds):
            more = _keys(trained, index), _proxies(trained, stimuli, index)
            made = _handed_over(draw(nights, (*given, *more)), spec, inhibition.labels)
            pairs = zip(stimuli, made, strict=True)
            stimuli = [batch.concatenate(list(pair)) for pair in pairs] if stimuli else made
        return stimuli

    return release


def _handed_over(drawn: tuple[Array, Array, Array], spec: Spec, step: float) -> list[Batch]:
    """What `_draw` made, of each pipeline, with labels rounded to multiples of `step`.

    Raises:
        StimjaxError: a pipeline has no stimulus.
    """
    x, y, filled = map(np.asarray, drawn)
    if not filled.min():
        raise StimjaxError(
            "a shadow release has no stimulus: its critic recognizes all, or its teacher is "
            "sure of none; inhibit less, or leave out lira, rmia and canary"
        )
    return [
        batch.make(x[i, :n], rounding.rounded(y[i, :n], step), spec) for i, n in enumerate(filled)
    ]


def _keys(trained: Trained, index: int) -> Array:
    """Of the chance in each pipeline's release, in one of its rounds."""
    keys = jax.vmap(jax.random.key)(np.asarray(trained.seeds, np.uint32))
    return jax.vmap(jax.random.fold_in, (0, None))(keys, index)


def _proxies(trained: Trained, stimuli: list[Batch], index: int) -> tuple[Params, ...]:
    """Of each proxy network those of all pipelines, with a leading axis; () before any stimulus."""
    if not stimuli:
        return ()
    ends = np.cumsum([0, *map(len, stimuli)])
    rows = [np.arange(first, last) for first, last in itertools.pairwise(ends)]
    together = batch.concatenate(stimuli)
    seeds = [seed + pipelines.FAMILY * index for seed in trained.seeds]
    return tuple(
        pipelines.train(model, together, rows, seeds, proxies.FIT)
        for model in proxies.families(together.spec)
    )


def _size(recipe: Recipe, count: int, values: int) -> int:
    """Stimuli of a release, as many for each lane; one of each pipeline are `values` numbers."""
    most = STIMULI if recipe.tries else max(STIMULI, VALUES // values)
    return math.ceil(min(count, most) / recipe.lanes) * recipe.lanes


def refit(how: ReleaseRecipe) -> Refit | None:
    """How the source of `how` is refitted; None where it has no statistics.

    Its statistics are measured on what is given, as the holder measures them on the private
    windows, and say how likely it draws a window. Nothing else is asked: no teacher, no seed.
    """
    source = SOURCES[how.recipe.source]
    density = source.density
    if density is None:
        return None

    def fitted(given: Batch) -> Density:
        asked = _Pipeline((UNKNOWN,), {"members": ({},)})
        statistics = inhibit.without_groups(
            kind.measured(source.needs, given, asked), how.inhibition
        )
        return lambda windows: density(windows, statistics)

    return fitted


def labels(trained: Trained, how: ReleaseRecipe) -> Labels:
    """How pipelines label windows, inhibited as their releases are."""
    erasures, step = _erasures(trained, how.inhibition.directions), how.inhibition.labels

    def label(x: np.ndarray) -> np.ndarray:
        each = probabilities(_erased(trained.model), (trained.params, erasures), x)
        return np.stack([rounding.rounded(one, step) for one in each])

    return label


@functools.cache
def _erased(model: Model) -> Model:
    """A network whose parameters are `(parameters, erasures)`."""
    return model._replace(apply=lambda given, x, key=None: model.hidden(given[0], x, given[1])[0])


def copied(trained: Trained) -> list[Batch]:
    """No release at all, but the pipelines' windows with their own labels: the worst there is."""
    return [trained.windows[rows] for rows in trained.rows]


@dataclasses.dataclass(frozen=True)
class _Pipeline:
    """The teacher of one pipeline, as statistics ask it (`excite.kind.Labeler`)."""

    families: tuple[Model, ...]
    params: Params

    @property
    def model(self) -> Model:
        return pipelines.pooled(self.families)

    @property
    def models(self) -> list[tuple[Model, Params]]:
        return [
            (family, jax.tree.map(lambda leaf: leaf[0], member))
            for family, member in zip(self.families, self.params["members"], strict=True)
        ]

    def probability(self, x: Array | np.ndarray) -> np.ndarray:
        """The softmax f32[n, class] for windows."""
        one = jax.tree.map(lambda leaf: leaf[None], self.params)
        return probabilities(self.model, one, x)[0]


def _measured(trained: Trained, number: int, wanted: Sequence[Statistic]) -> Statistics:
    """Statistics of a pipeline's own windows, measured as the holder's are."""
    params = jax.tree.map(lambda leaf: leaf[number], trained.params)
    train = trained.windows[trained.measured[number]]
    return kind.measured(wanted, train, _Pipeline(trained.families, params))


def _stacked(each: list[Statistics]) -> dict[str, np.ndarray]:
    """Statistics with a leading axis; where there are fewer groups or components, zeros.

    A group of zeros has no share, and a component of zeros adds nothing.
    """

    def stack(arrays: list[np.ndarray]) -> np.ndarray:
        out = np.zeros((len(arrays), *np.max([a.shape for a in arrays], axis=0)), arrays[0].dtype)
        for one, a in zip(out, arrays, strict=True):
            one[tuple(map(slice, a.shape))] = a
        return out

    return {name: stack([np.asarray(one[name]) for one in each]) for name in each[0]}


def _erasures(trained: Trained, strength: float) -> Erasures:
    """The identity directions of each teacher; none where one of them would have none."""
    if not strength:
        return ()
    each = [_measured(trained, number, [erasure.ERASURE]) for number in range(len(trained.rows))]
    if not all(each):
        return ()
    of_teachers = [erasure.erasures(one, strength) for one in each]
    return jax.tree.map(lambda *parts: jnp.stack(parts), *of_teachers)


def _critics(
    trained: Trained, strength: float, always: bool = False
) -> tuple[Params | None, Array | None]:
    """A critic of each pipeline's subjects and its bound, by the rules of `learn.critic`.

    All learn together, to the last step, and each has a class for every subject of all pipelines.
    Without a strength there are none, unless there are to be critics `always`; and none where
    a holder of some pipeline's windows would have none.
    """
    if not (strength or always):
        return None, None
    windows = trained.windows
    nights = [critic.nights(windows, rows).values() for rows in trained.rows]
    if min(map(len, nights)) < 2:
        return None, None
    learned, judged = (
        [np.concatenate([night[i] for night in own]) for own in nights] for i in (0, -1)
    )
    seeds = [critic.own_seed(seed) for seed in trained.seeds]
    named, model = critic.named(windows, np.unique(windows.subject).tolist()), _critic(windows)
    params = pipelines.train(model, named, learned, seeds, trained.settings)
    if not strength:
        return params, jnp.full(len(seeds), jnp.inf, jnp.float32)
    answers = probabilities(model, params, windows.x)
    sure = [critic.sureness(one[rows]) for one, rows in zip(answers, judged, strict=True)]
    return params, jnp.asarray([critic.bound(one, strength) for one in sure], jnp.float32)


def _critic(windows: Batch) -> Model:
    return critic.recognizer(CRITIC, windows.spec, len(np.unique(windows.subject)))


@functools.cache
def _draw(
    spec: Spec, recipe: Recipe, model: Model, recognizes: Model | None, size: int
) -> Callable[..., tuple[Array, Array, Array]]:
    """One program for all pipelines, one after the other.

    Returns:
        `(nights, (params, statistics, inhibited, keys, proxies)) -> (x, y, n)`; but for the nights
        of the prior, which all share, with a leading axis of pipelines: room for `size` stimuli, of
        which the first `n` are there.
    """
    at = collect.places("none", size, len(spec.classes), {})
    most = max(ROUNDS, 2 * recipe.tries) * math.ceil(size / recipe.lanes)

    def one(
        nights: Statistics,
        given: tuple[Params, Statistics, InhibitedPipelines, Array, tuple[Params, ...]],
    ) -> tuple[Array, Array, Array]:
        params, statistics, inhibited, key, learned = given
        method = methods.method(spec, recipe, {**statistics, **nights})
        method = method._replace(bound=inhibited.bound)
        networks = lanes.Networks(lambda x: model.hidden(params, x, inhibited.erasures))
        if recognizes is not None:
            ask = recognizes.apply
            networks = networks._replace(critic=lambda x: ask(inhibited.critics, x))
        if learned:
            among = proxies.families(spec)
            networks = networks._replace(proxies=lambda x: proxies.answers(among, learned, x))

        state = lanes.start(method, key, recipe.lanes)
        empty = collect.empty(at, spec.shape)
        _, collected = collect.fill(method, networks, at, jnp.int32(most), state, empty)
        return collected.x, collected.y, jnp.minimum(collected.counts.filled.sum(), size)

    return jax.jit(lambda nights, given: jax.lax.map(functools.partial(one, nights), given))
