"""What the prior gives a teacher, and what is said of it."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from random_teacher import recorded, white

from stimjax import batch, config, models
from stimjax.batch import NOBODY, Batch, Channel, Spec
from stimjax.config.recipes import RECIPES
from stimjax.errors import StimjaxError
from stimjax.excite import anew, carriers
from stimjax.excite.sources import SOURCES, generic
from stimjax.machine.versions import SIMULATOR
from stimjax.prior import known
from stimjax.prior.known import Known

PRIOR = Known(config.Prior(part=0.25, sleepers=2, hours=0.5))
SPEC = Spec(
    (60, 1), ("normal", "apnea"), (Channel("SpO2", "%", low=-6.0),), 1.0, label_seconds=60.0
)


def train(n: int) -> Batch:
    x = np.random.default_rng(0).normal(size=(n, *SPEC.shape))
    return batch.make(x, batch.one_hot(np.arange(n) % 2, SPEC), SPEC, subject=np.arange(n) % 5)


def test_scored_windows_are_those_of_the_nights_with_their_sleepers() -> None:
    found, given = carriers.scored(PRIOR, SPEC), known.strip(PRIOR, SPEC)
    batch.check(found, "scored")
    for row, start in zip(np.asarray(found.x), given.scored, strict=True):
        np.testing.assert_array_equal(row, given.x[start : start + 60])
    np.testing.assert_array_equal(found.label, given.label)
    np.testing.assert_array_equal(found.subject, given.whose)


def test_channels_that_nobody_simulates_are_random(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generic, "make", white)
    two = (Channel("light", "lx", low=2.0, high=3.0), *SPEC.channels)
    spec = dataclasses.replace(SPEC, shape=(60, 2), channels=two)
    found, one = carriers.scored(PRIOR, spec), carriers.scored(PRIOR, SPEC)
    light = np.asarray(found.x)[..., 0]
    assert light.min() >= 2 and light.max() <= 3 and len(np.unique(light[:, 0])) == len(found)
    np.testing.assert_array_equal(np.asarray(found.x)[..., 1:], one.x)


def test_recordings_are_scored_windows_too_with_the_channels_that_nobody_simulates(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(generic, "make", white)
    two = (Channel("light", "lx", low=2.0, high=3.0), *SPEC.channels)
    spec = dataclasses.replace(SPEC, shape=(60, 2), channels=two)
    more = recorded(spec, seed=50)
    found = carriers.scored(dataclasses.replace(PRIOR, recorded=(more,)), spec)
    plain = carriers.scored(PRIOR, spec)
    count = len(plain)
    own = more.night.x[more.night.scored[:, None] + np.arange(60)]
    np.testing.assert_array_equal(found.x[count:], own)
    np.testing.assert_array_equal(found.x[:count, :, 1], plain.x[:, :, 1])
    assert carriers.recordings(dataclasses.replace(PRIOR, recorded=(more,)), RECIPES["probe"]) == (
        more.about,
    )
    assert carriers.recordings(Known(recorded=(more,)), RECIPES["mixture"]) == ()


def test_a_source_draws_recordings_among_the_nights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generic, "make", white)
    spec = dataclasses.replace(SPEC, channels=(Channel("light", "lx", low=0.0, high=100.0),))
    recipe = dataclasses.replace(RECIPES["public"], random=0.0)
    few = Known(
        config.Prior(sleepers=1, hours=0.5), (recorded(spec, 50, scored=False, samples=4000),)
    )
    given = carriers.given({}, recipe, few, spec)
    draw = SOURCES["public"].make(spec, given, recipe)
    x = np.asarray(
        jax.vmap(draw, (0, None))(jax.random.split(jax.random.key(0), 300), jnp.int32(1))
    )
    whole = {
        row.tobytes()
        for row in np.lib.stride_tricks.sliding_window_view(few.recorded[0].night.x[:, 0], 60)
    }
    known_ones = np.array([row.tobytes() in whole for row in x[..., 0]])
    random = x[~known_ones]  # of sleepers, of whom nobody simulates the light
    assert known_ones.mean() > 0.5 and random.std() > 20


@pytest.mark.parametrize("part", [0.1, 0.25, 0.5, 0.8])
def test_a_teacher_learns_the_part_that_was_asked_for(part: float) -> None:
    own, prior = train(90), Known(dataclasses.replace(PRIOR.settings, part=part))
    found = carriers.beside(own, prior)
    more = found[90:]
    assert len(more) / len(found) == pytest.approx(part, abs=0.5 / 90)
    assert len(more) == carriers.count(90, prior)
    np.testing.assert_array_equal(found.x[:90], own.x)
    np.testing.assert_array_equal(found.subject[:90], own.subject)
    assert (more.subject == NOBODY).all() and (more.weight == 1).all()


def test_no_part_changes_nothing() -> None:
    own = train(90)
    assert carriers.beside(own, Known(dataclasses.replace(PRIOR.settings, part=0.0))) is own


def test_fewer_windows_are_the_first_of_more_and_all_come_before_one_comes_again() -> None:
    scored = carriers.scored(PRIOR, SPEC)
    whole = len(scored)
    more = carriers.learned(PRIOR, SPEC, 2 * whole + 3)
    few = carriers.learned(PRIOR, SPEC, 7)
    np.testing.assert_array_equal(few.x, more.x[:7])
    np.testing.assert_array_equal(few.y, more.y[:7])
    rows = sorted(row.tobytes() for row in np.asarray(scored.x))
    for first in (0, whole):
        again = np.asarray(more.x[first : first + whole])
        assert sorted(row.tobytes() for row in again) == rows


def test_a_network_that_learned_sleepers_knows_others() -> None:
    model = models.classifier("mlp", SPEC.shape, 2)
    start = carriers.taught(Known(config.Prior(first=200, sleepers=16, hours=1.0)), SPEC)
    params = start(model, 3)
    others = carriers.scored(Known(config.Prior(sleepers=12, hours=1.0, cohort=1)), SPEC)
    called = np.asarray(model.apply(params, jnp.asarray(others.x))).argmax(axis=1)
    right = [(called == others.label)[others.label == number].mean() for number in (0, 1)]
    assert np.mean(right) > 0.6  # guessing: .5
    shapes = jax.tree.map(np.shape, params)
    assert shapes == jax.tree.map(np.shape, model.init(jax.random.key(0)))


def test_one_sleeper_alone_is_refused_in_one_line() -> None:
    with pytest.raises(StimjaxError, match=r"--teacher\.prior\.sleepers") as error:
        carriers.taught(Known(config.Prior(first=10, sleepers=1, hours=0.5)), SPEC)
    assert "\n" not in str(error.value)


def test_a_manifest_names_the_prior_only_where_something_depends_on_it() -> None:
    for prior in (PRIOR, Known(config.Prior(first=3))):
        assert carriers.published(prior, RECIPES["probe"]) == prior.settings
    assert carriers.published(Known(), RECIPES["public"]) == config.NO_PRIOR
    assert carriers.published(Known(), RECIPES["mixture"]) is None
    assert carriers.published(Known(config.Prior()), RECIPES["mixture"]) == config.Prior()


def test_sleepers_of_another_simulator_are_told_in_one_line() -> None:
    assert anew.other_sleepers({"simulator": SIMULATOR}, SPEC) == ""
    for versions, reason in (
        ({"simulator": "0", "stimjax": "9.9"}, "install stimjax 9.9"),
        ({}, "version None"),
    ):
        said = anew.other_sleepers(versions, SPEC)
        assert reason in said and "\n" not in said
    ink = Spec((8, 8, 1), ("0", "1"), (Channel("ink", ""),))
    assert anew.other_sleepers({"simulator": "0"}, ink) == ""  # images are not simulated
