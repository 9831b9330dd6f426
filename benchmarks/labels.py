"""Seconds for stimuli of `mixture`, which draws and labels but does not excite.

With compilation, as a user waits for it. Windows of 240 values (60 s of four channels at 1 Hz),
two teachers of each of four families.
"""

from __future__ import annotations

import statistics
import time
from typing import Any

from workers import sized

COUNT = sized(10_000, 500)
REPEATS = sized(5, 1)


def measure() -> dict[str, Any]:
    """Seconds for the stimuli, and stimuli a second."""
    import jax
    import mixture

    from stimjax.excite import shards

    jax.config.update("jax_enable_compilation_cache", False)
    teacher = mixture.teacher()
    asked = mixture.synthesis(COUNT)
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        for _ in shards.shards(teacher, asked):
            pass
        seconds.append(time.perf_counter() - start)
    median = statistics.median(seconds)
    return {"stimuli": COUNT, "seconds": round(median, 3), "a_second": round(COUNT / median, 1)}
