"""Where what shadow networks train on lies: windows on every device, networks shared among them."""

from __future__ import annotations

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from stimjax.batch import Batch
from stimjax.learn.step import Windows

NETWORKS = PartitionSpec("network")


def placed(windows: Batch, devices: Mesh) -> Windows:
    """The arrays of `windows` on every device, with zeros up to a power of two.

    Few sizes are few programs.
    """
    more = (1 << (len(windows) - 1).bit_length()) - len(windows)
    arrays = (np.asarray(a) for a in (windows.x, windows.y, windows.weight))
    x, y, weight = (np.pad(a, [(0, more)] + [(0, 0)] * (a.ndim - 1)) for a in arrays)
    return jax.device_put((x, y, weight), NamedSharding(devices, PartitionSpec()))
