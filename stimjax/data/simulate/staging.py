"""EEG, EOG and chin EMG whose rhythms belong to the stage of sleep.

The rules are those of the AASM manual (rule IV): alpha while awake, theta and vertex waves in N1,
spindles and K complexes in N2, slow waves over 75 uV in N3, theta with sawtooth waves, rapid eye
movements and an almost silent chin in R.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import uniform_filter1d
from scipy.signal import butter, sosfilt

from stimjax.data.simulate.hypnogram import STAGES, W, hypnogram
from stimjax.data.simulate.noise import EPOCH_SECONDS, band, colored, log_uniform, upsample
from stimjax.data.simulate.sleeper import RHYTHMS, Electrodes, Sleeper

RATE = 100  # Hz

BANDS = {"slow": (0.5, 2.0), "theta": (4.0, 7.5), "beta": (16.0, 30.0)}  # Hz
BACKGROUND = (7.0, 7.5, 8.5, 9.0, 7.0)
MUSCLE = (13.0, 8.0, 5.5, 4.5, 2.0)  # uV of the chin
EYES_SECONDS = 60.0
PHASIC_SECONDS = 45.0

# Waves a minute, by stage.
SPINDLES = (0.0, 0.2, 1.0, 0.35, 0.0)  # relative to the person's density
K_COMPLEXES = (0.0, 0.0, 1.5, 0.4, 0.0)
VERTEX = (0.0, 2.5, 0.4, 0.0, 0.0)
SAWTOOTH = (0.0, 0.0, 0.0, 0.0, 1.2)
SACCADES = (14.0, 1.0, 0.2, 0.0, 9.0)
BLINKS = (10.0, 0.3, 0.0, 0.0, 0.0)
SLOW_ROLLING = (1.0, 3.5, 0.1, 0.0, 0.0)
TWITCHES = (0.5, 0.3, 0.1, 0.1, 3.0)
MOVEMENTS = (1.0, 0.3, 0.06, 0.03, 0.1)

SHIFT_SECONDS = 10.0  # a stage changes within so much of the scored epoch's edge
CHANGE_SECONDS = 8  # that a change of rhythm takes


def polysomnogram(
    rng: np.random.Generator, sleeper: Sleeper, epochs: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[tuple[float, float, str]]]:
    """EEG, EOG and EMG in uV at `RATE`, and the stages as annotations."""
    scored = hypnogram(rng, epochs, sleeper.fragmentation)
    stages = _true_course(rng, scored)
    eeg = _rhythms(rng, sleeper, stages) + sleeper.gain["waves"] * _waves(rng, sleeper, stages)
    electrodes = sleeper.electrodes
    eog = electrodes.brain * eeg + sleeper.eyes * _eyes(rng, stages)
    emg = _muscle(rng, sleeper, stages)
    for signal, leak in ((eeg, electrodes.muscle), (eog, electrodes.muscle_eyes)):
        signal += leak * emg + sleeper.noise * rng.normal(size=len(signal))
        signal += electrodes.sweat * upsample(colored(rng, len(stages), 3), RATE)  # and breathing
    _movements(rng, stages, (eeg, eog, emg))
    eeg, eog, emg = _amplified(rng, electrodes, (eeg, electrodes.eyes_sign * eog, emg))
    annotations = [
        (float(epoch * EPOCH_SECONDS), float(EPOCH_SECONDS), f"Sleep stage {STAGES[stage]}")
        for epoch, stage in enumerate(scored)
    ]
    return eeg, eog, emg, annotations


def _amplified(
    rng: np.random.Generator, electrodes: Electrodes, signals: tuple[np.ndarray, ...]
) -> list[np.ndarray]:
    """EEG, EOG and EMG with heartbeat and mains, as the amplifier passes them on."""
    amplified = []
    for index, signal in enumerate(signals):
        if electrodes.heart and index < 2:
            signal = signal + electrodes.heart * rng.uniform(-1, 1) * _heartbeat(
                rng, electrodes, len(signal)
            )
        if electrodes.mains:
            turn = (
                2 * np.pi * (electrodes.mains_rate / RATE * np.arange(len(signal)) + rng.random())
            )
            signal = signal + electrodes.mains * rng.uniform(0.2, 1) * np.sin(turn)
        if electrodes.high_pass:
            sos = butter(1, electrodes.high_pass, "highpass", fs=RATE, output="sos")
            signal = np.asarray(sosfilt(sos, signal))
        if electrodes.low_pass and index < 2:
            sos = butter(2, electrodes.low_pass, fs=RATE, output="sos")
            signal = np.asarray(sosfilt(sos, signal))
        amplified.append(signal)
    return amplified


def _heartbeat(rng: np.random.Generator, electrodes: Electrodes, n: int) -> np.ndarray:
    """Spikes of size 1, a beat each."""
    beats = np.zeros(n)
    gaps = 60 / electrodes.beats * np.exp(rng.normal(0, 0.04, int(n / RATE * 3)))
    at = (np.cumsum(gaps) * RATE).astype(int)
    beats[at[at < n]] = 1
    return np.convolve(beats, (0.3, 1.0, -0.4), mode="same")


def _true_course(rng: np.random.Generator, scored: np.ndarray) -> np.ndarray:
    """The stage of each second: sleep knows no epochs, and changes before or after their edges."""
    seconds = np.arange(len(scored) * EPOCH_SECONDS)
    edges = np.arange(1, len(scored)) * EPOCH_SECONDS
    edges = edges + rng.uniform(-SHIFT_SECONDS, SHIFT_SECONDS, len(edges))
    return scored[np.searchsorted(edges, seconds, side="right")]


def _course(stages: np.ndarray, table: tuple[float, ...]) -> np.ndarray:
    """The value of `table` for each second's stage, softened, at `RATE`."""
    return upsample(uniform_filter1d(np.asarray(table)[stages], CHANGE_SECONDS), RATE)


def _rhythms(rng: np.random.Generator, sleeper: Sleeper, stages: np.ndarray) -> np.ndarray:
    """The EEG's background and its rhythms, waxing and waning."""
    n = len(stages) * RATE
    background = colored(rng, n, sleeper.slope * RATE)
    eeg = sleeper.gain["background"] * _course(stages, BACKGROUND) * background
    # Eyes are closed for 0.65 of wakefulness; open eyes have no alpha.
    open_eyes = (colored(rng, len(stages), EYES_SECONDS) > 0.385) & (stages == W)
    bands = {**BANDS, "alpha": (sleeper.alpha - 0.7, sleeper.alpha + 0.7)}
    for name, table in RHYTHMS.items():
        size = _course(stages, table)
        if name == "alpha":
            size = size * upsample(uniform_filter1d(np.where(open_eyes, 0.15, 1.0), 3), RATE)
        waxing = np.exp(upsample(0.3 * colored(rng, len(stages), 10), RATE))
        eeg += sleeper.gain[name] * size * waxing * band(rng, n, *bands[name], RATE)
    return eeg


def _waves(rng: np.random.Generator, sleeper: Sleeper, stages: np.ndarray) -> np.ndarray:
    """Spindles, K complexes, vertex and sawtooth waves."""
    waves = np.zeros(len(stages) * RATE)
    for at in _times(rng, stages, SPINDLES, sleeper.spindles):
        t = np.arange(int(rng.uniform(0.5, 1.8) * RATE)) / RATE
        wave = np.sin(2 * np.pi * (sleeper.spindle + rng.normal(0, 0.3)) * t)
        _put(waves, at, sleeper.spindle_size * rng.uniform(0.6, 1.4) * wave * np.hanning(len(t)))
    for at in _times(rng, stages, K_COMPLEXES):
        size = rng.uniform(80, 160)
        _put(waves, at, -size * _bump(0.35))
        _put(waves, at + int(0.28 * RATE), 0.7 * size * _bump(0.7))
    for at in _times(rng, stages, VERTEX):
        _put(waves, at, -rng.uniform(40, 90) * _bump(0.2))
    for at in _times(rng, stages, SAWTOOTH):
        t = np.arange(int(rng.uniform(1.5, 5) * RATE)) / RATE
        tooth = 2 * ((rng.uniform(2.2, 4) * t) % 1) - 1
        _put(waves, at, rng.uniform(15, 30) * tooth * np.hanning(len(t)))
    return waves


def _eyes(rng: np.random.Generator, stages: np.ndarray) -> np.ndarray:
    """Saccades, which come in bursts, blinks, and the slow rolling of drowsiness."""
    eyes = np.zeros(len(stages) * RATE)
    phasic = np.exp(1.3 * colored(rng, len(stages), PHASIC_SECONDS) - 0.8)  # bursts, then none
    for at in _times(rng, stages, SACCADES, 0.4 * phasic):
        for _ in range(int(rng.integers(1, 5))):
            t = np.arange(int(rng.uniform(0.5, 1.2) * RATE)) / RATE
            jump = (1 - np.exp(-t / 0.03)) * np.exp(-t / 0.5)  # the amplifier is AC-coupled
            _put(eyes, at, rng.choice([-1, 1]) * rng.uniform(40, 160) * jump)
            at += int(rng.uniform(0.3, 1.0) * RATE)
    for at in _times(rng, stages, BLINKS):
        _put(eyes, at, rng.uniform(80, 200) * _bump(0.35))
    for at in _times(rng, stages, SLOW_ROLLING):
        t = np.arange(int(rng.uniform(3, 9) * RATE)) / RATE
        roll = np.sin(2 * np.pi * rng.uniform(0.2, 0.45) * t)
        _put(eyes, at, rng.uniform(40, 110) * roll * np.hanning(len(t)))
    return eyes


def _muscle(rng: np.random.Generator, sleeper: Sleeper, stages: np.ndarray) -> np.ndarray:
    """The chin's tone, which falls from stage to stage, and its twitches."""
    table = (*MUSCLE[:4], sleeper.atonia * MUSCLE[4])
    tone = _course(stages, table) * np.exp(upsample(0.45 * colored(rng, len(stages), 60), RATE))
    for at in _times(rng, stages, TWITCHES):
        burst = tone[at : at + int(log_uniform(rng, 0.1, 0.8) * RATE)]
        burst += rng.uniform(5, 25)
    noise = band(rng, len(tone), 10, RATE / 2, RATE)
    return sleeper.gain["muscle"] * tone * noise + sleeper.noise * rng.normal(size=len(tone))


def _movements(
    rng: np.random.Generator, stages: np.ndarray, signals: tuple[np.ndarray, ...]
) -> None:
    """Movements, seen in every channel."""
    for at in _times(rng, stages, MOVEMENTS):
        n = int(rng.uniform(1, 8) * RATE)
        for signal, size in zip(signals, (60.0, 80.0, 10.0), strict=True):
            burst = band(rng, n, 0.3, 8, RATE) * np.hanning(n)
            _put(signal, at, log_uniform(rng, 0.5, 2) * size * burst)
        _put(signals[2], at, log_uniform(rng, 15, 60) * rng.normal(size=n) * np.hanning(n))


def _times(
    rng: np.random.Generator,
    stages: np.ndarray,
    table: tuple[float, ...],
    factor: np.ndarray | float = 1.0,
) -> np.ndarray:
    """Samples at which a wave starts that comes so often a minute of each stage."""
    chance = factor * np.asarray(table)[stages] / 60
    seconds = np.flatnonzero(rng.random(len(stages)) < chance)
    return ((seconds + rng.random(len(seconds))) * RATE).astype(int)


def _put(signal: np.ndarray, at: int | np.integer, wave: np.ndarray) -> None:
    """Add `wave` to `signal` from sample `at` on; what reaches beyond the end is lost."""
    room = signal[at : at + len(wave)]
    room += wave[: len(room)]


def _bump(seconds: float) -> np.ndarray:
    return np.hanning(int(seconds * RATE))
