"""Where windows lie: all of them, and then nothing, up to a size that few programs share."""

import jax
import numpy as np
import pytest
from jax.sharding import Mesh

from stimjax.batch import Channel, Spec, make, one_hot
from stimjax.privacy.shadow.placing import placed

SPEC = Spec((3, 1), ("a", "b"), (Channel("x", ""),), rate=1.0)


@pytest.mark.parametrize(("count", "room"), [(1, 1), (5, 8), (8, 8)])
def test_windows_come_first_and_zeros_fill_up_to_a_power_of_two(count: int, room: int) -> None:
    x = 1 + np.arange(3.0 * count).reshape(count, 3, 1)
    windows = make(x, one_hot(np.arange(count) % 2, SPEC), SPEC)
    devices = Mesh(np.array(jax.local_devices()[:1]), ("network",))
    for array, own in zip(
        placed(windows, devices), (windows.x, windows.y, windows.weight), strict=True
    ):
        assert len(array) == room
        np.testing.assert_array_equal(array[:count], own)
        assert not np.any(array[count:])
