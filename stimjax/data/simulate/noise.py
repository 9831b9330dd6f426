"""Random processes from which the simulated signals are built: all vectorized, all from one key."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import uniform_filter1d
from scipy.signal import butter, lfilter, sosfilt

EPOCH_SECONDS = 30  # of sleep staging (AASM manual, rule IV.A)


def colored(rng: np.random.Generator, n: int, tau: float) -> np.ndarray:
    """A stationary first-order autoregressive process of variance 1.

    Args:
        rng: source of chance.
        n: samples.
        tau: time constant in samples.
    """
    pole = np.exp(-1 / tau)
    start = rng.normal()
    noise = rng.normal(size=n) * np.sqrt(1 - pole**2)
    process, _ = lfilter([1.0], [1.0, -pole], noise, zi=np.array([pole * start]))
    return process


def band(rng: np.random.Generator, n: int, low: float, high: float, rate: int) -> np.ndarray:
    """Noise between `low` and `high` Hz (at most `rate` / 2), of standard deviation 1."""
    if high < rate / 2:
        sos = butter(2, [low, high], "bandpass", fs=rate, output="sos")
    else:
        sos = butter(2, low, "highpass", fs=rate, output="sos")
    noise = np.asarray(sosfilt(sos, rng.normal(size=n)))
    return noise / noise.std()


def upsample(values: np.ndarray, rate: int) -> np.ndarray:
    """Values at 1 Hz, linearly interpolated to `rate` Hz; `len(values) * rate` samples."""
    return np.interp(np.arange(len(values) * rate) / rate, np.arange(len(values)), values)


def by_stage(stages: np.ndarray, table: tuple[float, ...], smooth: int = 21) -> np.ndarray:
    """The value of `table` that belongs to each second's stage, at 1 Hz.

    Args:
        stages: a stage number for each epoch.
        table: a value for each stage.
        smooth: seconds of the moving average that softens the change from stage to stage.
    """
    return uniform_filter1d(np.repeat(np.asarray(table)[stages], EPOCH_SECONDS), smooth)


def moments(rng: np.random.Generator, per_hour: float, seconds: float) -> np.ndarray:
    """Moments of a Poisson process in s from 0 to `seconds`, in order."""
    return np.sort(rng.uniform(0, seconds, rng.poisson(per_hour * seconds / 3600)))


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """A number between `low` and `high` whose logarithm is uniform."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))
