"""Which devices share work that is cut into equal pieces."""

from __future__ import annotations

import jax
import numpy as np
from jax.sharding import Mesh


def shared(pieces: int, axis: str, most: int | None = None) -> Mesh:
    """The devices that share so many pieces evenly, as a mesh whose axis has the name `axis`.

    XLA's threads share loops as short as those of a training step badly; two devices that take
    half each are faster. Accelerators do not share: that was never measured.

    Args:
        pieces: to be shared.
        axis: its name.
        most: devices at most; None for all cores of a CPU, or one accelerator.
    """
    local = jax.local_devices()
    if most is None:
        most = len(local) if local[0].platform == "cpu" else 1
    many = max(n for n in range(1, min(most, pieces, len(local)) + 1) if pieces % n == 0)
    return Mesh(np.array(local[:many]), (axis,))
