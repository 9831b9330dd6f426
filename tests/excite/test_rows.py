"""No statistic is of too few people, whatever the cohort; where people are many, all is as before.

What a person has a share in is seen in the numbers themselves: where each person's windows are
shifted in a direction of their own, a mean of windows is the list of the shares.
"""

import dataclasses
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stimjax import batch, config, models, release
from stimjax.batch import NOBODY, Batch, Channel, Spec
from stimjax.command import inspect
from stimjax.config.recipes import Recipe, Terms
from stimjax.errors import StimjaxError
from stimjax.excite import accept, components, kind, methods, rows
from stimjax.excite.inhibit import erasure
from stimjax.excite.rates import Listener
from stimjax.excite.rows import LEAST, PEOPLE
from stimjax.excite.sources import SOURCES, mixture
from stimjax.excite.synthesize import synthesize
from stimjax.excite.terms import TERMS
from stimjax.learn.teacher import Teacher
from stimjax.report import documents

COUNTS = st.lists(st.integers(5, 400), min_size=1, max_size=12)


def of(time: int, classes: int = 2) -> Spec:
    wide = Channel("c", "", low=-99.0, high=99.0)
    return Spec((time, 1), tuple(map(str, range(classes))), (wide,), rate=1.0)


def cohort(counts: list[int], seed: int, classes: int = 2) -> Batch:
    """Windows 1 at their person's own place and 0 at those of others, and noise behind.

    Everybody's classes are as frequent as a person likes, and everybody keeps to modes of a class.
    """
    rng = np.random.default_rng(seed)
    subject = np.repeat(np.arange(len(counts)), counts)
    likes = rng.dirichlet(np.full(classes, 0.7), len(counts))
    label = np.array([rng.choice(classes, p=likes[s]) for s in subject])
    mode = rng.normal(0, 3, (len(counts), 4))[subject] * (rng.random(len(subject)) < 0.6)[:, None]
    x = np.concatenate([np.eye(len(counts))[subject], mode + rng.normal(size=mode.shape)], axis=1)
    spec = of(x.shape[1], classes)
    return batch.make(x[..., None], batch.one_hot(label, spec), spec, subject=subject)


def even(people: int = 40, windows: int = 30, time: int = 8) -> Batch:
    """A cohort in which every group of windows is of many people, each of about as many."""
    rng = np.random.default_rng(0)
    subject = np.repeat(np.arange(people), windows)
    mode = np.where(rng.random(len(subject)) < 0.4, 4, -4)
    x = rng.normal(size=(len(subject), time, 1)) + mode[:, None, None]
    label = rng.integers(0, 2, len(subject))
    return batch.make(x, batch.one_hot(label, of(time)), of(time), subject=subject)


def nobodys(train: Batch) -> Batch:
    """The same windows, which count by themselves, as windows did before people were counted."""
    return dataclasses.replace(train, subject=np.full(len(train), NOBODY, np.int32))


def asked(people: int) -> tuple[int, float]:
    """How many have to be behind a statistic of a cohort of `people`, and the most one may give."""
    least = min(PEOPLE, people)
    return least, 1 / max(least - 1, 1)


@given(st.lists(st.integers(1, 60), min_size=1, max_size=9), st.integers(1, 7))
def test_everybody_may_give_the_most_that_keeps_to_the_rule(counts: list[int], people: int) -> None:
    found = rows.most_each(np.array(counts), people)

    def keeps(most: int) -> bool:
        return most * max(people - 1, 1) <= sum(min(one, most) for one in counts)

    best = max((m for m in range(1, max(counts) + 1) if keeps(m)), default=0)
    assert found == (best if len(counts) >= people else 0)


@given(COUNTS, st.integers(0, 99), st.integers(0, 60))
def test_what_counts_is_of_enough_people_and_more_of_it_never_leaves_less(
    counts: list[int], seed: int, nobody: int
) -> None:
    rng = np.random.default_rng(seed)
    subject = np.repeat([*range(len(counts)), NOBODY], [*counts, nobody])
    people, share = asked(len(counts))
    crowd = rows.Crowd(np.arange(len(subject)), np.zeros(len(subject), int), subject, people)
    some = np.sort(rng.permutation(len(subject))[: rng.integers(1, len(subject) + 1)])
    kept = rows.fair(crowd, some)
    assert set(kept) <= set(some) and (np.diff(kept) > 0).all()
    assert (subject[kept] == NOBODY).sum() == (subject[some] == NOBODY).sum()
    each = np.unique(subject[kept][subject[kept] != NOBODY], return_counts=True)[1]
    if len(each):
        assert len(each) >= people and each.max() <= share * each.sum() + 1e-9
    np.testing.assert_array_equal(rows.fair(crowd, kept), kept)  # it is fair by now
    more = rows.fair(crowd, np.arange(len(subject)))
    assert len(more) >= len(kept)


@settings(max_examples=25)
@given(COUNTS, st.integers(0, 9999))
def test_no_group_and_no_class_is_of_too_few_people(counts: list[int], seed: int) -> None:
    """The shares are read off the published means themselves, see this file's first lines."""
    train = cohort(counts, seed)
    found = measured(SOURCES["mixture"], train)
    least, most = asked(len(counts))
    principal = components.of(found)
    for prefix, name in (("", "groups"), (mixture.WHOLE, "classes")):
        means = found[f"mixture.{prefix}mean"] @ principal.basis + principal.center
        shares = np.asarray(means)[:, : len(counts)]
        np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-3)
        assert shares.max() <= most + 1e-3
        assert ((shares > 1e-4).sum(axis=1) >= least).all()
        told = found[f"mixture.behind.{name}"]
        np.testing.assert_array_equal(told[:, 1], (shares > 1e-4).sum(axis=1))
        np.testing.assert_allclose(told[:, 2], 1 / (shares**2).sum(axis=1), rtol=1e-2)
        np.testing.assert_allclose(told[:, 3], shares.max(axis=1), atol=1e-3)
        assert (told[:, 0] >= min(LEAST, len(rows.everybody(train).rows))).all()
    of_class = found["mixture.class"]
    for number in np.unique(of_class):
        np.testing.assert_allclose(found["mixture.share"][of_class == number].sum(), 1, rtol=1e-5)


def test_a_group_that_is_in_truth_one_person_is_none() -> None:
    """Windows of a kind that one person has nearly alone: of five people, and not in effect."""
    counts = [400, 30, 30, 30, 30] + [40] * 20
    train = cohort(counts, 0)
    x, alike = np.array(train.x), np.flatnonzero(np.asarray(train.subject) < 5)
    x[alike, -4:, 0] = 20 + np.random.default_rng(0).normal(size=(len(alike), 4))
    label = np.arange(len(train)) % 2
    train = dataclasses.replace(train, x=x, y=batch.one_hot(label, train.spec))
    effective = []
    for one in (nobodys(train), train):
        found = measured(SOURCES["mixture"], one)
        principal = components.of(found)
        shares = np.asarray(found["mixture.mean"] @ principal.basis + principal.center)
        effective.append(1 / (shares[:, : len(counts)] ** 2).sum(axis=1))
    assert effective[0].min() < 1.1
    assert effective[1].min() > PEOPLE - 1 and len(effective[1]) > 2


PER_CLASS = {
    "spectral": (SOURCES["spectral"], "spectral.factor"),
    "mixture": (SOURCES["mixture"], "mixture.whole.factor"),
    "moments": (TERMS["moments"], "moments.square"),
    "embedding": (TERMS["embedding"], "embedding.mean"),
    "confidence": (accept.TARGETS["histogram"], "confidence.level"),
}


@pytest.mark.parametrize("name", ["spectral", "mixture", "moments", "embedding"])
@pytest.mark.parametrize("people", [PEOPLE - 1, PEOPLE])
def test_a_class_that_too_few_people_have_is_all_classes(name: str, people: int) -> None:
    """Which windows of whom are in it makes no difference then."""
    part, array = PER_CLASS[name]
    train, subject = even(12), np.repeat(np.arange(12), 30)
    chosen = (subject < people, subject >= 12 - people)
    one, other = (
        dataclasses.replace(train, y=batch.one_hot(label.astype(int), train.spec))
        for label in chosen
    )
    first, second = (measured(part, some)[array][1] for some in (one, other))
    alike = np.allclose(first, second, rtol=1e-3, atol=1e-4)
    assert alike == (people < PEOPLE)
    assert measured(part, one)[f"{name}.behind.classes"][1, 4] == (people < PEOPLE)


@pytest.mark.parametrize("name", PER_CLASS)
def test_where_people_are_many_and_even_all_is_as_windows_alone_have_it(name: str) -> None:
    train = even()
    found, before = (measured(PER_CLASS[name][0], one) for one in (train, nobodys(train)))
    assert found.keys() == before.keys()
    for array in found:
        if ".behind." not in array:
            np.testing.assert_array_equal(found[array], before[array], array)
        else:
            np.testing.assert_array_equal(found[array][:, 0], before[array][:, 0])
            assert (found[array][:, 1] > 20).all() and not before[array][:, 1].any()


def test_a_rare_class_of_enough_people_borrows_and_stays_fair() -> None:
    subject = np.repeat(np.arange(10), 20)
    label = (np.arange(200) % 20 < 2).astype(int)  # 20 windows of class 1, two of each
    spec = of(4)
    train = batch.make(np.zeros((200, 4, 1)), batch.one_hot(label, spec), spec, subject=subject)
    crowd = rows.everybody(train)
    found = rows.of_class(crowd, 1)
    assert len(found) == LEAST and label[found].sum() == 20
    assert rows.behind(crowd, found)[[1, 4]].tolist() == [10, 1]
    assert rows.behind(crowd, rows.of_class(crowd, 0))[4] == 0


def test_of_many_windows_some_are_looked_at_and_of_these_nobody_gives_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rows, "MOST_ROWS", 300)
    train = cohort([2000, 100, 100, 100, 100, 100], 0)
    crowd = rows.sampled(train)
    assert len(crowd.rows) < 300 and (np.diff(crowd.rows) > 0).all()
    np.testing.assert_array_equal(crowd.of(train.subject), crowd.subject)
    np.testing.assert_array_equal(crowd.of(train.label), crowd.label)
    told = rows.of_all(crowd)[0]
    assert told[1] == 6 and told[3] <= 1 / (PEOPLE - 1)
    assert len(rows.sampled(nobodys(train)).rows) == 300


@given(COUNTS)
def test_how_frequent_classes_are_nobody_says_alone(counts: list[int]) -> None:
    """Class 1 is what the first person has: it cannot be more frequent than a person may be."""
    subject = np.repeat(np.arange(len(counts)), counts)
    spec = of(3)
    y = batch.one_hot((subject == 0).astype(int), spec)
    train = batch.make(np.zeros((len(y), 3, 1)), y, spec, subject=subject)
    found = measured(accept.BALANCES["prior"], train)["classes.prior"]
    assert found[1] <= asked(len(counts))[1] + 1e-6
    np.testing.assert_allclose(found.sum(), 1, rtol=1e-5)


@pytest.fixture(scope="module")
def untrained() -> Teacher:
    spec = of(8, 3)
    model = models.classifier("mlp", spec.shape, 3)
    params = models.ensemble((model,), (1,)).init(jax.random.key(0))
    return Teacher(("mlp",), params, spec)


def unlike(spec: Spec, counts: list[int]) -> Batch:
    """Windows whose level is their person's own."""
    rng, subject = np.random.default_rng(0), np.repeat(np.arange(len(counts)), counts)
    x = rng.normal(size=(len(subject), *spec.shape)) + 3 * (subject % 3)[:, None, None]
    y = batch.one_hot(rng.integers(0, len(spec.classes), len(subject)), spec)
    return batch.make(x, y, spec, subject=subject)


def test_every_statistic_of_a_method_is_listed_with_its_people(untrained: Teacher) -> None:
    """Measured as a teacher's are; what a guarantee's teacher holds is listed nowhere."""
    train = unlike(untrained.spec, [700, *[60] * 8])
    statistics = methods.measure(train, untrained)
    every = kind.needs(part for table in methods.PARTS.values() for part in table.values())
    counted = [name for name in statistics if f".{rows.BEHIND}." in name]
    assert not kind.lacking([*every, erasure.ERASURE], counted)
    terms = Terms(features=1.0, moments=1.0, embedding=1.0)
    recipe = Recipe("mixture", "components", terms, tries=2, targets="histogram", balance="prior")
    job = config.Synthesis(recipe=recipe, inhibit=0.5, inhibit_by=("directions", "groups"))
    listed = {(one.statistic, one.of): one for one in methods.people_behind(job, statistics)}
    named = {one.name for one in methods.needs(recipe)} | {"range", "erasure"}
    assert {name for name, _ in listed} == named
    assert listed["range", "all"].people == 9 and listed["range", "all"].share > 0.5
    del listed["range", "all"]
    assert all(one.people >= PEOPLE and one.share <= 0.25 for one in listed.values())
    assert all(one.effective >= PEOPLE - 1 for one in listed.values())
    assert ("mixture", "groups") in listed and ("mixture", "classes") in listed
    whole = dataclasses.replace(job, inhibit=1.0)
    assert ("mixture", "groups") not in {
        (one.statistic, one.of) for one in methods.people_behind(whole, statistics)
    }
    assert methods.people_behind(job, {"classes.prior": statistics["classes.prior"]}) == ()
    assert not methods.few(tuple(listed.values()))
    # Three people only: all is measured on all of them, and that is said.
    three = methods.measure(train[np.asarray(train.subject) > 5], untrained)
    behind = methods.people_behind(config.Synthesis(), three)
    assert {one.people for one in behind} == {3}
    assert methods.few(behind) == [
        "only 3 people are behind a statistic, for the training part has no more"
    ]


def test_a_release_says_who_is_behind_it_wherever_it_is_described(
    untrained: Teacher, tmp_path: Path
) -> None:
    heard: list[str] = []
    statistics = methods.measure(unlike(untrained.spec, [60, 70, 80]), untrained)
    known = dataclasses.replace(untrained, statistics=statistics)
    recipe = Recipe("spectral", balance="prior", lanes=4)
    job, out = config.Synthesis("spectral", 12, recipe, shard=12), tmp_path / "release"
    synthesize(known, job, out, listener=Listener(note=heard.append))
    manifest = release.load_manifest(out)
    assert (manifest.networks, manifest.dp) == (untrained.networks, None)
    assert manifest.people_behind == methods.people_behind(job, statistics)
    assert [one.statistic for one in manifest.people_behind] == [
        "range",
        "spectral",
        "classes.prior",
    ]
    only = "only 3 people are behind a statistic, for the training part has no more"
    assert only in manifest.uses and f"release: {only}" in heard
    card, lines = (out / "README.md").read_text(), inspect.describe(out)
    tables = {table.caption: table for table in documents.release(manifest, known.spec.classes)}
    (table,) = (table for caption, table in tables.items() if caption.startswith("People behind"))
    for one, row in zip(manifest.people_behind, table.rows, strict=True):
        assert str(one) in card and one.people == 3
        assert f"{one.effective:g}" in row and len(row) == len(table.header)
        assert any(line.split()[:1] == [one.statistic] for line in lines.splitlines())


def test_statistics_that_did_not_count_people_are_refused() -> None:
    statistics = measured(SOURCES["spectral"], even()) | measured(accept.BALANCES["prior"], even())
    job = config.Synthesis("spectral")
    methods.refuse_uncounted(job, statistics)
    older = {name: array for name, array in statistics.items() if ".behind." not in name}
    with pytest.raises(StimjaxError, match=r"^the teacher's statistic 'spectral' .*again$"):
        methods.refuse_uncounted(job, older)
    methods.refuse_uncounted(config.Synthesis("paper"), older)  # which needs none
    methods.refuse_uncounted(job, {})  # `method` says what is missing


def test_directions_are_those_of_people_who_count_alike(untrained: Teacher) -> None:
    train = unlike(untrained.spec, [900, *[40] * 5])
    found = kind.measured([erasure.ERASURE], train, untrained)
    windows, people, effective, share, _ = found["erasure.behind.all"][0]
    assert people == 6 and share <= 0.25 and effective >= 4 and windows < 300
    counted = train[rows.everybody(train).rows]
    again = kind.measured([erasure.ERASURE], counted, untrained)
    np.testing.assert_array_equal(found["erasure.0.read"], again["erasure.0.read"])
    assert found["erasure.0.read"].any()


class Unsure:
    """Networks that only say how probable each class is, from the window alone."""

    model, params = None, None
    models = ()

    def probability(self, x: Any) -> np.ndarray:
        level = np.asarray(x).mean(axis=(1, 2))
        one = np.asarray(jax.nn.sigmoid(jnp.asarray(level)))
        return np.stack([1 - one, one], axis=1)


def measured(part: kind.Kind, train: Batch) -> dict[str, np.ndarray]:
    return kind.measured(part.needs, train, Unsure())  # pyright: ignore[reportArgumentType]
