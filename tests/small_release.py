"""A release of random numbers, of signals or of images, for tests of what is done with one."""

import dataclasses
from pathlib import Path

import numpy as np

from stimjax import batch, config, release
from stimjax.batch import Batch, Channel, Spec
from stimjax.config.recipes import RECIPES
from stimjax.disk.documents import Guarantee, Manifest

SIGNALS = Spec(
    shape=(120, 2),
    classes=("normal", "apnea"),
    channels=(
        Channel("SpO2", "%", center=95.0, scale=4.0, low=-5.0, high=1.2512345, resolution=0.25),
        Channel("a name of a flow, far too long", "µV", "recording", low=-2.51234567, high=3.1),
    ),
    rate=2.0,
    label_start=15.0,
    label_seconds=30.0,
)
IMAGES = Spec(shape=(4, 3, 1), classes=("a", "b"), channels=(Channel("ink", "1"),))
MANIFEST = Manifest(
    count=25,
    method=config.Synthesis("probe", recipe=RECIPES["probe"]),
    classes=(14, 11),
    accepted=(13, 12),
    failed=(2, 5),
    hits=(13, 12),
    lane_steps=100,
    uses=("the range of each channel",),
    privacy=Guarantee(),
    versions={"stimjax": "0.1.0"},
)


def written(folder: Path, spec: Spec, count: int = 25) -> Batch:
    """Write a release in two shards."""
    rng = np.random.default_rng(0)
    x = rng.uniform(spec.low, spec.high, (count, *spec.shape)).astype(np.float32)
    made = batch.make(x, rng.dirichlet([1, 1], count), spec)
    folder.mkdir()
    for number, rows in enumerate(np.array_split(np.arange(count), 2)):
        release.save_shard(folder, number, made[rows])
    release.finish(folder, spec, dataclasses.replace(MANIFEST, count=count))
    return made
