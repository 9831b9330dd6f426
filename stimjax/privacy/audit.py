"""The audit: every attack on a release, on real windows in its place, and on a planted leak.

An attack that finds nothing in the last two is blind, and that it finds nothing in the release says
nothing. Nothing here can show that a release is safe; it shows what was tried and found.
"""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from stimjax import batch, config, release
from stimjax.batch import NOBODY, Batch
from stimjax.config import names
from stimjax.data.people import Person
from stimjax.disk.documents import Entry, Guarantee, Privacy, Side, Sides
from stimjax.errors import StimjaxError
from stimjax.excite import secret
from stimjax.machine.versions import versions
from stimjax.privacy import choosers, planted
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
    seed,
    slicing,
)
from stimjax.privacy.attacks.files import Secret
from stimjax.privacy.findings import Attack, Finding, World
from stimjax.privacy.shadow import releases, signals
from stimjax.privacy.shadow.releases import ReleaseRecipe
from stimjax.privacy.shadow.signals import Shadows

APART = 1_000_000  # added to the numbers of subjects of another folder
SHADOWED = ("lira", "rmia")  # attacks that compare with shadow releases
ALIKE = (nearest, domias, gen_lra, dpi, local, density, moments)  # on membership, without shadows
LEARNED = (*SHADOWED, moments.NAME)  # that see what was learned, and not copies alone
CHOOSER = "chooser"  # what a guess is about: a subject who had but a small part
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
        published: for the search through files, without which there is none, and for its seed,
            which its holder has if there is no file that could be gone.
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
    shadows = {} if shadows is None else shadows
    for attack in _attacks(world, settings, how, shadows, stage, published):
        stage(f"auditing: {attack.name}")
        entries += _entries(attack, _everywhere(attack, worlds, leaks, settings.shadows))
        if attack.name in [module.NAME for module in ALIKE]:
            entries += _on_choosers(attack, world)
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
    published: Published | None = None,
) -> list[Attack]:
    """Those that `settings` names, in the order of `config.ATTACKS`."""
    names.check(settings, "audit.")
    plain = (*ALIKE, cohort, association, slicing, dcr)
    there = {module.ATTACK.name: [module.ATTACK] for module in plain}
    refit, answer = releases.refit(how), None
    there["canary"] = [canary.attack(releases.drawn(how), settings.shadows, refit, how.by)]
    # Of a source without statistics nothing of anybody is left when the noise is gone.
    gone = _seedless(published)
    there["seed"] = [] if refit is None else [seed.attack(refit, settings.shadows, gone)]
    if set(SHADOWED) & set(settings.attacks):
        if how not in shadows:
            stage("auditing: shadow releases")
            shadows[how] = signals.make(world, how, settings.shadows)
        learned, seen = signals.students(shadows[how]), signals.of(how)
        observe, answer = signals.observer(shadows[how], learned), partial(signals.answers, learned)
        there |= {"lira": lira.attacks(observe, seen), "rmia": rmia.attacks(observe, seen)}
        scores = {
            name: partial(signals.scored, score, observe)
            for name, score in lira.scores(seen).items()
        }
        there["association"].append(association.by_shadows(scores))
    there["attribute"] = [attribute.attack(refit, answer), demographics.ATTACK]
    there[files.NAME] = []  # it looks at files, not at a world: see `_searched`
    # A name without an attack is a defect: an audit that leaves it out would look like a clean one.
    return [a for name in config.ATTACKS if name in settings.attacks for a in there[name]]


def _seedless(published: Published | None) -> str:
    """Why not even the holder has the seed of a release any more; "" where there is one."""
    if published is None or release.load_manifest(published.folder).method.seed is not None:
        return ""
    try:
        return "" if secret.find(published.folder) is not None else "the file of the seed is gone"
    except StimjaxError:
        return "the file of the seed is damaged"


def _everywhere(
    attack: Attack, worlds: Mapping[str, World], leaks: Mapping[str, World], shadows: int
) -> dict[str, list[Finding]]:
    """What an attack finds on the release and where it should find something."""
    world = worlds["release"]
    if attack.name == canary.NAME:  # its pipelines are its own: the leak is planted in them
        leaking = _tried(canary.attack(releases.copied, shadows), world)
        return {"release": _tried(attack, world), "real": leaking, "copies": leaking}
    if attack.name == seed.NAME:  # it asks statistics and no stimulus: so is the leak planted
        few = world._replace(members=world.members[planted.few(world)])
        return {"release": _tried(attack, world), "statistics": _tried(attack, few)}
    there = {**worlds, **leaks} if attack.name.startswith(LEARNED) else worlds
    return {name: _tried(attack, one) for name, one in there.items()}


def _as_stimuli(windows: Batch) -> Batch:
    """Real windows as a release would hold them: of nobody."""
    return batch.make(windows.x, windows.y, windows.spec)


def _tried(attack: Attack, world: World) -> list[Finding]:
    """What an attack finds, or why it could not be tried."""
    try:
        return attack.run(world)
    except StimjaxError as error:
        return [Finding(attack.name, "none", "none", None, None, 0.0, str(error))]


def _on_choosers(attack: Attack, world: World) -> list[Entry]:
    """The area with some who chose the teacher in the members' place, whole subjects."""
    some, cohort = choosers.halves(world.reference)
    if some is cohort:
        return []
    found = _tried(attack, world._replace(members=some, reference=cohort))
    areas = [one for one in found if (one.metric, one.level) == ("auc", "subject")]
    return _entries(attack, {"release": [one._replace(level=CHOOSER) for one in areas]})


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
