"""The paper's method as stimjax runs it, as a worker of `lanes.py`.

python jax_lanes.py WEIGHTS.safetensors [--seconds S] [--lanes N]

On every core that it may use, a device, or every GPU; on each a block of lanes, as many as the
method has on such a device if no number is given.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import paper
from flax.traverse_util import unflatten_dict
from safetensors.numpy import load_file
from workers import serve

from stimjax.batch import Channel, Spec
from stimjax.excite.lanes import Emitted, State
from stimjax.learn.teacher import Teacher
from stimjax.machine import runtime


def read(path: Path) -> Teacher:
    """The teacher of a file of weights, for windows of the shape and range that it holds."""
    arrays = load_file(path)
    start = "teacher/"
    params = {k.removeprefix(start): v for k, v in arrays.items() if k.startswith(start)}
    ranges = zip(arrays["asked/low"], arrays["asked/high"], strict=True)
    channels = tuple(
        Channel(str(i), "", low=float(low), high=float(high))
        for i, (low, high) in enumerate(ranges)
    )
    shape = arrays["check/window"].shape[1:]
    spec = Spec(shape, ("normal", "apnea"), channels, 1.0, 0.0, 60.0)
    return paper.teacher(unflatten_dict(params, sep="/"), spec)


def accepted_first(emitted: Emitted) -> Emitted:
    """The first quarter of what some steps gave, accepted stimuli before others.

    What is not accepted need not leave a GPU; more than a quarter are never.
    """
    flat = jax.tree.map(lambda a: a.reshape(-1, *a.shape[2:]), emitted)
    (rows,) = jnp.nonzero(flat.accepted, size=flat.accepted.size // 4, fill_value=-1)
    found = jax.tree.map(lambda a: a[rows], flat)
    return found._replace(accepted=rows >= 0)


def main() -> None:
    """Serve turns of some seconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--seconds", type=float, default=1.5)
    parser.add_argument("--lanes", type=int, default=0)
    asked = parser.parse_args()
    runtime.start()
    teacher = read(asked.weights)
    start, step, lanes = paper.programs(teacher, asked.lanes)
    on_cpu = jax.default_backend() == "cpu"

    def some(params: Any, state: State) -> tuple[State, Emitted]:
        state, emitted = step(params, state)
        return state, emitted if on_cpu else accepted_first(emitted)

    advance = jax.pmap(some, axis_name="device", in_axes=(None, 0), donate_argnums=1)
    devices = jax.local_device_count()
    state = jax.pmap(start)(jax.random.split(jax.random.key(0), devices))

    def turn() -> dict[str, Any]:
        nonlocal state
        begin, steps, stimuli = time.perf_counter(), 0, []
        while time.perf_counter() < begin + asked.seconds:
            state, emitted = advance(teacher.params, state)
            emitted = jax.device_get(emitted)
            kept = emitted.accepted
            stimuli.append((emitted.window[kept], emitted.probability[kept]))
            steps += devices * lanes * paper.STEPS
        accepted = sum(len(windows) for windows, _ in stimuli)
        return {"seconds": time.perf_counter() - begin, "steps": steps, "accepted": accepted}

    turn()  # compiles
    turn()
    serve({"lanes": lanes, "devices": devices}, turn)


if __name__ == "__main__":
    main()
