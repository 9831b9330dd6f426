"""What jax is told before it computes; by processes, for it can be told once only."""

import json
import os
import subprocess
import sys

import pytest

from stimjax.machine import runtime

PROGRAM = """
import json, os
from stimjax.machine import runtime
runtime.start()
import jax
told = [os.environ["XLA_FLAGS"], jax.config.jax_default_matmul_precision, jax.device_count()]
print(json.dumps([*told, float(jax.numpy.ones(3).sum())]))
"""


def started(**given: str) -> list:
    names = ("XLA_FLAGS", "JAX_NUM_CPU_DEVICES", "JAX_DEFAULT_MATMUL_PRECISION")
    environment = {k: v for k, v in os.environ.items() if k not in names}
    environment |= {"JAX_PLATFORMS": "cpu", **given}
    command = [sys.executable, "-c", PROGRAM]
    return json.loads(
        subprocess.run(command, env=environment, check=True, capture_output=True).stdout
    )


def test_a_gpu_computes_the_same_numbers_every_time_in_float32() -> None:
    flags, precision, devices, three = started()
    assert flags == "--xla_gpu_autotune_level=0"
    assert precision == "float32"
    assert devices == runtime.cores()
    assert three == 3.0


@pytest.mark.parametrize("tuned", ["", " --xla_gpu_autotune_level=4"])
def test_what_the_user_says_stays(tuned: str) -> None:
    asked = "--xla_force_host_platform_device_count=3" + tuned
    found = started(XLA_FLAGS=asked, JAX_DEFAULT_MATMUL_PRECISION="tensorfloat32")
    assert found[0] == (asked if tuned else f"{asked} --xla_gpu_autotune_level=0")
    assert found[1:] == ["tensorfloat32", 3, 3.0]
