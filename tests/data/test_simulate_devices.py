from __future__ import annotations

import numpy as np
import pytest

from stimjax.data.simulate.artifacts import freeze, miscount, spike
from stimjax.data.simulate.belts import Belts
from stimjax.data.simulate.devices import Device, later

STEP = np.repeat([0.0, 1.0], 60)


@pytest.mark.parametrize("exponential", [0.0, 1.0])
def test_a_device_rises_as_slowly_as_it_averages(exponential):
    took = []
    for average in (2.0, 6.0, 16.0):
        shown = Device(average=average, exponential=exponential).smooth(STEP)
        assert np.all(np.diff(shown) >= -1e-12)
        took.append(int(np.sum((shown > 0.1) & (shown < 0.9))))
    assert took[0] < took[1] < took[2]
    if not exponential:  # a moving average of n seconds is a ramp of n - 1 values
        assert took == [1, 5, 13]


def test_an_exponential_average_has_its_time_constant():
    shown = Device(average=8.0, exponential=1.0).smooth(STEP)
    assert shown[59 + 4] == pytest.approx(1 - np.exp(-1), abs=1e-9)


def test_values_are_late_held_and_in_steps():
    assert np.array_equal(later(np.arange(6.0), 2), [0, 0, 0, 1, 2, 3])
    x = np.random.default_rng(0).normal(95, 3, 1000)
    shown = Device(hold=4.0, step=0.5).shown(x)
    assert len(shown) == 1000
    assert np.array_equal(2 * shown, np.round(2 * shown))
    assert not np.any((np.flatnonzero(np.diff(shown)) + 1) % 4)
    assert np.abs(shown[::4] - x[::4]).max() <= 0.25


def test_artifacts_come_as_often_as_they_are_asked_for():
    rng = np.random.default_rng(0)
    x = np.arange(36_000.0)
    calm = x.copy()
    for change in (spike, freeze, miscount):
        change(rng, calm, 0.0, *([(-5, 5)] if change is spike else []))
    assert np.array_equal(calm, x)

    frozen = x.copy()
    freeze(rng, frozen, 3.0)
    starts = np.sum((np.diff(frozen) == 0) & (np.diff(frozen, prepend=-1)[:-1] != 0))
    assert 15 <= starts <= 45
    beats = np.full(36_000, 60.0)
    miscount(rng, beats, 3.0)
    assert {30.0, 40.0, 80.0, 120.0} & set(beats) and np.mean(beats == 60) > 0.9
    spiked = np.full(36_000, 60.0)
    spike(rng, spiked, 3.0, (-30, 40))
    assert 10 <= np.sum(spiked != 60) <= 90 and np.abs(spiked - 60).max() <= 40


def test_a_sensor_of_warmth_lags_and_an_amplifier_clips():
    flow = np.sin(2 * np.pi * np.arange(1600) / 64)  # a breath in 4 s at 16 Hz
    assert Belts().warmth(flow, 16) is flow and Belts().clipped(flow) is flow
    slow = Belts(thermistor=0.6).warmth(flow, 16)
    lag = max(range(32), key=lambda samples: np.dot(slow[samples:1500], flow[: 1500 - samples]))
    assert 4 <= lag <= 16
    assert np.abs(Belts(ceiling=0.8).clipped(flow)).max() == 0.8
