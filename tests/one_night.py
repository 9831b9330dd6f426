"""A night with a lost probe that a person scored, for tests of what models make of it."""

from pathlib import Path

import numpy as np

from stimjax import batch, config, release
from stimjax.batch import Batch, Channel, Spec
from stimjax.config.recipes import RECIPES
from stimjax.data.edf.writer import Trace, write_edf
from stimjax.disk.documents import Guarantee, Manifest

SPEC = Spec(
    shape=(60, 1),
    classes=("normal", "apnea"),
    channels=(Channel("SpO2", "%", "fixed", 95.0, 4.0, -6.0, 1.25),),
    rate=1.0,
    label_seconds=60.0,
)
MINUTES = 40
APNEA = (3, 4, 5, 17, 30)  # minutes that the person scores
LOST = 20  # a minute without a probe


def write_night(path: Path, spo2: np.ndarray, scored: bool = True) -> Path:
    events = [(60.0 * minute + 10, 20.0, "Obstructive apnea") for minute in APNEA]
    stages = [(30.0 * epoch + 1, 30.0, "Sleep stage N2") for epoch in range(2 * MINUTES)]
    traces = [Trace("SpO2", "%", 1, spo2, 0.0, 127.0, (0, 127))]
    write_edf(path, "Q1", traces, events + stages if scored else [])
    return path


def saturation(minutes: int = MINUTES) -> np.ndarray:
    values = np.random.default_rng(5).integers(90, 99, 60 * minutes).astype(float)
    values[60 * LOST : 60 * LOST + 55] = 0.0
    return values


def stimuli(count: int = 400, spec: Spec = SPEC) -> Batch:
    """Minutes of saturation like those of `saturation`; half of them dip, and are called apnea."""
    rng = np.random.default_rng(9)
    x = rng.integers(90, 99, (count, *spec.shape)).astype(np.float32)
    apnea = np.arange(count) % 2
    x[apnea == 1, 15:45] -= 15
    x = np.clip((x - 95) / 4, spec.low, spec.high)
    return batch.make(x, np.eye(2, dtype=np.float32)[apnea], spec)


def dipping(minutes: tuple[int, ...] = APNEA) -> np.ndarray:
    """The night whose saturation falls in these minutes."""
    values = saturation()
    for minute in minutes:
        values[60 * minute + 15 : 60 * minute + 45] -= 15
    return values


def write_release(folder: Path, made: Batch | None = None) -> Path:
    """A release of such stimuli, as a third party finds it."""
    made = stimuli() if made is None else made
    folder.mkdir()
    release.save_shard(folder, 0, made)
    half = len(made) // 2
    manifest = Manifest(
        count=len(made),
        method=config.Synthesis("probe", recipe=RECIPES["probe"]),
        classes=(half, half),
        accepted=(half, half),
        failed=(0, 0),
        hits=(half, half),
        lane_steps=1,
        uses=(),
        privacy=Guarantee(),
        versions={"stimjax": "0.1.0"},
    )
    release.finish(folder, made.spec, manifest)
    return folder
