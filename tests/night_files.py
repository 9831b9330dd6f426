"""Nights with known SpO2 and scoring, for tests of what becomes of them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from stimjax import batch
from stimjax.batch import Batch
from stimjax.data import split
from stimjax.data.edf.writer import Trace, write_edf

MINUTES = 10
WORDS = ("Normal", "Apnea")
# Named so that the order of the codes is not the order of the files.
CODES = {"night-a": "S6", "night-b": "S2", "night-c": "S4", "night-d": "S1", "night-e": "S5"} | {
    "night-f": "S3"
}


class Cohort:
    """Recordings in a folder, and what was written into them, by patient code."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.spo2: dict[str, np.ndarray] = {}
        self.labels: dict[str, np.ndarray] = {}

    def add(self, name: str, code: str, spo2: np.ndarray, labels: np.ndarray) -> None:
        self.spo2[code], self.labels[code] = spo2, labels
        scored = [(60.0 * m, 60.0, WORDS[label]) for m, label in enumerate(labels)]
        traces = [Trace("SaO2", "%", 1, spo2, 0.0, 127.0, (0, 127))]
        write_edf(self.folder / f"{name}.edf", code, traces, scored)

    def number(self, code: str) -> int:
        return sorted(self.spo2).index(code)


def parts(folder: Path) -> dict[str, Batch]:
    return {name: batch.load(folder, name) for name in split.PARTS}


def made_of(folder: Path) -> dict:
    return json.loads((folder / "spec.json").read_text())["made"]


def inside(before: int, after: int) -> list[int]:
    """The minutes whose windows need no time outside the recording."""
    return [m for m in range(MINUTES) if 60 * m >= before and 60 * m + 60 + after <= 60 * MINUTES]


def truth(spo2: np.ndarray, minute: int, before: int, after: int) -> np.ndarray:
    """What a window must hold."""
    return spo2[60 * minute - before : 60 * minute + 60 + after]
