"""Attribute inference: how ill a participant is, told from windows without labels.

Source: the inference of attributes that Stadler, Oprisanu and Troncoso try on synthetic data,
"Synthetic Data - Anonymisation Groundhog Day", USENIX Security 2022 (arXiv 2011.07018): what a
release lets one predict of members beyond what it lets one predict of anybody.

The attribute is the band of severity, one of three of equal size in the cohort: the fraction of a
subject's windows that are of one class, which is apnea where there are two classes and else the
rarest in the cohort. Attackers learn from the release alone, and predict that fraction from a
subject's windows. Each advantage is the share of bands that are right among members minus that
among others: that severity can be told of anybody is the use of a release and no leak.

`advantage`: in the points of `space`, each window gets the label of the nearest stimulus, which is
    right for whoever was copied.
`advantage_of_boosting`: there, gradient boosting learns the soft labels; the band is that among its
    predictions for the cohort, as for those that follow.
`advantage_of_strongest`: the largest of these and of two that know more. One refits the source to
    the stimuli, where it has statistics: how likely it draws a window as one of each class tells
    the class, by Bayes. A value's log density, which is what sources give, says nothing of how many
    independent values there are; so that weight, with the frequency of the classes, is learned from
    the stimuli's labels by logistic regression (Platt, "Probabilistic outputs for support vector
    machines", 1999). The other asks the students of the release that shadow attacks have trained
    anyhow, and is not there without these.

Guessing is worth 0, but the largest of several is above 0 by chance. Its interval is that of
Bonferroni, at the level at which those of all together miss the truth as often as one does alone.
So where nothing is told its lower end is above 0 no more often; what its value is worth, only the
interval says.

Sex, age and the recording device are for `demographics`.

Threat model: the release, windows of a subject without labels, and a cohort with labels; and for
the refitted source, how the release was made.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from jaxtyping import Bool, Float

from stimjax import batch
from stimjax.batch import Batch
from stimjax.privacy import space
from stimjax.privacy.findings import FEW, RESAMPLES, Attack, Finding, World, pool
from stimjax.privacy.shadow.releases import Density, Refit
from stimjax.students import classical
from stimjax.students.intervals import percentile

NAME = "attribute"
MODEL = "gradient_boosting"
BANDS = 3
NEAREST, BOOSTING = "the nearest stimulus", "gradient boosting"
SOURCE, STUDENTS = "the refitted source", "students of the release"

Answer = Callable[[World, np.ndarray], np.ndarray]  # of a release's students, x -> f[n, class]
Right = tuple[Bool[np.ndarray, " m"], Bool[np.ndarray, " n"]]  # members and others


def attack(refit: Refit | None = None, answer: Answer | None = None) -> Attack:
    """The attack on severity.

    Args:
        refit: of the release's source, where it has statistics.
        answer: gives the softmax of students of a world's release for windows, where there are any.
    """
    return Attack(
        name=NAME,
        holds="the release, how it was made, windows of a subject without labels, and a cohort "
        "with labels",
        source="Stadler et al., Synthetic Data - Anonymisation Groundhog Day, arXiv 2011.07018",
        tells=(
            "Whether the release tells more about how ill you are than about how ill somebody is "
            "who took no part."
        ),
        run=functools.partial(run, refit=refit, answer=answer),
    )


def run(world: World, refit: Refit | None = None, answer: Answer | None = None) -> list[Finding]:
    """The advantages on members, for subjects; `attack` says what is given."""
    some = space.sample(world)
    which = attribute(some.reference)
    truth = _fractions(some, [_of_class(side, which) for side in _people(some)])
    right = {}
    for name, probability in _guesses(world, some, refit, answer).items():
        guess = _fractions(some, [side[:, which] for side in probability])
        cohort = truth[2] if name == NEAREST else guess[2]
        ours, theirs = (banded(guess[i], cohort) == banded(truth[i], truth[2]) for i in (0, 1))
        right[name] = ours, theirs
    note = f"the fraction of windows of the class {some.release.spec.classes[which]!r}"
    few = min(len(truth[0]), len(truth[1]))
    if few < FEW:
        note += f"; only {few} subjects on one side: trust the interval, not the value"

    best, of_best = strongest(right, world.seed)
    by = f"by {best}, the strongest of {len(right)}, for which the interval allows; {note}"
    found = [
        ("advantage", advantage(*right[NEAREST], seed=world.seed), note),
        ("advantage_of_boosting", advantage(*right[BOOSTING], seed=world.seed), note),
        ("advantage_of_strongest", of_best, by),
    ]
    return [Finding(NAME, metric, "subject", *of, 0.0, said) for metric, of, said in found]


def attribute(reference: Batch) -> int:
    """The class whose fraction is the severity: 1 of two, else the rarest that there is."""
    count = np.asarray(reference.y).sum(axis=0)
    return 1 if len(count) == 2 else int(np.where(count > 0, count, np.inf).argmin())


def banded(
    fraction: Float[np.ndarray, " subjects"], cohort: Float[np.ndarray, " cohort"]
) -> np.ndarray:
    """The number of each subject's band, bands being equally large in the cohort, i[subjects]."""
    return np.digitize(fraction, np.quantile(cohort, np.arange(1, BANDS) / BANDS))


def strongest(
    right: Mapping[str, Right], seed: int = 0
) -> tuple[str, tuple[float, tuple[float, float]]]:
    """The attacker with the largest advantage; that, with its interval as one of so many.

    Args:
        right: which members and which others each attacker is right about.
        seed: of the bootstrap.
    """
    each = {name: advantage(*sides, seed=seed, tried=len(right)) for name, sides in right.items()}
    best = max(each, key=lambda name: each[name][0])
    return best, each[best]


def advantage(
    members: Bool[np.ndarray, " m"], others: Bool[np.ndarray, " n"], seed: int = 0, tried: int = 1
) -> tuple[float, tuple[float, float]]:
    """The share of members that are right minus that of others, and its interval.

    The bootstrap resamples subjects on both sides; with one on a side the interval is (-1, 1). Of
    the largest of several it is that of one that was `tried` among so many (Bonferroni).
    """
    value = float(members.mean() - others.mean())
    if min(len(members), len(others)) < 2:
        return value, (-1.0, 1.0)
    rng = np.random.default_rng(seed)
    # As many successes as a resample of subjects holds; one more of either kind on each side,
    # since subjects that are all right or all wrong would leave no doubt.
    drawn = [
        rng.binomial(len(side), (side.sum() + 1) / (len(side) + 2), RESAMPLES) / len(side)
        for side in (members, others)
    ]
    return value, percentile(drawn[0] - drawn[1], tried)


def _people(world: World) -> tuple[Batch, Batch, Batch]:
    return world.members, world.others, world.reference


def _of_class(side: Batch, which: int) -> Float[np.ndarray, " n"]:
    return (side.label == which).astype(np.float64)


def _fractions(world: World, of: list[np.ndarray]) -> list[Float[np.ndarray, " subjects"]]:
    """The mean of each subject's windows, for members, others and reference."""
    sides = _people(world)
    return [pool(part, np.asarray(side.subject)) for part, side in zip(of, sides, strict=True)]


def _guesses(
    world: World, some: World, refit: Refit | None, answer: Answer | None
) -> dict[str, list[np.ndarray]]:
    """What attackers take for the class of members', others' and reference's windows, f[n, class].

    Args:
        world: whose release is attacked.
        some: of its windows.
        refit: see `attack`.
        answer: see `attack`.
    """
    points = space.points(some)
    people = points.members, points.others, points.reference
    hard = np.eye(some.release.y.shape[1])[some.release.label]
    nearest = [hard[space.neighbors(part, points.release)[1][:, 0]] for part in people]
    boosted = _learned(MODEL, some, points.release, people)
    found = {NEAREST: nearest, BOOSTING: boosted}
    if refit is not None:
        density = refit(some.release)
        release, *sides = (_likelihoods(density, side) for side in (some.release, *_people(some)))
        found[SOURCE] = _learned("logistic", some, release, sides)
    if answer is not None:
        found[STUDENTS] = [answer(world, np.asarray(side.x)) for side in _people(some)]
    return found


def _learned(
    model: str, world: World, release: Float[np.ndarray, "stimuli k"], people: Sequence[np.ndarray]
) -> list[np.ndarray]:
    """What a classical student of stimuli, which are the rows of `release`, says of people's."""
    train = dataclasses.replace(world.release, x=release[:, :, None])
    x = np.concatenate(people)[:, :, None]
    probability = classical.train_and_predict(model, train, x, world.seed)
    return np.split(probability, np.cumsum([len(part) for part in people])[:-1])


def _likelihoods(density: Density, windows: Batch) -> Float[np.ndarray, "n class"]:
    """How likely a source draws windows as one of each class, beside the mean over classes."""
    spec, rows = windows.spec, np.ones(len(windows), int)
    each = np.stack(
        [
            density(dataclasses.replace(windows, y=batch.one_hot(number * rows, spec)))
            for number in range(len(spec.classes))
        ],
        axis=1,
    )
    return each - each.mean(axis=1, keepdims=True)
