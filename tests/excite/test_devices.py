"""However many devices make a release, it is the same release, bit for bit."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from children import python_path

PROGRAM = """
import hashlib, json
import jax, numpy as np
from random_teacher import synthesis, teacher
from stimjax.excite.shards import shards

made = {}
for network in %r:
    made[network] = []
    generator = "am_generator" if network == "am_classifier" else "dense"
    for shard in shards(teacher(network), synthesis(37, generator=generator)):
        digest = hashlib.sha256(shard.stimuli.x.tobytes() + shard.stimuli.y.tobytes()).hexdigest()
        counts = [np.asarray(a).tolist() for a in shard.counts]
        made[network].append([shard.number, digest, *counts])
print(json.dumps({"devices": jax.local_device_count(), "shards": made}))
"""


def start(devices: int, networks: tuple[str, ...]) -> subprocess.Popen[bytes]:
    environment = os.environ | {
        "XLA_FLAGS": f"--xla_force_host_platform_device_count={devices}",
        "JAX_PLATFORMS": "cpu",
        "PYTHONPATH": python_path(Path(__file__).parents[1]),  # of random_teacher
        "NPROC": "1",  # so that XLA's pool has as many threads as there are devices: more and more
    }
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", PROGRAM % (networks,)],
        cwd=Path(__file__).parents[2],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.mark.parametrize(
    "networks",
    [
        ("cnn",),
        pytest.param(("transformer", "resnet", "gru", "mlp"), marks=pytest.mark.slow),
        pytest.param(("am_classifier",), marks=pytest.mark.slow),  # with the authors' generator too
    ],
    ids=" ".join,
)
def test_1_2_and_4_devices_give_the_same_shards(networks: tuple[str, ...]) -> None:
    processes = {devices: start(devices, networks) for devices in (1, 2, 4)}
    found = {}
    for devices, process in processes.items():
        out, err = process.communicate(timeout=600)
        assert process.returncode == 0, err.decode()
        found[devices] = json.loads(out)
        assert found[devices]["devices"] == devices
    for network in networks:
        one, two, four = (found[devices]["shards"][network] for devices in (1, 2, 4))
        assert [shard[0] for shard in one] == [0, 1, 2, 3]
        assert len({shard[1] for shard in one}) == 4
        assert one == two == four, network
