"""Nights to labeled windows with MNE-Python, step by step as `stimjax prepare` does it.

PYTHON mne_prepare.py OUT FILE.edf ... [--rate HZ]

Runs in an environment of its own (`requirements/mne.txt`) and imports nothing of stimjax. Each
recording: read the EDF, pick its channels, bring them to one rate (polyphase filter), normalize,
label whole minutes by the scored apneas and hypopneas in sleep or wake, cut a window around each,
save. It leaves out what stimjax does beyond that: masks, checks, the split, ranges.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import mne  # pyright: ignore[reportMissingImports]
import numpy as np

CHANNELS = ("Thor", "Abdo", "Flow", "SpO2", "HR")
BEFORE, MINUTE, AFTER = 15.0, 60.0, 45.0  # s
LEAST = 10.0  # s of apnea and hypopnea in a minute
BREATHING = ("apnea", "hypopnea")
ROBUST_SD, MOST = 1.349, 10.0


def windows(path: Path, rate: float) -> tuple[np.ndarray, np.ndarray]:
    """The windows f32[n, time, channel] of a recording, and whether each is apnea."""
    # Of one rate each: read together, the slow channels would be brought to the highest rate.
    fast = mne.io.read_raw_edf(path, include=CHANNELS[:3], preload=True, verbose="error")
    slow = mne.io.read_raw_edf(path, include=CHANNELS[3:], preload=True, verbose="error")
    length = round(rate * fast.n_times / fast.info["sfreq"])
    for raw in (fast, slow):
        raw.resample(rate, method="polyphase", verbose="error")
    rows = np.concatenate([fast.get_data()[:, :length], slow.get_data()[:, :length]])
    x = normalized(rows).T.astype(np.float32)
    label = labels(fast.annotations, length / rate)
    starts = np.round((MINUTE * np.arange(len(label)) - BEFORE) * rate).astype(int)
    index = starts[:, None] + np.arange(round((BEFORE + MINUTE + AFTER) * rate))
    scored = label >= 0
    return x[np.clip(index, 0, length - 1)][scored], label[scored]


def normalized(rows: np.ndarray) -> np.ndarray:
    """Each channel less its median, over its robust spread; SpO2 (the fourth) in its own units."""
    low, median, high = np.percentile(rows, [25, 50, 75], axis=1, keepdims=True)
    spread = (high - low) / ROBUST_SD
    spread = np.where(spread > 0, spread, rows.std(axis=1, keepdims=True))
    x = np.clip((rows - median) / spread, -MOST, MOST)
    x[3] = (rows[3] - 95.0) / 4.0
    return x


def labels(annotations: Any, duration: float) -> np.ndarray:
    """1 for a minute with enough apnea or hypopnea, 0 without, -1 where no stage was scored."""
    text = [str(description).lower() for description in annotations.description]
    breathing = seconds(annotations, np.array([t.endswith(BREATHING) for t in text]), duration)
    staged = [t.startswith("sleep stage") and not t.endswith("?") for t in text]
    asleep = seconds(annotations, np.array(staged), duration)
    return np.where(asleep > MINUTE / 2, breathing >= LEAST - 1e-6, -1).astype(int)


def seconds(annotations: Any, which: np.ndarray, duration: float) -> np.ndarray:
    """How much of each minute the chosen annotations cover; what overlaps counts once."""
    found = np.zeros(int(duration // MINUTE))
    first = MINUTE * np.arange(len(found))
    end = 0.0
    for onset, length in zip(annotations.onset[which], annotations.duration[which], strict=True):
        start, end = max(onset, end), max(end, onset + length)
        found += np.clip(np.minimum(end, first + MINUTE) - np.maximum(start, first), 0, None)
    return found


def main() -> None:
    """Write a file of windows for each recording, and print how many there are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("recordings", type=Path, nargs="+")
    parser.add_argument("--rate", type=float, default=4.0)
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    count = 0
    for number, path in enumerate(asked.recordings):
        x, y = windows(path, asked.rate)
        np.savez(asked.out / f"recording-{number:04d}.npz", x=x, y=y)
        count += len(y)
    print(f"mne {mne.__version__}, windows: {count}")


if __name__ == "__main__":
    main()
