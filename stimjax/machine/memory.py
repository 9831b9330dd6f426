"""What a device has of memory, and a refusal in one line where a program needs more."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax

from stimjax.errors import StimjaxError

# Where a control group says what it may use and what it uses: version 2, and version 1.
GROUPS = {
    "": ("", "memory.max", "memory.current"),
    "memory": ("memory", "memory.limit_in_bytes", "memory.usage_in_bytes"),
}


def refuse(what: str, need: int, available: int | None, remedy: str) -> None:
    """Refuse what needs more than a device has; None is not known, and passes.

    Args:
        what: needs it, as the start of a sentence.
        need: bytes.
        available: bytes.
        remedy: what the user can do.

    Raises:
        StimjaxError: it does not fit.
    """
    if available is not None and need > available:
        raise StimjaxError(
            f"{what} would need {_amount(need)} of memory on each device, which has "
            f"{_amount(available)}; {remedy}"
        )


def size(tree: Any) -> int:
    """Bytes of the arrays of a tree, or of those that its shapes describe."""
    return sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(tree))


def of_program(lowered: jax.stages.Lowered) -> int | None:
    """Bytes that a program needs on each device while it runs, what it is given included.

    It is compiled, and the next call with the same shapes runs what was compiled. None where the
    platform does not tell.
    """
    about = lowered.compile().memory_analysis()
    if about is None:
        return None
    given, returned = about.argument_size_in_bytes, about.output_size_in_bytes
    return given + returned - about.alias_size_in_bytes + about.temp_size_in_bytes


def available() -> int | None:
    """Bytes that each device of this process has left; None where nothing tells.

    The devices of a CPU have equal parts of what the system has.
    """
    devices = jax.local_devices()
    stats = [device.memory_stats() or {} for device in devices]
    if all("bytes_limit" in about for about in stats):
        return min(about["bytes_limit"] - about.get("bytes_in_use", 0) for about in stats)
    left = [*_of_system(), *_of_groups()] if devices[0].platform == "cpu" else []
    return max(0, min(left)) // len(devices) if left else None


def _of_system(about: Path = Path("/proc/meminfo")) -> Iterator[int]:
    """Bytes that Linux could still give."""
    if match := re.search(r"^MemAvailable: *(\d+) kB", _text(about), re.MULTILINE):
        yield 1024 * int(match[1])


def _of_groups(
    about: Path = Path("/proc/self/cgroup"), root: Path = Path("/sys/fs/cgroup")
) -> Iterator[int]:
    """Bytes that are left to each control group that this process is in.

    A container and a batch job are such groups: who uses more in one is killed. What a group only
    keeps of files it gives back when need be.
    """
    for line in _text(about).splitlines():
        _, kinds, path = line.split(":", 2)
        for kind in set(kinds.split(",")) & GROUPS.keys():
            folder, limit, used = GROUPS[kind]
            place = Path(path.lstrip("/"))
            for one in (place, *place.parents):
                numbers = [_text(root / folder / one / name).strip() for name in (limit, used)]
                if all(number.isdigit() for number in numbers):  # no limit is "max"
                    stat = _text(root / folder / one / "memory.stat")
                    files = re.findall(r"^(?:total_)?inactive_file (\d+)", stat, re.MULTILINE)
                    yield int(numbers[0]) - int(numbers[1]) + max(map(int, files), default=0)


def _text(path: Path) -> str:
    """What a file of the system says; nothing where there is none."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""


def _amount(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e8 else f"{size / 1e6:.3g} MB"
