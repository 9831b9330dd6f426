"""What a device has of memory, and what a program needs."""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from stimjax.errors import StimjaxError
from stimjax.machine import memory


class Device:
    """A device that says what it is told to say."""

    def __init__(self, platform: str, stats: dict[str, int] | None = None) -> None:
        self.platform, self._stats = platform, stats

    def memory_stats(self) -> dict[str, int] | None:
        return self._stats


@pytest.fixture
def devices(monkeypatch: pytest.MonkeyPatch) -> list[Device]:
    """These devices, on a system with 900 bytes left."""
    found: list[Device] = []
    monkeypatch.setattr(jax, "local_devices", lambda: found)
    monkeypatch.setattr(memory, "_of_system", lambda: iter([900]))
    monkeypatch.setattr(memory, "_of_groups", lambda: iter([]))
    return found


def test_an_accelerator_says_what_it_has(devices: list[Device]) -> None:
    devices += [Device("gpu", {"bytes_limit": 100, "bytes_in_use": 30})]
    devices += [Device("gpu", {"bytes_limit": 80})]
    assert memory.available() == 70  # the smaller one


def test_the_devices_of_a_cpu_share_what_the_system_has(
    devices: list[Device], monkeypatch: pytest.MonkeyPatch
) -> None:
    devices += [Device("cpu"), Device("cpu"), Device("cpu")]
    assert memory.available() == 300
    monkeypatch.setattr(memory, "_of_groups", lambda: iter([2000, 600]))
    assert memory.available() == 200


def test_what_nothing_tells_is_not_known(
    devices: list[Device], monkeypatch: pytest.MonkeyPatch
) -> None:
    devices.append(Device("tpu"))
    assert memory.available() is None  # not that of its host
    devices[:] = [Device("cpu")]
    monkeypatch.setattr(memory, "_of_system", lambda: iter([]))
    assert memory.available() is None
    memory.refuse("much", 10**15, None, "do something")


def test_what_the_system_has(tmp_path: Path) -> None:
    about = tmp_path / "meminfo"
    assert list(memory._of_system(about)) == []
    about.write_text("MemTotal:  24684084 kB\nMemAvailable:   20789100 kB\nBuffers: 1 kB\n")
    assert list(memory._of_system(about)) == [20789100 * 1024]


def write(folder: Path, **files: object) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name.replace("memory_", "memory.")).write_text(f"{content}\n")


def test_what_control_groups_have(tmp_path: Path) -> None:
    about, root = tmp_path / "cgroup", tmp_path / "fs"
    assert list(memory._of_groups(about, root)) == []
    about.write_text("0::/job/step\n")
    write(root / "job", memory_max=1000, memory_current=700, memory_stat="inactive_file 50\nx 9")
    write(root / "job" / "step", memory_max="max", memory_current=700)
    assert list(memory._of_groups(about, root)) == [350]


def test_control_groups_of_the_first_version(tmp_path: Path) -> None:
    about, root = tmp_path / "cgroup", tmp_path / "fs"
    about.write_text("9:name=systemd:/\n4:cpu,memory:/a/b\n0::/\n")
    files = {"memory_limit_in_bytes": 500, "memory_usage_in_bytes": 200}
    write(root / "memory", **files)  # as a container sees its own
    write(root / "memory" / "a", **files, memory_stat="inactive_file 1\ntotal_inactive_file 20")
    assert sorted(memory._of_groups(about, root)) == [300, 320]


def test_a_refusal_says_how_much_in_one_line() -> None:
    memory.refuse("This", 10, 10, "do something")
    with pytest.raises(StimjaxError) as error:
        memory.refuse("This", 12_340_000_000, 5_000_000, "do something")
    said = "This would need 12.3 GB of memory on each device, which has 5 MB; do something"
    assert str(error.value) == said


def test_the_size_of_a_tree_counts_keys_too() -> None:
    tree: dict[str, Any] = {
        "a": np.zeros((3, 2), np.float32),
        "b": jax.random.split(jax.random.key(0), 4),
    }
    assert memory.size(tree) == 24 + 32
    assert memory.size(jax.eval_shape(lambda: tree)) == 24 + 32


def test_a_program_needs_what_it_is_given_makes_and_has_beside() -> None:
    traces = []

    def program(x: jax.Array) -> jax.Array:
        traces.append(0)
        return jnp.sort(x @ x)[::-1] @ x  # a matrix beside the one that comes and the one that goes

    run, x = jax.jit(program), jnp.ones((256, 256))
    need = memory.of_program(run.lower(x))
    assert need is not None and 3 * x.nbytes <= need < 8 * x.nbytes
    run(x)
    assert len(traces) == 1  # what was looked at is what runs
    donated = memory.of_program(jax.jit(lambda x: x + 1, donate_argnums=0).lower(x))
    assert donated is not None and donated < 1.1 * x.nbytes
