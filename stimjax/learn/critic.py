"""The identity critic: a network that tells the subjects of the training windows apart.

It learns from the first half of each subject's night and is judged on the last quarter, so that
what it knows is not the posture or the belt of one hour. A critic that is no better than chance on
real windows can inhibit nothing: its accuracy is always told.

That representations tied to individuals are inhibited is the idea of Nikolaidis et al. (JAIR 72,
2021); the form of their critic was not published in what we could read: this one is ours.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import dacite
import jax
import numpy as np
from jaxtyping import Array, Float, Int

from stimjax import batch, config, models
from stimjax.batch import NOBODY, Batch, Spec
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
        return models.classifier(self.network, self.spec.shape, self.subjects)

    def logits(self, params: Params, x: Float[Array, "n ..."]) -> Float[Array, "n subjects"]:
        """One logit for each subject; `params` are those of the critic, traced or not."""
        return self.model.apply(params, x)

    def bound(self, strength: float) -> float:
        """A highest probability that a share `strength` of the real windows exceeds."""
        return float(np.interp(1 - strength, np.linspace(0, 1, LEVELS), self.sure))

    @classmethod
    def of(cls, about: Any, spec: Spec, where: str) -> Critic:
        """What `about` described, still without parameters.

        Raises:
            StimjaxError: it describes no critic; `where` names the file.
        """
        try:
            found = dacite.from_dict(
                cls, {**about, "sure": tuple(about["sure"]), "spec": spec, "params": None}
            )
        except (dacite.DaciteError, KeyError, TypeError) as error:
            raise StimjaxError(f"{where}: its critic is not described ({error})") from error
        if found.network not in models.CLASSIFIERS:
            raise StimjaxError(f"{where}: names the network {found.network!r}, which is not known")
        return found

    def about(self) -> dict[str, Any]:
        """All but the parameters, for JSON."""
        names = ("network", "subjects", "accuracy", "chance", "sure")
        return {name: getattr(self, name) for name in names}


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
    whose = np.asarray(windows.subject)
    numbers = [
        number
        for number in np.unique(whose[whose != NOBODY])
        if all(len(part) for part in parts(np.flatnonzero(whose == number)))
    ]
    if len(numbers) < 2:
        return None
    nights = [parts(np.flatnonzero(whose == number)) for number in numbers]
    learned, chosen, judged = (
        _named(windows, [rows[i] for rows in nights]) for i in range(len(nights[0]))
    )
    model = models.classifier(network, windows.spec.shape, len(numbers))
    fitted = fit.fit(
        model, learned, chosen, seeds=[own_seed(seed)], settings=settings, progress=progress
    )
    probability = probabilities(model, fitted.params, judged.x)[0]
    truth = np.asarray(judged.y).argmax(axis=1)
    return Critic(
        network,
        jax.tree.map(lambda leaf: leaf[0], fitted.params),
        windows.spec,
        len(numbers),
        accuracy=float((probability.argmax(axis=1) == truth).mean()),
        chance=float(np.bincount(truth).max() / len(truth)),
        sure=tuple(np.quantile(probability.max(axis=1), np.linspace(0, 1, LEVELS)).tolist()),
    )


def own_seed(seed: int) -> int:
    """That of a critic, apart from those of teachers and students."""
    return SEED + seed % 1_000_000_000


def parts(rows: Int[np.ndarray, " n"]) -> list[np.ndarray]:
    """The rows of one night to learn from, to stop at and to be judged on."""
    return np.split(rows, [int(LEARNED * len(rows)), int(CHOSEN * len(rows))])


def _named(windows: Batch, rows: list[np.ndarray]) -> Batch:
    """The windows of some rows of each subject; their classes are the subjects."""
    spec = dataclasses.replace(windows.spec, classes=tuple(str(i) for i in range(len(rows))))
    label = np.repeat(np.arange(len(rows)), [len(part) for part in rows])
    return batch.make(np.asarray(windows.x)[np.concatenate(rows)], batch.one_hot(label, spec), spec)
