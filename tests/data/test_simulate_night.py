from __future__ import annotations

import functools

import numpy as np
import pyedflib
import pytest

from stimjax.data.condition import condition
from stimjax.data.recording import Recording
from stimjax.data.simulate import write_cohort
from stimjax.data.simulate.broad import BROAD
from stimjax.data.simulate.night import CHANNELS, STREAM, night
from stimjax.data.simulate.traits import Traits, draw_traits, severity

BOTH = ("SpO2", "HR")
HOURS, NIGHTS = 2.0, 40
EVENTS = {"apnea.obstructive", "apnea.central", "apnea.mixed", "hypopnea"}


@functools.cache
def nights() -> list[Recording]:
    return [
        night(seed=0, number=number, hours=HOURS, task="apnea", only=BOTH)
        for number in range(NIGHTS)
    ]


@functools.cache
def traits(number: int) -> Traits:
    rng = np.random.default_rng([0, number + 1, STREAM])
    return draw_traits(rng, severity(0, number, BROAD.severity), BROAD)


@pytest.mark.parametrize("task", ["apnea", "stages"])
def test_a_night_is_repeatable_and_has_the_channels_that_were_asked_for(task):
    for only in (set(CHANNELS[task]), {next(iter(CHANNELS[task]))}):
        one, same, other = (
            night(seed=4, number=number, hours=0.25, task=task, only=only) for number in (1, 1, 2)
        )
        assert only <= set(one.signals) <= set(CHANNELS[task])
        assert one.events == same.events and one.events != other.events
        for name in only:
            values = one.signals[name].values
            assert len(values) == 900 * one.signals[name].rate
            assert np.isfinite(values).all() and np.ptp(values) > 0
            assert np.array_equal(values, same.signals[name].values)
            assert not np.array_equal(values, other.signals[name].values)


def test_no_window_is_shared_with_a_cohort_of_the_same_seed(tmp_path):
    write_cohort(tmp_path, subjects=2, hours=0.5, seed=0)
    seen = set()
    for path in sorted(tmp_path.glob("*.edf")):
        with pyedflib.EdfReader(str(path)) as file:
            labels = file.getSignalLabels()
            pair = np.stack([file.readSignal(labels.index(name)) for name in BOTH])
        seen |= {pair[:, at : at + 60].tobytes() for at in range(pair.shape[1] - 60)}
    for number in range(2):
        signals = night(seed=0, number=number, hours=0.5, task="apnea", only=BOTH).signals
        pair = np.round(np.stack([signals[name].values for name in BOTH]))
        own = {pair[:, at : at + 60].tobytes() for at in range(pair.shape[1] - 60)}
        assert not own & seen


def test_events_come_as_often_as_the_person_has_them():
    for number, recording in enumerate(nights()):
        kinds = [event.kind for event in recording.events]
        asleep = sum(kind in ("stage.N1", "stage.N2", "stage.N3", "stage.R") for kind in kinds)
        found = sum(kind in EVENTS for kind in kinds) / (asleep / 120)
        assert found == pytest.approx(traits(number).ahi, rel=0.2, abs=1.5)
    assert max(traits(number).ahi for number in range(NIGHTS)) > 90


def test_events_are_as_the_rules_ask_and_of_many_lengths():
    lengths = []
    for recording in nights():
        events = [event for event in recording.events if event.kind in EVENTS]
        lengths += [event.duration for event in events]
        ends = [event.onset + event.duration for event in events]
        assert all(event.onset >= end for event, end in zip(events[1:], ends[:-1], strict=True))
    assert min(lengths) >= 10 and 60 < max(lengths) <= 90


def test_values_can_be_conditioned():
    missing = []
    for recording in nights():
        done = condition(recording, BOTH, 1.0)
        assert np.isfinite(done.x).all()
        missing.append(done.missing.mean())
    assert np.mean(missing) < 0.1


def resolution(values: np.ndarray) -> float:
    """The smallest step between values, in tenths at least."""
    return float(np.diff(np.unique(np.round(values[values > 0], 1))).min())


def holds(values: np.ndarray) -> bool:
    """Whether values change at every second, third or fourth sample alone, but for a few."""
    changes = np.flatnonzero(np.diff(values)) + 1
    return any(np.mean(changes % hold == 0) > 0.8 for hold in (2, 3, 4))


def test_devices_differ_in_steps_and_in_how_long_they_hold_and_average():
    saturations = [recording.signals["SpO2"].values for recording in nights()]
    hearts = [recording.signals["HR"].values for recording in nights()]
    for values, step in ((saturations, "oximeter"), (hearts, "monitor")):
        whole = np.array([resolution(one) == 1 for one in values])
        asked = [getattr(traits(number), step).step == 1 for number in range(NIGHTS)]
        assert np.mean(whole == asked) >= 0.9
        assert 0.4 < whole.mean() < 0.95
        held = np.mean([holds(one) for one in values])
        assert 0.05 < held < 0.55
    rough = [np.abs(np.diff(one)).mean() / (one[one > 0].std() + 0.1) for one in hearts]
    assert np.percentile(rough, 90) > 4 * np.percentile(rough, 10)


def test_people_differ_in_level_and_depth():
    baselines = [np.median(r.signals["SpO2"].values) for r in nights()]
    rates = [np.median(r.signals["HR"].values) for r in nights()]
    assert min(baselines) < 90 and max(baselines) > 97
    assert min(rates) < 50 and max(rates) > 95
    falls = [
        baselines[number] - np.percentile(recording.signals["SpO2"].values, 5)
        for number, recording in enumerate(nights())
        if traits(number).ahi > 15
    ]
    assert min(falls) <= 2 and max(falls) > 12
