"""The audit: every attack on a release, on real windows in its place, and on a planted leak.

An attack that finds nothing in the last two is blind, and that it finds nothing in the release says
nothing. Nothing here can show that a release is safe; it shows what was tried and found.
"""

from __future__ import annotations

import dataclasses
import functools
import tempfile
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from stimjax import batch, config
from stimjax.batch import NOBODY, Batch
from stimjax.config import names
from stimjax.data.people import Person
from stimjax.disk.documents import Entry, Guarantee, Privacy, Side, Sides
from stimjax.errors import StimjaxError
from stimjax.machine.versions import versions
from stimjax.privacy import planted
from stimjax.privacy.attacks import (
    association,
    attribute,
    canary,
    cohort,
    dcr,
    demographics,
    density,
    domias,
    dpi,
    files,
    gen_lra,
    lira,
    local,
    moments,
    nearest,
    rmia,
    slicing,
)
from stimjax.privacy.attacks.files import Secret
from stimjax.privacy.findings import Attack, Finding, World
from stimjax.privacy.shadow import releases, signals
from stimjax.privacy.shadow.releases import ReleaseRecipe
from stimjax.privacy.shadow.signals import Shadows

APART = 1_000_000  # added to the numbers of subjects of another folder
SHADOWED = ("lira", "rmia")  # attacks that compare with shadow releases
LEARNED = (*SHADOWED, moments.NAME)  # that see what was learned, and not copies alone
FEWEST = 2  # subjects on each side: an attack tells people apart

# Shadow releases, by how they were made. They serve every release of the same windows.
ShadowsByRecipe = MutableMapping[ReleaseRecipe, Shadows]


class Published(NamedTuple):
    """The files of a release, and what must not stand in them."""

    folder: Path
    secrets: Sequence[Secret]


def audit(
    world: World,
    settings: config.Audit,
    how: ReleaseRecipe,
    published: Published | None = None,
    *,
    shadows: ShadowsByRecipe | None = None,
    stage: Callable[[str], None] = lambda name: None,
) -> list[Entry]:
    """The attacks of `privacy.json`, one entry for each number.

    Args:
        world: the release, members and others.
        settings: which attacks, how many shadows, how much is copied into the planted leak.
        how: how the release was made: shadow releases are made so too.
        published: for the search through files; without, there is none.
        shadows: of earlier audits of other releases in this `world`, with the same settings; what
            is made here is added.
        stage: told what is being tried.

    Raises:
        StimjaxError: there is no such attack, or one side has no subject.
    """
    how = releases.counted(how, world.members)
    real = world._replace(release=_as_stimuli(world.members))
    worlds = {"release": world, "real": real, "copies": planted.copies(world, settings.copied)}
    leaks = {}
    if set(SHADOWED) & set(settings.attacks):  # others do not see these
        stage("auditing: planting leaks")
        leaks = planted.made(world, how)
    entries = []
    for attack in _attacks(world, settings, how, {} if shadows is None else shadows, stage):
        stage(f"auditing: {attack.name}")
        if attack.name == canary.NAME:  # its pipelines are its own: the leak is planted in them
            leaking = _tried(canary.attack(releases.copied, settings.shadows), world)
            tried = {"release": _tried(attack, world), "real": leaking, "copies": leaking}
        else:
            there = worlds | leaks if attack.name.startswith(LEARNED) else worlds
            tried = {name: _tried(attack, one) for name, one in there.items()}
        entries += _entries(attack, tried)
    if "files" in settings.attacks and published is not None:
        stage("auditing: files")
        entries += _searched(published)
    return entries


def _attacks(
    world: World,
    settings: config.Audit,
    how: ReleaseRecipe,
    shadows: ShadowsByRecipe,
    stage: Callable[[str], None],
) -> list[Attack]:
    """Those that `settings` names, in the order of `config.ATTACKS`."""
    names.check(settings, "audit.")
    near = (nearest, domias, gen_lra, dpi, local, density, moments, cohort)
    plain = (*near, association, slicing, attribute, dcr)
    there = {module.ATTACK.name: [module.ATTACK] for module in plain}
    release = releases.drawn(how)
    there["attribute"].append(demographics.ATTACK)
    there["canary"] = [canary.attack(release, settings.shadows, releases.refit(how), how.by)]
    if set(SHADOWED) & set(settings.attacks):
        if how not in shadows:
            stage("auditing: shadow releases")
            shadows[how] = signals.make(world, how, settings.shadows)
        observe, seen = signals.observer(shadows[how]), signals.of(how)
        there |= {"lira": lira.attacks(observe, seen), "rmia": rmia.attacks(observe, seen)}
        scores = {
            name: functools.partial(signals.scored, score, observe)
            for name, score in lira.scores(seen).items()
        }
        there["association"].append(association.by_shadows(scores))
    there[files.NAME] = []  # it looks at files, not at a world: see `_searched`
    # A name without an attack is a defect: an audit that leaves it out would look like a clean one.
    return [a for name in config.ATTACKS if name in settings.attacks for a in there[name]]


def _as_stimuli(windows: Batch) -> Batch:
    """Real windows as a release would hold them: of nobody."""
    return batch.make(windows.x, windows.y, windows.spec)


def _tried(attack: Attack, world: World) -> list[Finding]:
    """What an attack finds, or why it could not be tried."""
    try:
        return attack.run(world)
    except StimjaxError as error:
        return [Finding(attack.name, "none", "none", None, None, 0.0, str(error))]


def _entries(attack: Attack, tried: Mapping[str, list[Finding]]) -> list[Entry]:
    """One for each finding on the release, beside what is found where it should be."""
    there = {
        name: {(f.metric, f.level): f.value for f in findings} for name, findings in tried.items()
    }

    def found(where: str, finding: Finding) -> float | None:
        return there.get(where, {}).get((finding.metric, finding.level))

    return [
        Entry(
            attack=finding.attack,
            metric=finding.metric,
            level=finding.level,
            value=finding.value,
            ci=finding.interval,
            chance=finding.chance,
            real_data=found("real", finding),
            planted_leak=found("copies", finding),
            note=finding.note,
            holds=attack.holds,
            source=attack.source,
            tells=attack.tells,
            planted_statistics=found("statistics", finding),
            planted_teacher=found("teacher", finding),
        )
        for finding in tried["release"]
    ]


def _searched(published: Published) -> list[Entry]:
    """The search through the files, and through a file that holds every secret."""
    with tempfile.TemporaryDirectory() as name:
        leak = Path(name) / "leak.txt"
        parts = [
            s.value if isinstance(s.value, bytes) else s.value.encode() for s in published.secrets
        ]
        leak.write_bytes(b"\n".join(parts))
        leaking = files.search(Path(name), published.secrets)
        own = files.search(published.folder, published.secrets)
        tried = {"release": own, "real": leaking, "copies": leaking}
    return _entries(files.attack(published.folder, published.secrets), tried)


def apart(world: World, people: Mapping[int, Person]) -> World:
    """`world` whose others are of another folder, where numbers of subjects mean other subjects.

    Args:
        world: its others still have the numbers of their own folder.
        people: what is known of these, by those numbers.
    """
    numbers = np.asarray(world.others.subject) + APART
    theirs = {number + APART: person for number, person in people.items()}
    others = dataclasses.replace(world.others, subject=numbers)
    return world._replace(others=others, people={**world.people, **theirs})


def documented(world: World, attacks: Sequence[Entry], guarantee: Guarantee) -> Privacy:
    """The content of `privacy.json`."""
    return Privacy(
        attacks=tuple(attacks),
        epsilon=guarantee.epsilon,
        delta=guarantee.delta,
        on=counts(world),
        versions=versions(),
    )


def refuse_unfit(world: World, same: bool, where: str) -> None:
    """Refuse a world in which nothing can be told apart.

    Args:
        world: its members and others.
        same: both are of one folder of windows, so that their subjects' numbers mean the same.
        where: names the holdout in the message.

    Raises:
        StimjaxError: the sides share windows or subjects, name none, or have one subject.
    """
    refuse_overlap(same, where, train=world.members, holdout=world.others)
    refuse_few(where, train=world.members, holdout=world.others)


def refuse_overlap(same: bool, where: str, *, train: Batch, holdout: Batch) -> None:
    """Refuse a holdout that is not apart from the training part.

    Args:
        same: both are of one folder of windows, so that their subjects' numbers mean the same.
        where: names the holdout in the message.
        train: members.
        holdout: others.

    Raises:
        StimjaxError: they share windows or subjects, or the holdout names no subject.
    """
    if train.spec.shape != holdout.spec.shape:
        raise StimjaxError(
            f"{where}: its windows have the shape {holdout.spec.shape}, those of the training part "
            f"{train.spec.shape}; prepare both alike"
        )
    if (np.asarray(holdout.subject) == NOBODY).any() or (np.asarray(train.subject) == NOBODY).any():
        raise StimjaxError(
            f"{where}: windows of nobody cannot be audited; an audit is about people"
        )
    shared = set(np.unique(train.subject)) & set(np.unique(holdout.subject)) if same else set()
    if shared:
        raise StimjaxError(
            f"{where}: {len(shared)} of its subjects are in the training part too, so that nothing "
            "can be told from it; prepare windows with --split subject"
        )
    trained_on = {row.tobytes() for row in np.asarray(train.x)}
    twins = sum(row.tobytes() in trained_on for row in np.asarray(holdout.x))
    if twins:
        raise StimjaxError(
            f"{where}: {twins} of its windows are in the training part too; take recordings of "
            "other people as holdout"
        )


def refuse_few(where: str, *, train: Batch, holdout: Batch) -> None:
    """Refuse sides on which there are fewer than `FEWEST` subjects.

    Args:
        where: names the holdout in the message.
        train: members.
        holdout: others.

    Raises:
        StimjaxError: one side has too few.
    """
    members, others = (len(np.unique(side.subject)) for side in (train, holdout))
    if min(members, others) < FEWEST:
        raise StimjaxError(
            f"{where} has {others} subject(s) and the training part {members}; an audit compares "
            f"people and needs {FEWEST} on each side; prepare more recordings"
        )


def counts(world: World) -> Sides:
    """How many windows and subjects an audit had on each side, for `privacy.json`."""
    members, others, reference = (
        Side(len(side), len(np.unique(side.subject)))
        for side in (world.members, world.others, world.reference)
    )
    return Sides(members, others, reference)
