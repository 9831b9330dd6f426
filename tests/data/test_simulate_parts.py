from __future__ import annotations

import numpy as np
import pytest

from stimjax.data.simulate import hypnogram
from stimjax.data.simulate.noise import colored
from stimjax.data.simulate.traits import SEVERITY, severity


def test_severity_follows_the_stated_mixture():
    for seed in range(5):
        few = np.array([severity(seed, number) for number in range(12)])
        assert (few < 15).sum() >= 4 and (few >= 30).sum() >= 2
        many = np.array([severity(seed, number) for number in range(1000)])
        for share, low, high in SEVERITY.values():
            assert np.mean((many >= low) & (many < high)) == pytest.approx(share, abs=0.01)


def test_every_stage_can_occur_even_in_a_short_recording():
    for epochs, share in ((12, 0.4), (60, 0.85), (960, 0.98)):
        nights = [
            hypnogram.hypnogram(np.random.default_rng(seed), epochs, 0.3) for seed in range(50)
        ]
        assert all(len(night) == epochs and night[0] == hypnogram.W for night in nights)
        assert np.mean([len(set(night)) == 5 for night in nights]) >= share


def test_noise_has_the_variance_and_memory_that_it_claims():
    x = colored(np.random.default_rng(0), 200_000, 5)
    assert x.std() == pytest.approx(1, abs=0.03)
    assert np.corrcoef(x[:-5], x[5:])[0, 1] == pytest.approx(np.exp(-1), abs=0.03)
