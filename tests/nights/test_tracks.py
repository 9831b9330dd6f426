"""Signals of a night for a page: what is drawn covers what was measured."""

import numpy as np
from one_night import LOST

from stimjax.nights.night import ScoredNight
from stimjax.nights.tracks import thinned, tracks


def test_a_short_signal_stays_as_it_is() -> None:
    values = np.array([3.0, 1.0, np.nan, 2.0])
    time, value = thinned(values, 2.0, 4)
    np.testing.assert_array_equal(value, values)
    np.testing.assert_array_equal(time, [0, 0.5, 1, 1.5])


def test_a_long_one_keeps_the_extremes_of_every_stretch() -> None:
    values = np.random.default_rng(1).normal(size=100_003)
    values[50_000:61_000] = np.nan
    values[70_001] = 99.0  # a single sample that no eye may miss
    time, value = thinned(values, 100.0, 5_000)
    assert len(value) <= 5_002
    assert np.nanmax(value) == 99.0 and time[np.nanargmax(value)] == np.float32(700.01)
    assert (np.diff(time[np.isfinite(value)]) > 0).all()
    for begin in range(0, 100_000, 4_000):  # a pixel's worth each, against the samples themselves
        inside = (time >= begin / 100) & (time < (begin + 4_000) / 100)
        own = values[begin : begin + 4_000]
        if np.isfinite(own).sum() > 100:
            low, high = np.nanmin(value[inside]), np.nanmax(value[inside])
            assert abs(low - np.nanmin(own)) < 0.5 and abs(high - np.nanmax(own)) < 0.5
        gap = np.isnan(own).all()
        assert not gap or np.isnan(value[inside]).all()


def test_values_are_in_the_file_s_unit_and_a_lost_probe_is_a_gap(night: ScoredNight) -> None:
    (track,) = tracks(night.recording, ("SpO2",))
    assert (track.name, track.unit) == ("SpO2", "%")
    assert np.isnan(track.value[60 * LOST : 60 * LOST + 55]).all()
    assert track.low < np.nanmin(track.value) == 90 and track.high > np.nanmax(track.value) == 98
