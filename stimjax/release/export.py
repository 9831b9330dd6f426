"""A release as one file of another format, for programs that do not read safetensors.

Nothing is added to what the release says, and every file carries its spec and its manifest (EDF+,
which has no place for them, the names, units and ranges of the channels).
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from stimjax import release
from stimjax.batch import Batch, Channel
from stimjax.data.edf.writer import Trace, write_edf
from stimjax.disk.documents import Manifest
from stimjax.disk.store import new_file
from stimjax.errors import StimjaxError

Format = Literal["npz", "parquet", "edf"]


def export(folder: Path, to: Format, out: Path, *, overwrite: bool = False) -> int:
    """Write the release in `folder`, once it is verified, as the file `out`.

    Returns:
        How many stimuli there are.

    Raises:
        StimjaxError: the release is damaged, the format cannot hold it, or `out` is occupied.
    """
    stimuli, manifest = release.load(folder), release.load_manifest(folder)
    out.parent.mkdir(parents=True, exist_ok=True)
    with new_file(out, overwrite=overwrite) as path:
        WRITERS[to](stimuli, manifest, path)
    return len(stimuli)


def _npz(stimuli: Batch, manifest: Manifest, path: Path) -> None:
    """Every column as in the release; `channels`, `classes`; JSON texts of the rest."""
    spec = stimuli.spec
    columns = {"x": stimuli.x, "y": stimuli.y, "weight": stimuli.weight, **stimuli.columns}
    about = {
        "channels": [channel.name for channel in spec.channels],
        "classes": spec.classes,
        "spec": json.dumps(spec.to_json()),
        "manifest": json.dumps(manifest.to_json()),
    }
    arrays = {name: np.asarray(values) for name, values in (columns | about).items()}
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def _parquet(stimuli: Batch, manifest: Manifest, path: Path) -> None:
    """A row for each stimulus: a list for each channel, a number for each class, the weight.

    Of an image each list holds the rows of its pixels, one after the other.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise StimjaxError("Parquet needs pyarrow; pip install pyarrow, or choose npz") from error
    spec, x, y = stimuli.spec, np.asarray(stimuli.x), np.asarray(stimuli.y)
    size = int(np.prod(spec.shape[:-1]))
    columns = {
        channel.name: pyarrow.FixedSizeListArray.from_arrays(x[..., i].ravel(), size)
        for i, channel in enumerate(spec.channels)
    }
    columns |= {f"probability of {name}": y[:, k] for k, name in enumerate(spec.classes)}
    columns["weight"] = np.asarray(stimuli.weight)
    for name, values in stimuli.columns.items():
        flat = np.asarray(values)
        parts = {name: flat} if flat.ndim == 1 else _by_class(name, flat, spec.classes)
        columns |= parts
    about = {"spec": json.dumps(spec.to_json()), "manifest": json.dumps(manifest.to_json())}
    parquet.write_table(pyarrow.table(columns).replace_schema_metadata(about), path)


def _by_class(name: str, values: np.ndarray, classes: Sequence[str]) -> dict[str, np.ndarray]:
    return {f"{name}: {of}": values[:, k] for k, of in enumerate(classes)}


def _edf(stimuli: Batch, manifest: Manifest, path: Path) -> None:
    """The stimuli one after another; over each, its most probable class and how probable it is.

    Values are physical where the spec says how (`Channel`), and rounded to 65,534 steps.
    """
    del manifest
    spec = stimuli.spec
    if spec.rate is None:
        raise StimjaxError("images are no signals; choose npz or parquet")
    seconds, rate = spec.shape[0] / spec.rate, round(spec.rate)
    if rate != spec.rate or seconds != round(seconds):
        raise StimjaxError(
            f"EDF+ wants whole seconds of whole samples, not {spec.shape[0]} samples at "
            f"{spec.rate:g} Hz; choose npz or parquet"
        )
    traces = [
        _trace(channel, np.asarray(stimuli.x)[..., i].ravel(), rate)
        for i, channel in enumerate(spec.channels)
    ]
    y = np.asarray(stimuli.y)
    spans = [
        (
            i * seconds + spec.label_start,
            spec.label_seconds or seconds,
            f"{spec.classes[k]} {p:.3f}",
        )
        for i, (k, p) in enumerate(zip(y.argmax(axis=1), y.max(axis=1), strict=True))
    ]
    write_edf(path, "stimuli", traces, spans, equipment="stimjax")


def _trace(channel: Channel, values: np.ndarray, rate: int) -> Trace:
    """A channel of all stimuli, in its unit."""
    low = _short(channel.low * channel.scale + channel.center, math.floor)
    high = _short(channel.high * channel.scale + channel.center, math.ceil)
    physical = values.astype(float) * channel.scale + channel.center
    unit = channel.unit if channel.normalization == "fixed" else "1"
    name, unit = _ascii(channel.name, 16), _ascii(unit, 8)
    return Trace(name, unit, rate, physical, low, high, sensor="stimuli of stimjax")


def _short(value: float, rounded: Callable[[float], int]) -> float:
    """`value`, rounded until it fits into the eight characters that EDF has for it."""
    for digits in range(6, -1, -1):
        short = rounded(value * 10**digits) / 10**digits
        if len(f"{short:.{digits}f}") <= 8:
            return short
    raise StimjaxError(f"EDF+ cannot hold values as large as {value:g}; choose npz or parquet")


def _ascii(text: str, most: int) -> str:
    return text.replace("µ", "u").replace("μ", "u").encode("ascii", "replace").decode()[:most]


WRITERS: dict[str, Callable[[Batch, Manifest, Path], None]] = {
    "npz": _npz,
    "parquet": _parquet,
    "edf": _edf,
}
