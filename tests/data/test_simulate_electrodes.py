from __future__ import annotations

import dataclasses

import numpy as np
from scipy.signal import welch

from stimjax.data.simulate.sleeper import Electrodes, draw_sleeper
from stimjax.data.simulate.staging import RATE, polysomnogram


def recorded(**electrodes: float) -> list[np.ndarray]:
    """EEG, EOG and EMG of the same quarter of an hour."""
    whose = draw_sleeper(np.random.default_rng(0))
    whose = dataclasses.replace(whose, electrodes=Electrodes(**electrodes))
    return list(polysomnogram(np.random.default_rng(1), whose, 30)[:3])


def power(signal: np.ndarray, low: float, high: float) -> float:
    frequency, density = welch(signal, RATE, nperseg=1000)
    return float(density[(frequency >= low) & (frequency <= high)].sum())


def test_electrodes_do_what_they_say():
    plain = recorded()
    for changed, one in zip(recorded(mains=20.0, mains_rate=40.0), plain, strict=True):
        assert power(changed, 39.5, 40.5) > 10 * power(one, 39.5, 40.5)
        assert power(changed, 10, 20) < 1.1 * power(one, 10, 20)
    eeg, eog, emg = recorded(low_pass=30.0)
    assert power(eeg, 45, 50) < 0.3 * power(plain[0], 45, 50)
    assert power(eog, 45, 50) < 0.3 * power(plain[1], 45, 50)
    assert np.array_equal(emg, plain[2])
    assert power(recorded(high_pass=0.5)[0], 0, 0.2) < 0.4 * power(plain[0], 0, 0.2)
    assert np.array_equal(recorded(eyes_sign=-1.0)[1], -plain[1])


def test_eeg_muscle_and_heart_leak_as_much_as_they_are_told():
    alone = recorded(brain=0.0)
    leaking = recorded(brain=0.7)
    assert (
        abs(np.corrcoef(alone[0], alone[1])[0, 1]) + 0.2 < np.corrcoef(leaking[0], leaking[1])[0, 1]
    )
    assert power(recorded(muscle=0.5)[0], 35, 50) > 2 * power(recorded(muscle=0.03)[0], 35, 50)
    beats = recorded(heart=25.0)[0] - recorded()[0]
    peaks = np.abs(beats) > 0.7 * np.abs(beats).max()
    assert 0.8 * 65 * 15 < peaks.sum() < 1.2 * 65 * 15
