"""Which devices share pieces of work."""

import jax
import pytest

from stimjax.machine import mesh


class Core:
    """A device."""

    platform = "cpu"


class Accelerator(Core):
    platform = "gpu"


@pytest.mark.parametrize(
    ("kind", "most", "shares"),
    [
        (Core, None, {16: 4, 6: 3, 5: 1, 2: 2, 1: 1}),
        (Core, 2, {16: 2, 3: 1}),
        (Accelerator, None, {16: 1}),
        (Accelerator, 4, {16: 4}),
    ],
)
def test_devices_share_pieces_evenly(
    monkeypatch: pytest.MonkeyPatch, kind: type, most: int | None, shares: dict[int, int]
) -> None:
    local = [kind() for _ in range(4)]
    monkeypatch.setattr(jax, "local_devices", lambda: local)
    for pieces, devices in shares.items():
        found = mesh.shared(pieces, "part", most)
        assert found.axis_names == ("part",)
        assert found.devices.tolist() == local[:devices]
