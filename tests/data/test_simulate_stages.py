from __future__ import annotations

from pathlib import Path

import numpy as np
import pyedflib
import pytest
from scipy.signal import butter, sosfiltfilt, welch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from stimjax.data.simulate import write_cohort

STAGES = ("W", "N1", "N2", "N3", "R")
CHANNELS = ("EEG C4-M1", "EOG E1-M2", "EMG chin")

# EEG, EOG and EMG with one row an epoch, and the stage of each epoch.
Night = tuple[dict[str, np.ndarray], np.ndarray]


def read(path: Path) -> Night:
    with pyedflib.EdfReader(str(path)) as file:
        assert tuple(file.getSignalLabels()) == CHANNELS
        assert [file.getSampleFrequency(index) for index in range(3)] == [100, 100, 100]
        assert [file.getPhysicalDimension(index) for index in range(3)] == ["uV", "uV", "uV"]
        signals = {name: file.readSignal(index) for index, name in enumerate(CHANNELS)}
        onset, duration, text = file.readAnnotations()
    assert np.array_equal(onset, np.arange(len(onset)) * 30) and np.all(duration == 30)
    stages = np.array([STAGES.index(str(t).removeprefix("Sleep stage ")) for t in text])
    return {name: values.reshape(len(stages), -1) for name, values in signals.items()}, stages


@pytest.fixture(scope="module")
def sleep(tmp_path_factory: pytest.TempPathFactory) -> list[Night]:
    folder = tmp_path_factory.mktemp("stages")
    write_cohort(folder, subjects=6, hours=1.5, seed=0, task="stages")
    return [read(path) for path in sorted(folder.glob("*.edf"))]


def test_each_stage_has_its_own_rhythms(sleep):
    stage = np.concatenate([stages for _, stages in sleep])
    eeg, eog, emg = (np.concatenate([signals[name] for signals, _ in sleep]) for name in CHANNELS)
    assert (np.bincount(stage, minlength=5) > 20).all()

    def power(low: float, high: float) -> list[float]:
        """Median power density of the EEG in a band, for each stage."""
        frequency, density = welch(eeg, 100, nperseg=400)
        inside = density[:, (frequency >= low) & (frequency < high)].mean(axis=1)
        return [float(np.median(inside[stage == number])) for number in range(5)]

    w, n1, n2, n3, r = range(5)
    slow, theta, alpha, sigma = power(0.5, 2), power(4, 8), power(8.5, 11.5), power(12, 15)
    assert slow[n3] > 4 * max(slow[w], slow[n1], slow[r]) and slow[n3] > 3 * slow[n2]
    assert alpha[w] > 1.5 * max(alpha[n1], alpha[n2], alpha[n3], alpha[r])
    assert sigma[n2] > 1.3 * max(sigma[n3], sigma[r])
    assert theta[n1] / slow[n1] > theta[n2] / slow[n2] > theta[n3] / slow[n3]
    waves = np.asarray(sosfiltfilt(butter(2, [0.5, 2], "bandpass", fs=100, output="sos"), eeg))
    over = (np.ptp(waves.reshape(len(eeg), -1, 200), axis=2) > 75).mean(axis=1)
    assert np.median(over[stage == n3]) > 0.5 > np.median(over[stage == n2])
    tone = [float(np.median(np.abs(emg[stage == number]))) for number in range(5)]
    assert tone[w] > tone[n1] > tone[n2] > tone[r] and tone[n3] > tone[r]
    eyes = [float(np.median(eog[stage == number].std(axis=1))) for number in range(5)]
    assert eyes[r] > 1.2 * eyes[n2] and eyes[w] > eyes[n2]


def test_stages_can_be_learned_and_are_not_trivial(sleep):
    x, y, who = [], [], []
    for subject, (signals, stages) in enumerate(sleep):
        columns = []
        for name in CHANNELS[:2]:
            frequency, density = welch(signals[name], 100, nperseg=400)
            for low, high in ((0.3, 2), (2, 4), (4, 8), (8, 12), (12, 16), (16, 30)):
                inside = (frequency >= low) & (frequency < high)
                columns.append(np.log(density[:, inside].mean(axis=1)))
        columns.append(np.log(np.median(np.abs(signals["EMG chin"]), axis=1)))
        x.append(np.stack(columns, axis=1))
        y.append(stages)
        who.append(np.full(len(y[-1]), subject))
    x, y, held_out = np.concatenate(x), np.concatenate(y), np.concatenate(who) % 3 == 2
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
    model.fit(x[~held_out], y[~held_out])
    score = balanced_accuracy_score(y[held_out], model.predict(x[held_out]))
    assert 0.5 < score < 0.97
