"""The spectral source's draws have the levels, energies and couplings that were measured."""

import jax
import jax.numpy as jnp
import numpy as np
import scipy.fft

from stimjax import batch
from stimjax.batch import Batch, Channel, Spec
from stimjax.config.recipes import Recipe
from stimjax.excite.sources import SOURCES

RECIPE = Recipe()

SPECTRAL = SOURCES["spectral"]
WIDE = tuple(Channel(name, "", low=-50.0, high=50.0) for name in "ab")
SHORT = Spec((60, 2), ("calm", "wild"), WIDE, rate=1.0)
LONG = Spec((1200, 2), ("calm", "wild"), WIDE, rate=16.0)


def drawn(measure, given: Batch, target: int, n: int = 2000) -> np.ndarray:
    source = SPECTRAL.make(given.spec, measure(SPECTRAL, given), RECIPE)
    key = jax.random.split(jax.random.key(0), n)
    return np.asarray(jax.jit(jax.vmap(source, (0, None)))(key, jnp.int32(target)))


def made(spec: Spec, n: int = 2000) -> Batch:
    """Random walks of random size and level; the second channel follows the first, `wild` less."""
    rng = np.random.default_rng(0)
    label = np.arange(n) % 2
    white = rng.normal(size=(n, *spec.shape))
    white[..., 1] = np.where(label, 0.0, 0.8)[:, None] * white[..., 0] + 0.6 * white[..., 1]
    walk = white.cumsum(axis=1) / 10 + 0.3 * white
    size = np.exp(0.5 * rng.normal(size=(n, 1, 1)) + label[:, None, None] - 1)
    x = size * (walk - walk.mean(axis=1, keepdims=True)) + rng.normal(size=(n, 1, 2)) - 2
    return batch.make(x, batch.one_hot(label, spec), spec)


def test_levels_energies_and_couplings_of_each_class(measure) -> None:
    given = made(SHORT)
    for number in (0, 1):
        real, draw = given.x[number::2], drawn(measure, given, number)
        np.testing.assert_allclose(draw.mean(axis=(0, 1)), real.mean(axis=(0, 1)), atol=0.1)
        level, ours = real.mean(axis=1), draw.mean(axis=1)
        np.testing.assert_allclose(ours.std(axis=0), level.std(axis=0), rtol=0.08)
        cosine, mine = (np.asarray(scipy.fft.dct(a, axis=1, norm="ortho")) for a in (real, draw))
        for low, high in ((1, 2), (2, 4), (9, 17), (31, 60)):
            want = np.log((cosine[:, low:high] ** 2).mean(axis=1))
            have = np.log((mine[:, low:high] ** 2).mean(axis=1))
            np.testing.assert_allclose(have.mean(axis=0), want.mean(axis=0), atol=0.35)
        pair, twin = (np.corrcoef(np.diff(a, axis=1).reshape(-1, 2).T)[0, 1] for a in (real, draw))
        assert abs(pair - twin) < 0.1


def test_pauses_survive(measure) -> None:
    """A stretch of a fifth of the amplitude, in a random sixth of the window."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1000, *LONG.shape))
    for window, where in zip(x, rng.integers(0, 6, 1000), strict=True):
        window[200 * where : 200 * where + 200] *= 0.2
    given = batch.make(x, batch.one_hot(np.arange(1000) % 2, LONG), LONG)

    def quietest(x: np.ndarray) -> np.ndarray:
        spread = np.stack([part.std(axis=1) for part in np.split(x, 6, axis=1)], axis=1)
        return spread.min(axis=1) / spread.max(axis=1)

    draw = drawn(measure, given, 0, 500)
    assert np.median(quietest(x)) < 0.25
    assert np.median(quietest(draw)) < 0.4
    assert abs(draw.std() / x.std() - 1) < 0.1


def test_a_constant_channel_stays_nearly_constant(measure) -> None:
    given = made(SHORT)
    x = np.array(given.x)
    x[..., 0] = 1.0
    draw = drawn(measure, batch.make(x, given.y, SHORT), 0, 50)
    assert draw[..., 0].std() < 0.05 and draw[..., 1].std() > 0.1


def test_images_keep_the_mean_of_their_class(measure) -> None:
    spec = Spec((12, 12, 1), ("left", "right"), (Channel("light", "", low=0.0, high=1.0),))
    rng = np.random.default_rng(0)
    x = 0.2 + 0.05 * rng.normal(size=(400, 12, 12, 1))
    x[::2, :, :6] += 0.5
    x[1::2, :, 6:] += 0.5
    given = batch.make(x, batch.one_hot(np.arange(400) % 2, spec), spec)
    for number in (0, 1):
        have, want = drawn(measure, given, number, 200).mean(axis=0), x[number::2].mean(axis=0)
        assert np.corrcoef(have.ravel(), want.ravel())[0, 1] > 0.97


def test_a_density_is_that_of_the_numbers_of_a_window(measure) -> None:
    given = made(SHORT)
    found = measure(SPECTRAL, given)
    assert SPECTRAL.density is not None
    ours = SPECTRAL.density(given, found)
    swapped = batch.make(given.x, given.y[:, ::-1], SHORT)
    assert np.isfinite(ours).all() and (ours > SPECTRAL.density(swapped, found)).mean() > 0.9
    features = len(found["spectral.mean"][0])
    # Of a Gaussian's own draws the squares add up to one a dimension.
    squares = (
        -2 * ours * features
        - 2
        * np.array([np.log(np.diag(factor)).sum() for factor in found["spectral.factor"]])[
            given.label
        ]
    )
    assert abs(squares.mean() / features - 1) < 0.15  # shrunk covariances are wider
