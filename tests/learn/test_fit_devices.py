"""Training on two devices, against training on one.

They share each batch (`fit`) or the networks (`pipelines`).
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import sys
import jax, numpy as np
from stimjax import batch, models
from stimjax.batch import Channel, Spec
from stimjax.config import Fit
from stimjax.learn import fit
from stimjax.privacy.shadow import pipelines

rng = np.random.default_rng(0)
spec = Spec((12, 2), ("a", "b"), (Channel("x", ""), Channel("y", "")), 1.0, 0.0, 12.0)
x = rng.normal(size=(400, 12, 2)).astype(np.float32)
windows = batch.make(
    *(x, np.eye(2, dtype=np.float32)[(x[:, :6].mean((1, 2)) > 0).astype(int)], spec),
    weight=rng.random(400).astype(np.float32),
)
model = models.classifier(sys.argv[1], spec.shape, 2, {"width": 8})
settings = Fit(steps=20, batch=128, every=10, rate=1e-2, noise=0.1, patience=5)
one, two, other = (
    fit.fit(
        model, windows, windows[:200], seeds=seeds, settings=settings, run=fit.Run(devices=devices)
    )
    for seeds, devices in (([1, 2, 3], 1), ([1, 2, 3], None), ([4, 5, 6], None))
)
np.testing.assert_allclose(one.loss, two.loss, rtol=1e-4)
assert np.abs(one.loss / other.loss - 1).min() > 1e-3  # as far apart as seeds are
for mine, theirs in zip(jax.tree.leaves(one.params), jax.tree.leaves(two.params), strict=True):
    np.testing.assert_allclose(mine, theirs, atol=2e-3)
    assert len(theirs.devices()) == 1

rows = [np.arange(200), np.arange(200, 400), np.arange(100, 300), np.arange(50)]
shared = pipelines.train(model, windows, rows, [1, 2, 3, 4], settings)
alone = pipelines.train(model, windows, rows[:3], [1, 2, 3], settings)  # two cannot share three
for mine, theirs in zip(jax.tree.leaves(alone), jax.tree.leaves(shared), strict=True):
    np.testing.assert_allclose(mine, theirs[:3], atol=2e-3)
    assert len(theirs.devices()) == 1
"""


@pytest.mark.parametrize("network", ["mlp", pytest.param("gru", marks=pytest.mark.slow)])
def test_devices_that_share_a_batch_find_what_one_finds(network: str) -> None:
    flags = os.environ.get("XLA_FLAGS", "")
    environment = os.environ | {
        "XLA_FLAGS": f"{flags} --xla_force_host_platform_device_count=2",
        "JAX_PLATFORMS": "cpu",
    }
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM, network],
        cwd=Path(__file__).parents[2],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
