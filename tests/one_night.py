"""A night with a lost probe that a person scored, for tests of what models make of it."""

from pathlib import Path

import numpy as np

from stimjax.batch import Channel, Spec
from stimjax.data.edf.writer import Trace, write_edf

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
