"""A long signal as a table: frame by frame its slow values, band energies, pitch and couplings.

Ours. Thousands of values with random phases have no principal components to speak of: a sum of
Gaussian components cannot say that breathing pauses, or that a spindle comes and goes. In this
table it can, for there a pause is a dip of a few columns. `signal` goes back. What is slower than
the frames is a tone whose strength and frequency wander from frame to frame (as in McAulay and
Quatieri's sinusoidal model of speech, 1986): a breath goes on for several frames, and noise would
break it off. What is faster is noise in bands. Channels are coupled in strength and in phase.
"""

from __future__ import annotations

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import scipy.fft
from jaxtyping import Array, Complex, Float, Int

from stimjax.batch import Spec
from stimjax.excite import cosine
from stimjax.excite.sources import segments

FRAMES = 30  # in a window
TONE = 2 * FRAMES  # coefficient of one cycle a frame; what is below, and not slow, is a tone
SLOW = 12  # coefficients of the cosine transform that are kept as they are
OCTAVE = 1.5  # bands of noise in an octave
LEAST = 16  # values in a frame, below which a window is no long signal
SHRINK = 0.05  # part of the correlations between channels that is dropped
AT_ONCE = 64  # windows, for memory's sake


@dataclasses.dataclass(frozen=True)
class _Layout:
    """What follows from the spec: t values in time, s frames, b bands, c channels.

    Attributes:
        band: of each coefficient, i[t]; -1 for the slow ones.
        mean: `mean @ x` are the means over each frame, f32[s, t].
        blend: `blend @ frames` is linear in between, f32[t, s].
        floor: energy that counts as nothing, of each band and channel, f32[b, c].
    """

    band: Int[np.ndarray, " t"]
    mean: Float[np.ndarray, "s t"]
    blend: Float[np.ndarray, "t s"]
    floor: Float[np.ndarray, "b c"]


def is_long(spec: Spec) -> bool:
    """Whether windows of `spec` are better described by frames than value by value."""
    return len(spec.shape) == 2 and spec.shape[0] >= LEAST * FRAMES


@functools.cache
def _layout(spec: Spec) -> _Layout:
    time = spec.shape[0]
    fast = round(OCTAVE * np.log2(time / TONE))
    edge = np.array([SLOW, *np.geomspace(TONE, time, fast + 1).round().astype(int)])
    band = np.searchsorted(edge, np.arange(time), side="right") - 1
    mean = np.zeros((FRAMES, time), np.float32)
    for frame, inside in enumerate(np.array_split(np.arange(time), FRAMES)):
        mean[frame, inside] = 1 / len(inside)
    part = np.bincount(band[band >= 0], minlength=len(edge) - 1) / time
    floor = part[:, None] * segments.floor(spec)
    return _Layout(band, mean, segments.blend(time, FRAMES), floor.astype(np.float32))


def table(x: Float[np.ndarray, "n time channel"], spec: Spec) -> Float[np.ndarray, "n frame f"]:
    """The slow values of each channel, its tone's cycles a frame, its log band energies, couplings.

    A coupling is two numbers: in the direction of the phase, the inverse hyperbolic tangent of
    the partial correlation of two channels, given those before (Joe, "Generating random
    correlation matrices based on partial correlations", 2006): any numbers there are those of some
    correlations.
    """
    layout = _layout(spec)
    parts = np.array_split(np.asarray(x, np.float32), -(-len(x) // AT_ONCE))
    return np.concatenate([_table(part, layout) for part in parts])


def _table(x: Float[np.ndarray, "n time channel"], layout: _Layout) -> np.ndarray:
    coefficient = np.asarray(scipy.fft.dct(x, axis=1, norm="ortho"))
    slow = np.zeros((len(x), FRAMES, x.shape[2]), np.float32)
    slow[:, :SLOW] = coefficient[:, :SLOW] * np.sqrt(FRAMES / x.shape[1])
    columns = [np.asarray(scipy.fft.idct(slow, axis=1, norm="ortho"))]
    whole = np.zeros(x.shape, np.complex64)
    for number, floor in enumerate(layout.floor):
        part = _analytic(coefficient * (layout.band == number)[:, None])
        if number == 0:
            columns.append(_cycles(part, layout))
        energy = np.einsum("st,ntc->nsc", layout.mean, np.abs(part) ** 2 / 2)
        columns.append(np.log(energy + floor))
        whole += part
    together = np.einsum("st,ntc,ntd->nscd", layout.mean, whole, whole.conj(), optimize=True) / 2
    columns.append(_couplings(together + np.diag(layout.floor.sum(axis=0))))
    return np.concatenate(columns, axis=2).astype(np.float32)


def _cycles(part: np.ndarray, layout: _Layout) -> Float[np.ndarray, "n frame channel"]:
    """How often each channel of the analytic signal c64[n, t, c] turns in a frame."""
    turn = part[:, 1:] * part[:, :-1].conj()
    turn = np.einsum("st,ntc->nsc", layout.mean[:, 1:], turn)
    return np.angle(turn) / (2 * np.pi) * part.shape[1] / FRAMES


def _analytic(coefficient: Float[np.ndarray, "n time channel"]) -> np.ndarray:
    """The signal with these cosine coefficients, and its quadrature as the imaginary part."""
    time = coefficient.shape[1]
    turn = np.exp(1j * np.pi * np.arange(time) / (2 * time)) * np.sqrt(2 / time) * 2 * time
    turned = (coefficient * turn[:, None]).astype(np.complex64)
    return np.asarray(scipy.fft.ifft(turned, n=2 * time, axis=1, overwrite_x=True))[:, :time]


def _couplings(covariance: Complex[np.ndarray, "n frame c c"]) -> Float[np.ndarray, "n frame p"]:
    deviation = np.sqrt(np.einsum("nscc->nsc", covariance).real)
    correlation = covariance / (deviation[..., :, None] * deviation[..., None, :])
    channels = correlation.shape[-1]
    factor = np.linalg.cholesky((1 - SHRINK) * correlation + SHRINK * np.eye(channels))
    columns = [np.zeros((*factor.shape[:2], 0))]
    for row in range(channels):
        power = np.abs(factor[..., row, :row]) ** 2
        left = np.sqrt(np.maximum(1 - np.cumsum(power, axis=-1) + power, 1e-6))
        size = np.sqrt(power) + 1e-9
        partial = factor[..., row, :row] / size * np.arctanh(np.minimum(size / left, 0.999))
        columns += [partial.real, partial.imag]
    return np.concatenate(columns, axis=2)


def spectrum(x: Float[np.ndarray, "n time channel"]) -> Float[np.ndarray, "time channel"]:
    """The root mean square of each coefficient of the cosine transform: the shape inside bands."""
    return np.sqrt((np.asarray(scipy.fft.dct(x, axis=1, norm="ortho")) ** 2).mean(axis=0))


def signal(
    key: Array,
    table: Float[Array, "frame f"],
    spectrum: Float[Array, "time channel"],
    spec: Spec,
) -> Float[Array, "time channel"]:
    """A signal with this table, its phases random; not yet within the range of `spec`."""
    layout, (time, channels) = _layout(spec), spec.shape
    bands = len(layout.floor)
    ends = np.cumsum([channels, channels, bands * channels])
    slow, cycles, energy, coupling = jnp.split(table, ends, axis=1)
    kept = cosine.forward(slow)[:SLOW] * np.sqrt(time / FRAMES)
    x = cosine.inverse(jnp.pad(kept, ((0, time - SLOW), (0, 0))))
    tone_key, noise_key = jax.random.split(key)
    white = jax.random.normal(noise_key, (2, time, channels)) * (spectrum + 1e-6)
    inside = jnp.asarray(layout.band == np.arange(1, bands)[:, None])[..., None]
    noise = jnp.where(inside, white[0] + 1j * white[1], 0)
    noise = jnp.fft.ifft(noise, n=2 * time, axis=1)[:, :time]
    carrier = jnp.concatenate([_tone(tone_key, cycles, layout)[None], noise])
    factor = jnp.einsum("ts,scd->tcd", layout.blend, _factor(coupling, channels))
    carrier = jnp.einsum("tcd,btd->btc", factor, carrier)
    own = jnp.einsum("st,btc->bsc", layout.mean, jnp.abs(carrier) ** 2 / 2)
    wanted = jnp.exp(energy.reshape(FRAMES, bands, channels)).swapaxes(0, 1)
    wanted = jnp.maximum(wanted - layout.floor[:, None], 1e-10)
    gain = jnp.exp(jnp.einsum("ts,bsc->btc", layout.blend, jnp.log(wanted / (own + 1e-20)) / 2))
    return x + (jnp.real(carrier) * gain).sum(axis=0)


def _tone(
    key: Array, cycles: Float[Array, "frame channel"], layout: _Layout
) -> Complex[Array, "time channel"]:
    """A tone of strength 1 in each channel, which turns so often in each frame, from any phase."""
    cycles = jnp.clip(cycles, SLOW / TONE, 1.0)
    step = layout.blend @ cycles * FRAMES / len(layout.band)
    start = jax.random.uniform(key, cycles.shape[1:])
    return jnp.exp(2j * jnp.pi * (start + jnp.cumsum(step, axis=0)))


def _factor(coupling: Float[Array, "frame p"], channels: int) -> Complex[Array, "frame c c"]:
    """The Cholesky factor of the correlations that `_couplings` took apart."""
    rows, first = [], 0
    for row in range(channels):
        real, imaginary = jnp.split(coupling[:, first : first + 2 * row], 2, axis=1)
        size = jnp.sqrt(real**2 + imaginary**2 + 1e-12)
        strength = jnp.tanh(size)
        partial = (real + 1j * imaginary) / size * strength
        left, entries = jnp.ones(len(coupling)), []
        for column in range(row):
            entries.append(partial[:, column] * jnp.sqrt(left))
            left = left * (1 - strength[:, column] ** 2)
        first += 2 * row
        rest = [jnp.zeros(len(coupling))] * (channels - row - 1)
        rows.append(jnp.stack([*entries, jnp.sqrt(left), *rest], axis=1))
    return jnp.stack(rows, axis=1).astype(jnp.complex64)
