"""A release of the paper's method on so many devices, as a worker of `scale.py`.

python jax_scale.py DEVICES PROCESS PROCESSES

With several processes it is this process's part of the shards, as `stimjax synthesize` shares them
out.
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
from typing import Any


def main() -> None:
    """Serve releases of eight shards."""
    devices, process, processes = map(int, sys.argv[1:])
    os.environ["JAX_NUM_CPU_DEVICES"] = str(devices)
    from stimjax.machine import runtime

    runtime.start()
    import jax
    import mixture
    import paper
    from workers import serve, sized

    from stimjax import config
    from stimjax.excite import shards

    teacher = paper.untrained(mixture.SPEC)
    shard = sized(250, 10)
    asked = config.Synthesis("paper", 8 * shard, paper.RECIPE, shard=shard, seed=0)

    def turn() -> dict[str, Any]:
        begin, steps, digests = time.perf_counter(), 0, {}
        for shard in shards.shards(teacher, asked, lambda todo: todo[process::processes]):
            steps += int(shard.counts.steps)
            values = shard.stimuli.x.tobytes() + shard.stimuli.y.tobytes()
            digests[shard.number] = hashlib.sha256(values).hexdigest()
        return {"seconds": time.perf_counter() - begin, "steps": steps, "digests": digests}

    turn()  # compiles, into the cache of programs
    serve({"devices": jax.local_device_count()}, turn)


if __name__ == "__main__":
    main()
