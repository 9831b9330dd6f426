"""Random signals (or images) with the levels and spectra that windows of the wanted class have.

Ours. For each class it knows the joint normal distribution of a few numbers a window: the level of
each channel, the logarithm of the energy in some `BANDS` bands of its cosine transform, and how the
energy of the faster bands is spread over a few segments of time (so that pauses and bursts
survive). Phases are random, apart from how channels go together in each band.
Of an image it knows also the class's mean in low frequencies; it has no segments.

How much that is, for c channels: f = c (1 + 12 + 4) numbers a window of up to 240 values in time,
f = c (1 + 12 + 18) a longer one, f = c (1 + 12) an image; for each class their mean and covariance,
f + f (f + 1) / 2, and 12 c (c - 1) / 2 correlations. One channel of 60 values: 170 a class.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import scipy.fft
from jaxtyping import Array, Float, Int

from stimjax.batch import Batch, Spec
from stimjax.config.recipes import Recipe
from stimjax.excite import cosine, rows
from stimjax.excite.kind import Kind, Labeler, Statistic, Statistics
from stimjax.excite.sources import normal, segments
from stimjax.excite.sources.source import Source

BANDS = 12  # at most, of equal width in log-frequency
SHORT = 240  # values in time up to which a window has one group of bands and four segments
LOW = 8  # frequencies along each axis in which an image's class mean is kept
SHRINK = 0.05  # part of the covariances between different numbers that is dropped

USES = (
    "of each class, mean and covariance of the level and the log band energies of each channel, "
    "also by segment of time",
    "of each class, the correlations between channels in each band",
)


@dataclasses.dataclass(frozen=True)
class _Layout:
    """Which number of a window is where; all of it follows from the spec.

    Attributes:
        band: of each coefficient of the cosine transform, from 0; -1 for the constant.
        groups: for each group of faster bands, which coefficients belong to it.
        blend: how much of each segment's gain each moment takes, f32[time, segment].
        floor: energy of a coefficient that counts as nothing, f32[channel].
    """

    band: Int[np.ndarray, "..."]
    groups: tuple[Any, ...]
    blend: Float[np.ndarray, "time segment"]
    floor: Float[np.ndarray, " channel"]

    @property
    def bands(self) -> int:
        return int(self.band.max()) + 1


def measure(train: Batch, labeler: Labeler, earlier: Statistics) -> dict[str, np.ndarray]:
    """The statistics, for f numbers a window, b bands, c channels.

    Returns:
        `spectral.shape f32[class, low.., c]`, mean cosine coefficients in the lowest frequencies
        (for signals the constant alone); `spectral.mean f32[class, f]`; `spectral.factor f32[class,
        f, f]`, lower triangular, whose square is the covariance; `spectral.coupling f32[class, b,
        c, c]`, likewise for the correlations between channels; `spectral.behind.classes`, see
        `rows.behind`.
    """
    del labeler, earlier
    layout = _layout(train.spec)
    crowd = rows.sampled(train)
    x, classes = crowd.of(train.x), train.y.shape[1]
    axes = tuple(range(1, x.ndim - 1))
    low = tuple(slice(LOW if len(axes) == 2 else 1) for _ in axes)
    arrays: dict[str, list[np.ndarray]] = {"shape": [], "mean": [], "factor": [], "coupling": []}
    for number in range(classes):
        mine = x[rows.of_class(crowd, number)]
        coefficient = np.asarray(scipy.fft.dctn(mine, axes=axes, norm="ortho"))
        shape = coefficient[(slice(None), *low)].mean(axis=0)
        coefficient[(slice(None), *low)] -= shape
        features, coupling = _features(coefficient, layout)
        arrays["shape"].append(shape)
        arrays["mean"].append(features.mean(axis=0))
        arrays["factor"].append(_factor(np.atleast_2d(np.cov(features.T))))
        arrays["coupling"].append(coupling)
    arrays[f"{rows.BEHIND}.classes"] = list(rows.of_classes(crowd, classes))
    return {f"spectral.{name}": np.stack(a).astype(np.float32) for name, a in arrays.items()}


def make(spec: Spec, statistics: Statistics, recipe: Recipe) -> Source:
    """Draws f32[*shape] with the numbers of a window of the wanted class."""
    del recipe
    layout = _layout(spec)
    shape, mean, factor, coupling = (
        jnp.asarray(statistics[f"spectral.{name}"])
        for name in ("shape", "mean", "factor", "coupling")
    )
    low, high = jnp.asarray(spec.low), jnp.asarray(spec.high)
    padding = [(0, n - m) for n, m in zip(spec.shape, shape.shape[1:], strict=True)]

    def draw(key: Array, target: Array) -> Float[Array, "..."]:
        feature_key, phase_key = jax.random.split(key)
        normal = jax.random.normal(feature_key, mean.shape[1:])
        features = mean[target] + factor[target] @ normal
        level, energy, segments = _parts(features, layout)
        white = jax.random.normal(phase_key, spec.shape)
        white = jnp.einsum("...cd,...d->...c", coupling[target][layout.band], white)
        coefficient = _scaled(white, energy, layout)
        start = jnp.pad(shape[target], padding) + coefficient
        start = start.at[(0,) * layout.band.ndim].add(level * np.sqrt(layout.band.size))
        x = cosine.inverse(start)
        for mask, wanted in zip(layout.groups, segments, strict=True):
            part = cosine.inverse(mask[:, None] * coefficient)
            x = x + part * (_gain(part, wanted, layout) - 1)
        return jnp.clip(x, low, high)

    return draw


def log_density(windows: Batch, statistics: Statistics) -> Float[np.ndarray, " n"]:
    """How likely each window is drawn as one of its class; see `Kind.density`.

    The density of its numbers. Couplings between channels are not looked at.
    """
    x, label, layout = np.asarray(windows.x), windows.label, _layout(windows.spec)
    axes = tuple(range(1, x.ndim - 1))
    coefficient = np.asarray(scipy.fft.dctn(x, axes=axes, norm="ortho"))
    out = np.zeros(len(x))
    for number in np.unique(label):
        shape, mean, factor = (
            np.asarray(statistics[f"spectral.{name}"][number], float)
            for name in ("shape", "mean", "factor")
        )
        own = coefficient[label == number]
        own[(slice(None), *map(slice, shape.shape[:-1]))] -= shape
        beyond = _features(own, layout)[0] - mean
        out[label == number] = normal.log_density(beyond, factor) / len(mean)
    return out


def _layout(spec: Spec) -> _Layout:
    spatial = spec.shape[:-1]
    radius = np.sqrt(sum(axis**2 for axis in np.ogrid[tuple(slice(n) for n in spatial)]))
    edges = np.unique(np.geomspace(1, radius.max() + 1, BANDS + 1).astype(int))
    band = np.clip(np.searchsorted(edges, radius, side="right") - 1, -1, len(edges) - 2)
    floor = segments.floor(spec).astype(np.float32)
    count, parts = (4, 1) if spatial[0] <= SHORT else (6, 3)
    fast = np.flatnonzero(band >= 0)[2 * count :]  # two half waves a segment, or more
    if len(spatial) == 2 or not len(fast):
        return _Layout(band, (), np.ones((spatial[0], 1), np.float32), floor)
    cuts = np.geomspace(fast[0], fast[-1] + 1, parts + 1).round().astype(int)
    order = np.arange(spatial[0])
    groups = tuple((order >= cuts[i]) & (order < cuts[i + 1]) for i in range(parts))
    return _Layout(band, groups, segments.blend(spatial[0], count), floor)


def _features(
    coefficient: Float[np.ndarray, "n ..."], layout: _Layout
) -> tuple[Float[np.ndarray, "n f"], Float[np.ndarray, "b c c"]]:
    """The numbers of each window, in the order in which `_parts` takes them apart; couplings."""
    n, channels = len(coefficient), coefficient.shape[-1]
    flat, band = coefficient.reshape(n, -1, channels), layout.band.ravel()
    columns, coupling = [flat[:, 0] / np.sqrt(flat.shape[1])], []
    for number in range(layout.bands):
        inside = flat[:, band == number]
        energy = (inside**2).mean(axis=1)
        columns.append(np.log(energy + layout.floor))
        unit = inside / np.sqrt(energy + layout.floor)[:, None]
        together = np.einsum("ntc,ntd->cd", unit, unit)
        size = np.sqrt(np.diag(together)) + 1e-9
        coupling.append(_factor(together / np.outer(size, size)))
    for mask in layout.groups:
        part = np.asarray(scipy.fft.idct(mask[:, None] * coefficient, axis=1, norm="ortho"))
        floor = layout.floor * mask.mean()
        own = np.stack([(s**2).mean(axis=1) for s in _split(part, layout, 1)], axis=1) + floor
        columns += list(np.moveaxis(np.log(own / own.mean(axis=1, keepdims=True)), 1, 0))
    return np.concatenate(columns, axis=1), np.stack(coupling)


def _parts(
    features: Float[Array, " f"], layout: _Layout
) -> tuple[Float[Array, " c"], Float[Array, "b c"], Float[Array, "group segment c"]]:
    table = features.reshape(-1, len(layout.floor))
    level, energy, rest = table[0], table[1 : 1 + layout.bands], table[1 + layout.bands :]
    return level, energy, rest.reshape(len(layout.groups), layout.blend.shape[1], len(layout.floor))


def _scaled(
    white: Float[Array, "..."], energy: Float[Array, "b c"], layout: _Layout
) -> Float[Array, "..."]:
    """Coefficients whose mean square in each band is exactly as wanted, and 0 for the constant."""
    member = jnp.asarray(layout.band.ravel() == np.arange(layout.bands)[:, None], jnp.float32)
    power = member @ (white**2).reshape(member.shape[1], -1) / member.sum(axis=1, keepdims=True)
    gain = jnp.sqrt(jnp.maximum(jnp.exp(energy) - layout.floor, 0) / jnp.maximum(power, 1e-9))
    return white * (member.T @ gain).reshape(white.shape)


def _gain(
    part: Float[Array, "time c"], wanted: Float[Array, "segment c"], layout: _Layout
) -> Float[Array, "time c"]:
    """What gives each segment its wanted share of the part's energy, blended between segments."""
    own = jnp.stack([(s**2).mean(axis=0) for s in _split(part, layout, 0)])
    own = jnp.log(own + 1e-12) - jnp.log((part**2).mean(axis=0) + 1e-12)
    gain = jnp.exp(layout.blend @ jnp.clip((wanted - own) / 2, -3, 3))
    after = ((part * gain) ** 2).mean(axis=0)
    return gain * jnp.sqrt(((part**2).mean(axis=0) + 1e-12) / (after + 1e-12))


def _split(x: Any, layout: _Layout, axis: int) -> list[Any]:
    module = jnp if isinstance(x, jax.Array) else np
    return module.array_split(x, layout.blend.shape[1], axis=axis)


def _factor(covariance: Float[np.ndarray, "k k"]) -> Float[np.ndarray, "k k"]:
    """The Cholesky factor, with the part between different numbers a little shrunk."""
    diagonal = np.diag(np.diag(covariance) + 1e-6)
    return np.linalg.cholesky((1 - SHRINK) * covariance + SHRINK * diagonal + 1e-6 * diagonal)


SPECTRAL = Kind(make, (Statistic("spectral", measure),), USES, density=log_density)
