from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from stimjax.data.simulate.heart import heart_rate
from stimjax.data.simulate.plan import Apnea, Plan
from stimjax.data.simulate.rhythm import Rhythm
from stimjax.data.simulate.traits import Traits, draw_traits

EPOCHS = 240
ENDS = np.arange(130, 7000, 100)


def plan(kicks: np.ndarray | None = None, *, events: bool = True) -> Plan:
    """N2 all night, an event of 30 s every 100 s, an arousal at each end."""
    apneas = [
        Apnea("Obstructive apnea", end - 30.0, 30.0, 0.0, 0.5, 1.0, True, 0.5)
        for end in (ENDS if events else ())
    ]
    arousals = np.array([(end, 5.0) for end in (ENDS if events else ())]).reshape(-1, 2)
    none = np.empty(0)
    return Plan(
        np.full(EPOCHS, 2),
        tuple(apneas),
        arousals,
        none,
        np.empty((0, 2)),
        none if kicks is None else kicks,
    )


def rate(night: Plan, **rhythm: float) -> np.ndarray:
    person = dataclasses.replace(traits(), rhythm=Rhythm(**rhythm))
    return heart_rate(np.random.default_rng(0), person, night, np.zeros(night.seconds))


def traits() -> Traits:
    drawn = draw_traits(np.random.default_rng(0), 20.0)
    return dataclasses.replace(drawn, heart=64.0, bradycardia=5.0, surge=12.0)


def answer(rate: np.ndarray) -> float:
    """Beats from the end of an event to the peak after it, of the mean over events."""
    course = np.mean([rate[end - 30 : end + 30] for end in ENDS], axis=0)
    return float(course[30:].max() - course[25:30].mean())


def test_hearts_answer_events_or_do_not():
    assert answer(rate(plan())) > 10
    assert abs(answer(rate(plan(), response=0.0))) < 2
    early, late = (
        np.mean([rate(plan(), surge_delay=delay)[end : end + 30] for end in ENDS], axis=0)
        for delay in (0.0, 6.0)
    )
    assert int(np.argmax(late)) - int(np.argmax(early)) == pytest.approx(6, abs=1)


def test_a_kick_is_answered_without_an_event():
    quiet = plan(ENDS.astype(float), events=False)
    assert answer(rate(quiet)) > 3
    assert answer(rate(plan(events=False))) < 2


def test_a_pacemaker_is_a_floor():
    paced = rate(plan(events=False), pacemaker=75.0)
    assert paced.min() > 73 and np.std(paced) < 1
    assert np.std(rate(plan(events=False))) > 1.5


def test_fibrillation_has_no_memory_and_the_spread_that_is_stated():
    calm, wild = rate(plan(events=False)), rate(plan(events=False), fibrillation=0.24)
    steps = np.corrcoef(wild[:-1], wild[1:])[0, 1]
    assert steps < 0.3 < np.corrcoef(calm[:-1], calm[1:])[0, 1]
    # About one beat a second at 64 a minute.
    assert np.std(wild) / np.mean(wild) == pytest.approx(0.24, abs=0.04)
    half = rate(plan(events=False), fibrillation=0.24, burden=0.5)
    rough = np.abs(np.diff(half)).reshape(-1)[: 7198 // 60 * 60].reshape(-1, 60).mean(axis=1)
    assert np.mean(rough > 5) == pytest.approx(0.5, abs=0.05)


def test_premature_beats_come_as_often_as_stated():
    calm, hurried = rate(plan(events=False)), rate(plan(events=False), ectopics=60.0)
    assert np.sum(hurried > 1.1 * calm) == pytest.approx(120, abs=35)


def test_the_night_has_a_trend():
    falling = rate(plan(events=False), trend=-12.0)
    assert falling[-600:].mean() - falling[:600].mean() == pytest.approx(-12, abs=2.5)
