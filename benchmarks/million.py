"""`stimjax synthesize --count 1000000` from the command to a verified release: time and memory.

The method `mixture`, two teachers of each of four families, untrained; windows of 240 values.
Nothing was compiled before. Memory is that of the process, read every second.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from workers import sized

COUNT = sized(1_000_000, 1_000)


def measure() -> dict[str, Any]:
    """Seconds to make and to verify, and MiB over time."""
    import mixture

    from stimjax.config import settings
    from stimjax.learn import teacher as teachers

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "teacher").mkdir()
        teachers.save(mixture.teacher(), folder / "teacher")
        asked = mixture.synthesis(COUNT)
        (folder / "config.yaml").write_text(settings.dump(asked), encoding="utf-8")
        words = ["synthesize", "teacher", "--out=release", "--config=config.yaml"]
        seconds, memory = _watched(folder, *words)
        verified, _ = _watched(folder, "verify", "release")
    late = memory[len(memory) // 10 :]  # after compilation
    return {
        "stimuli": COUNT,
        "lanes": asked.lanes,
        "seconds": round(seconds, 1),
        "seconds_to_verify": round(verified, 1),
        "a_second": round(COUNT / seconds),
        "mebibytes": {"a tenth through": late[0], "at the end": late[-1], "most": max(memory)},
    }


def _watched(folder: Path, *words: str) -> tuple[float, list[int]]:
    """Seconds that the command took, and its memory in MiB second by second."""
    start, memory = time.perf_counter(), []
    command = [sys.executable, "-m", "stimjax", *words]
    fresh = {k: v for k, v in os.environ.items() if k != "JAX_COMPILATION_CACHE_DIR"}
    fresh |= {"XDG_CACHE_HOME": str(folder / "cache")}
    running = subprocess.Popen(command, cwd=folder, env=fresh, stdout=subprocess.DEVNULL)
    while running.poll() is None:
        status = Path(f"/proc/{running.pid}/status").read_text(encoding="utf-8")
        for line in status.splitlines():
            if line.startswith("VmRSS"):
                memory.append(int(line.split()[1]) // 1024)
        time.sleep(1)
    if running.returncode:
        raise RuntimeError(f"stimjax {' '.join(words)} ended with {running.returncode}")
    return time.perf_counter() - start, memory
