"""The mixture's draws have the moments of what it was measured on."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.signal
import scipy.stats

from stimjax import batch
from stimjax.batch import Channel, Spec
from stimjax.config.recipes import Recipe
from stimjax.excite.rows import LEAST
from stimjax.excite.sources import SOURCES, mixture

RECIPE = Recipe()

MIXTURE = SOURCES["mixture"]


def spec(time: int, channels: int = 1) -> Spec:
    wide = tuple(Channel(f"c{i}", "", low=-50.0, high=50.0) for i in range(channels))
    return Spec((time, channels), ("a", "b"), wide, rate=1.0)


def drawn(found: dict[str, np.ndarray], of: Spec, target: int, n: int = 4000) -> np.ndarray:
    source = jax.jit(jax.vmap(MIXTURE.make(of, found, RECIPE), (0, None)))
    return np.asarray(source(jax.random.split(jax.random.key(0), n), jnp.int32(target)))


def test_moments_of_a_gaussian_class(measure) -> None:
    rng = np.random.default_rng(0)
    mix = rng.normal(size=(12, 12)) / 12**0.5
    x = rng.normal(size=(4000, 12)) @ mix.T + np.linspace(-2, 2, 12)
    label = np.arange(4000) % 2
    x[label == 1] += 3
    of = spec(6, 2)
    found = measure(MIXTURE, batch.make(x.reshape(-1, 6, 2), batch.one_hot(label, of), of))
    draw = drawn(found, of, 1).reshape(-1, 12)
    truth = mix @ mix.T
    np.testing.assert_allclose(draw.mean(axis=0), np.linspace(-2, 2, 12) + 3, atol=0.1)
    # Shrinking the groups' correlations towards the class's costs a little.
    np.testing.assert_allclose(np.cov(draw.T), truth, atol=0.2 * np.diag(truth).max())
    np.testing.assert_allclose(draw.var(axis=0), np.diag(truth), rtol=0.15)


def test_two_modes_of_a_class_stay_two(measure) -> None:
    rng = np.random.default_rng(0)
    mode = rng.random(1000) < 0.3
    x = rng.normal(size=(1000, 8, 1)) * 0.3 + np.where(mode, 4, -4)[:, None, None]
    of = spec(8)
    found = measure(MIXTURE, batch.make(x, batch.one_hot(np.arange(1000) % 2, of), of))
    level = drawn(found, of, 0).mean(axis=(1, 2))
    assert (np.abs(level) > 2).mean() > 0.99
    assert abs((level > 0).mean() - 0.3) < 0.06
    counts = found["mixture.share"] * 500
    assert counts.min() >= LEAST - 1e-3
    np.testing.assert_allclose(found["mixture.share"][found["mixture.class"] == 0].sum(), 1)


def test_components_are_orthonormal_and_carry_the_spread(measure) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(500, 10, 2)) * np.linspace(3, 1, 20).reshape(10, 2) + 5
    of = spec(10, 2)
    found = measure(MIXTURE, batch.make(x, batch.one_hot(np.arange(500) % 2, of), of))
    basis = found["components.basis"]
    np.testing.assert_allclose(basis @ basis.T, np.eye(20), atol=1e-4)
    np.testing.assert_allclose(found["components.center"], x.mean(axis=0).ravel(), atol=1e-3)
    truth = np.linalg.eigvalsh(np.cov(x.reshape(500, -1).T))[::-1] ** 0.5
    np.testing.assert_allclose(found["components.spread"], truth, rtol=0.01)


def test_many_values_keep_their_spectrum_beside_the_components(measure) -> None:
    """2,000 values of band-limited noise: 160 components hold little of it, the rest must come."""
    rng = np.random.default_rng(0)
    filters = scipy.signal.butter(3, [0.1, 0.2], "bandpass", output="sos")
    x = np.asarray(scipy.signal.sosfiltfilt(filters, rng.normal(size=(400, 2000, 1)), axis=1))
    of = spec(2000)
    found = measure(MIXTURE, batch.make(x, batch.one_hot(np.arange(400) % 2, of), of))
    draw = drawn(found, of, 0, 200)
    power, ours = (np.abs(np.fft.rfft(a[..., 0], axis=1)) ** 2 for a in (x, draw))
    assert abs(draw.std() / x.std() - 1) < 0.05
    inside = slice(100, 200)  # of 1,000 frequencies
    share = ours[:, inside].sum() / ours.sum()
    assert abs(share - power[:, inside].sum() / power.sum()) < 0.03


@pytest.mark.parametrize("strength", [0.0, 0.4, 1.0])
def test_coarser_draws_from_the_class_what_it_does_not_from_groups(
    strength: float, measure
) -> None:
    rng = np.random.default_rng(0)
    mode = rng.random(2000) < 0.3
    x = rng.normal(size=(2000, 8, 1)) * 0.3 + np.where(mode, 4, -4)[:, None, None]
    of, label = spec(8), np.arange(2000) % 2
    found = measure(MIXTURE, batch.make(x, batch.one_hot(label, of), of))
    draw = drawn(mixture.coarser(found, strength), of, 0)  # pyright: ignore[reportArgumentType]
    level, real = draw.mean(axis=(1, 2)), x[label == 0]
    # Between the two groups lies nothing of them, but the middle of a normal class does.
    spread = np.std(real.mean(axis=(1, 2)))
    middle = scipy.stats.norm(level.mean(), spread).cdf([-2, 2])
    assert (np.abs(level) < 2).mean() == pytest.approx(strength * np.diff(middle)[0], abs=0.03)
    np.testing.assert_allclose(draw.mean(axis=0), real.mean(axis=0), atol=0.3)
    np.testing.assert_allclose(draw.std(axis=0), real.std(axis=0), rtol=0.06)


@pytest.mark.parametrize("shape", [(600, 1), (8, 8, 1)])
def test_coarser_long_signals_and_images_have_no_group_left(
    shape: tuple[int, ...], measure
) -> None:
    rng = np.random.default_rng(0)
    of = dataclasses.replace(spec(8), shape=shape, rate=10.0 if len(shape) == 2 else None)
    label = np.arange(300) % 2
    x = rng.normal(size=(300, *shape)) + np.where(rng.random(300) < 0.5, 3, -3).reshape(
        -1, *[1] * len(shape)
    )
    found = measure(MIXTURE, batch.make(x, batch.one_hot(label, of), of))
    prefix = "mixture.frames." if len(shape) == 2 else "mixture."
    assert len(found[f"{prefix}share"]) > 2
    coarse = mixture.coarser(found, 1.0)
    assert np.asarray(coarse[f"{prefix}share"]).tolist() == [1.0, 1.0]
    assert np.asarray(coarse[f"{prefix}class"]).tolist() == [0, 1]
    draw = drawn(coarse, of, 1, 20)  # pyright: ignore[reportArgumentType]
    assert draw.shape == (20, *shape) and np.isfinite(draw).all()


def test_a_density_is_that_of_the_gaussians_that_are_drawn(measure) -> None:
    rng = np.random.default_rng(0)
    mix = rng.normal(size=(12, 12)) / 12**0.5
    of, label = spec(6, 2), np.arange(2000) % 2
    x = rng.normal(size=(2000, 12)) @ mix.T + 3 * label[:, None]
    found = measure(MIXTURE, batch.make(x.reshape(-1, 6, 2), batch.one_hot(label, of), of))
    coarse = mixture.coarser(found, 1.0)  # one Gaussian a class, all components: known in full
    asked = batch.make(x[:50].reshape(-1, 6, 2), batch.one_hot(label[:50], of), of)
    for number in (0, 1):
        rows, basis = label[:50] == number, np.asarray(found["components.basis"])
        factor, mean = (
            np.asarray(coarse[f"mixture.{name}"])[number] for name in ("factor", "mean")
        )
        center = found["components.center"] + mean @ basis
        gaussian = scipy.stats.multivariate_normal(center, basis.T @ factor @ factor.T @ basis)
        ours = 12 * mixture.log_density(asked, coarse)[rows]  # pyright: ignore
        truth = gaussian.logpdf(x[:50][rows])
        np.testing.assert_allclose(ours - ours.mean(), truth - truth.mean(), atol=0.02)


@pytest.mark.parametrize("shape", [(600, 1), (8, 8, 1)])
def test_a_density_of_long_signals_and_images_knows_their_own_class(shape, measure) -> None:
    rng = np.random.default_rng(0)
    of = dataclasses.replace(spec(8), shape=shape, rate=10.0 if len(shape) == 2 else None)
    label = np.arange(300) % 2
    x = rng.normal(size=(300, *shape)) * np.where(label, 3, 1).reshape(-1, *[1] * len(shape))
    given = batch.make(x, batch.one_hot(label, of), of)
    found = measure(MIXTURE, given)
    swapped = batch.make(x, batch.one_hot(1 - label, of), of)
    ours, theirs = (mixture.log_density(one, found) for one in (given, swapped))
    assert np.isfinite(ours).all() and (ours > theirs).mean() > 0.95
