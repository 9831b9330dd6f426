"""`Spec`, which says what the numbers of windows mean, and its file. It brings no jax."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np

from stimjax.disk.documents import Made
from stimjax.disk.documents.document import refuse_schema, typed
from stimjax.disk.documents.made import FILE, SCHEMA
from stimjax.disk.store import read_json, write_json
from stimjax.errors import StimjaxError


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


def save_spec(
    spec: Spec,
    folder: Path,
    origin: Made | None = None,
    preparation: Mapping[str, Any] | None = None,
) -> None:
    """Write `folder/spec.json`: the spec, and what else is known of its windows.

    Args:
        spec: of the windows.
        folder: to write into.
        origin: how these came to be.
        preparation: how a recording becomes such windows, see `data.preparation`.
    """
    content = {"schema": SCHEMA, "spec": spec.to_json(), "made": {}}
    if origin is not None:
        content["made"] = origin.to_json()
    if preparation is not None:
        content["preparation"] = dict(preparation)
    write_json(folder / FILE, content)


def load_spec(folder: Path) -> Spec:
    """The spec that `save_spec` wrote.

    Raises:
        StimjaxError: there is none, it is damaged, or of another schema.
    """
    path = folder / FILE
    content = read_json(path)
    refuse_schema(content, SCHEMA, str(path))
    return Spec.from_json(content.get("spec", {}), str(path))
