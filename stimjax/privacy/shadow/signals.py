"""Shadow models: what each candidate window looks like from releases with and without its subject.

After Shokri et al. (S&P 2017) and Carlini et al. (S&P 2022), online: the auditor holds everybody of
whom an attacker would ask, trains pipelines on random halves of these subjects, and sees how the
windows of a subject look from the releases that hold it and from those that do not. Attacks then
compare that with how they look from the real release (`lira.py`, `rmia.py`). There are up to three
signals:

answers: the log-odds of the window's class, from students of the release.
density: how close the nearest stimuli are.
refit: how likely the release's own source draws the window, its statistics being measured anew on
    the stimuli; of sources that have any.

Shadows are made once and serve every world of the same candidates. What weakens them for the sake
of time is said in `pipelines.py` and `releases.py`; and where the release under attack was made in
another way than they, nothing says that it leaks as they do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, TypeVar

import numpy as np
from jaxtyping import Bool, Float, Int
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

from stimjax import batch
from stimjax.batch import NOBODY, Batch
from stimjax.errors import StimjaxError
from stimjax.learn.predict import probabilities
from stimjax.models import Params
from stimjax.privacy.findings import Attack, Finding, Scores, World, membership
from stimjax.privacy.shadow import labels, pipelines, releases
from stimjax.privacy.shadow.releases import Labels, Refit, ReleaseRecipe

SIGNALS = ("answers", "density", "refit", "labels")
TARGETS = 4  # students of the release under attack
POPULATION = 4000  # windows of the reference that are looked at, at most
COMPONENTS = 40  # in which distances are taken
NEIGHBORS = 8  # stimuli that count as near
FEWEST = 10  # windows of a class that a slope is fitted to
FLATTEST = 0.2  # slope that a model may have; a flatter one saw nothing
CLOSEST = 1e-4  # distances do not count as shorter, in units of the windows' spread

HOLDS = (
    "the release, how it was made, and windows of many people, among them all of whom it asks, to "
    "train shadow pipelines on"
)


class Signal(NamedTuple):
    """What is seen of windows, higher for one that the release knows, from shadows and for real.

    Attributes:
        shadows: from each shadow release.
        inside: whether that shadow had learned from the window.
        target: from the release under attack.
        shadows_population: of reference windows, which no pipeline had.
        population: of the same, from the release under attack.
        weight: of each window beside other signals: what is seen of a subject once, in all its
            windows alike, counts once.
    """

    shadows: Float[np.ndarray, "shadow n"]
    inside: Bool[np.ndarray, "shadow n"]
    target: Float[np.ndarray, " n"]
    shadows_population: Float[np.ndarray, "shadow z"]
    population: Float[np.ndarray, " z"]
    weight: Float[np.ndarray, " n"] | float = 1.0


Seen = Mapping[str, Signal]  # of a world's windows, its members, then its others; by `SIGNALS`
Observe = Callable[[World], Seen]
Students = Callable[[World], Params]  # of the release of a world, with a leading axis
Found = TypeVar("Found")


class Shadows(NamedTuple):
    """Shadow pipelines and what is seen from them.

    Attributes:
        windows: the candidates, then the population.
        places: where a candidate stands, by what `_names` calls it.
        inside: whether a shadow had learned from a window, bool[shadow, window].
        signals: what each shadow shows of each window, f64[shadow, window], by `SIGNALS`.
        look: what stimuli show of `windows` without any training; the nearest of so many of them
            at most.
        label: what each shadow teacher calls windows, as it would be published, see `Labels`.
        size: stimuli that a student of a shadow release learned from.
        seed: of all chance.
    """

    windows: Batch
    places: dict[bytes, int]
    inside: np.ndarray
    signals: Mapping[str, np.ndarray]
    look: Callable[[Batch, int], dict[str, np.ndarray]]
    label: Labels
    size: int
    seed: int


def make(world: World, how: ReleaseRecipe, count: int) -> Shadows:
    """Run `count` shadow pipelines on halves of the members and others of `world`, by subject.

    A window of nobody counts as a subject of its own.

    Args:
        world: of its release only the size is looked at: shadow releases are as large, or as far
            as memory goes.
        how: they are made.
        count: of shadows; even, so that each subject is in half of them.

    Raises:
        StimjaxError: a subject is on both sides, or there are less than two of them.
    """
    candidates, population = everybody(world)
    unit = units(candidates)
    inside = pipelines.halves(count, int(unit.max()) + 1, world.seed)[:, unit]
    rows, release = [np.flatnonzero(row) for row in inside], releases.drawn(how, len(world.release))
    ran = pipelines.run(candidates, rows, release, world.seed, by=how.by)
    windows = batch.concatenate([candidates, population])
    outside = np.zeros((count, len(population)), bool)
    model = pipelines.student(windows.spec)
    look = _look(components(candidates), windows, releases.refit(how))
    looked = [look(stimuli, pipelines.LEARNED) for stimuli in ran.stimuli]
    answers = pipelines.log_odds(model, ran.students, np.asarray(windows.x), windows.label)
    return Shadows(
        windows=windows,
        places={name: i for i, name in enumerate(_names(candidates))},
        inside=np.concatenate([inside, outside], axis=1),
        signals={"answers": answers}
        | {name: np.stack([one[name] for one in looked]) for name in looked[0]},
        look=look,
        label=releases.labels(ran.trained, how),
        size=min(pipelines.LEARNED, *map(len, ran.stimuli)),
        seed=world.seed,
    )


def _look(
    basis: PCA, windows: Batch, refit: Refit | None
) -> Callable[[Batch, int], dict[str, np.ndarray]]:
    """What stimuli show of `windows` to whoever trains nothing on them; see `Shadows.look`."""

    def look(stimuli: Batch, near: int) -> dict[str, np.ndarray]:
        shown = {"density": closeness(basis, stimuli[:near], windows)}
        return shown if refit is None else shown | {"refit": refit(stimuli)(windows)}

    return look


def of(how: ReleaseRecipe) -> list[str]:
    """The names of those `SIGNALS` that a release made so shows."""
    return [name for name in SIGNALS if name != "refit" or releases.refit(how) is not None]


def once(find: Callable[[World], Found]) -> Callable[[World], Found]:
    """`find`, which is asked once of each world; a world is itself, and no other like it."""
    there: list[tuple[World, Found]] = []

    def found(world: World) -> Found:
        for earlier, before in there:
            if earlier is world:
                return before
        there.append((world, find(world)))
        return there[-1][1]

    return found


def students(shadows: Shadows) -> Students:
    """A function that trains students on the release of a world as the shadows' were trained.

    `TARGETS` students, each on as many stimuli as a shadow release has, drawn at random.
    """

    def trained(world: World) -> Params:
        release = world.release
        own = pipelines.seeds(shadows.seed, "target", TARGETS)
        size, count = min(shadows.size, len(release)), len(release)
        rows = [np.random.default_rng(s).permutation(count)[:size] for s in own]
        return pipelines.train(pipelines.student(release.spec), release, rows, own)

    return once(trained)


def answers(
    students: Students, world: World, x: Float[np.ndarray, "n ..."]
) -> Float[np.ndarray, "n class"]:
    """The softmax for windows, the mean over the students of the release of `world`."""
    model = pipelines.student(world.release.spec)
    return probabilities(model, students(world), x).mean(axis=0)


def observer(shadows: Shadows, learned: Students | None = None) -> Observe:
    """A function that gives the signals of a world; of one that it has seen, at once.

    Args:
        shadows: with which a release is compared.
        learned: students of a world's release, where somebody else asks them too.
    """
    learned = learned or students(shadows)
    return once(lambda world: _observed(shadows, learned, world))


def on_signals(
    score: Mapping[str, Callable[[Seen], Float[np.ndarray, " n"]]],
    source: str,
    tells: Mapping[str, str],
    observe: Observe,
) -> list[Attack]:
    """Attacks on membership, by name.

    Args:
        score: of each window, higher is more a member, by attack.
        source: where they were published.
        tells: what its number means to a participant, by attack.
        observe: gives the signals of a world.
    """

    def attack(name: str) -> Attack:
        def run(world: World) -> list[Finding]:
            return membership(name, scored(score[name], observe, world), world)

        return Attack(name, HOLDS, source, tells[name], run)

    return [attack(name) for name in score]


def scored(
    score: Callable[[Seen], Float[np.ndarray, " n"]], observe: Observe, world: World
) -> Scores:
    """The scores of a world's windows, by what `observe` gives of them."""
    scores, members = score(observe(world)), len(world.members)
    return Scores(scores[:members], scores[members:])


def _observed(shadows: Shadows, learned: Students, world: World) -> Seen:
    """Compare the release of `world` with shadows; the log-odds of its students are averaged.

    Raises:
        StimjaxError: a window is none of the candidates.
    """
    names = [*_names(world.members), *_names(world.others)]
    if missing := set(names) - set(shadows.places):
        raise StimjaxError(f"{len(missing)} windows are none of those that the shadows are about")
    places = np.array([shadows.places[name] for name in names])
    windows, label = shadows.windows, shadows.windows.label
    model, x = pipelines.student(windows.spec), np.asarray(windows.x)
    odds = pipelines.log_odds(model, learned(world), x, label).mean(axis=0)
    shown = {"answers": odds, **shadows.look(world.release, len(world.release))}
    population = np.arange(len(shadows.places), len(windows))
    looks = {
        name: compared(
            np.concatenate([shadows.signals[name], one[None]]),
            label,
            shadows.inside[:, places],
            places,
            population,
        )
        for name, one in shown.items()
    }
    return looks | {"labels": _labels(shadows, world, places)}


def compared(
    each: Float[np.ndarray, "model window"],
    label: Int[np.ndarray, " window"],
    inside: Bool[np.ndarray, "shadow n"],
    places: Int[np.ndarray, " n"],
    population: Int[np.ndarray, " z"],
) -> Signal:
    """What is seen of windows by several models, on one scale (`aligned`).

    Args:
        each: by each shadow, and last by what is under attack.
        label: the class of each window.
        inside: whether a shadow had learned from a window of `places`.
        places: the windows that are asked about.
        population: windows that none had.
    """
    level = aligned(each, label, population)
    return Signal(
        shadows=level[:-1, places],
        inside=inside,
        target=level[-1, places],
        shadows_population=level[:-1, population],
        population=level[-1, population],
    )


def _labels(shadows: Shadows, world: World, places: Int[np.ndarray, " n"]) -> Signal:
    """What the labels of the release say of the windows at `places`; of nobody else's, nothing."""
    rows = np.random.default_rng(shadows.seed).permutation(len(world.release))[: labels.MOST]
    stimuli, inside = world.release[rows], shadows.inside[:, places]
    shown = shadows.label(np.asarray(stimuli.x))
    theirs, target = labels.recognized(shown, np.asarray(stimuli.y), inside)
    unit = units(shadows.windows[places])
    weight = 1 / np.bincount(unit)[unit]
    return Signal(theirs, inside, target, np.zeros((len(theirs), 1)), np.zeros(1), weight)


def aligned(
    signal: Float[np.ndarray, "model n"], label: Int[np.ndarray, " n"], rows: Int[np.ndarray, " z"]
) -> Float[np.ndarray, "model n"]:
    """The signal of each model on the scale that all share, as seen at `rows`, class by class.

    A model that is surer of one class than another, or whose answers are farther apart on hard and
    easy windows alike, says nothing of its members by that; and the real teacher learns longer, and
    its release may be larger. So each is mapped by the line that relates it to the mean of all
    models over windows that none has learned from. That how hard a window is has to be allowed for
    is known (Watson et al., "On the importance of difficulty calibration in membership inference
    attacks", ICLR 2022); the line is ours.
    """
    out = np.array(signal, float)
    for number in np.unique(label[rows]):
        seen, mine = rows[label[rows] == number], label == number
        mean = out[:, seen].mean(axis=0)
        beside = mean - mean.mean()
        slope, square = np.ones(len(out)), (beside**2).sum()
        if len(seen) >= FEWEST and square > 0:
            slope = np.maximum(out[:, seen] @ beside / square, FLATTEST)
        level = np.median(out[:, seen] - slope[:, None] * mean, axis=1)
        out[:, mine] = (out[:, mine] - level[:, None]) / slope[:, None]
    return out


def everybody(world: World) -> tuple[Batch, Batch]:
    """Candidates and population, as arrays of the host.

    Raises:
        StimjaxError: a subject is on both sides, or there are less than two of them.
    """
    candidates = batch.concatenate([world.members, world.others])
    sides = [set(np.asarray(side.subject).tolist()) for side in (world.members, world.others)]
    if both := sides[0] & sides[1] - {NOBODY}:
        raise StimjaxError(f"subject {min(both)} is among the members and among the others")
    if units(candidates).max() < 1:
        raise StimjaxError("shadows need windows of at least two subjects")
    rows = np.random.default_rng(world.seed).permutation(len(world.reference))[:POPULATION]
    return candidates, batch.concatenate([world.reference[np.sort(rows)]])


def units(candidates: Batch) -> Int[np.ndarray, " n"]:
    """A number from 0 for the subject of each window; of nobody's windows, each has its own."""
    subject = np.asarray(candidates.subject, int)
    own = NOBODY - 1 - np.arange(len(subject))
    return np.unique(np.where(subject == NOBODY, own, subject), return_inverse=True)[1]


def _names(windows: Batch) -> Iterator[bytes]:
    """What tells a window from any other: its subject and its values."""
    for x, subject in zip(np.asarray(windows.x), np.asarray(windows.subject), strict=True):
        yield hashlib.blake2b(subject.tobytes() + x.tobytes(), digest_size=16).digest()


def components(windows: Batch) -> PCA:
    """The principal components of windows, in which distances are taken."""
    flat = np.asarray(windows.x).reshape(len(windows), -1)
    return PCA(min(COMPONENTS, *flat.shape), svd_solver="randomized", random_state=0).fit(flat)


def closeness(basis: PCA, stimuli: Batch, windows: Batch) -> Float[np.ndarray, " n"]:
    """Minus the mean logarithm of the distances to the nearest stimuli.

    In proportion to the logarithm of the nearest-neighbor estimate of the density (Loftsgaarden and
    Quesenberry, 1965), averaged over numbers of neighbors; a copy of a window shows in it as well.
    """
    among, of = (basis.transform(np.asarray(b.x).reshape(len(b), -1)) for b in (stimuli, windows))
    near = NearestNeighbors(n_neighbors=min(NEIGHBORS, len(among)), algorithm="brute").fit(among)
    unit = np.sqrt(basis.explained_variance_.sum())
    distance = near.kneighbors(of)[0] / unit
    return -np.log(distance + CLOSEST).mean(axis=1)
