"""`Batch`, the one pytree that every stage takes and returns, and `Spec`, its static side.

Real windows, synthetic stimuli and baselines all travel as a `Batch`. Its `Spec` says what the
numbers mean (channels, rate, units, classes) and is part of the pytree's structure, so that two
batches of different meaning cannot be mixed by accident.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import jax
import numpy as np
from jaxtyping import Float, Int

from stimjax.disk.documents import Made
from stimjax.disk.documents.document import refuse_schema, typed
from stimjax.disk.documents.made import FILE, SCHEMA
from stimjax.disk.store import load_arrays, read_json, save_arrays, write_json
from stimjax.errors import StimjaxError

FIELDS = ("x", "y", "subject", "weight")  # the arrays of a Batch, on disk and in memory
NOBODY = -1  # the `subject` of a window that comes from no person

Array = jax.Array | np.ndarray


@dataclasses.dataclass(frozen=True)
class Channel:
    """One channel of a window.

    `physical = x * scale + center` where `normalization` is "fixed"; where it is "recording", x
    has no unit: each recording was shifted by its own median and divided by its own spread, and
    `center` and `scale` are 0 and 1. `low`, `high` and `resolution` (smallest step, 0 if none)
    are in units of x.
    """

    name: str
    unit: str
    normalization: Literal["fixed", "recording"] = "fixed"
    center: float = 0.0
    scale: float = 1.0
    low: float = -1.0
    high: float = 1.0
    resolution: float = 0.0


@jax.tree_util.register_static
@dataclasses.dataclass(frozen=True)
class Spec:
    """What the numbers of a `Batch` mean. Hashable, and static under jit.

    Attributes:
        shape: of one window: `(time, channel)` for signals, `(height, width, channel)` for images.
        classes: names of the classes, in the order of the columns of `Batch.y`.
        channels: one entry for each channel (the last axis of a window).
        rate: samples a second of every channel; None for images.
        label_start: seconds from the start of a window to the span that its label speaks of.
        label_seconds: length of that span; None for images.
    """

    shape: tuple[int, ...]
    classes: tuple[str, ...]
    channels: tuple[Channel, ...]
    rate: float | None = None
    label_start: float = 0.0
    label_seconds: float | None = None

    def to_json(self) -> dict[str, Any]:
        """This spec as a JSON object; `from_json` reads it back exactly."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, content: Any, where: str) -> Spec:
        """Read a spec.

        Args:
            content: what `to_json` gave, or whatever a file holds in its place.
            where: named in the error.

        Raises:
            StimjaxError: a field is missing, unknown or of the wrong kind.
        """
        spec = typed(cls, content, f"{where}: the spec is wrong")
        if len(spec.shape) not in (2, 3) or spec.shape[-1] != len(spec.channels):
            raise StimjaxError(
                f"{where}: the spec's shape {spec.shape} does not fit its "
                f"{len(spec.channels)} channels"
            )
        numbers = [spec.rate or 1.0, spec.label_start, spec.label_seconds or 1.0]
        ranges = [(c.low, c.high, c.center, c.scale, c.resolution) for c in spec.channels]
        if min(numbers) < 0 or not all(map(math.isfinite, [*numbers, *sum(ranges, ())])):
            raise StimjaxError(f"{where}: the spec is wrong (a number is negative or not finite)")
        for channel in spec.channels:
            if channel.low >= channel.high:
                raise StimjaxError(f"{where}: the spec's range of {channel.name!r} is empty")
        return spec

    @property
    def low(self) -> np.ndarray:
        """Lowest value of each channel, f32[channel]."""
        return np.array([channel.low for channel in self.channels], np.float32)

    @property
    def high(self) -> np.ndarray:
        """Highest value of each channel, f32[channel]."""
        return np.array([channel.high for channel in self.channels], np.float32)


@dataclasses.dataclass(frozen=True)
class Batch:
    """Windows with their labels.

    Attributes:
        x: the windows, `[n, time, channel]` or `[n, height, width, channel]`.
        y: a probability for each class; one-hot where a person scored it, soft from a teacher.
        subject: whose window it is, as a number; `NOBODY` for what no person gave.
        weight: how much each window counts in a loss; at least 0.
        spec: what the numbers mean.
    """

    x: Float[Array, "n ..."]
    y: Float[Array, "n classes"]
    subject: Int[Array, " n"]
    weight: Float[Array, " n"]
    spec: Spec

    def __len__(self) -> int:
        return self.x.shape[0]

    @property
    def label(self) -> Int[np.ndarray, " n"]:
        """The number of the most probable class of each window."""
        return np.asarray(self.y).argmax(axis=1)

    def __getitem__(self, index: Any) -> Batch:
        """The windows that a slice, a mask or an index array chooses."""
        return jax.tree.map(lambda a: a[index], self)


def _flatten(batch: Batch) -> tuple[list[tuple[Any, Array]], Spec]:
    leaves = [(jax.tree_util.GetAttrKey(field), getattr(batch, field)) for field in FIELDS]
    return leaves, batch.spec


def _unflatten(spec: Spec, leaves: Iterable[Any]) -> Batch:
    # Not through `__init__`, whose annotations hold for a batch: JAX also builds single windows
    # (inside vmap) and trees of shapes or of nothing with it.
    batch = object.__new__(Batch)
    for field, leaf in zip(FIELDS, leaves, strict=True):
        object.__setattr__(batch, field, leaf)
    object.__setattr__(batch, "spec", spec)
    return batch


jax.tree_util.register_pytree_with_keys(Batch, _flatten, _unflatten)


def make(
    x: Array,
    y: Array,
    spec: Spec,
    *,
    subject: Array | None = None,
    weight: Array | None = None,
) -> Batch:
    """A `Batch` of NumPy arrays; by default every `subject` is nobody and every `weight` 1."""
    n = len(x)
    return Batch(
        x=np.asarray(x, np.float32),
        y=np.asarray(y, np.float32),
        subject=np.full(n, NOBODY, np.int32) if subject is None else np.asarray(subject, np.int32),
        weight=np.ones(n, np.float32) if weight is None else np.asarray(weight, np.float32),
        spec=spec,
    )


def concatenate(batches: list[Batch]) -> Batch:
    """One batch of all windows of `batches` (at least one, of one spec), in order."""
    return jax.tree.map(lambda *parts: np.concatenate(parts), *batches)


def one_hot(label: Array, spec: Spec) -> np.ndarray:
    """Class numbers i[n] as rows f32[n, class]."""
    return np.eye(len(spec.classes), dtype=np.float32)[np.asarray(label)]


def check(batch: Batch, where: str) -> Batch:
    """Return `batch` if it is sound.

    Raises:
        StimjaxError: shapes, dtypes, values, labels or weights are not what `Batch` promises.
            `where` names the file in the message.
    """
    _check_arrays({field: getattr(batch, field) for field in FIELDS}, batch.spec, where)
    return batch


def _check_arrays(arrays: Mapping[str, Array], spec: Spec, where: str) -> None:
    n = len(arrays["x"]) if arrays["x"].ndim else 0
    expected = {
        "x": ((n, *spec.shape), np.float32),
        "y": ((n, len(spec.classes)), np.float32),
        "subject": ((n,), np.int32),
        "weight": ((n,), np.float32),
    }
    for name, (shape, dtype) in expected.items():
        array = arrays[name]
        if array.shape != shape:
            raise StimjaxError(f"{where}: {name} has shape {array.shape}, the spec says {shape}")
        if array.dtype != dtype:
            raise StimjaxError(f"{where}: {name} has dtype {array.dtype}, not {dtype.__name__}")
        if not np.isfinite(np.asarray(array)).all():
            raise StimjaxError(f"{where}: {name} holds NaN or infinite values")
    if n == 0:
        raise StimjaxError(f"{where}: holds no window")
    y, weight = np.asarray(arrays["y"]), np.asarray(arrays["weight"])
    wrong = (np.abs(y.sum(axis=1) - 1) > 1e-3) | (y < 0).any(axis=1)
    if wrong.any():
        raise StimjaxError(f"{where}: label {int(wrong.argmax())} is no probability (sum is not 1)")
    if (weight < 0).any():
        raise StimjaxError(f"{where}: weight {int((weight < 0).argmax())} is negative")


def save(batch: Batch, folder: Path, name: str) -> None:
    """Write `batch` as `folder/name.safetensors`; `save_spec` writes the spec beside it."""
    arrays = {field: np.asarray(getattr(batch, field)) for field in FIELDS}
    save_arrays(folder / f"{name}.safetensors", arrays)


def save_spec(spec: Spec, folder: Path, origin: Made | None = None) -> None:
    """Write `folder/spec.json`: the spec, and how the windows came to be, if that is known here."""
    about = {} if origin is None else origin.to_json()
    write_json(folder / FILE, {"schema": SCHEMA, "spec": spec.to_json(), "made": about})


def load_spec(folder: Path) -> Spec:
    """The spec that `save_spec` wrote.

    Raises:
        StimjaxError: there is none, it is damaged, or of another schema.
    """
    path = folder / FILE
    content = read_json(path)
    refuse_schema(content, SCHEMA, str(path))
    return Spec.from_json(content.get("spec", {}), str(path))


def load(folder: Path, name: str) -> Batch:
    """Read back exactly what `save` wrote as `name-*.safetensors`, in order of name, checked.

    Raises:
        StimjaxError: a file is missing, damaged, of another schema, or its content unsound.
    """
    spec = load_spec(folder)
    files = sorted(folder.glob(f"{name}-*.safetensors"))
    if not files:
        raise StimjaxError(f"{folder}: holds no {name} windows ({name}-*.safetensors)")
    return concatenate([from_arrays(load_arrays(file), spec, str(file)) for file in files])


def from_arrays(arrays: Mapping[str, np.ndarray], spec: Spec, where: str) -> Batch:
    """A checked `Batch` from named arrays; `where` names their file in errors.

    Raises:
        StimjaxError: an array is missing or unsound.
    """
    missing = [field for field in FIELDS if field not in arrays]
    if missing:
        raise StimjaxError(f"{where}: holds no {missing[0]!r}")
    _check_arrays(arrays, spec, where)
    return Batch(**{field: arrays[field] for field in FIELDS}, spec=spec)
