"""A mixture of Gaussians for each class, in the principal components of the training windows.

Ours, of known parts. The windows of a class are grouped by k-means over simple summaries, each
group of several people (`rows.py`). A group is a Gaussian over the scores in the principal
components, whose correlations are shrunk toward those of the class. What is beside the components
of a signal is noise with the group's own power in each coefficient of the cosine transform, so that
a draw is not smoother than a window. An image gets none: its corners would no longer be empty. Of
signals of many values, the tables of `frames.py` are described so, not the values, and phases are
random.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import scipy.fft
from jaxtyping import Array, Float, Int
from sklearn.cluster import KMeans

from stimjax.batch import Batch, Spec
from stimjax.config.recipes import Recipe
from stimjax.excite import components, cosine, rows
from stimjax.excite.kind import Kind, Labeler, Statistic, Statistics
from stimjax.excite.sources import frames, normal
from stimjax.excite.sources.source import Source

GROUPS = 8  # of a class, at most
OWN = 0.9  # part of a group's own correlations; the rest is the class's
LEADING = 8  # components whose scores are among the summaries
SEGMENTS = 4  # of a window, whose levels and spreads are among the summaries

WEIGHT = 2.0  # of slow values beside log energies, where frames are described
FARTHEST = 10.0  # column of a table, in units
PER_GROUP = ("class", "share", "mean", "factor", "residual")
LEAST_DEVIATION = 1e-3  # of what is beside the components, where a density is asked for
WHOLE = "whole."  # in front of what describes each class as one group

MOMENTS = "mean and covariance in them, and of signals the power beside them, of "
LONG = (
    "of signals of 480 values and more, the same of level, log band energies, pitch and couplings "
    "in 30 frames instead of the values, and the mean spectrum"
)
USES = (
    components.USES,
    f"{MOMENTS}groups of at least {rows.LEAST} training windows of a class, of at least "
    f"{rows.PEOPLE} people",
    "the frequency of these groups",
    LONG,
)
USES_WITHOUT_GROUPS = (components.USES, f"{MOMENTS}each class", LONG)  # `coarser` at strength 1


def measure(train: Batch, labeler: Labeler, earlier: Statistics) -> dict[str, np.ndarray]:
    """The statistics, for v values a window, k components, m groups (of all classes) in all.

    Returns:
        Of the groups: `mixture.class i32[m]`; `mixture.share f32[m]`, of its class; `mixture.mean
        f32[m, k]`, of scores in the principal components (`components.py`); `mixture.factor f32[m,
        k, k]`, lower triangular, whose square is the covariance; for signals `mixture.residual
        f32[m, time, channel]`, standard deviations of the cosine coefficients of what is beside the
        components; the same with `mixture.whole.` in front of each class as one group. The groups
        of long signals are of their tables instead: all of these names with `mixture.frames.` in
        front, the `basis`, `center` and `spread` of the tables' own components, `middle f32[f]` and
        `unit f32[f]` of the columns, and `spectrum f32[time, channel]`. In both cases who is behind
        the groups and the classes, `behind.groups f32[m, 5]` and `behind.classes f32[class, 5]`,
        see `rows.behind`.
    """
    del labeler
    crowd, classes = rows.sampled(train), train.y.shape[1]
    x = crowd.of(train.x)
    if not frames.is_long(train.spec):
        return _named("mixture.", _groups(x, crowd, classes, components.of(earlier)))
    table = frames.table(x, train.spec)
    middle, unit = table.mean(axis=(0, 1)), table.std(axis=(0, 1)) + 1e-3
    unit[: len(train.spec.channels)] /= WEIGHT
    table = (table - middle) / unit
    own = components.fitted(table)
    groups = own._asdict() | _groups(table, crowd, classes, own)
    groups |= {"middle": middle, "unit": unit, "spectrum": frames.spectrum(x)}
    return _named("mixture.frames.", groups)


def _named(prefix: str, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {
        f"{prefix}{name}": np.asarray(array, np.int32 if name.endswith("class") else np.float32)
        for name, array in arrays.items()
    }


def _groups(
    x: Float[np.ndarray, "n ..."],
    crowd: rows.Crowd,
    classes: int,
    principal: components.Components,
) -> dict[str, np.ndarray]:
    flat, basis, center = x.reshape(len(x), -1), principal.basis, principal.center
    score = (flat - center) @ basis.T

    def about(number: int, inside: Int[np.ndarray, " rows"], share: float) -> dict[str, Any]:
        arrays = {
            "class": np.int32(number),
            "share": share,
            "mean": score[inside].mean(axis=0),
            "factor": _factor(score[inside], pooled),
        }
        if x.ndim == 3:
            beside = flat[inside] - center - score[inside] @ basis
            arrays["residual"] = _power(beside.reshape(x[inside].shape))
        return arrays

    groups, whole, behind = [], [], []
    for number in range(classes):
        mine = rows.of_class(crowd, number)
        pooled = _correlation(score[mine])
        whole.append(about(number, mine, 1.0))
        found = _grouped(_summaries(x[mine], score[mine]), crowd, mine)
        for group in found:
            groups.append(about(number, group, len(group) / sum(map(len, found))))
            behind.append(rows.behind(crowd, group))
    counted = {"groups": np.stack(behind), "classes": rows.of_classes(crowd, classes)}
    return {f"{rows.BEHIND}.{of}": numbers for of, numbers in counted.items()} | {
        f"{prefix}{name}": np.stack([one[name] for one in parts])
        for prefix, parts in (("", groups), (WHOLE, whole))
        for name in parts[0]
    }


def coarser(statistics: Statistics, strength: float) -> Statistics:
    """The statistics with which the part `strength` of draws is from a whole class, not a group.

    A group is fewer people, a class is all. Mean and covariance of a class stay about as they are.

    Args:
        statistics: what `measure` found.
        strength: from 0 to 1.

    Raises:
        KeyError: they were measured by a version without whole classes.
    """
    if not strength:
        return statistics
    arrays = dict(statistics)
    prefix = "mixture.frames." if "mixture.frames.mean" in arrays else "mixture."
    for name in PER_GROUP:
        if f"{prefix}{name}" not in arrays:
            continue  # images have no residual
        groups, whole = (np.asarray(arrays[f"{prefix}{of}{name}"]) for of in ("", WHOLE))
        if name == "share":
            groups, whole = (1 - strength) * groups, strength * whole
        parts = [whole] if strength == 1 else [groups, whole]
        arrays[f"{prefix}{name}"] = np.concatenate(parts)
    return arrays


def make(spec: Spec, statistics: Statistics, recipe: Recipe) -> Source:
    """Draws f32[*shape] of a group of the wanted class."""
    del recipe
    low, high = jnp.asarray(spec.low), jnp.asarray(spec.high)
    if not frames.is_long(spec):
        group = _of_group("mixture.", components.of(statistics), spec.shape, statistics)
        return lambda key, target: jnp.clip(group(key, target), low, high)
    middle, unit, spectrum = (
        jnp.asarray(statistics[f"mixture.frames.{name}"]) for name in ("middle", "unit", "spectrum")
    )
    own = components.of(statistics, "mixture.frames")
    table = _of_group("mixture.frames.", own, (frames.FRAMES, len(unit)), statistics)

    def draw(key: Array, target: Array) -> Float[Array, "time channel"]:
        table_key, phase_key = jax.random.split(key)
        drawn = jnp.clip(table(table_key, target), -FARTHEST, FARTHEST)
        x = frames.signal(phase_key, drawn * unit + middle, spectrum, spec)
        return jnp.clip(x, low, high)

    return draw


def _of_group(
    prefix: str,
    principal: components.Components,
    shape: tuple[int, ...],
    statistics: Statistics,
) -> Source:
    """Draws f32[*shape] of a group of the wanted class, of what the statistics describe."""
    names = PER_GROUP if len(shape) == 2 else PER_GROUP[:-1]
    of = {name: jnp.asarray(statistics[f"{prefix}{name}"]) for name in names}
    basis, center, spread = map(jnp.asarray, principal)

    def draw(key: Array, target: Array) -> Float[Array, "..."]:
        group_key, score_key, residual_key = jax.random.split(key, 3)
        odds = jnp.where(of["class"] == target, jnp.log(of["share"]), -jnp.inf)
        group = jax.random.categorical(group_key, odds)
        normal = jax.random.normal(score_key, spread.shape)
        score = of["mean"][group] + of["factor"][group] @ normal
        x = (center + score @ basis).reshape(shape)
        if "residual" in of:
            beside = of["residual"][group] * jax.random.normal(residual_key, shape)
            x += cosine.inverse(beside)
        return x

    return draw


def log_density(windows: Batch, statistics: Statistics) -> Float[np.ndarray, " n"]:
    """How likely each window is drawn as one of its class; see `Kind.density`.

    The product of the densities of its scores and of what is beside them (of a long window, those
    of its table), summed over the groups of its class.
    """
    x, prefix, principal = np.asarray(windows.x), "mixture.", "components"
    if frames.is_long(windows.spec):
        prefix, principal = "mixture.frames.", "mixture.frames"
        middle, unit = (statistics[f"{prefix}{name}"] for name in ("middle", "unit"))
        x = (frames.table(x, windows.spec) - middle) / unit
    of = {name: np.asarray(statistics[f"{prefix}{name}"], float) for name in PER_GROUP[:-1]}
    basis, center, _ = components.of(statistics, principal)
    flat, label = x.reshape(len(x), -1), windows.label
    score = (flat - center) @ basis.T
    residual = statistics.get(f"{prefix}residual")
    if residual is not None:
        beside = (flat - center - score @ basis).reshape(x.shape)
        power = np.asarray(scipy.fft.dct(beside, axis=1, norm="ortho"))
    out = np.full(len(x), -np.inf)
    for group, number in enumerate(of["class"]):
        mine = np.flatnonzero(label == number)
        factor, beyond = of["factor"][group], score[mine] - of["mean"][group]
        log = np.log(of["share"][group]) + normal.log_density(beyond, factor)
        if residual is not None:
            deviation = np.asarray(residual[group], float) + LEAST_DEVIATION
            log -= ((power[mine] / deviation) ** 2).sum(axis=(1, 2)) / 2 + np.log(deviation).sum()
        out[mine] = np.logaddexp(out[mine], log)
    return out / flat.shape[1]


def _grouped(
    features: Float[np.ndarray, "n features"], crowd: rows.Crowd, mine: Int[np.ndarray, " n"]
) -> list[Int[np.ndarray, " group"]]:
    """The groups of `mine`, each fair, of `rows.LEAST` windows or more.

    A group that has not so many, or that too few people give too much of, is divided among the
    others. Theirs become no less fair by that.
    """
    means = KMeans(max(1, min(GROUPS, len(mine) // rows.LEAST)), n_init="auto", random_state=0)
    number = means.fit_predict(features)
    found = [rows.fair(crowd, mine[number == group]) for group in range(means.n_clusters)]
    large = np.array([len(group) >= rows.LEAST for group in found])
    if large.sum() < 2:
        return [mine]
    nearest = means.transform(features)[:, large].argmin(axis=1)  # the others' go elsewhere
    return [rows.fair(crowd, mine[nearest == group]) for group in range(large.sum())]


def _summaries(
    x: Float[np.ndarray, "n ..."], score: Float[np.ndarray, "n k"]
) -> Float[np.ndarray, "n features"]:
    """Standardized: for signals level and log spread by channel and segment; leading scores."""
    parts = [score[:, :LEADING]]
    if x.ndim == 3:
        for segment in np.array_split(x, min(SEGMENTS, x.shape[1]), axis=1):
            parts += [segment.mean(axis=1), 2 * np.log(segment.std(axis=1) + 0.02)]
    features = np.concatenate(parts, axis=1)
    return (features - features.mean(axis=0)) / (features.std(axis=0) + 1e-6)


def _correlation(score: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "k k"]:
    unit = (score - score.mean(axis=0)) / (score.std(axis=0) + 1e-9)
    return unit.T @ unit / len(unit)


def _factor(
    score: Float[np.ndarray, "n k"], pooled: Float[np.ndarray, "k k"]
) -> Float[np.ndarray, "k k"]:
    """The Cholesky factor of the shrunk covariance."""
    correlation = OWN * _correlation(score) + (1 - OWN) * pooled
    correlation = correlation.astype(np.float64) + 1e-3 * np.eye(len(pooled))
    return score.std(axis=0)[:, None] * np.linalg.cholesky(correlation / (1 + 1e-3))


def _power(beside: Float[np.ndarray, "n time channel"]) -> Float[np.ndarray, "time channel"]:
    """Root mean square of each coefficient of the cosine transform over time."""
    coefficients = np.asarray(scipy.fft.dct(beside, axis=1, norm="ortho", overwrite_x=True))
    return np.sqrt((coefficients**2).mean(axis=0))


MIXTURE = Kind(
    make, (components.COMPONENTS, Statistic("mixture", measure)), USES, density=log_density
)
