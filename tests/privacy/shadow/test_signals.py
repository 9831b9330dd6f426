"""Shadows end to end on a few simulated subjects who differ from each other."""

from collections.abc import Iterator

import numpy as np
import pytest

from stimjax.batch import Batch, Channel, Spec, concatenate, make, one_hot
from stimjax.config.recipes import RECIPES
from stimjax.errors import StimjaxError
from stimjax.privacy import findings
from stimjax.privacy.attacks import lira, rmia
from stimjax.privacy.findings import World
from stimjax.privacy.shadow import pipelines, signals
from stimjax.privacy.shadow.pipelines import Labelers
from stimjax.privacy.shadow.releases import ReleaseRecipe

SPEC = Spec((24, 2), ("a", "b"), (Channel("x", "", low=-8, high=8),) * 2, rate=1.0)
HOW = ReleaseRecipe(RECIPES["mixture"], by=Labelers(("mlp",)))


def people(first: int, last: int, each: int = 30) -> Batch:
    """Windows of subjects from `first` to `last`, each with a manner of its own."""
    parts = []
    for number in range(first, last):
        rng = np.random.default_rng([7, number])
        label = np.arange(each) % 2
        manner = rng.normal(size=(1, *SPEC.shape))
        x = rng.normal(size=(each, *SPEC.shape)) + 0.7 * manner + label[:, None, None]
        subject = np.full(each, number)
        parts.append(make(x, one_hot(label, SPEC), SPEC, subject=subject))
    return concatenate(parts)


MEMBERS, OTHERS, REFERENCE = people(0, 6), people(6, 12), people(12, 16)


def world(release: Batch, members: Batch = MEMBERS) -> World:
    return World(release, members, OTHERS, REFERENCE)


@pytest.fixture(scope="module")
def quick() -> Iterator[None]:
    """Networks that compile fast, and intervals of fewer resamples."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipelines, "STUDENT", "mlp")
        patch.setattr(findings, "RESAMPLES", 200)
        yield


@pytest.fixture(scope="module")
def observe(quick: None) -> signals.Observe:
    return signals.observer(signals.make(world(MEMBERS), HOW, 8))


def areas(observe: signals.Observe, world: World) -> dict[tuple[str, str], tuple]:
    return {
        (attack.name, found.level): (found.value, found.interval)
        for attack in lira.attacks(observe) + rmia.attacks(observe)
        for found in attack.run(world)
        if found.metric == "auc"
    }


def test_a_release_of_the_windows_themselves_is_found(observe) -> None:
    found = areas(observe, world(MEMBERS))
    for name in ("lira", "lira_density", "lira_refit", "rmia", "rmia_density"):
        assert found[name, "window"][0] > 0.95
        assert found[name, "subject"][0] == 1.0
    assert found["lira_answers", "window"][0] > 0.6


@pytest.fixture(scope="module")
def of_others() -> World:
    return world(people(20, 30))


def test_a_release_of_others_tells_nothing(observe, of_others) -> None:
    for _, (low, _) in areas(observe, of_others).values():
        assert low <= 0.5  # six subjects a side may lie below by chance, but nothing is found


def test_labels_know_a_subject_and_no_window_of_its_own(observe, of_others) -> None:
    worst = {
        attack.name
        for attack in lira.attacks(observe)
        if any(found.metric == "worst_subject" for found in attack.run(of_others))
    }
    assert worst == {"lira", "lira_answers", "lira_density", "lira_refit"}


def test_copies_of_a_part_are_found_in_the_same_shadows(observe) -> None:
    copied = MEMBERS[np.asarray(MEMBERS.subject) == 2]
    release = concatenate([people(20, 30), copied])
    found = areas(observe, world(release, copied))
    for name in ("lira", "lira_density", "rmia", "rmia_density"):
        assert found[name, "window"][0] > 0.9


def test_windows_of_nobody_each_count_alone_and_strangers_are_refused(observe) -> None:
    unit = signals.units(make(MEMBERS.x, MEMBERS.y, SPEC))
    assert sorted(unit) == list(range(len(MEMBERS)))
    with pytest.raises(StimjaxError, match="180 windows are none of those"):
        observe(World(MEMBERS, people(20, 26), OTHERS, REFERENCE))


def test_what_shadows_cannot_be_made_of_is_refused() -> None:
    with pytest.raises(StimjaxError, match="subject 3 is among the members and"):
        signals.make(World(MEMBERS, MEMBERS, people(3, 5), REFERENCE), HOW, 8)


def test_models_are_on_one_scale_as_seen_at_the_reference_class_by_class() -> None:
    rng = np.random.default_rng(0)
    truth, label = rng.normal(size=200), np.arange(200) % 2
    slope, level = rng.uniform(0.5, 3, size=(5, 2)), rng.normal(size=(5, 2))
    signal = slope[:, label] * truth + level[:, label]
    signal[3, :20] += 1.0  # what a model has learned stays, in units that all share
    found = signals.aligned(signal, label, np.arange(20, 200))
    scale = slope.mean(axis=0)[label]
    np.testing.assert_allclose(found[:, 20:], found[:1, 20:].repeat(5, axis=0), atol=1e-9)
    gained = (found[3] - found[0])[:20]
    np.testing.assert_allclose(gained, (scale / slope[3, label])[:20], rtol=1e-6)


def test_a_model_that_saw_nothing_is_not_blown_up() -> None:
    signal = np.vstack([np.linspace(-1, 1, 50), np.linspace(-1, 1, 50), np.zeros(50)])
    found = signals.aligned(signal, np.zeros(50, int), np.arange(50))
    assert np.isfinite(found).all() and np.abs(found).max() < 5


def test_of_few_windows_only_the_level_is_taken() -> None:
    signal = np.array([[1.0, 5.0, 2.0, 6.0, 7.0], [3.0, 6.0, 4.0, 7.0, 9.0]])
    found = signals.aligned(signal, np.array([0, 1, 0, 1, 2]), np.array([2, 3]))
    assert found.tolist() == [[2.0, 5.5, 3.0, 6.5, 7.0], [2.0, 5.5, 3.0, 6.5, 9.0]]


@pytest.mark.slow
def test_three_subjects_against_two_and_images_of_three_classes(quick: None) -> None:
    spec = Spec((6, 6, 1), ("a", "b", "c"), (Channel("x", "", low=-8, high=8),))
    rng = np.random.default_rng(0)
    x = rng.normal(size=(160, *spec.shape))
    subject = np.arange(160) // 20
    images = make(x, one_hot(np.arange(160) % 3, spec), spec, subject=subject)
    tiny = World(images[:60], images[:60], images[60:100], images[100:])
    found = areas(signals.observer(signals.make(tiny, HOW, 4)), tiny)
    assert found["rmia_density", "window"][0] > 0.9
    assert all(0 <= value <= 1 for value, _ in found.values())
