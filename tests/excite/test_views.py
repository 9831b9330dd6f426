"""Views of stimuli, and what gradients are taken of where it is not the teacher, in a release."""

import dataclasses
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats
from scipy.ndimage import affine_transform

from stimjax import config, models
from stimjax.batch import Channel, Spec, make, one_hot
from stimjax.config.recipes import Recipe, Terms
from stimjax.excite import methods, shards
from stimjax.excite.views import (
    CONTRAST,
    DELAY,
    LOUDNESS,
    NOISE,
    STRETCH,
    TURN,
    _affine,
    _resampled,
    mixed,
    shaken,
    view,
)
from stimjax.learn.teacher import Teacher

SPEC = Spec((8, 2), ("a", "b"), (Channel("x", "", low=-3.0, high=3.0),) * 2, 1.0, 0.0, 8.0)
COUNT = 200


@pytest.fixture(scope="module")
def teacher() -> Teacher:
    """Two untrained families (of the network that compiles the fastest), with statistics."""
    networks = ("mlp", "mlp")
    families = tuple(models.classifier(name, SPEC.shape, 2) for name in networks)
    params = models.ensemble(families, (1, 2)).init(jax.random.key(0))
    x = np.random.default_rng(0).normal(size=(300, *SPEC.shape)).astype(np.float32)
    train = make(x, one_hot(np.arange(300) % 2, SPEC), SPEC)
    bare = Teacher(networks, params, SPEC)
    return dataclasses.replace(bare, statistics=methods.measure(train, bare))


def stimuli(teacher: Teacher, recipe: Recipe) -> tuple[np.ndarray, np.ndarray]:
    asked = config.Synthesis("mixture", COUNT, recipe, lanes=16, shard=COUNT, seed=0)
    (shard,) = shards.shards(teacher, asked)
    return np.asarray(shard.stimuli.x), np.asarray(shard.stimuli.y)


def test_a_view_lies_between_its_windows() -> None:
    one, other = jnp.array([1.0, 5.0]), jnp.array([-1.0, 0.0])
    keys = jax.random.split(jax.random.key(0), 300)
    found = np.asarray(jax.vmap(lambda key: mixed(one, other, key))(keys))
    share = (found[:, 0] + 1) / 2
    np.testing.assert_allclose(found[:, 1], 5 * share, rtol=1e-5)
    assert stats.kstest(share, stats.uniform(0.5, 0.5).cdf).pvalue > 1e-3


IMAGE = Spec((9, 9, 2), ("a", "b"), (Channel("pixel", "", low=0.0, high=1.0),) * 2)


def test_a_view_of_an_image_has_more_contrast_within_the_range() -> None:
    """Of an even image that covers all; what is moved in from outside is dark."""
    image = jnp.full(IMAGE.shape, 0.6).at[..., 1].set(0.4)
    keys = jax.random.split(jax.random.key(0), 300)
    found = np.asarray(jax.vmap(lambda key: view("auto", IMAGE)(image, 1 - image, key))(keys))
    assert found.min() == 0 and found.max() < 0.8 + 1e-6
    factor = (found[:, 4, 4, 0] - 0.5) / 0.1
    np.testing.assert_allclose(found[:, 4, 4, 1], 0.5 - 0.1 * factor, atol=1e-5)
    assert stats.kstest(factor, stats.uniform(1, CONTRAST - 1).cdf).pvalue > 1e-3


def test_a_view_of_an_image_is_a_small_affine_change() -> None:
    """As scipy resamples it, with a matrix near the identity."""
    image = np.random.default_rng(0).uniform(size=(9, 7, 1))
    matrix = np.array(_affine(jnp.array([1.0, -0.5, 0.3, 1.0])))
    np.testing.assert_allclose(np.linalg.det(matrix), STRETCH**1.3, rtol=1e-5)
    np.testing.assert_allclose(np.arctan2(matrix[1, 0], matrix[0, 0]), TURN, rtol=1e-5)
    shift, middle = np.array([0.5, -0.3]), np.array([4.0, 3.0])
    offset = middle - matrix @ middle + shift
    expected = affine_transform(
        image[..., 0],
        matrix,
        offset,  # pyright: ignore[reportArgumentType]
        order=1,
        mode="grid-constant",
    )
    found = np.asarray(_resampled(jnp.asarray(image), jnp.asarray(matrix), jnp.asarray(shift)))
    np.testing.assert_allclose(found[..., 0], expected, atol=1e-5)


def test_a_shaken_signal_is_moved_scaled_and_noisy_by_so_much() -> None:
    """Found again in the values: the delay by matching, the factor and the noise by regression."""
    wide = dataclasses.replace(
        SPEC, shape=(100, 2), channels=(Channel("x", "", low=-1e6, high=1e6),) * 2
    )
    window = 1000 * np.random.default_rng(0).normal(size=wide.shape).astype(np.float32)
    keys = jax.random.split(jax.random.key(0), 300)
    found = np.asarray(jax.vmap(lambda key: shaken(wide)(jnp.asarray(window), key))(keys), float)
    most = round(DELAY * 100)
    padded = np.pad(window, ((most, most), (0, 0)), mode="edge")
    moved = {d: padded[most - d : most - d + 100] for d in range(-most, most + 1)}
    delays, factors, rest = [], [], []
    for x in found:
        delay = min(moved, key=lambda d: np.abs(x - moved[d]).mean())
        before = moved[delay] - window.mean(axis=0)
        factor = (before * (x - window.mean(axis=0))).sum() / (before**2).sum()
        delays.append(delay)
        factors.append(factor)
        rest.append((x - window.mean(axis=0) - factor * before).std())
    counts = np.bincount(np.array(delays) + most, minlength=2 * most + 1)
    expected = np.array([0.5, *[1] * (2 * most - 1), 0.5]) / (2 * most) * len(keys)
    assert stats.chisquare(counts, expected).pvalue > 1e-3
    assert stats.kstest(factors, stats.uniform(1 - LOUDNESS, 2 * LOUDNESS).cdf).pvalue > 1e-3
    np.testing.assert_allclose(np.mean(rest), NOISE, rtol=0.02)


def test_a_shaken_signal_stays_in_range() -> None:
    keys = jax.random.split(jax.random.key(0), 50)
    x = jnp.full(SPEC.shape, 3.0).at[::2].set(-3.0)
    found = jax.vmap(lambda key: shaken(SPEC)(x, key))(keys)
    assert found.min() == -3 and found.max() == 3


def test_a_view_is_what_was_asked_for() -> None:
    key, other = jax.random.key(4), -jnp.ones(SPEC.shape)
    window = jnp.linspace(-1, 1, 16).reshape(SPEC.shape)
    expected = {"mixed": mixed(window, other, key), "augmented": shaken(SPEC)(window, key)}
    for kind, wanted in (expected | {"auto": expected["mixed"]}).items():
        np.testing.assert_array_equal(view(kind, SPEC)(window, other, key), wanted)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(("tries", "kind"), [(0, "augmented"), (3, "mixed")])
def test_views_are_labeled_by_what_the_teacher_says_of_them(
    teacher: Teacher, tries: int, kind: Literal["mixed", "augmented"]
) -> None:
    terms = Terms(cross_entropy=1.0)
    x, y = stimuli(teacher, Recipe("mixture", terms=terms, tries=tries, views=0.5, view=kind))
    np.testing.assert_allclose(y, teacher.probability(x), atol=1e-5)
    assert len(np.unique(x.reshape(COUNT, -1), axis=0)) == COUNT


def test_so_many_stimuli_are_views(teacher: Teacher) -> None:
    """Uniform noise has a spread of its own; a mixture of two has less, whatever the share."""
    recipe = Recipe("noise", rounded=False)
    plain, _ = stimuli(teacher, recipe)
    views, _ = stimuli(teacher, dataclasses.replace(recipe, views=1.0))
    half, _ = stimuli(teacher, dataclasses.replace(recipe, views=0.5))
    power = [np.mean(a**2) for a in (plain, views, half)]
    share = np.linspace(0.5, 1, 1000)
    assert power[0] == pytest.approx(3.0, rel=0.1)  # of a uniform number from -3 to 3
    expected = 3.0 * np.mean(share**2 + (1 - share) ** 2)
    assert power[1] == pytest.approx(expected, rel=0.1)
    assert power[2] == pytest.approx((power[0] + power[1]) / 2, rel=0.1)


def test_a_shard_takes_the_steps_it_needs_and_no_more(teacher: Teacher) -> None:
    asked = config.Synthesis("mixture", COUNT, Recipe("mixture"), lanes=16, shard=COUNT, seed=0)
    (shard,) = shards.shards(teacher, asked)
    assert shard.counts.steps == 16 * 13  # 200 stimuli, one for each step of a lane


def test_gradients_in_bfloat16_lead_elsewhere_and_labels_are_exact(teacher: Teacher) -> None:
    recipe = Recipe("noise", tries=5, terms=Terms(cross_entropy=1.0), rate=0.5)
    exact, _ = stimuli(teacher, recipe)
    x, y = stimuli(teacher, dataclasses.replace(recipe, precision="bfloat16"))
    np.testing.assert_allclose(y, teacher.probability(x), atol=1e-5)
    assert not np.array_equal(x, exact)
