"""The audit as a whole: leaks that it must flag, what it must not, and inputs that it refuses."""

import dataclasses

import numpy as np
import pytest

from stimjax import batch, config
from stimjax.batch import Batch, Channel, Spec
from stimjax.config.recipes import Recipe
from stimjax.disk.documents import Entry
from stimjax.errors import StimjaxError
from stimjax.privacy import audit, findings, planted
from stimjax.privacy.findings import World
from stimjax.privacy.shadow import pipelines, signals
from stimjax.privacy.shadow.pipelines import Labelers
from stimjax.privacy.shadow.releases import ReleaseRecipe

SPEC = Spec(
    shape=(30, 1),
    classes=("normal", "apnea"),
    channels=(Channel("Flow", "1", low=-9.0, high=9.0),),
    rate=1.0,
    label_seconds=30.0,
)
FAST = config.Audit(attacks=("nearest", "domias", "association", "attribute", "dcr"))
HOW = ReleaseRecipe(Recipe(source="noise"), by=Labelers(("mlp",)))  # compiles fast


def people(first: int, count: int, each: int, seed: int) -> Batch:
    """Subjects with a rhythm and a level of their own."""
    rng = np.random.default_rng(seed)
    subject = np.repeat(np.arange(first, first + count), each)
    label = rng.integers(0, 2, len(subject))
    rhythm = rng.uniform(0.5, 3, count)[subject - first]
    level = rng.normal(size=count)[subject - first]
    phase = rng.uniform(0, 6, len(subject))
    time = np.linspace(0, 6, 30)
    x = np.sin(rhythm[:, None] * time + phase[:, None]) * (1 + label)[:, None] + level[:, None]
    x = x + 0.2 * rng.normal(size=x.shape)
    return batch.make(x[:, :, None], batch.one_hot(label, SPEC), SPEC, subject=subject)


@pytest.fixture(scope="module")
def world() -> World:
    """A release from people who are on no side."""
    strangers = people(100, 30, 40, seed=9)
    release = batch.make(strangers.x, strangers.y, SPEC)
    sides = (people(0, 10, 40, 1), people(20, 10, 40, 2), people(40, 10, 40, 3))
    return World(release, *sides)


def by_name(entries: list[Entry], attack: str, metric: str, level: str) -> Entry:
    (found,) = (e for e in entries if (e.attack, e.metric, e.level) == (attack, metric, level))
    return found


def sure(number: float | None) -> float:
    """A number that the attack gave."""
    assert number is not None
    return number


@pytest.fixture(scope="module")
def entries(world: World) -> list[Entry]:
    return audit.audit(world, FAST, HOW)


def test_strangers_tell_nothing_and_a_planted_leak_all(entries: list[Entry]) -> None:
    for attack in ("nearest", "domias"):
        found = by_name(entries, attack, "auc", "window")
        assert found.ci is not None and found.ci[0] <= 0.5 <= found.ci[1]
        assert sure(found.planted_leak) > 0.9 and sure(found.real_data) > 0.9
    assert sure(by_name(entries, "association", "top1", "release").real_data) > 0.8


def test_those_who_chose_are_compared_with_others_too(world: World) -> None:
    asked = config.Audit(attacks=("moments", "nearest", "dcr"))
    known = people(200, 6, 40, 4)
    copied = batch.make(known.x, known.y, SPEC)
    found = audit.audit(world._replace(release=copied, reference=known), asked, HOW)
    told = {entry.attack: entry for entry in found if entry.level == "chooser"}
    assert set(told) == {"moments", "nearest"}
    assert sure(told["nearest"].value) == 1.0
    few = world._replace(reference=people(200, 3, 40, 4))
    assert not any(entry.level == "chooser" for entry in audit.audit(few, asked, HOW))


def test_a_share_of_1_percent_copies_is_flagged(world: World) -> None:
    world = world._replace(others=people(20, 10, 120, 2))  # for a threshold of one in a thousand
    x = np.array(world.release.x)
    x[::100] = np.asarray(world.members.x)[: len(x[::100])]
    leaking = world._replace(release=batch.make(x, world.release.y, SPEC))
    asked = config.Audit(attacks=("nearest",))
    plain, copies = (
        by_name(audit.audit(one, asked, HOW), "nearest", "copies", "stimulus")
        for one in (world, leaking)
    )
    assert copies.ci is not None and copies.ci[0] > copies.chance
    # Few subjects give a rough threshold: even without copies some stimuli may exceed it.
    assert sure(copies.value) - sure(plain.value) > 0.005


def test_planted_members_are_those_whose_windows_were_copied(world: World) -> None:
    leak = planted.copies(world, 0.1)
    made, copied = np.asarray(leak.release.x), np.asarray(leak.members.x)
    rows = {row.tobytes() for row in made}
    assert all(row.tobytes() in rows for row in copied)
    assert len(np.unique(leak.members.subject)) == 2
    changed = (made != np.asarray(world.release.x)).any(axis=(1, 2)).mean()
    assert changed == pytest.approx(min(0.1, 80 / len(made)), abs=0.01)


def test_the_same_seed_gives_the_same_audit(world: World, entries: list[Entry]) -> None:
    asked = config.Audit(attacks=("association",))
    again = audit.audit(world, asked, HOW)
    assert again == [entry for entry in entries if entry.attack == "association"]


def test_shadow_releases_serve_every_release_that_was_made_alike(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = pipelines.train

    def briefly(model, windows, rows, seeds, settings=pipelines.STUDENT_FIT):
        return own(model, windows, rows, seeds, dataclasses.replace(settings, steps=50))

    monkeypatch.setattr(pipelines, "train", briefly)
    monkeypatch.setattr(pipelines, "STUDENT", "mlp")
    monkeypatch.setattr(findings, "RESAMPLES", 50)  # no interval is looked at
    monkeypatch.setattr(signals, "TARGETS", 1)
    by_heart = dataclasses.replace(planted.BY_HEART, steps=50)
    monkeypatch.setattr(planted, "BY_HEART", by_heart)
    asked, shadows, stages = config.Audit(attacks=("lira",), shadows=2), {}, []
    first = audit.audit(world, asked, HOW, shadows=shadows, stage=stages.append)
    other = world._replace(release=batch.make(world.members.x, world.members.y, SPEC))
    leaked = audit.audit(other, asked, HOW, shadows=shadows, stage=stages.append)
    assert stages.count("auditing: shadow releases") == 1 and list(shadows) == [HOW]
    key = ("lira_density", "auc", "window")
    assert by_name(leaked, *key).value == sure(by_name(first, *key).real_data) > 0.9
    assert audit.audit(world, asked, HOW, shadows=shadows) == first


def test_an_unknown_attack_is_refused(world: World) -> None:
    with pytest.raises(StimjaxError, match="voodoo"):
        audit.audit(world, config.Audit(attacks=("voodoo",)), HOW)


def test_every_attack_that_may_be_named_is_tried(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = tuple.__new__(signals.Shadows, ())  # nothing is tried with them here
    monkeypatch.setattr(signals, "make", lambda *given: empty)
    drawn = ReleaseRecipe(Recipe(source="mixture"))
    for name in config.ATTACKS:
        asked = config.Audit(attacks=(name,))
        found = audit._attacks(world, asked, drawn, {}, lambda stage: None)
        assert bool(found) != (name == "files"), f"{name} is named, and no attack is tried"
        for attack in found:
            assert attack.name.startswith(name) and attack.holds and attack.source and attack.tells


def test_the_seed_of_a_source_with_statistics_is_tried_and_its_leak_is_of_statistics(
    world: World,
) -> None:
    asked = config.Audit(attacks=("seed",), shadows=4)
    assert audit.audit(world, asked, HOW) == []  # noise without statistics under it
    entries = audit.audit(world, asked, ReleaseRecipe(Recipe(source="mixture")))
    found = by_name(entries, "seed", "auc_with_seed", "window")
    assert sure(found.value) > 0.75 and sure(found.planted_statistics) > 0.55  # of two people
    assert found.real_data is found.planted_leak is None


def test_a_holdout_that_is_not_apart_is_refused(world: World) -> None:
    train, holdout = world.members, world.others
    audit.refuse_overlap(True, "holdout", train=train, holdout=holdout)
    with pytest.raises(StimjaxError, match="holdout: 10 of its subjects"):
        audit.refuse_overlap(True, "holdout", train=train, holdout=train)
    with pytest.raises(StimjaxError, match="holdout: 400 of its windows"):
        audit.refuse_overlap(False, "holdout", train=train, holdout=train)
    nobody = batch.make(holdout.x, holdout.y, SPEC)
    with pytest.raises(StimjaxError, match="windows of nobody"):
        audit.refuse_overlap(False, "holdout", train=train, holdout=nobody)
    other = dataclasses.replace(SPEC, shape=(20, 1))
    short = batch.make(np.asarray(holdout.x)[:, :20], holdout.y, other, subject=holdout.subject)
    with pytest.raises(StimjaxError, match="shape"):
        audit.refuse_overlap(False, "holdout", train=train, holdout=short)
