"""Make a release: lanes over the devices of this host, shard by shard, host by host.

A shard is the unit of work: each device fills a shard of its own, and the hosts share out those
that are missing. Its content depends on the teacher, the settings, the seed and its number, not on
how many devices or hosts there are, nor on who was interrupted when. With proxy students it also
depends on the shards of the rounds before.
"""

from __future__ import annotations

import dataclasses
import math
import time
from pathlib import Path
from typing import Any

import numpy as np

from stimjax import batch, config, release
from stimjax.batch import Batch, Spec
from stimjax.config.settings import check
from stimjax.disk.documents import Manifest
from stimjax.disk.pieces import folder as filled
from stimjax.disk.store import read_json, write_json
from stimjax.errors import StimjaxError
from stimjax.excite import carriers, guarantee, methods, secret, shards
from stimjax.excite.collect import Counts
from stimjax.excite.rates import UNHEARD, Listener, Rates
from stimjax.learn import ledger
from stimjax.learn.teacher import Teacher
from stimjax.machine import hosts
from stimjax.machine.versions import versions

GUESSABLE = (
    "its seed was given and is one that can be guessed, and whoever has it can subtract the noise; "
    "leave out --seed for what is to be published"
)
LOOK = 5.0  # seconds between two looks at what other processes have finished


def synthesize(
    teacher: Teacher,
    settings: config.Synthesis,
    out: Path,
    *,
    overwrite: bool = False,
    available: int | None = None,
    listener: Listener = UNHEARD,
) -> None:
    """Write a release of `settings.count` stimuli as the folder `out`.

    Shards gather in `.NAME.partial` beside `out`. The same call after an interruption makes those
    that are missing, and the result is the same. The seed lies where `secret.place` says, and in no
    file of the release. Several processes (see `machine/hosts.py`) give
    the same `out`, on a file system that all of them see.

    Args:
        teacher: labels the stimuli; only it knows of private data.
        settings: method, lanes, seed; without one the operating system gives it.
        out: appears when the release is complete.
        overwrite: replace an earlier release, and forget an interrupted one.
        available: bytes of memory on each device, instead of what the device says.
        listener: hears how it gets on.

    Raises:
        StimjaxError: the settings make no sense, the folder is occupied or in use, an interrupted
            release there has other settings, the lanes do not fit into memory, or the teacher
            cannot be excited to what the settings ask.
    """
    check(settings, "synthesis: ")
    settings, identity = methods.resolved(settings), identify(teacher, settings)
    if teacher.privacy is None:
        methods.refuse_uncounted(settings, teacher.statistics)
    else:
        guarantee.refuse_synthesis(settings, teacher.statistics)
    if hosts.count() > math.ceil(settings.count / settings.shard):
        raise StimjaxError(
            f"{hosts.count()} processes have only {math.ceil(settings.count / settings.shard)} "
            f"shards to make; use fewer, or a --shard below {settings.shard}"
        )
    with filled(out, identity, overwrite=overwrite) as folder:
        seed = _seed(folder, settings, out)
        if seed < secret.GUESSED and hosts.index() == 0:
            listener.note(f"{out.name}: {GUESSABLE}")
        settings = dataclasses.replace(settings, seed=seed)
        pieces = _Pieces(folder, settings, teacher.spec)
        with hosts.together(out):
            _make(pieces, teacher, settings, available, listener)
        with hosts.together(out):
            if hosts.index() == 0:
                manifest = pieces.manifest(teacher)
                release.finish(folder, teacher.spec, manifest)
                for sentence in methods.few(manifest.people_behind):
                    listener.note(f"{out.name}: {sentence}")
                for name, number in zip(teacher.spec.classes, manifest.classes, strict=True):
                    if not number:
                        listener.note(
                            f"{out.name}: holds no stimulus that the teacher calls {name}"
                        )
                secret.keep(out, seed)


def identify(teacher: Teacher, settings: config.Synthesis) -> dict[str, Any]:
    """What makes two releases the same: settings, teacher, versions.

    Raises:
        StimjaxError: there is no such method.
    """
    return {
        "settings": dataclasses.asdict(methods.resolved(settings)),
        "teacher": teacher.digest,
        "versions": versions(),
    }


def _seed(folder: Path, settings: config.Synthesis, out: Path) -> int:
    """The seed that all processes draw the shards in `folder` with."""
    seed = settings.seed
    with hosts.together(out):
        if seed is None and hosts.index() == 0:
            seed = secret.of_pieces(folder.parent, begun=bool(release.finished(folder)))
    return hosts.agreed(seed)


def _make(
    pieces: _Pieces,
    teacher: Teacher,
    settings: config.Synthesis,
    available: int | None,
    listener: Listener,
) -> None:
    """Make and keep what this process has to."""
    since = time.monotonic()
    total = pieces.stimuli(pieces.todo(pieces.numbers))
    none = np.zeros(len(teacher.spec.classes), int)
    done, sums = 0, Counts(none, none.sum(), none, none, none, none.sum())

    def watch(unfinished: int, counts: Counts) -> None:
        now = Counts(*[a + b.sum(axis=0) for a, b in zip(sums, counts, strict=True)])
        listener.progress(
            Rates(
                process=hosts.index(),
                done=min(done + unfinished, total),
                total=total,
                everywhere=pieces.finished(),
                wanted=settings.count,
                seconds=time.monotonic() - since,
                accepted=now.accepted.tolist(),
                failed=now.failed.tolist(),
                steps=int(now.steps),
            )
        )

    for shard in shards.shards(teacher, settings, pieces.todo, pieces.load, watch, available):
        pieces.save(shard)
        done += pieces.stimuli([shard.number])
        sums = Counts(*[a + b for a, b in zip(sums, shard.counts, strict=True)])
        watch(0, Counts(*[np.zeros_like(a)[None] for a in sums]))


class _Pieces:
    """The shards of a release on disk: which are there, which this process has to make."""

    def __init__(self, folder: Path, settings: config.Synthesis, spec: Spec) -> None:
        self.numbers = list(range(math.ceil(settings.count / settings.shard)))
        self._folder, self._settings, self._spec = folder, settings, spec
        self._finished, self._looked = set[int](), -LOOK

    def stimuli(self, numbers: list[int]) -> int:
        """How many stimuli these shards have; the last may be cut."""
        size = self._settings.shard
        return sum(min(size, self._settings.count - number * size) for number in numbers)

    def todo(self, numbers: list[int]) -> list[int]:
        """This process's part of those that are missing."""
        missing = sorted(set(numbers) - set(release.finished(self._folder)))
        return hosts.agreed(missing)[hosts.index() :: hosts.count()]

    def finished(self) -> int:
        """Stimuli in the shards that are there: own ones at once, others' after `LOOK` seconds."""
        if time.monotonic() - self._looked >= LOOK:
            self._finished.update(release.finished(self._folder))
            self._looked = time.monotonic()
        return self.stimuli(sorted(self._finished))

    def load(self, numbers: list[int]) -> Batch:
        """The stimuli of these shards, whoever made them."""
        return batch.concatenate(
            [release.load_shard(self._folder, number, self._spec) for number in numbers]
        )

    def save(self, shard: shards.Shard) -> None:
        """Keep a shard, and before it what was counted."""
        kept = shard.stimuli[: self.stimuli([shard.number])]
        classes = np.bincount(kept.label, minlength=kept.y.shape[1])
        counts = {name: np.asarray(a).tolist() for name, a in shard.counts._asdict().items()}
        counted = self._counts(shard.number)
        try:
            write_json(counted, counts | {"classes": classes.tolist()})
            release.save_shard(self._folder, shard.number, kept)
        except BaseException:
            counted.unlink(missing_ok=True)
            raise
        self._finished.add(shard.number)

    def manifest(self, teacher: Teacher) -> Manifest:
        """What all shards together are; the counts of each are no longer needed, and removed.

        The counts are of the teacher's answers, so that they cost nothing beyond what was spent.
        """
        spent = teacher.privacy
        behind = methods.people_behind(self._settings, teacher.statistics)
        uses = [*methods.uses(self._settings), *methods.few(behind)]
        about = [read_json(self._counts(number)) for number in self.numbers]
        for number in self.numbers:
            self._counts(number).unlink()

        def of_class(name: str) -> tuple[int, ...]:
            return tuple(np.sum([one[name] for one in about], axis=0).tolist())

        return Manifest(
            count=self._settings.count,
            method=dataclasses.replace(self._settings, seed=None),  # it is published nowhere
            classes=of_class("classes"),
            accepted=of_class("accepted"),
            failed=of_class("failed"),
            hits=of_class("hits"),
            lane_steps=sum(one["steps"] for one in about),
            uses=tuple(guarantee.uses(uses, spent)),
            people_behind=behind,
            networks=teacher.networks,
            dp=teacher.dp,
            prior=carriers.published(teacher.prior, methods.recipe(self._settings)),
            public=carriers.recordings(teacher.prior, methods.recipe(self._settings)),
            privacy=ledger.described(spent),
            versions=versions(),
        )

    def _counts(self, number: int) -> Path:
        return self._folder / f"counts-{number:05d}.json"
