"""`Batch`, the one pytree that every stage takes and returns, and `Spec`, its static side.

Real windows, synthetic stimuli and baselines all travel as a `Batch`. Its `Spec` says what the
numbers mean (channels, rate, units, classes) and is part of the pytree's structure, so that two
batches of different meaning cannot be mixed by accident. What does without jax finds it in
`stimjax.spec`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jaxtyping import Float, Int

from stimjax.disk.store import load_arrays, save_arrays
from stimjax.errors import StimjaxError
from stimjax.spec import Channel as Channel
from stimjax.spec import Spec as Spec
from stimjax.spec import load_spec as load_spec
from stimjax.spec import save_spec as save_spec

FIELDS = ("x", "y", "subject", "weight")  # the arrays of a Batch, on disk and in memory
CHILDREN = (*FIELDS, "columns")  # of the pytree
NOBODY = -1  # the `subject` of a window that comes from no person

Array = jax.Array | np.ndarray


@dataclasses.dataclass(frozen=True)
class Batch:
    """Windows with their labels.

    Attributes:
        x: the windows, `[n, time, channel]` or `[n, height, width, channel]`.
        y: a probability for each class; one-hot where a person scored it, soft from a teacher.
        subject: whose window it is, as a number; `NOBODY` for what no person gave.
        weight: how much each window counts in a loss; at least 0.
        columns: what else is said of each window, by name, such as a label for learners of another
            kind; of a release alone (`release.folder`).
        spec: what the numbers mean.
    """

    x: Float[Array, "n ..."]
    y: Float[Array, "n classes"]
    subject: Int[Array, " n"]
    weight: Float[Array, " n"]
    spec: Spec
    columns: Mapping[str, Array] = dataclasses.field(default_factory=dict)

    def __len__(self) -> int:
        return self.x.shape[0]

    @property
    def label(self) -> Int[np.ndarray, " n"]:
        """The number of the most probable class of each window."""
        return np.asarray(self.y).argmax(axis=1)

    def __getitem__(self, index: Any) -> Batch:
        """The windows that a slice, a mask or an index array chooses."""
        return jax.tree.map(lambda a: a[index], self)


def _flatten(batch: Batch) -> tuple[list[tuple[Any, Any]], Spec]:
    leaves = [(jax.tree_util.GetAttrKey(field), getattr(batch, field)) for field in CHILDREN]
    return leaves, batch.spec


def _unflatten(spec: Spec, leaves: Iterable[Any]) -> Batch:
    # Not through `__init__`, whose annotations hold for a batch: JAX also builds single windows
    # (inside vmap) and trees of shapes or of nothing with it.
    batch = object.__new__(Batch)
    for field, leaf in zip(CHILDREN, leaves, strict=True):
        object.__setattr__(batch, field, leaf)
    object.__setattr__(batch, "spec", spec)
    return batch


jax.tree_util.register_static(Spec)
jax.tree_util.register_pytree_with_keys(Batch, _flatten, _unflatten)


def make(
    x: Array,
    y: Array,
    spec: Spec,
    *,
    subject: Array | None = None,
    weight: Array | None = None,
    columns: Mapping[str, Array] | None = None,
) -> Batch:
    """A `Batch` of NumPy arrays; by default every `subject` is nobody and every `weight` 1."""
    n = len(x)
    return Batch(
        x=np.asarray(x, np.float32),
        y=np.asarray(y, np.float32),
        subject=np.full(n, NOBODY, np.int32) if subject is None else np.asarray(subject, np.int32),
        weight=np.ones(n, np.float32) if weight is None else np.asarray(weight, np.float32),
        spec=spec,
        columns={name: np.asarray(values) for name, values in (columns or {}).items()},
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
    arrays |= {name: np.asarray(values) for name, values in batch.columns.items()}
    save_arrays(folder / f"{name}.safetensors", arrays)


def load(folder: Path, name: str) -> Batch:
    """Read back exactly what `save` wrote as `name-*.safetensors`, in order of name, checked.

    Raises:
        StimjaxError: a file or all of them are missing, damaged, of another schema, or their
            content unsound.
    """
    if not folder.is_dir():
        raise StimjaxError(f"{folder}: is no folder of windows; `stimjax prepare` makes one")
    spec = load_spec(folder)
    files = sorted(folder.glob(f"{name}-*.safetensors"))
    if not files:
        raise StimjaxError(f"{folder}: holds no {name} windows ({name}-*.safetensors)")
    parts = [from_arrays(load_arrays(file), spec, str(file)) for file in files]
    first = _columns(parts[0])
    for part, file in zip(parts, files, strict=True):
        if _columns(part) != first:
            raise StimjaxError(f"{file}: has other columns than {files[0].name}")
    return concatenate(parts)


def _columns(batch: Batch) -> dict[str, tuple[np.dtype, tuple[int, ...]]]:
    """What has to be alike in what is joined: dtype and shape of a row of each column."""
    return {name: (array.dtype, array.shape[1:]) for name, array in batch.columns.items()}


def from_arrays(arrays: Mapping[str, np.ndarray], spec: Spec, where: str) -> Batch:
    """A checked `Batch` from named arrays; `where` names their file in errors.

    Raises:
        StimjaxError: an array is missing or unsound.
    """
    missing = [field for field in FIELDS if field not in arrays]
    if missing:
        raise StimjaxError(f"{where}: holds no {missing[0]!r}")
    _check_arrays(arrays, spec, where)
    columns = {name: array for name, array in arrays.items() if name not in FIELDS}
    for name, array in columns.items():
        if array.shape[:1] != arrays["x"].shape[:1] or not np.isfinite(array).all():
            raise StimjaxError(f"{where}: the column {name!r} lacks a value, or one is not finite")
    return Batch(**{field: arrays[field] for field in FIELDS}, spec=spec, columns=columns)
