"""Canaries: windows with a wrong label that some pipelines learn from, and whose release may tell.

Zhao and Zhang, "Does training with synthetic data truly protect privacy?" (ICLR 2025, arXiv
2502.12976): what a release tells of an average window hides what it tells of the most exposed one,
and a window whose label is wrong is such. Each canary is in the training set of about half of the
pipelines; the score is how far the release prefers the wrong label, compared with releases without
that canary: as the paper has it, by a student of the release, and (ours) by how much closer its
stimuli with the wrong label come than those with the true one.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int
from sklearn.decomposition import PCA

from stimjax import batch
from stimjax.batch import Batch
from stimjax.errors import StimjaxError
from stimjax.learn.predict import log_probabilities
from stimjax.privacy.findings import RATES, RESAMPLES, Attack, Finding, World
from stimjax.privacy.shadow import pipelines, signals
from stimjax.privacy.shadow.pipelines import Release
from stimjax.students.intervals import area, percentile

NAME = "canary"
COUNT = 200  # canaries, at most; never more than every second window of the reference
TRAIN = 2000  # windows of members in the training set of each pipeline, at most


def attack(release: Release, count: int) -> Attack:
    """The attack on `count` pipelines whose releases are made by `release`."""
    return Attack(
        NAME,
        "releases of the same kind from training sets into which it may put windows",
        "Zhao and Zhang, ICLR 2025 (arXiv 2502.12976)",
        "How well somebody tells from a release whether a recording that resembles nobody else's "
        "was among the training data.",
        lambda world: run(world, release, count),
    )


def run(world: World, release: Release, count: int) -> list[Finding]:
    """Run `count` pipelines with canaries among `world.members`, and look for these.

    The release of `world` is not looked at: its canaries would have had to be in it. At most
    `TRAIN` members take part, so that the pipelines' few steps go over a canary as often as a
    teacher's many steps would.

    Raises:
        StimjaxError: the reference has less than four windows.
    """
    canaries, true = _canaries(world)
    wrong = canaries.label
    rng = np.random.default_rng(world.seed)
    members = world.members[np.sort(rng.permutation(len(world.members))[:TRAIN])]
    windows = batch.concatenate([members, canaries])
    inside = pipelines.halves(count, len(canaries), world.seed)
    rows = [
        np.concatenate([np.arange(len(members)), len(members) + np.flatnonzero(row)])
        for row in inside
    ]
    ran = pipelines.run(windows, rows, release, world.seed, "canary ")
    log = log_probabilities(pipelines.student(windows.spec), ran.students, canaries.x)
    each, basis = np.arange(len(canaries)), signals.components(members)
    close = np.stack([_close(basis, stimuli, canaries) for stimuli in ran.stimuli])
    surer, closer = (of[:, each, wrong] - of[:, each, true] for of in (log, close))
    scores = [calibrated(leveled(surer, wrong), inside), calibrated(closer, inside)]
    score = sum(one / max(float(one[~inside].std()), 1e-9) for one in scores)
    return findings(np.asarray(score), inside, world.seed)


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
) -> list[Finding]:
    """Area under the curve and true alarms over pairs; intervals resample canaries."""
    count, rng = score.shape[1], np.random.default_rng(seed)
    drawn = rng.integers(count, size=(RESAMPLES // 2, count))
    note = f"{count} canaries in {len(score)} pipelines"

    def finding(metric: str, chance: float, value: float, values: list[float]) -> Finding:
        return Finding(NAME, metric, "window", value, percentile(values), chance, note)

    def areas(rows: np.ndarray) -> float:
        return area(score[:, rows].ravel(), inside[:, rows].ravel())

    results = [finding("auc", 0.5, areas(np.arange(count)), [areas(rows) for rows in drawn])]
    for rate in RATES:
        metric, least = f"tpr_at_fpr_{rate:g}", (~inside).sum()
        if least * rate < 1:
            few = f"{note}: too few"
            results.append(Finding(NAME, metric, "window", None, None, rate, few))
            continue
        shares = [_share(score[:, rows], inside[:, rows], rate) for rows in drawn]
        results.append(finding(metric, rate, _share(score, inside, rate), shares))
    return results


def _share(score: np.ndarray, inside: np.ndarray, rate: float) -> float:
    """Part of the pairs with the canary above what at most `rate` of those without exceed."""
    without = np.sort(score[~inside])
    return float((score[inside] > without[len(without) - 1 - int(rate * len(without))]).mean())
