"""What a source is, and what it may know of the private windows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Array

from stimjax.batch import Batch, Spec

Statistics = Mapping[str, Array | np.ndarray]  # of the training windows, by name; may be traced

# (key, wanted class i32[]) -> the start of one stimulus: f32[*shape] within the range of the spec,
# or whatever else the parametrization takes. Pure; both arguments can be vmapped.
Source = Callable[[Array, Array], Array]


class Kind(NamedTuple):
    """A source before it met any data.

    Attributes:
        measure: the statistics of the training windows that it needs, f32 or i32, their names
            beginning with the name of the source; private.
        make: the source, from the spec of the windows and those statistics.
        uses: what it knows of private data, a sentence each; written into the manifest.
    """

    measure: Callable[[Batch], dict[str, np.ndarray]]
    make: Callable[[Spec, Statistics], Source]
    uses: tuple[str, ...]


def nothing(train: Batch) -> dict[str, np.ndarray]:
    """The statistics of a source that needs none."""
    del train
    return {}
