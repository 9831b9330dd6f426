"""However many devices make a release, it is the same release, bit for bit."""

import json
import os
import subprocess
import sys
from pathlib import Path

# A network of the package, because it is its convolutions and matrix products that have to agree;
# thresholds that random weights reach.
PROGRAM = """
import dataclasses, hashlib, json, sys
import jax, numpy as np
from stimjax import config, models
from stimjax.batch import Channel, Spec
from stimjax.excite.synthesize import shards
from stimjax.learn.teacher import Teacher
from stimjax.recipes import RECIPES

channels = (Channel("a", "1"), Channel("b", "1", low=0.0))
spec = Spec(shape=(20, 2), classes=("x", "y", "z"), channels=channels, rate=1.0)
model = models.classifier("cnn", spec.shape, 3)
rng = np.random.default_rng(0)
shapes = jax.eval_shape(model.init, jax.random.key(0))
single = jax.tree.map(
    lambda s: jax.numpy.asarray(0.2 * rng.normal(size=(1, *s.shape)), s.dtype), shapes
)
params = {"members": (single,), "weights": (jax.numpy.ones(1),)}
recipe = dataclasses.replace(RECIPES["paper"], tries=5, latent=8, lowest=0.2, highest=0.6)
settings = config.Synthesis("paper", 37, recipe, lanes=4, shard=10)
made = []
for shard in shards(Teacher(("cnn",), params, spec), settings):
    digest = hashlib.sha256(shard.stimuli.x.tobytes() + shard.stimuli.y.tobytes()).hexdigest()
    made.append([shard.number, digest, *[np.asarray(a).tolist() for a in shard.counts]])
print(json.dumps({"devices": jax.local_device_count(), "shards": made}))
"""


def start(devices: int) -> subprocess.Popen[bytes]:
    environment = os.environ | {
        "XLA_FLAGS": f"--xla_force_host_platform_device_count={devices}",
        "JAX_PLATFORMS": "cpu",
        "NPROC": "8",  # the size of the thread pool, which decides how sums are split
    }
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", PROGRAM],
        cwd=Path(__file__).parents[2],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_1_2_and_4_devices_give_the_same_shards() -> None:
    processes = {devices: start(devices) for devices in (1, 2, 4)}
    found = {}
    for devices, process in processes.items():
        out, err = process.communicate(timeout=300)
        assert process.returncode == 0, err.decode()
        found[devices] = json.loads(out)
        assert found[devices]["devices"] == devices
    assert [shard[0] for shard in found[1]["shards"]] == [0, 1, 2, 3]
    assert len({shard[1] for shard in found[1]["shards"]}) == 4
    assert found[1]["shards"] == found[2]["shards"] == found[4]["shards"]
