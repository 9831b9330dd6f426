"""Inhibition of individuals while stimuli are made: what is kept, what it takes, what is said."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from stimjax import batch, config, models
from stimjax.config.recipes import Recipe, Terms
from stimjax.errors import StimjaxError
from stimjax.excite import methods, shards
from stimjax.excite.inhibit import inhibition
from stimjax.excite.sources import mixture
from stimjax.learn.critic import LEVELS, Critic
from stimjax.learn.teacher import Teacher

SUBJECTS = 5


@pytest.fixture(scope="module")
def knowing(teacher: Teacher) -> Teacher:
    """The teacher with a critic that is rather sure of most windows, and measured directions."""
    model = models.classifier("mlp", teacher.spec.shape, SUBJECTS)
    params = jax.tree.map(lambda leaf: 4 * leaf, model.init(jax.random.key(3)))
    sure = tuple(np.linspace(0.3, 1.0, LEVELS).tolist())
    basis = np.linalg.qr(np.random.default_rng(0).normal(size=(12, 12)))[0]
    basis[8:] = 0
    erased = {"read": basis, "write": basis, "mean": np.ones(12)}
    return dataclasses.replace(
        teacher,
        critic=Critic("mlp", params, teacher.spec, SUBJECTS, 0.9, 0.2, sure),
        statistics={f"erasure.0.{k}": a.astype(np.float32) for k, a in erased.items()}
        | {"erasure.units": np.array([12], np.int32)},
    )


def posterior(knowing: Teacher, x: np.ndarray) -> np.ndarray:
    assert knowing.critic is not None
    return np.asarray(jax.nn.softmax(knowing.critic.logits(knowing.critic.params, jnp.asarray(x))))


def stimuli(teacher: Teacher, settings: config.Synthesis) -> np.ndarray:
    return np.asarray(next(shards.shards(teacher, settings)).stimuli.x)


@pytest.fixture(scope="module")
def small(settings: config.Synthesis) -> config.Synthesis:
    return dataclasses.replace(settings, count=60, shard=60, lanes=4)


def test_refuses_what_the_critic_recognizes(knowing: Teacher, small: config.Synthesis) -> None:
    asked = dataclasses.replace(small, inhibit=0.6, inhibit_by=("refusal",))
    bound = knowing.critic.bound(0.6)  # pyright: ignore[reportOptionalMemberAccess]
    assert posterior(knowing, stimuli(knowing, small)).max(axis=1).max() > bound
    assert posterior(knowing, stimuli(knowing, asked)).max(axis=1).max() <= bound + 1e-5


def test_the_term_makes_stimuli_less_recognizable(
    knowing: Teacher, small: config.Synthesis
) -> None:
    recipe = Recipe("noise", "window", Terms(cross_entropy=1.0), tries=30, rate=0.05, lanes=4)
    excited = dataclasses.replace(small, recipe=recipe)
    asked = dataclasses.replace(excited, inhibit=1.0, inhibit_by=("term",))
    plain, inhibited = (
        posterior(knowing, stimuli(knowing, settings)).max(axis=1).mean()
        for settings in (excited, asked)
    )
    assert inhibited < plain - 0.03


def test_labels_are_those_of_the_teacher_without_its_identity_directions(
    knowing: Teacher, small: config.Synthesis
) -> None:
    asked = dataclasses.replace(small, inhibit=0.5, inhibit_by=("directions",))
    made = next(shards.shards(knowing, asked)).stimuli
    strengths = inhibition.inhibition(asked, methods.recipe(asked))
    erasures = inhibition.applied(strengths, knowing).erasures
    assert np.asarray(erasures[0].read).any(axis=1).sum() == 4  # half of eight
    logits, _ = knowing.model.hidden(knowing.params, made.x, erasures)
    np.testing.assert_allclose(made.y, jax.nn.softmax(logits), atol=1e-5)
    assert np.abs(made.y - knowing.probability(made.x)).max() > 0.01
    older = dataclasses.replace(knowing, statistics={})
    with pytest.raises(StimjaxError, match=r"no statistic 'erasure'.*train it again"):
        stimuli(older, asked)


@pytest.mark.slow
def test_a_mixture_draws_from_whole_classes_without_asking_a_critic(
    teacher: Teacher, small: config.Synthesis
) -> None:
    rng = np.random.default_rng(0)
    spec, label = teacher.spec, np.arange(400) % len(teacher.spec.classes)
    x = rng.normal(size=(400, *spec.shape)) + np.where(rng.random(400) < 0.5, 1, -1)[:, None, None]
    train = batch.make(x, batch.one_hot(label, spec), spec)
    measured = methods.measure(train, teacher)
    known = dataclasses.replace(teacher, statistics=measured)
    plain = dataclasses.replace(small, method="mixture", recipe=None)
    asked = dataclasses.replace(plain, inhibit=1.0, inhibit_by=("groups",))
    whole = dataclasses.replace(known, statistics=mixture.coarser(measured, 1.0))
    np.testing.assert_array_equal(stimuli(known, asked), stimuli(whole, plain))
    assert np.abs(stimuli(known, asked) - stimuli(known, plain)).max() > 0.1


def test_labels_are_rounded_without_asking_a_critic(
    teacher: Teacher, small: config.Synthesis
) -> None:
    plain = next(shards.shards(teacher, small)).stimuli
    asked = dataclasses.replace(small, inhibit=1.0, inhibit_by=("labels",))
    made = next(shards.shards(teacher, asked)).stimuli
    np.testing.assert_array_equal(made.x, plain.x)
    likeliest = np.asarray(plain.y).argmax(axis=1)
    np.testing.assert_array_equal(made.y, batch.one_hot(likeliest, teacher.spec))
    assert (np.asarray(plain.y) % 1).any()
    half = next(shards.shards(teacher, dataclasses.replace(asked, inhibit=0.5))).stimuli
    assert set(np.unique(half.y)) <= {0.0, 0.5, 1.0}


def test_all_ways_together_with_draws_that_are_only_labeled(
    knowing: Teacher, small: config.Synthesis
) -> None:
    recipe = Recipe(source="noise", lanes=4)
    asked = dataclasses.replace(small, recipe=recipe, inhibit=0.4)
    bound = knowing.critic.bound(0.4)  # pyright: ignore[reportOptionalMemberAccess]
    assert posterior(knowing, stimuli(knowing, asked)).max(axis=1).max() <= bound + 1e-5


def test_strength_0_asks_no_critic(
    knowing: Teacher, teacher: Teacher, small: config.Synthesis
) -> None:
    np.testing.assert_array_equal(stimuli(knowing, small), stimuli(teacher, small))


def test_a_teacher_without_subjects_cannot_be_inhibited(
    teacher: Teacher, small: config.Synthesis
) -> None:
    with pytest.raises(StimjaxError, match="knows no subjects"):
        stimuli(teacher, dataclasses.replace(small, inhibit=0.5))


def test_what_two_terms_use_is_said_once() -> None:
    both = Recipe(terms=Terms(features=1.0, features_global=1.0), tries=1)
    said = methods.uses(config.Synthesis(recipe=both))
    assert len(said) == len(set(said)) and "hidden unit" in " ".join(said)


def test_a_mixture_without_groups_says_that_it_uses_none() -> None:
    plain, half, whole = (
        " ".join(methods.uses(config.Synthesis("mixture", inhibit=s, inhibit_by=("groups",))))
        for s in (0.0, 0.5, 1.0)
    )
    assert plain == half and "groups" in half
    assert "groups" not in whole and "of each class" in whole


def test_what_is_used_is_said() -> None:
    plain, asked = config.Synthesis("mixture"), config.Synthesis("mixture", inhibit=0.5)
    assert set(methods.uses(asked)) - set(methods.uses(plain)) == {
        methods.CRITIC,
        methods.erasure.USES,
        methods.ROUNDED.format(0.5),
    }
    alone = config.Synthesis("mixture", inhibit=1.0, inhibit_by=("labels",))
    assert methods.CLASSES in methods.uses(alone) and methods.LABELS not in methods.uses(alone)
