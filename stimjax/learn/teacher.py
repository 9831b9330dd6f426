"""The teacher: a network that learned from private windows, on disk and in memory."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp
from jaxtyping import Array, Float

from stimjax import config, models
from stimjax.batch import Batch, Spec
from stimjax.learn import fit
from stimjax.models import Model, Params
from stimjax.store import StimjaxError, read_json, write_json
from stimjax.versions import versions

SCHEMA = 1
SEEDS = 1_000_000_000  # first of the teachers' seeds; those of students lie below, see `seeds`


@dataclasses.dataclass(frozen=True)
class Teacher:
    """A trained network with what its windows and classes mean."""

    network: str
    params: Params
    spec: Spec

    @property
    def model(self) -> Model:
        """The network's pure functions."""
        return models.classifier(self.network, self.spec.shape, len(self.spec.classes))

    def probability(self, x: Float[Array | np.ndarray, "n ..."]) -> np.ndarray:
        """The softmax f32[n, class] for windows."""
        stacked = jax.tree.map(lambda leaf: leaf[None], self.params)
        return fit.predict(self.model, stacked, x)[0]


def seeds(seed: int, candidates: int) -> list[int]:
    """The seeds of a teacher's candidates; apart from every seed that a student may have."""
    return [SEEDS + (seed * candidates + i) % SEEDS for i in range(candidates)]


def train(
    train: Batch,
    validation: Batch,
    settings: config.Teacher,
    *,
    checkpoint: Path | None = None,
    progress: Callable[[int, int], None] = lambda step, steps: None,
) -> Teacher:
    """Train the candidates together and keep the one with the lowest validation loss.

    Raises:
        StimjaxError: an unknown network, or training diverged.
    """
    spec = train.spec
    model = models.classifier(settings.network, spec.shape, len(spec.classes))
    fitted = fit.fit(
        model,
        train,
        validation,
        seeds=seeds(settings.seed, settings.candidates),
        settings=settings.fit,
        checkpoint=checkpoint,
        progress=progress,
    )
    best = int(np.nanargmin(fitted.loss))
    return Teacher(settings.network, jax.tree.map(lambda leaf: leaf[best], fitted.params), spec)


def save(teacher: Teacher, folder: Path) -> None:
    """Write the parameters with orbax and what they mean as `teacher.json`."""
    with ocp.StandardCheckpointer() as checkpointer:
        checkpointer.save(folder.absolute() / "checkpoint", teacher.params)
    about = {
        "schema": SCHEMA,
        "network": teacher.network,
        "spec": teacher.spec.to_json(),
        "versions": versions(),
    }
    write_json(folder / "teacher.json", about)


def load(folder: Path) -> Teacher:
    """Read what `save` wrote.

    Raises:
        StimjaxError: there is no teacher, it is damaged, or another version wrote it.
    """
    path = folder / "teacher.json"
    about = read_json(path)
    if about.get("schema") != SCHEMA:
        raise StimjaxError(
            f"{path}: has schema {json.dumps(about.get('schema'))}, this version reads {SCHEMA}; "
            "train the teacher again"
        )
    spec = Spec.from_json(about.get("spec", {}), str(path))
    network = about.get("network", "")
    if network not in list(models.CLASSIFIERS):  # a list, for what cannot be hashed
        raise StimjaxError(f"{path}: names the network {network!r}, which this version lacks")
    model = models.classifier(network, spec.shape, len(spec.classes))
    target = jax.eval_shape(model.init, jax.random.key(0))
    with contextlib.closing(ocp.StandardCheckpointer()) as checkpointer:
        try:
            params = checkpointer.restore(folder.absolute() / "checkpoint", target)
        except Exception as error:  # orbax raises whatever its storage layers raise
            reason = " ".join(str(error).split())[:200]
            raise StimjaxError(f"{folder}/checkpoint: cannot be restored ({reason})") from error
    return Teacher(network, jax.tree.map(jnp.asarray, params), spec)
