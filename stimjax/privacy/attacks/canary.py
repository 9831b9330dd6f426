"""Canaries: windows with a wrong label that some pipelines learn from, and whose release may tell.

Zhao and Zhang, "Does training with synthetic data truly protect privacy?" (ICLR 2025, arXiv
2502.12976): what a release tells of an average window hides what it tells of the most exposed one,
and a window whose label is wrong is such. Each canary is in the training set of about half of the
pipelines; the score is how far the release prefers the wrong label, compared with releases without
that canary: as the paper has it, by a student of the release, and (ours) by how much closer its
stimuli with the wrong label come than those with the true one.

Ours are also canary subjects: nights of people whose every window has one and the same signature, a
shape of their own that nobody else's windows have. Each of them, too, is in half of the pipelines;
the score is what `shadow.signals` sees of all its windows, compared with releases without it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Int
from sklearn.decomposition import PCA

from stimjax import batch
from stimjax.batch import Batch
from stimjax.errors import StimjaxError
from stimjax.learn.predict import log_probabilities
from stimjax.privacy.findings import RATES, RESAMPLES, Attack, Finding, World
from stimjax.privacy.shadow import pipelines, signals
from stimjax.privacy.shadow.pipelines import ONE, Labelers, Pipelines, Release
from stimjax.privacy.shadow.releases import Refit
from stimjax.students.intervals import area, percentile

NAME = "canary"
COUNT = 200  # canaries, at most; never more than every second window of the reference
NIGHTS, WINDOWS = 10, 40  # canary subjects, and windows of each
FIRST = 2_000_000  # of the canary subjects' numbers
TRAIN = 2000  # windows of members in the training set of each pipeline, at most


def attack(release: Release, count: int, refit: Refit | None = None, by: Labelers = ONE) -> Attack:
    """The attack on `count` pipelines whose releases are made by `release`.

    Args:
        release: of each pipeline.
        count: of pipelines.
        refit: of its source, if that has statistics.
        by: the networks of the pipelines' teachers.
    """
    return Attack(
        NAME,
        "releases of the same kind from training sets into which it may put windows and nights",
        "Zhao and Zhang, ICLR 2025 (arXiv 2502.12976)",
        "How well somebody tells from a release whether a recording that resembles nobody else's "
        "was among the training data.",
        lambda world: run(world, release, count, refit, by),
    )


def run(
    world: World,
    release: Release,
    count: int,
    refit: Refit | None = None,
    by: Labelers = ONE,
) -> list[Finding]:
    """Run `count` pipelines with canaries among `world.members`, and look for these.

    The release of `world` is not looked at: its canaries would have had to be in it. At most
    `TRAIN` members take part, so that the pipelines' few steps go over a canary as often as a
    teacher's many steps would.

    Raises:
        StimjaxError: the reference has less than four windows.
    """
    canaries, true = _canaries(world)
    nights = _nights(world)
    rng = np.random.default_rng(world.seed)
    members = world.members[np.sort(rng.permutation(len(world.members))[:TRAIN])]
    windows = batch.concatenate([members, canaries, nights])
    night = np.repeat(np.arange(NIGHTS), len(nights) // NIGHTS)
    unit = np.concatenate(
        [np.arange(len(canaries)), len(canaries) + night]
    )  # of what may be put in
    inside = pipelines.halves(count, len(canaries) + NIGHTS, world.seed)
    every = np.arange(len(members))
    rows = [np.append(every, len(members) + np.flatnonzero(row[unit])) for row in inside]
    ran = pipelines.run(windows, rows, release, world.seed, "canary ", by)
    put = inside[:, : len(canaries)], inside[:, len(canaries) :]
    basis = signals.components(members)
    score = _of_windows(ran, basis, canaries, true, put[0])
    of_nights = _of_nights(ran, basis, nights, put[1], refit)
    return [
        *findings(score, put[0], world.seed),
        *findings(of_nights, put[1], world.seed, "subject"),
    ]


def _of_windows(
    ran: Pipelines,
    basis: PCA,
    canaries: Batch,
    true: Int[np.ndarray, " canary"],
    inside: Bool[np.ndarray, "pipeline canary"],
) -> Float[np.ndarray, "pipeline canary"]:
    """How far each release prefers the wrong label of each canary, beside those without it."""
    wrong, each = canaries.label, np.arange(len(canaries))
    log = log_probabilities(pipelines.student(canaries.spec), ran.students, canaries.x)
    close = np.stack([_close(basis, stimuli, canaries) for stimuli in ran.stimuli])
    surer, closer = (of[:, each, wrong] - of[:, each, true] for of in (log, close))
    return _together([leveled(surer, wrong), closer], inside)


def _of_nights(
    ran: Pipelines,
    basis: PCA,
    nights: Batch,
    inside: Bool[np.ndarray, "pipeline night"],
    refit: Refit | None,
) -> Float[np.ndarray, "pipeline night"]:
    """What each release shows of each night, the mean of its windows, beside those without it."""
    model, x = pipelines.student(nights.spec), np.asarray(nights.x)
    seen = [
        pipelines.log_odds(model, ran.students, x, nights.label),
        np.stack([signals.closeness(basis, stimuli, nights) for stimuli in ran.stimuli]),
    ]
    if refit is not None:
        seen.append(np.stack([refit(stimuli)(nights) for stimuli in ran.stimuli]))
    return _together([one.reshape(len(one), NIGHTS, -1).mean(axis=2) for one in seen], inside)


def _together(
    scores: Sequence[Float[np.ndarray, "pipeline canary"]],
    inside: Bool[np.ndarray, "pipeline canary"],
) -> Float[np.ndarray, "pipeline canary"]:
    """The sum of scores, each calibrated and in units of its spread where the canary is not."""
    each = [calibrated(score, inside) for score in scores]
    return np.sum([one / max(float(one[~inside].std()), 1e-9) for one in each], axis=0)


def _close(basis: PCA, stimuli: Batch, canaries: Batch) -> Float[np.ndarray, "canary class"]:
    """How close stimuli that are most probably of each class come; 0 where there are none."""
    label = stimuli.label
    out = np.zeros(canaries.y.shape)
    for number in np.unique(label):
        out[:, number] = signals.closeness(basis, stimuli[label == number], canaries)
    return out


def _canaries(world: World) -> tuple[Batch, Int[np.ndarray, " canary"]]:
    """Windows of the reference with a wrong label, and their true classes."""
    size = min(COUNT, len(world.reference) // 2)
    if size < 2:
        raise StimjaxError(f"{len(world.reference)} windows of the reference give no canaries")
    rng = np.random.default_rng(world.seed)
    chosen = world.reference[np.sort(rng.permutation(len(world.reference))[:size])]
    true, classes = chosen.label, len(chosen.spec.classes)
    wrong = (true + rng.integers(1, classes, size)) % classes
    y = batch.one_hot(wrong, chosen.spec)
    return batch.make(chosen.x, y, chosen.spec, subject=chosen.subject), true


def _nights(world: World) -> Batch:
    """Windows of the reference as those of `NIGHTS` people with a signature, night after night.

    A signature is as large as windows are spread, at each value of a window.
    """
    rng = np.random.default_rng([world.seed, 2])
    spec, reference = world.reference.spec, world.reference
    rows = rng.integers(len(reference), size=(NIGHTS, WINDOWS))
    x = np.asarray(reference.x)
    signature = x.std(axis=0) * rng.normal(size=(NIGHTS, 1, *spec.shape))
    nights = (x[rows] + signature).reshape(-1, *spec.shape).clip(spec.low, spec.high)
    subject = np.repeat(FIRST + np.arange(NIGHTS), WINDOWS)
    return batch.make(nights, np.asarray(reference.y)[rows.ravel()], spec, subject=subject)


def leveled(
    score: Float[np.ndarray, "pipeline canary"], wrong: Int[np.ndarray, " canary"]
) -> Float[np.ndarray, "pipeline canary"]:
    """Each score less its pipeline's median over canaries with the same wrong label.

    Not on one scale too, as `signals.aligned` does: half of what it would be seen at was learned.
    """
    out = np.array(score, float)
    for number in np.unique(wrong):
        mine = wrong == number
        out[:, mine] -= np.median(out[:, mine], axis=1, keepdims=True)
    return out


def calibrated(
    score: Float[np.ndarray, "pipeline canary"], inside: Bool[np.ndarray, "pipeline canary"]
) -> Float[np.ndarray, "pipeline canary"]:
    """Each score less the mean of the same canary in the other pipelines without it."""
    without = np.where(inside, 0.0, score)
    total, often = without.sum(axis=0), (~inside).sum(axis=0)
    return score - (total - without) / np.maximum(often - ~inside, 1)


def findings(
    score: Float[np.ndarray, "pipeline canary"],
    inside: Bool[np.ndarray, "pipeline canary"],
    seed: int,
    level: str = "window",
) -> list[Finding]:
    """Area under the curve and true alarms over pairs; intervals resample canaries."""
    count, rng = score.shape[1], np.random.default_rng(seed)
    drawn = rng.integers(count, size=(RESAMPLES // 2, count))
    note = f"{count} canaries in {len(score)} pipelines"

    def finding(metric: str, chance: float, value: float, values: list[float]) -> Finding:
        return Finding(NAME, metric, level, value, percentile(values), chance, note)

    def areas(rows: np.ndarray) -> float:
        return area(score[:, rows].ravel(), inside[:, rows].ravel())

    results = [finding("auc", 0.5, areas(np.arange(count)), [areas(rows) for rows in drawn])]
    for rate in RATES:
        metric, least = f"tpr_at_fpr_{rate:g}", (~inside).sum()
        if least * rate < 1:
            few = f"{note}: too few"
            results.append(Finding(NAME, metric, level, None, None, rate, few))
            continue
        shares = [_share(score[:, rows], inside[:, rows], rate) for rows in drawn]
        results.append(finding(metric, rate, _share(score, inside, rate), shares))
    return results


def _share(score: np.ndarray, inside: np.ndarray, rate: float) -> float:
    """Part of the pairs with the canary above what at most `rate` of those without exceed."""
    without = np.sort(score[~inside])
    return float((score[inside] > without[len(without) - 1 - int(rate * len(without))]).mean())
