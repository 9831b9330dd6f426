"""Windows that benchmarks learn from: of simulated nights, labeled normal or apnea."""

from __future__ import annotations

import tempfile
from pathlib import Path

from workers import sized

from stimjax import batch, config
from stimjax.batch import Batch
from stimjax.data import prepare, simulate

CHANNELS = ("chest", "abdomen", "flow", "SpO2")
PARTS = ("train", "validation")


def windows(subjects: int = 12, hours: float = sized(1.0, 0.2)) -> tuple[Batch, Batch]:
    """Training and validation windows f32[n, 60, 4]: 60 s at 1 Hz of four channels."""
    settings = config.Prepare(channels=CHANNELS, rate=1.0, split="random")
    with tempfile.TemporaryDirectory() as name:
        recordings, folder = Path(name, "recordings"), Path(name, "windows")
        recordings.mkdir()
        folder.mkdir()
        simulate.write_cohort(recordings, subjects=subjects, hours=hours, seed=0)
        prepare.prepare([recordings], settings, folder)
        train, validation = (batch.load(folder, part) for part in PARTS)
    return train, validation
