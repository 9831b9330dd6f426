"""Long signals as tables, and back."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.signal

from stimjax import batch
from stimjax.batch import Channel, Spec
from stimjax.config.recipes import Recipe
from stimjax.excite.sources import frames
from stimjax.excite.sources.mixture import MIXTURE

RECIPE = Recipe()

TIME, RATE = 960, 16.0
SPEC = Spec(
    shape=(TIME, 3),
    classes=("W", "R"),
    channels=tuple(Channel(n, "", "recording", low=-20.0, high=20.0) for n in "abc"),
    rate=RATE,
    label_seconds=60.0,
)
BANDS = len(frames._layout(SPEC).floor)


def breathing(n: int, seed: int = 0) -> np.ndarray:
    """Band noise with a pause of a third of the window; b follows a, c goes against it."""
    rng = np.random.default_rng(seed)
    band = scipy.signal.butter(4, (0.5, 2.0), "bandpass", fs=RATE, output="sos")
    a = scipy.signal.sosfiltfilt(band, rng.normal(size=(n, TIME + 400)), axis=1)[:, 200:-200]
    seconds = np.arange(TIME) / RATE
    a = a / a.std() * np.where((seconds > 20) & (seconds < 40), 0.05, 1.0)
    x = np.stack([a, 0.5 * a + 0.05 * rng.normal(size=a.shape), -a], axis=2)
    return (x + 0.01 * rng.normal(size=x.shape)).astype(np.float32)


def parts(table: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Slow values, cycles a frame, energies [n, frame, band, channel], couplings."""
    slow, cycles, energy, coupling = np.split(table, np.cumsum([3, 3, 3 * BANDS]), axis=2)
    return slow, cycles, energy.reshape(*energy.shape[:2], BANDS, 3), coupling


def test_energies_add_up_and_slow_values_are_means() -> None:
    x = breathing(20)
    slow, _, energy, _ = parts(frames.table(x + np.array([1.0, -2.0, 3.0], np.float32), SPEC))
    np.testing.assert_allclose(slow.mean(axis=(0, 1)), [1, -2, 3], atol=0.05)
    np.testing.assert_allclose(
        np.exp(energy).sum(axis=2).mean(axis=(0, 1)), x.var(axis=(0, 1)), rtol=0.05
    )


@pytest.mark.parametrize("hertz", [0.25, 1.0])
def test_a_pure_tone_lies_in_its_band_with_half_its_squared_amplitude(hertz: float) -> None:
    seconds = (np.arange(TIME) + 0.5) / RATE
    x = np.repeat(3 * np.cos(2 * np.pi * hertz * seconds)[None, :, None], 3, axis=2)
    _, cycles, energy, coupling = parts(frames.table(x.astype(np.float32), SPEC))
    number = frames._layout(SPEC).band[int(2 * hertz * TIME / RATE)]
    assert (energy[0, 2:-2].argmax(axis=1) == number).all()
    np.testing.assert_allclose(np.exp(energy[0, 2:-2, number]), 4.5, rtol=0.02)
    assert (number == 0) == (hertz < 0.5)  # a frame has 2 s
    if number == 0:
        np.testing.assert_allclose(cycles[0, 2:-2], 2 * hertz, rtol=0.02)
    assert np.tanh(coupling[..., 0]).min() > 0.9  # the channels are one


def test_a_signal_from_a_table_has_that_table() -> None:
    want = frames.table(breathing(30), SPEC)
    spectrum = jnp.ones((TIME, 3))
    made = jax.jit(jax.vmap(lambda k, t: frames.signal(k, t, spectrum, SPEC)))
    x = np.asarray(made(jax.random.split(jax.random.key(0), 30), jnp.asarray(want)))
    found = parts(frames.table(x, SPEC))
    slow, _, energy, coupling = parts(want)
    assert np.abs(found[0] - slow).mean() < 0.05
    strong = energy > np.log(0.01)
    assert np.abs(found[2] - energy)[strong].mean() < 0.7
    assert np.corrcoef(found[2][strong], energy[strong])[0, 1] > 0.75
    whole = [np.log(np.exp(e).sum(axis=2)).ravel() for e in (found[2], energy)]  # of all bands
    assert np.corrcoef(*whole)[0, 1] > 0.95
    loud = np.exp(energy).sum(axis=(2, 3)) > 0.5
    assert (np.sign(found[3][loud]) == np.sign(coupling[loud]))[:, [0, 2]].mean() > 0.9
    pause = x[:, 400:560, 0].std() / x[:, :240, 0].std()
    assert pause < 0.25


def test_couplings_are_those_of_the_correlations() -> None:
    correlation = np.array([[1, 0.6j, -0.2], [-0.6j, 1, 0.3 + 0.2j], [-0.2, 0.3 - 0.2j, 1]])
    shrunk = 0.95 * correlation + 0.05 * np.eye(3)
    found = frames._couplings(correlation[None, None] * np.outer([1, 2, 3], [1, 2, 3]))
    factor = np.asarray(frames._factor(jnp.asarray(found[0]), 3))[0]
    np.testing.assert_allclose(factor @ factor.conj().T, shrunk, atol=1e-6)


def test_a_tone_goes_on_in_its_phase_and_a_channel_behind_it_stays_behind() -> None:
    """A breath of 3.7 s, whose flow runs a quarter of a cycle ahead, in frames of 2 s."""
    seconds = (np.arange(TIME) + 0.5) / RATE
    lag = np.array([0.0, 0.25, 0.5])
    x = np.cos(2 * np.pi * (seconds[:, None] / 3.7 + lag)).astype(np.float32)
    want = jnp.asarray(frames.table(x[None], SPEC)[0])
    signal = jax.jit(lambda key, table: frames.signal(key, table, jnp.ones((TIME, 3)), SPEC))
    made = np.asarray(signal(jax.random.key(3), want))
    analytic = np.asarray(scipy.signal.hilbert(made[64:-64], axis=0))
    turned = np.unwrap(np.angle(analytic), axis=0)
    np.testing.assert_allclose(np.abs(analytic[32:-32]), 1, atol=0.15)
    assert np.polyfit(seconds[64:-64], turned[:, 0] / (2 * np.pi), 1)[0] == pytest.approx(
        1 / 3.7, rel=0.01
    )
    ahead = (turned - turned[:, :1]) / (2 * np.pi) - lag
    assert np.abs(ahead - np.round(ahead))[32:-32].max() < 0.08  # of what is shrunk


@pytest.mark.parametrize(
    ("shape", "long"), [((480, 2), True), ((479, 2), False), ((600, 600, 1), False)]
)
def test_what_counts_as_long(shape: tuple[int, ...], long: bool) -> None:
    channels = tuple(Channel(str(i), "") for i in range(shape[-1]))
    assert frames.is_long(Spec(shape, ("a", "b"), channels)) == long


def test_a_mixture_of_long_signals_keeps_pauses_by_class(measure) -> None:
    x, label = breathing(300), np.arange(300) % 2
    steady = breathing(300, seed=1)
    steady[:, 320:640] = steady[:, :320]
    x[label == 0] = steady[label == 0]
    given = batch.make(x, batch.one_hot(label, SPEC), SPEC)
    source = MIXTURE.make(SPEC, measure(MIXTURE, given), RECIPE)
    draw = jax.jit(jax.vmap(source, (0, None)))
    ratio = []
    for number in (0, 1):
        made = np.asarray(draw(jax.random.split(jax.random.key(number), 100), jnp.int32(number)))
        ratio.append(made[:, 400:560, 0].std() / made[:, :240, 0].std())
        assert made[..., 0].std() == pytest.approx(x[label == number][..., 0].std(), rel=0.2)
    assert ratio[0] > 0.8 and ratio[1] < 0.3
