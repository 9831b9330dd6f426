"""Benchmarks: ratios measured in one run, as JSON with the machine and the versions.

python benchmarks/run.py [--only NAME] [--out FILE.json]
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

REPEATS = 7


def lanes() -> dict[str, Any]:
    """Lane-steps a second of the paper's method on one core, against one lane alone.

    One core, because a device is a core there: the command gives every core a device of its own.
    """
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    import jax

    from stimjax import models
    from stimjax.batch import Channel, Spec
    from stimjax.excite import lanes, methods
    from stimjax.recipes import RECIPES

    found: dict[str, Any] = {"steps_a_dispatch": 50, "teacher": "cnn", "generator": "dense"}
    for shape in ((60, 1), (60, 4), (120, 2), (240, 1)):
        channels = tuple(Channel(str(i), "") for i in range(shape[1]))
        spec = Spec(shape, ("normal", "apnea"), channels, 1.0, 0.0, 60.0)
        method = methods.method(spec, RECIPES["paper"], {})
        model = models.classifier("cnn", shape, 2)
        teacher = model.init(jax.random.key(7))

        def block(params: Any, state: Any, m: Any = method, t: Any = model) -> Any:
            return lanes.block(m, lanes.Networks(lambda x: t.hidden(params, x)), state, 50)

        advance = jax.jit(block, donate_argnums=1)
        runs: dict[int, Callable[[], None]] = {}
        for width in (1, 8, 16, 32):
            box = [jax.jit(lanes.start, static_argnums=(0, 2))(method, jax.random.key(0), width)]

            def run(box: list[Any] = box, advance: Any = advance, params: Any = teacher) -> None:
                box[0] = jax.block_until_ready(advance(params, box[0])[0])

            run()  # compiles
            runs[width] = run
        rates = _rates(runs)
        found["x".join(map(str, shape))] = {
            "lane_steps_a_second": rates,
            "times_one_lane": {width: round(rate / rates[1], 2) for width, rate in rates.items()},
        }
    return found


def labels() -> dict[str, Any]:
    """Seconds for stimuli of the default method: dispatches of 50 steps, and of what a shard needs.

    With compilation, as a user waits for it. Windows of 240 values (60 s of four channels at 1 Hz),
    two teachers of each of four families.
    """
    import jax
    import numpy as np

    from stimjax import batch, config, models
    from stimjax.batch import Channel, Spec
    from stimjax.excite import methods, synthesize
    from stimjax.learn.teacher import Teacher
    from stimjax.recipes import RECIPES

    channels = tuple(Channel(str(i), "", low=-3.0, high=3.0) for i in range(4))
    spec = Spec((60, 4), ("normal", "apnea"), channels, 1.0, 0.0, 60.0)
    networks, counts = config.Teacher().networks, (2, 2, 2, 2)
    families = tuple(models.classifier(name, spec.shape, 2) for name in networks)
    params = models.ensemble(families, counts).init(jax.random.key(7))
    x = np.random.default_rng(0).normal(size=(2000, *spec.shape)).astype(np.float32)
    train = batch.make(x, batch.one_hot(np.arange(2000) % 2, spec), spec)
    bare = Teacher(networks, params, spec)
    teacher = dataclasses.replace(bare, statistics=methods.measure(train, bare))

    seconds: dict[str, list[float]] = {"50": [], "needed": []}
    for _ in range(5):
        for name, steps in (("50", 50), ("needed", 0)):
            recipe = dataclasses.replace(RECIPES["mixture"], balance="none")  # untrained teachers
            asked = config.Synthesis(count=10_000, steps=steps, recipe=recipe)
            start = time.perf_counter()
            for _ in synthesize.shards(teacher, asked):
                pass
            seconds[name].append(time.perf_counter() - start)
    found = {name: statistics.median(all_) for name, all_ in seconds.items()}
    return {"stimuli": 10_000, "seconds": found, "times": found["50"] / found["needed"]}


def _rates(runs: dict[int, Callable[[], None]]) -> dict[int, int]:
    """Median lane-steps a second; the widths take turns, so that they see the same machine."""
    seconds: dict[int, list[float]] = {width: [] for width in runs}
    for _ in range(REPEATS):
        for width, run in runs.items():
            start = time.perf_counter()
            run()
            seconds[width].append(time.perf_counter() - start)
    return {width: round(50 * width / statistics.median(all_)) for width, all_ in seconds.items()}


BENCHMARKS: dict[str, Callable[[], dict[str, Any]]] = {"lanes": lanes, "labels": labels}


def main() -> int:
    """Run the chosen benchmarks and print, or write, their JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=sorted(BENCHMARKS), action="append")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    from stimjax.versions import versions

    results = {name: BENCHMARKS[name]() for name in asked.only or sorted(BENCHMARKS)}
    machine = {"system": platform.system(), "machine": platform.machine(), "cores": os.cpu_count()}
    text = json.dumps({"machine": machine, "versions": versions(), "results": results}, indent=2)
    if asked.out:
        asked.out.parent.mkdir(parents=True, exist_ok=True)
        asked.out.write_text(text + "\n", encoding="utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
