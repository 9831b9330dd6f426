"""The teacher: networks that learn from private windows and label together; on disk, in memory."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import chex
import jax
import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp
from jaxtyping import Array, Float

from stimjax import config, models
from stimjax.batch import Spec
from stimjax.data import public
from stimjax.disk.documents import Member, TeacherFile
from stimjax.disk.store import load_arrays, save_arrays
from stimjax.errors import StimjaxError
from stimjax.learn.critic import Critic
from stimjax.learn.ledger import Ledger
from stimjax.learn.predict import probabilities
from stimjax.machine.versions import versions
from stimjax.models import Model, Params
from stimjax.prior.known import SIMULATED, Known

STATISTICS = "statistics.safetensors"
SEEDS = 1_000_000_000  # first of the teachers' seeds; those of students lie below, see `seeds`


@dataclasses.dataclass(frozen=True)
class Teacher:
    """Trained networks, pooled into one, with what its windows and classes mean.

    Attributes:
        networks: the family of each entry of `params["members"]`.
        params: of `model`, see `stimjax.models.ensemble`.
        spec: of the windows.
        statistics: what is stored of the training windows beside the networks, by name; private.
        members: every network that was trained with the chosen radius, whether it counts or not.
        critic: tells the subjects of the training windows apart, if they name any; private.
        privacy: the formal guarantee, and what was spent on it; None if there is none.
        dp: how the networks were trained under it; None without, and of versions that did not say.
        prior: what anybody may know, from which it learned too, or of which it may make stimuli.
    """

    networks: tuple[str, ...]
    params: Params
    spec: Spec
    statistics: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)
    members: tuple[Member, ...] = ()
    critic: Critic | None = None
    privacy: Ledger | None = None
    dp: config.Dp | None = None
    prior: Known = SIMULATED

    @property
    def models(self) -> list[tuple[Model, Params]]:
        """Every network by itself, in the order of `model`, with its parameters."""
        families, counts = self._families()
        return [
            (family, jax.tree.map(lambda leaf, i=i: leaf[i], members))
            for family, members, count in zip(families, self.params["members"], counts, strict=True)
            for i in range(count)
        ]

    @property
    def model(self) -> Model:
        """The networks as one: its output is their pooled log-probabilities."""
        return models.ensemble(*self._families())

    def probability(self, x: Float[Array | np.ndarray, "n ..."]) -> np.ndarray:
        """The softmax f32[n, class] for windows."""
        stacked = jax.tree.map(lambda leaf: leaf[None], self.params)
        return probabilities(self.model, stacked, x)[0]

    @property
    def digest(self) -> str:
        """A hash of all that stimuli depend on."""
        about = [self.networks, self.spec.to_json(), self.prior.identity]
        digest = hashlib.sha256(json.dumps(about).encode())
        critic = None if self.critic is None else (self.critic.params, self.critic.sure)
        for leaf in jax.tree.leaves((self.params, dict(sorted(self.statistics.items())), critic)):
            digest.update(np.ascontiguousarray(leaf).tobytes())
        return digest.hexdigest()

    def _families(self) -> tuple[tuple[Model, ...], tuple[int, ...]]:
        return _families(self.networks, [len(w) for w in self.params["weights"]], self.spec)


def seeds(seed: int, candidates: int) -> list[int]:
    """The seeds of all candidates of a teacher; apart from every seed that a student may have."""
    return [SEEDS + (seed * candidates + i) % SEEDS for i in range(candidates)]


def _families(
    networks: Sequence[str], counts: Sequence[int], spec: Spec
) -> tuple[tuple[Model, ...], tuple[int, ...]]:
    classes = len(spec.classes)
    return tuple(models.classifier(name, spec.shape, classes) for name in networks), tuple(counts)


def save(teacher: Teacher, folder: Path) -> None:
    """Write the parameters with orbax and what they mean as `teacher.json`.

    Statistics go into `statistics.safetensors` if there are any, nights that anybody may have into
    `public-*.safetensors`.
    """
    critic = teacher.critic
    with ocp.StandardCheckpointer() as checkpointer:
        checkpointer.save(folder.absolute() / "checkpoint", teacher.params)
        if critic is not None:
            checkpointer.save(folder.absolute() / "critic", critic.params)
    if teacher.statistics:
        save_arrays(folder / STATISTICS, teacher.statistics)
    about = TeacherFile(
        networks=teacher.networks,
        counts=tuple(len(w) for w in teacher.params["weights"]),
        members=teacher.members,
        critic=None if critic is None else critic.about(),
        statistics=tuple(sorted(teacher.statistics)),
        spec=teacher.spec.to_json(),
        privacy=None if teacher.privacy is None else teacher.privacy.to_json(),
        versions=versions(),
        dp=teacher.dp,
        prior=teacher.prior.settings,
        own_prior=teacher.prior.own,
        public=tuple(one.about for one in teacher.prior.recorded),
    )
    public.save(teacher.prior.recorded, folder)
    about.save(folder)


def load(folder: Path) -> Teacher:
    """Read what `save` wrote.

    Raises:
        StimjaxError: there is no teacher, it is damaged, or another version wrote it.
    """
    about, where = TeacherFile.load(folder), str(folder / TeacherFile.FILE)
    spec = Spec.from_json(about.spec, where)
    model = models.ensemble(*_families(about.networks, about.counts, spec))
    params = _restored(model, folder / "checkpoint")
    critic = None
    if about.critic is not None:
        critic = Critic.of(about.critic, spec, where)
        critic = dataclasses.replace(critic, params=_restored(critic.model, folder / "critic"))
    statistics = load_arrays(folder / STATISTICS) if about.statistics else {}
    if sorted(statistics) != list(about.statistics):
        raise StimjaxError(f"{folder / STATISTICS}: is not what {TeacherFile.FILE} names")
    recorded = public.load(folder)
    if tuple(one.about for one in recorded) != about.public:
        raise StimjaxError(
            f"{folder}: its {public.NAME}-* files are not what {TeacherFile.FILE} names"
        )
    spent = None if about.privacy is None else Ledger.from_json(about.privacy, where)
    return Teacher(
        networks=about.networks,
        params=params,
        spec=spec,
        statistics=statistics,
        members=about.members,
        critic=critic,
        privacy=spent,
        dp=about.dp,
        prior=Known(about.prior, recorded, about.own_prior),
    )


def _restored(model: Model, folder: Path) -> Params:
    """The parameters of `model` that orbax wrote."""
    # Into memory of the host: what a single process wrote has no place among several.
    target = jax.tree.map(
        lambda a: np.empty(a.shape, a.dtype), jax.eval_shape(model.init, jax.random.key(0))
    )
    with contextlib.closing(ocp.StandardCheckpointer()) as checkpointer:
        try:
            params = checkpointer.restore(folder.absolute(), target)
            chex.assert_trees_all_equal_shapes_and_dtypes(params, target)
        except Exception as error:  # orbax raises whatever its storage layers raise
            reason = " ".join(str(error).split())[:200]
            raise StimjaxError(f"{folder}: cannot be restored ({reason})") from error
    return jax.tree.map(jnp.asarray, params)
