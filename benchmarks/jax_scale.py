"""A release of the paper's method on so many devices, as a worker of `scale.py`.

python jax_scale.py DEVICES
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
from typing import Any


def main() -> None:
    """Serve releases of eight shards."""
    os.environ["JAX_NUM_CPU_DEVICES"] = sys.argv[1]
    from stimjax import runtime

    runtime.start()
    import default
    import jax
    import paper
    from workers import serve, sized

    from stimjax import config, models
    from stimjax.excite import synthesize

    model = models.classifier("cnn", default.SPEC.shape, 2)
    teacher = paper.teacher(model.init(jax.random.key(7)), default.SPEC)
    shard = sized(250, 10)
    asked = config.Synthesis("paper", count=8 * shard, shard=shard)

    def turn() -> dict[str, Any]:
        begin, steps, digest = time.perf_counter(), 0, hashlib.sha256()
        for shard in synthesize.shards(teacher, asked):
            steps += int(shard.counts.steps)
            digest.update(shard.stimuli.x.tobytes() + shard.stimuli.y.tobytes())
        seconds = time.perf_counter() - begin
        return {"seconds": seconds, "steps": steps, "digest": digest.hexdigest()}

    turn()  # compiles, into the cache of programs
    serve({"devices": jax.local_device_count()}, turn)


if __name__ == "__main__":
    main()
