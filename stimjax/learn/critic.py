"""The identity critic: a network that tells the subjects of the training windows apart.

It learns from the first half of each subject's night and is judged on the last quarter, so that
what it knows is not the posture or the belt of one hour. A critic that is no better than chance on
real windows can inhibit nothing: its accuracy is always told.

That representations tied to individuals are inhibited is the idea of Nikolaidis et al. (JAIR 72,
2021); the form of their critic was not published in what we could read: this one is ours.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import jax
import numpy as np
from jaxtyping import Array, Float, Int

from stimjax import batch, config, models
from stimjax.batch import NOBODY, Batch, Spec
from stimjax.disk.documents import CriticScores
from stimjax.errors import StimjaxError
from stimjax.learn import fit
from stimjax.learn.predict import probabilities
from stimjax.models import Model, Params

LEARNED, CHOSEN = 0.5, 0.75  # of each night: up to here to learn from, up to there to stop at
SEED = 3_000_000_000  # first of the critics'
LEVELS = 21  # quantiles of how surely it recognizes a window


@dataclasses.dataclass(frozen=True)
class Critic:
    """A trained critic.

    Attributes:
        network: its name in the registry.
        params: its parameters.
        spec: of the windows.
        subjects: how many it tells apart.
        accuracy: on the last quarter of each night.
        chance: the accuracy of always naming the subject with the most windows.
        sure: LEVELS quantiles of its highest probability for those windows.
    """

    network: str
    params: Params
    spec: Spec
    subjects: int
    accuracy: float
    chance: float
    sure: tuple[float, ...]

    @property
    def model(self) -> Model:
        return recognizer(self.network, self.spec, self.subjects)

    def logits(self, params: Params, x: Float[Array, "n ..."]) -> Float[Array, "n subjects"]:
        """One logit for each subject; `params` are those of the critic, traced or not."""
        return self.model.apply(params, x)

    def bound(self, strength: float) -> float:
        """A highest probability that a share `strength` of the real windows exceeds."""
        return bound(self.sure, strength)

    @classmethod
    def of(cls, about: CriticScores, spec: Spec, where: str) -> Critic:
        """What `about` described, still without parameters.

        Raises:
            StimjaxError: there is no such network; `where` names the file.
        """
        if about.network not in models.CLASSIFIERS:
            raise StimjaxError(f"{where}: names the network {about.network!r}, which is not known")
        return cls(params=None, spec=spec, **dataclasses.asdict(about))

    def about(self) -> CriticScores:
        """All but the parameters and the spec."""
        return CriticScores(self.network, self.subjects, self.accuracy, self.chance, self.sure)


def train(
    windows: Batch,
    network: str,
    settings: config.Fit,
    *,
    seed: int = 0,
    progress: Callable[[int, int], None] = lambda step, steps: None,
) -> Critic | None:
    """A critic of the subjects of `windows`, which stand in order of time within each subject.

    Returns:
        None where fewer than two subjects have windows in every part of their night.

    Raises:
        DivergedError: training diverged.
        StimjaxError: an unknown network.
    """
    by_subject = nights(windows)
    if len(by_subject) < 2:
        return None
    learned, chosen, judged = (
        named(windows[np.concatenate(rows)], list(by_subject))
        for rows in zip(*by_subject.values(), strict=True)
    )
    model = recognizer(network, windows.spec, len(by_subject))
    run = fit.Run(progress=progress)
    fitted = fit.fit(model, learned, chosen, seeds=[own_seed(seed)], settings=settings, run=run)
    answers = probabilities(model, fitted.params, judged.x)[0]
    truth = judged.label
    return Critic(
        network,
        jax.tree.map(lambda leaf: leaf[0], fitted.params),
        windows.spec,
        len(by_subject),
        accuracy=float((answers.argmax(axis=1) == truth).mean()),
        chance=float(np.bincount(truth).max() / len(truth)),
        sure=sureness(answers),
    )


def own_seed(seed: int) -> int:
    """That of a critic, apart from those of teachers and students."""
    return SEED + seed % 1_000_000_000


def nights(
    windows: Batch, rows: Int[np.ndarray, " n"] | None = None
) -> dict[int, list[Int[np.ndarray, " _"]]]:
    """The rows of each subject to learn from, to stop at and to be judged on; by its number.

    Subjects without windows in every part of their night are left out, and so is nobody.

    Args:
        windows: in order of time within each subject.
        rows: those that count; by default all.
    """
    rows = np.arange(len(windows)) if rows is None else rows
    whose = np.asarray(windows.subject)[rows]
    by_subject = {}
    for number in np.unique(whose[whose != NOBODY]):
        own = rows[whose == number]
        parts = np.split(own, [int(LEARNED * len(own)), int(CHOSEN * len(own))])
        if all(map(len, parts)):
            by_subject[int(number)] = parts
    return by_subject


def named(windows: Batch, subjects: Sequence[int]) -> Batch:
    """The windows of `subjects`, whose numbers ascend; their classes are the subjects."""
    spec = dataclasses.replace(windows.spec, classes=tuple(map(str, subjects)))
    label = np.searchsorted(subjects, np.asarray(windows.subject))
    return batch.make(windows.x, batch.one_hot(label, spec), spec)


def recognizer(network: str, spec: Spec, subjects: int) -> Model:
    """The network of a critic, for windows of `spec`; it gives a logit for each subject."""
    return models.classifier(network, spec.shape, subjects)


def sureness(answers: Float[np.ndarray, "n subjects"]) -> tuple[float, ...]:
    """`LEVELS` quantiles of how surely a critic names a subject, whether it is right or not."""
    return tuple(np.quantile(answers.max(axis=1), np.linspace(0, 1, LEVELS)).tolist())


def bound(sure: Sequence[float], strength: float) -> float:
    """A highest probability that a share `strength` of the windows behind `sure` exceeds."""
    return float(np.interp(1 - strength, np.linspace(0, 1, LEVELS), sure))
