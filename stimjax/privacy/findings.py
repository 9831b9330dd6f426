"""What an attack is tried on, what it finds, and how sure of it we can be.

An attack on membership gives a score to each window: higher where it looks more like one that
the teacher learned from. From these scores follow the area under the ROC curve and the share of
members found at a small rate of false alarms, for windows and, pooled over each night, for
subjects. Windows of one subject resemble each other, so that intervals resample subjects.

A mean over members hides whom an attack finds best. Risk differs much between records (Carlini et
al., S&P 2022, arXiv 2112.03570; Meeus et al., "Achilles' heels", arXiv 2306.10308), so that the
worst-off member is reported beside it, see `worst`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy.stats import binomtest, norm

from stimjax.batch import Batch
from stimjax.data.people import Person
from stimjax.students.intervals import LEVEL, percentile

RESAMPLES = 1000
RATES = (0.01, 0.001)  # of false alarms
FEW = 5  # subjects on either side, below which an interval says more than a value
RARE = 0.01  # chance below which a note is worth it: there are many attacks
EQUAL = 1e-9  # scores that differ by no more are one, in units of how far all reach
ALONE = (
    "all windows of a subject have one score here: an area of its own would be the share of others "
    "below it, and the largest of these near 1 by chance, so that there is no worst_subject"
)
# What an attack on membership gives at most, and of whom; see `membership`.
MEMBERSHIP = (
    ("auc", "window"),
    *((f"tpr_at_fpr_{rate:g}", "window") for rate in RATES),
    ("auc", "subject"),
    ("worst_subject", "subject"),
)
MAXIMA = 10_000  # draws of the largest of as many values as there are members


class World(NamedTuple):
    """What an attacker and those who judge the attack hold.

    Attributes:
        release: the stimuli.
        members: windows that the teacher learned from.
        others: windows of subjects who had no part in anything.
        reference: windows of further subjects, like them: the attacker's own cohort.
        seed: of all chance.
        people: what is known of subjects, by their numbers: sex, age, device.
    """

    release: Batch
    members: Batch
    others: Batch
    reference: Batch
    seed: int = 0
    people: Mapping[int, Person] = MappingProxyType({})


class Finding(NamedTuple):
    """One number that an attack gives.

    Attributes:
        attack: its name.
        metric: auc, tpr_at_fpr_0.01, worst_subject, top1 and so on.
        level: window, subject, chooser, cohort, stimulus, release or file: what one guess is about.
        value: None where the attack could not be tried, see `note`.
        interval: of 95 %; None where there is none.
        chance: the value of guessing.
        note: what a reader has to know beside the number.
    """

    attack: str
    metric: str
    level: str
    value: float | None
    interval: tuple[float, float] | None
    chance: float
    note: str = ""


class Scores(NamedTuple):
    """A score for each window of a world's members and of its others; higher is more a member."""

    members: Float[np.ndarray, " members"]
    others: Float[np.ndarray, " others"]


class Scored(NamedTuple):
    """Scores of one side, and the subject of each."""

    score: Float[np.ndarray, " n"]
    subject: Int[np.ndarray, " n"]

    def by_subject(self) -> list[np.ndarray]:
        """The scores of each subject, in order of its number."""
        return [self.score[self.subject == number] for number in np.unique(self.subject)]

    def sizes(self) -> Int[np.ndarray, " subject"]:
        """How many scores each subject has, in order of its number."""
        return np.unique(self.subject, return_counts=True)[1]


class Attack(NamedTuple):
    """One way to learn something about individuals.

    Attributes:
        name: in `privacy.json`.
        holds: what the attacker has, in words: the threat model.
        source: where the attack was published.
        tells: what its number means to a participant, one sentence.
        run: tries it.
    """

    name: str
    holds: str
    source: str
    tells: str
    run: Callable[[World], list[Finding]]


def membership(name: str, scores: Scores, world: World) -> list[Finding]:
    """The findings of an attack on membership, for windows and for whole subjects.

    A subject's score is the mean of its windows' scores. Where all of these are one (as by the
    labels of a release, which are looked at once for each person) nobody has an area of its own:
    it would be the share of others that are below, a number of few values. Of 30 members who are
    like 30 others the largest is 1 in every second audit, and guessing is worth .997, so that not
    even a member far above all could stand out. Then `worst_subject` is left out, and a note says
    so; who is above every other is in the note of the subjects' area.
    """
    seed = world.seed
    ours = Scored(scores.members, np.asarray(world.members.subject))
    theirs = Scored(scores.others, np.asarray(world.others.subject))
    value, interval = auc(members=ours, others=theirs, seed=seed)
    findings = [Finding(name, "auc", "window", value, interval, 0.5)]
    for rate in RATES:
        metric = f"tpr_at_fpr_{rate:g}"
        if len(theirs.score) * rate < 1:
            note = f"{len(theirs.score)} windows of others are too few"
            findings.append(Finding(name, metric, "window", None, None, rate, note))
        else:
            value, interval = true_alarms(members=ours, others=theirs, rate=rate, seed=seed)
            findings.append(Finding(name, metric, "window", value, interval, rate))
    members, others = (pool(side.score, side.subject) for side in (ours, theirs))
    of_all = of_subjects(name, members=members, others=others, seed=seed)
    if _one_each(ours, theirs):
        note = f"{of_all.note}; {ALONE}" if of_all.note else ALONE
        return [*findings, of_all._replace(note=note)]
    value, interval, chance = worst(members=ours, others=theirs, seed=seed)
    few = _few(ours.sizes(), theirs.sizes())
    worst_off = Finding(name, "worst_subject", "subject", value, interval, chance, few)
    return [*findings, of_all, worst_off]


def of_subjects(
    name: str,
    *,
    members: Float[np.ndarray, " members"],
    others: Float[np.ndarray, " others"],
    seed: int = 0,
) -> Finding:
    """The finding of an attack on membership that gives one score to each subject."""
    ours, theirs = (Scored(side, np.arange(len(side))) for side in (members, others))
    value, interval = auc(members=ours, others=theirs, seed=seed)
    note = _few(members, others) or _first(members, others)
    return Finding(name, "auc", "subject", value, interval, 0.5, note)


def _one_each(ours: Scored, theirs: Scored) -> bool:
    """Whether all windows of any subject have one score."""
    reach = np.ptp(np.concatenate([ours.score, theirs.score]))
    spreads = [np.ptp(own) for side in (ours, theirs) for own in side.by_subject()]
    return bool(max(spreads) <= EQUAL * reach)


def _few(members: np.ndarray, others: np.ndarray) -> str:
    """What to note if there are few subjects on a side."""
    few = min(len(members), len(others))
    if few >= FEW:
        return ""
    return f"only {few} subjects on one side: trust the interval, not the value"


def pool(
    score: Float[np.ndarray, " n"], subject: Int[np.ndarray, " n"]
) -> Float[np.ndarray, " subject"]:
    """The mean score of each subject, in order of its number."""
    _, group = np.unique(subject, return_inverse=True)
    return np.bincount(group, score) / np.bincount(group)


def auc(*, members: Scored, others: Scored, seed: int = 0) -> tuple[float, tuple[float, float]]:
    """The chance that a member's score is above another's, ties half, and its interval.

    The bootstrap resamples subjects on both sides; it uses that the area is a sum over pairs of
    subjects. With one subject on a side nothing can be resampled: then the interval is (0, 1).
    Where all of one side are above all of the other, every resample is so too, however few they
    are: then the interval is that of as many hits in tries as the smaller side has subjects.
    """
    wins, size, size_other = _wins(members, others), members.sizes(), others.sizes()
    value = float(wins.sum() / (size.sum() * size_other.sum()))
    few = min(wins.shape)
    if few < 2:
        return value, (0.0, 1.0)
    if value in (0.0, 1.0):
        return value, share(few if value else 0, few)[1]
    often, often_other = _resampled(wins.shape[0], wins.shape[1], seed)
    drawn = ((often @ wins) * often_other).sum(axis=1) / (
        (often @ size) * (often_other @ size_other)
    )
    return value, percentile(drawn)


def worst(
    *, members: Scored, others: Scored, seed: int = 0
) -> tuple[float, tuple[float, float], float]:
    """How well the windows of the worst-off member are told from those of others.

    The area of each member alone, against the scores of all others; of these the largest. Of many
    members one has a large area by chance. What the largest would be if members were like others is
    predicted from the areas of the others, each against those that are left. To exchange members
    and others instead could show nothing: one member who stands out is still among the members in
    most exchanges.

    Returns:
        The largest area; its interval, in probits as wide as the prediction, so that it lies above
        chance where the largest is beyond what is predicted; the median of the prediction, which is
        the value of guessing. With one other nothing can be predicted: then the interval is (0, 1).
    """
    sides = Scored(
        np.concatenate([members.score, others.score]),
        # The subjects of either side have their own numbers, those of the members come first.
        np.concatenate([_numbered(members), len(members.sizes()) + _numbered(others)]),
    )
    wins, first = _wins(sides, others), len(members.sizes())
    size, size_other = sides.sizes(), others.sizes()
    pairs = size * size_other.sum()
    pairs[first:] -= size_other**2
    won = wins.sum(axis=1)
    won[first:] -= size_other**2 / 2  # of its own windows, of which every second is above another
    value = float((won[:first] / pairs[:first]).max())
    if len(size_other) < 2:
        return value, (0.0, 1.0), 0.5
    deviates = norm.ppf((won + 0.5) / (pairs + 1))
    largest = _maxima(deviates[first:], first, seed)
    own, middle, (low, high) = deviates[:first].max(), np.median(largest), percentile(largest)
    ends = norm.cdf(own - (high - middle)), norm.cdf(own + (middle - low))
    return value, (min(value, float(ends[0])), max(value, float(ends[1]))), float(norm.cdf(middle))


def _maxima(
    deviates: Float[np.ndarray, " others"], count: int, seed: int
) -> Float[np.ndarray, " draw"]:
    """Draws of the largest of `count` further deviates; each of `deviates` is from all the rest.

    Few others do not tell how far such values reach, so that half of the draws are from a normal
    distribution (Hahn, "Additional factors for calculating prediction intervals for samples from a
    normal distribution", JASA 65, 1970) and half from one whose excess over the median is
    exponential, the usual limit of tails (Pickands, Annals of Statistics 3, 1975). Their parameters
    are as uncertain as so many others leave them.
    """
    rng, n, half = np.random.default_rng(seed), len(deviates), (2, MAXIMA // 2)
    level, place = rng.random(half) ** (1 / count), rng.normal(size=half) / np.sqrt(n)
    variance = (deviates**2).sum() * (n - 1) / n**2  # each is n / (n - 1) from the mean of all
    spread = np.sqrt(variance * (n - 1) / rng.chisquare(n - 1, half[1]))
    normal = spread * (place[0] + norm.ppf(level[0]))
    median = np.median(deviates)
    excess = deviates[deviates > median] - median
    mean = excess.sum() / rng.gamma(max(len(excess), 1), size=half[1])
    reach = -np.log(2 * (1 - level[1]))  # below 0 where all are below the median
    return np.concatenate([normal, median + mean * (place[1] + np.maximum(reach, 0))])


def _first(ours: Float[np.ndarray, " members"], theirs: Float[np.ndarray, " others"]) -> str:
    """What to note if more members are above every other than chance explains; else nothing."""
    above, all_ = int((ours > theirs.max()).sum()), len(ours) + len(theirs)
    place = np.arange(above)
    chance = float(np.prod((len(ours) - place) / (all_ - place)))  # that the first are all members
    if chance > RARE:
        return ""
    return (
        f"{above} of {len(ours)} members have a score above that of every other; by chance so many "
        f"have it with probability {chance:.2g}"
    )


def _numbered(side: Scored) -> Int[np.ndarray, " n"]:
    """The subject of each score, numbered from 0."""
    return np.unique(side.subject, return_inverse=True)[1]


def _wins(ours: Scored, theirs: Scored) -> Float[np.ndarray, "ours theirs"]:
    """In how many pairs of scores, one of each side, that of ours is above, by subjects; ties half.

    Each of their subjects takes one walk along all scores in their order.
    """
    both = np.concatenate([ours.score, theirs.score])
    place = np.unique(both, return_inverse=True)[1]
    mine, other = place[: len(ours.score)], place[len(ours.score) :]
    who, whose = _numbered(ours), _numbered(theirs)
    columns = []
    for number in range(whose.max() + 1):
        count = np.bincount(other[whose == number], minlength=len(both))
        below = np.cumsum(count) - count / 2
        columns.append(np.bincount(who, below[mine]))
    return np.stack(columns, axis=1)


def true_alarms(
    *, members: Scored, others: Scored, rate: float, seed: int = 0
) -> tuple[float, tuple[float, float]]:
    """The share of members above the threshold that at most `rate` of the others exceed.

    The interval resamples subjects on both sides, so that the threshold is uncertain too.
    """

    def share(ours: np.ndarray, theirs: np.ndarray) -> float:
        allowed = int(rate * len(theirs))  # so many may lie above the threshold
        threshold = np.partition(theirs, len(theirs) - 1 - allowed)[len(theirs) - 1 - allowed]
        return float((ours > threshold).mean())

    ours, theirs = members.by_subject(), others.by_subject()
    value = share(members.score, others.score)
    if min(len(ours), len(theirs)) < 2:
        return value, (0.0, 1.0)
    rng = np.random.default_rng(seed)
    drawn = [
        share(
            np.concatenate([ours[i] for i in rng.integers(len(ours), size=len(ours))]),
            np.concatenate([theirs[i] for i in rng.integers(len(theirs), size=len(theirs))]),
        )
        for _ in range(RESAMPLES // 5)
    ]
    return value, percentile(drawn)


def share(hits: int, tries: int) -> tuple[float, tuple[float, float]]:
    """`hits / tries`, with the interval of Clopper and Pearson (1934) for independent tries."""
    interval = binomtest(hits, tries).proportion_ci(LEVEL)
    return hits / tries, (float(interval.low), float(interval.high))


def _resampled(ours: int, theirs: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """How often each subject is in each resample, f64[resample, subject], for either side."""
    rng = np.random.default_rng(seed)
    first, second = (
        rng.multinomial(n, np.full(n, 1 / n), RESAMPLES).astype(float) for n in (ours, theirs)
    )
    return first, second
