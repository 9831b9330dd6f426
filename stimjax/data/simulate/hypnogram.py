"""The course of sleep: stages for each epoch, from a Markov chain that follows the sleep cycle."""

from __future__ import annotations

import numpy as np

from stimjax.data.simulate.noise import EPOCH_SECONDS

STAGES = ("W", "N1", "N2", "N3", "R")
W, N1, N2, N3, R = range(5)

CYCLE_EPOCHS = 90 * 60 // EPOCH_SECONDS
LATENCY_EPOCHS = 20.0  # mean time to fall asleep, 10 min
DWELL_EPOCHS = (3.0, 3.0, 10.0, 14.0, 16.0)  # mean stay before the next stage is drawn, by stage
SHORTEST_DWELL = 1.15

# Sleepers do not jump between these; they pass through the stage in between.
DETOUR = {(W, N3): N1, (W, R): N1, (N1, N3): N2, (N3, R): N2, (R, N3): N2}


def hypnogram(rng: np.random.Generator, epochs: int, fragmentation: float) -> np.ndarray:
    """A night's stages, as numbers into `STAGES`, i[epochs].

    A recording shorter than a cycle of 90 min holds one cycle, run faster, so that every stage
    can occur.

    Args:
        rng: source of chance.
        epochs: how many.
        fragmentation: 0 (undisturbed) to 1 (sleep often broken, little N3), as apnea does.
    """
    latency = max(1, round(min(rng.exponential(LATENCY_EPOCHS), 0.1 * epochs)))
    cycles = max(1, round((epochs - latency) / CYCLE_EPOCHS))
    cycle = (epochs - latency) / cycles
    dwell = np.maximum(SHORTEST_DWELL, np.asarray(DWELL_EPOCHS) * cycle / CYCLE_EPOCHS)
    dwell[N1:] = np.maximum(SHORTEST_DWELL, dwell[N1:] * (1 - 0.5 * fragmentation))
    stages = np.full(epochs, W)
    for epoch in range(latency, epochs):
        number, position = divmod((epoch - latency) / cycle, 1)
        before = int(stages[epoch - 1])
        if epoch > latency and rng.random() > 1 / dwell[before]:
            stages[epoch] = before
            continue
        night = 0.0 if cycles == 1 else min(1.0, number / (cycles - 1))
        drawn = int(rng.choice(5, p=_likely(position, night, fragmentation)))
        stages[epoch] = N1 if epoch == latency else DETOUR.get((before, drawn), drawn)
    return stages


def _likely(position: float, night: float, fragmentation: float) -> np.ndarray:
    """Probability of each stage at `position` (0 to 1) of a cycle, `night` (0 to 1) of the night.

    Deep sleep belongs to the first cycles, REM sleep to the last ones.
    """
    deep = (0.9 - 0.7 * night) * (1 - 0.5 * fragmentation)
    if position < 0.05:
        p = np.array([0.1, 0.6, 0.3, 0.0, 0.0])
    elif position < 0.25 or 0.6 <= position < 0.8 - 0.1 * night:
        p = np.array([0.04, 0.08, 0.88, 0.0, 0.0])
    elif position < 0.6:
        p = np.array([0.02, 0.03, 0.95 - deep, deep, 0.0])
    else:
        p = np.array([0.05, 0.07, 0.08, 0.0, 0.8])
    broken = np.array([0.5, 0.5, 0.0, 0.0, 0.0])
    return (1 - 0.25 * fragmentation) * p + 0.25 * fragmentation * broken
