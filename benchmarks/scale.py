"""One release on 1, 2, 4 and 8 devices of the host: what each device more costs, and the bytes.

On CPU the devices are forced, and share its cores: with two cores no more than two can bring
speed, and the benchmark shows the overhead of the others. The paper's method, eight shards.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from workers import Worker, cores, median_rate, take_turns

DEVICES = (1, 2, 4, 8)
REPEATS = 5


def measure() -> dict[str, Any]:
    """Lane-steps a second for each number of devices, and whether the bytes are the same."""
    program = str(Path(__file__).with_name("jax_scale.py"))
    groups = {
        str(count): [Worker([sys.executable, program, str(count)], cores())] for count in DEVICES
    }
    turns = take_turns(groups, REPEATS)
    for workers in groups.values():
        for worker in workers:
            worker.close()
    digests = {answer["digest"] for group in turns.values() for turn in group for answer in turn}
    rates = {name: round(median_rate(turn, "steps")) for name, turn in turns.items()}
    return {
        "cores": len(cores()),
        "lane_steps_a_second": rates,
        "to one device": {name: round(rate / rates["1"], 2) for name, rate in rates.items()},
        "same_bytes": len(digests) == 1,
    }
