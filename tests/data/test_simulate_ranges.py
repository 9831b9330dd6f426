from __future__ import annotations

import dataclasses
import functools

import numpy as np
import pytest

from stimjax.data.simulate import broad, sleeper, traits
from stimjax.data.simulate.belts import Belts
from stimjax.data.simulate.course import Course
from stimjax.data.simulate.devices import Monitor, Oximeter
from stimjax.data.simulate.ranges import LogUniform, OneOf, Sometimes, Uniform, draw
from stimjax.data.simulate.rhythm import Rhythm

PERSONS = 400
KINDS = [Uniform(-1, 3), LogUniform(0.1, 10), OneOf((1.0, 4.0)), Sometimes(0.3, Uniform(1, 2))]
GROUPS = {
    "course": Course,
    "rhythm": Rhythm,
    "oximeter": Oximeter,
    "monitor": Monitor,
    "belts": Belts,
}
AGED = {"sinus_arrhythmia", "surge", "arousals", "spindles", "spindle_size"}
OF_A_CYCLE = {"pause", "spread", "jitter"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_range_is_filled_from_end_to_end_and_not_left(kind):
    rng = np.random.default_rng(0)
    values = np.array([kind.draw(rng) for _ in range(2000)])
    assert kind.low <= values.min() and values.max() <= kind.high
    assert np.ptp(values) > 0.95 * (kind.high - kind.low)


def test_shares_and_logarithms_are_as_stated():
    rng = np.random.default_rng(1)
    some = np.array([KINDS[3].draw(rng) for _ in range(3000)])
    assert np.mean(some > 0) == pytest.approx(0.3, abs=0.03)
    log = np.log([KINDS[1].draw(rng) for _ in range(3000)])
    assert log.mean() == pytest.approx(0, abs=0.1)


def test_what_has_no_range_takes_no_chance():
    rng = np.random.default_rng(0)
    assert draw(rng, {}) == {}
    assert rng.random() == np.random.default_rng(0).random()


def contains(outer, inner) -> bool:
    return outer.low <= inner.low and inner.high <= outer.high


def test_broad_holds_all_that_a_cohort_holds():
    wide, narrow = broad.BROAD, traits.COHORT
    for group in ("breath", "blood"):
        for name, kind in getattr(narrow, group).items():
            assert contains(getattr(wide, group)[name], kind), name
    assert contains(wide.event_seconds, narrow.event_seconds) and contains(wide.rate, narrow.rate)
    assert wide.saturations[0] <= narrow.saturations[0] <= narrow.saturations[1]
    assert narrow.saturations[1] <= wide.saturations[1]
    assert max(high for _, _, high in wide.severity.values()) > 100
    assert min(low for _, low, _ in wide.severity.values()) == 0
    for group, made in GROUPS.items():
        ranges = getattr(wide, group)
        for name, value in dataclasses.asdict(made()).items():
            assert ranges[name].low <= value <= ranges[name].high, (group, name)


def test_broad_sleepers_hold_all_that_a_cohort_holds():
    wide, narrow = broad.BROAD_SLEEPERS, sleeper.COHORT
    for name in ("size", "gain", "alpha", "muscle"):
        assert contains(getattr(wide, name), getattr(narrow, name))
    assert wide.slow <= narrow.slow
    for name, kind in narrow.body.items():
        assert contains(wide.body[name], kind), name
    for name, value in dataclasses.asdict(sleeper.Electrodes()).items():
        assert wide.electrodes[name].low <= value <= wide.electrodes[name].high, name


@functools.cache
def persons() -> list[traits.Traits]:
    ranges = broad.BROAD
    return [
        traits.draw_traits(
            np.random.default_rng(number), traits.severity(0, number, ranges.severity), ranges
        )
        for number in range(PERSONS)
    ]


def test_traits_lie_inside_their_ranges():
    ranges = broad.BROAD
    for whose in persons():
        flat = dataclasses.asdict(whose)
        parts = [(flat, {**ranges.breath, **ranges.blood})]
        parts += [(flat[group], getattr(ranges, group)) for group in GROUPS]
        for values, group in parts:
            for name, kind in group.items():
                if name not in AGED | (OF_A_CYCLE if whose.periodic else set()):
                    assert kind.low <= values[name] <= kind.high, name
        low, high = ranges.saturations
        assert low <= whose.saturation <= high
        assert whose.event_seconds <= ranges.event_seconds.high
        assert whose.sinus_arrhythmia <= ranges.blood["sinus_arrhythmia"].high


def test_a_share_of_hearts_does_not_answer():
    responses = np.array([whose.rhythm.response for whose in persons()])
    assert np.mean(responses <= 0.12) == pytest.approx(0.22, abs=0.06)


def test_periodic_breathing_has_room_for_its_cycle():
    breathers = [whose for whose in persons() if whose.periodic]
    assert len(breathers) > 20
    for whose in breathers:
        cycle = whose.event_seconds + whose.course.pause
        assert 36 <= cycle <= 92
        assert whose.ahi * cycle <= 3600


def test_age_takes_from_the_heart_and_from_sleep():
    young, old = (traits.aged(persons()[0], age) for age in (20, 80))
    assert old.sinus_arrhythmia < 0.5 * young.sinus_arrhythmia
    assert old.surge < young.surge
    assert old.course.arousals == pytest.approx(27.1 / 14.7 * young.course.arousals, rel=0.3)
    drawn = sleeper.draw_sleeper(np.random.default_rng(0))
    fresh, worn = (sleeper.aged(drawn, age) for age in (20, 80))
    assert worn.gain["slow"] < fresh.gain["slow"] and worn.spindles < fresh.spindles
    assert worn.gain["alpha"] == fresh.gain["alpha"]
