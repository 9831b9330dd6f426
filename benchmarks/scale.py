"""The paper's method on more and more devices of the host, and with more and more lanes.

Devices: a release of eight shards on 1, 2, 4 and 8 of them; what each one more costs, and whether
the bytes are the same. On a CPU they are forced, and share its cores: with two cores no more than
two can bring speed, and the benchmark shows the overhead of the others. And in two processes of one
device and one core each, which share out the shards. On a GPU this part is left out.

Lanes: what a lane-step costs on one device, from 64 to 65,536 lanes on a GPU. Where the device is
saturated it costs the same, however many more there are.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import workers

DEVICES = workers.sized((1, 2, 4, 8), (1, 2))
LANES = workers.sized(
    {"cpu": (1, 4, 16, 64, 256), "gpu": (64, 256, 1024, 4096, 16384, 65536)},
    {"cpu": (1, 4), "gpu": (64, 256)},
)
PROGRAM = Path(__file__).with_name("jax_scale.py")
PROCESSES = "1 each in two processes of one core"
REPEATS = workers.sized(5, 1)


def measure() -> dict[str, Any]:
    """Rates by devices, where they can be forced, and by lanes."""
    with workers.on(workers.cores()[:1]):  # before jax makes its threads, a thread for each core
        import jax

        kind = "cpu" if jax.default_backend() == "cpu" else "gpu"
        lanes = by_lanes(LANES[kind])
    return {"devices": by_devices(), "lanes": lanes} if kind == "cpu" else {"lanes": lanes}


def by_devices() -> dict[str, Any]:
    """Lane-steps a second for each number of devices, and whether the bytes are the same."""
    cores = workers.cores()
    with workers.hired() as start:

        def worker(devices: int, on: list[int], process: int, processes: int) -> workers.Worker:
            asked = map(str, (devices, process, processes))
            return start([sys.executable, str(PROGRAM), *asked], on)

        groups = {str(n): [worker(n, cores, 0, 1)] for n in DEVICES}
        groups["1, one core"] = [worker(1, cores[:1], 0, 1)]
        if len(cores) > 1:
            groups[PROCESSES] = [worker(1, [core], i, 2) for i, core in enumerate(cores[:2])]
        turns = workers.take_turns(groups, REPEATS)
    made = [
        {number: digest for answer in turn for number, digest in answer["digests"].items()}
        for group in turns.values()
        for turn in group
    ]
    rates = {name: round(workers.median_rate(turn, "steps")) for name, turn in turns.items()}
    one = rates["1, one core"]
    return {
        "cores": len(cores),
        "lane_steps_a_second": rates,
        "to one device on one core": {name: round(r / one, 2) for name, r in rates.items()},
        "same_bytes": all(release == made[0] for release in made),
    }


def by_lanes(widths: tuple[int, ...]) -> dict[str, Any]:
    """Lane-steps a second for each number of lanes, one after the other, as far as memory goes."""
    import jax
    import mixture
    import paper
    import roofline

    teacher = paper.untrained(mixture.SPEC)
    rates: dict[str, float] = {}
    for width in widths:
        try:
            rates |= roofline.rates_of({str(width): roofline.steps(teacher, width)})
        except jax.errors.JaxRuntimeError as error:
            if "RESOURCE_EXHAUSTED" not in str(error):
                raise
            break
    return {
        "lane_steps_a_second": {width: round(rate) for width, rate in rates.items()},
        "cost of a lane-step to the least": costs(rates),
    }


def costs(rates: dict[str, float]) -> dict[str, float]:
    """How many times the least cost of a lane-step it has with each number of lanes."""
    return {width: round(max(rates.values()) / rate, 2) for width, rate in rates.items()}
