"""What every source promises, for signals and images, two classes and ten, few windows and many."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from stimjax import batch
from stimjax.batch import Batch, Channel, Spec
from stimjax.config.recipes import Recipe
from stimjax.disk.store import load_arrays, save_arrays
from stimjax.excite import kind
from stimjax.excite.parametrization import generator
from stimjax.excite.sources import SOURCES, Source, public
from stimjax.excite.sources.generator import point, untrained
from stimjax.prior.strip import Strip

SIGNAL = Spec(
    shape=(60, 3),
    classes=("W", "R"),
    channels=(
        Channel("SpO2", "%", "fixed", 95.0, 4.0, low=-6.0, high=1.0, resolution=0.25),
        Channel("flow", "", "recording", low=-4.0, high=4.0),
        Channel("chest", "", "recording", low=-5.0, high=6.0),
    ),
    rate=1.0,
    label_seconds=60.0,
)
IMAGE = Spec((9, 8, 1), tuple("0123456789"), (Channel("intensity", "", low=0.0, high=1.0),))
LONG = Spec((2000, 2), ("W", "R"), tuple(Channel(n, "", "recording") for n in "ab"), rate=64.0)
RECIPE = Recipe()
TINY = Spec((5, 2), ("W", "N2", "R"), tuple(Channel(n, "", "recording") for n in "ab"), rate=1.0)
SPECS = {"signal": SIGNAL, "image": IMAGE, "long": LONG, "tiny": TINY}
MEASURING = [name for name, one in SOURCES.items() if one.needs]
FEW = {"signal": 300, "image": 700, "long": 120, "tiny": 4}


def windows(spec: Spec, n: int) -> Batch:
    rng = np.random.default_rng(0)
    x = rng.uniform(spec.low, spec.high, (n, *spec.shape)).cumsum(axis=1) / 4
    label = np.arange(n) % len(spec.classes)
    return batch.make(np.clip(x, spec.low, spec.high), batch.one_hot(label, spec), spec)


class Made(NamedTuple):
    """A source and what it drew for six keys."""

    source: Source
    spec: Spec
    x: jax.Array


def nights(spec: Spec) -> dict[str, np.ndarray]:
    """What `public` draws from, which is no statistic of windows."""
    x = np.concatenate(list(np.asarray(windows(spec, 20).x)))
    classes, start = len(spec.classes), np.arange(len(x) - spec.shape[0])
    bounds = np.linspace(0, len(start), classes + 1).astype(int)
    simulated = np.ones(len(spec.channels), bool)
    return public.arrays(
        Strip(x, start, bounds, start[:0], start[:0], start[:0], simulated, len(x))
    )


def has(name: str, which: str) -> bool:
    return name != "public" or which in ("signal", "tiny")  # nobody simulates images


@pytest.fixture(
    scope="module",
    params=[(name, spec) for name in SOURCES for spec in SPECS if has(name, spec)],
    ids="-".join,
)
def made(request: pytest.FixtureRequest, measure) -> Made:
    name, which = request.param
    spec = SPECS[which]
    found = measure(SOURCES[name], windows(spec, FEW[which]))
    found |= nights(spec) if name == "public" else {}
    source = SOURCES[name].make(spec, found, RECIPE)
    return Made(source, spec, draws(source, spec))


def draws(source: Source, spec: Spec, n: int = 6) -> jax.Array:
    target = jnp.arange(n, dtype=jnp.int32) % len(spec.classes)
    return jax.jit(jax.vmap(source))(jax.random.split(jax.random.key(1), n), target)


def test_draws_are_windows_in_range(made: Made) -> None:
    _, spec, x = made
    assert x.shape == (6, *spec.shape) and x.dtype == jnp.float32
    assert np.isfinite(x).all()
    assert (x >= spec.low).all() and (x <= spec.high).all()
    assert x.std() > 0


def test_draw_depends_on_key_and_class_alone(made: Made) -> None:
    source, spec, together = made
    key = jax.random.split(jax.random.key(1), 6)
    alone = jax.jit(source)(key[1], jnp.int32(1))
    np.testing.assert_allclose(alone, together[1], atol=1e-4)
    assert np.abs(together[0] - together[len(spec.classes) % 6]).max() > 1e-3


@pytest.mark.parametrize("name", SOURCES)
def test_statistics_are_named_after_the_source_and_survive_a_file(
    name: str, tmp_path, measure
) -> None:
    found = measure(SOURCES[name], windows(SIGNAL, 300))
    assert not kind.lacking(SOURCES[name].needs, found)
    assert all(key.startswith((f"{name}.", "components.")) for key in found)
    assert all(a.dtype in (np.float32, np.int32) and np.isfinite(a).all() for a in found.values())
    assert bool(found) == bool(SOURCES[name].uses)
    if found:
        save_arrays(tmp_path / "found.safetensors", found)
        found = load_arrays(tmp_path / "found.safetensors")
    key, given = jax.random.key(3), nights(SIGNAL) if name == "public" else {}
    first = jax.jit(SOURCES[name].make(SIGNAL, found | given, RECIPE))(key, jnp.int32(0))
    same = measure(SOURCES[name], windows(SIGNAL, 300))
    again = jax.jit(SOURCES[name].make(SIGNAL, same | given, RECIPE))
    np.testing.assert_array_equal(first, again(key, jnp.int32(0)))


@pytest.mark.parametrize("name", MEASURING)
def test_a_missing_statistic_is_a_key_error(name: str) -> None:
    with pytest.raises(KeyError):
        SOURCES[name].make(SIGNAL, {}, RECIPE)


@pytest.mark.parametrize("name", ["spectral", "mixture"])
@pytest.mark.parametrize("which", ["signal", "image"])
def test_each_class_has_its_own_level(name: str, which: str, measure) -> None:
    spec = SPECS[which]
    given = windows(spec, FEW[which])
    label = np.asarray(given.y).argmax(axis=1)
    low, high = spec.low[0], spec.high[0]
    level = low + (high - low) * (0.3 + 0.4 * label / (len(spec.classes) - 1))
    noise = 0.02 * (high - low) * np.random.default_rng(1).normal(size=given.x.shape)
    x = np.broadcast_to(level.reshape(-1, *[1] * len(spec.shape)), given.x.shape) + noise
    given = batch.make(x, given.y, spec)
    source = SOURCES[name].make(spec, measure(SOURCES[name], given), RECIPE)
    key = jax.random.split(jax.random.key(0), 20)
    draw = jax.jit(jax.vmap(source, (0, None)))
    for number in range(len(spec.classes)):
        found = draw(key, jnp.int32(number))[..., 0]
        want = low + (high - low) * (0.3 + 0.4 * number / (len(spec.classes) - 1))
        assert abs(float(found.mean()) - want) < 0.03 * (high - low)


@pytest.mark.parametrize("name", MEASURING)
def test_a_rare_class_is_never_a_single_window(name: str, measure) -> None:
    """One window of a class: neither its values nor its mean may come out."""
    given = windows(SIGNAL, 300)
    y = batch.one_hot((np.arange(300) == 7).astype(int), SIGNAL)
    given = batch.make(given.x, y, SIGNAL)
    source = SOURCES[name].make(SIGNAL, measure(SOURCES[name], given), RECIPE)
    key = jax.random.split(jax.random.key(0), 50)
    x = np.asarray(jax.jit(jax.vmap(source, (0, None)))(key, jnp.int32(1)))
    beside = np.linalg.norm((x - given.x[7]).reshape(50, -1), axis=1)
    real = np.linalg.norm((given.x - given.x[7]).reshape(300, -1), axis=1)
    assert beside.min() > 0.9 * np.sort(real)[1]  # no nearer than another window is


def test_a_point_is_standard_normal() -> None:
    z = jax.vmap(point(64), (0, None))(jax.random.split(jax.random.key(0), 500), jnp.int32(0))
    assert z.shape == (500, 64)
    assert abs(float(z.mean())) < 0.03 and abs(float(z.std()) - 1) < 0.03


@pytest.mark.parametrize(("network", "which"), [("dense", "signal"), ("conv", "image")])
def test_an_untrained_generator_draws_another_network_each_time(network: str, which: str) -> None:
    spec = SPECS[which]
    given = generator(network, spec, 8)
    x = draws(untrained(given.init, given.render, 8), spec)
    assert x.shape == (6, *spec.shape) and x.dtype == jnp.float32
    assert (x >= spec.low).all() and (x <= spec.high).all()
    weights_key, z_key = jax.random.split(jax.random.split(jax.random.key(1), 6)[2])
    weights = given.init(weights_key, jnp.zeros(8))
    np.testing.assert_allclose(
        x[2], given.render(weights, jax.random.normal(z_key, (8,))), atol=1e-5
    )
    assert np.ptp(np.asarray(x), axis=0).max() > 0.01 * (spec.high - spec.low).max()


def test_noise_is_uniform_in_each_channel() -> None:
    source = SOURCES["noise"].make(SIGNAL, {}, RECIPE)
    x = np.asarray(
        jax.jit(jax.vmap(source, (0, None)))(jax.random.split(jax.random.key(0), 300), jnp.int32(0))
    )
    middle, width = (SIGNAL.low + SIGNAL.high) / 2, SIGNAL.high - SIGNAL.low
    np.testing.assert_allclose(x.mean(axis=(0, 1)), middle, atol=0.05)
    np.testing.assert_allclose(x.std(axis=(0, 1)), width / 12**0.5, rtol=0.03)


def test_generic_covers_levels_spreads_spectra_and_couplings() -> None:
    source = SOURCES["generic"].make(SIGNAL, {}, RECIPE)
    x = jax.jit(jax.vmap(source, (0, None)))(
        jax.random.split(jax.random.key(0), 2000), jnp.int32(0)
    )
    level, spread = np.asarray(x.mean(axis=1)), np.asarray(x.std(axis=1))
    assert level[:, 0].min() < -2 and level[:, 0].max() > 0.9
    assert np.percentile(spread[:, 0], 5) < 0.1 and np.percentile(spread[:, 0], 95) > 1.0
    assert np.percentile(spread[:, 1], 5) < 0.2 and np.percentile(spread[:, 1], 95) > 1.8
    flow, chest = (np.asarray(x)[..., i] - level[:, None, i] for i in (1, 2))
    coupling = (flow * chest).mean(axis=1) / (spread[:, 1] * spread[:, 2])
    assert np.percentile(coupling, 90) > 0.5 and np.percentile(coupling, 5) < -0.2
    lag = (flow[:, 1:] * flow[:, :-1]).mean(axis=1) / spread[:, 1] ** 2
    assert np.percentile(lag, 90) > 0.85 and np.percentile(lag, 10) < 0.1
    third = np.log(np.asarray([part.std(axis=1) for part in np.split(flow, 3, axis=1)]) + 1e-3)
    assert np.percentile(np.ptp(third, axis=0), 90) > 1  # pauses
