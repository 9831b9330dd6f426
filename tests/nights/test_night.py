"""What minutes say of a night, held against counts by hand."""

import dataclasses

import numpy as np
import pytest
from one_night import APNEA, LOST, MINUTES

from stimjax.nights import words
from stimjax.nights.night import NOT_SCORED, ScoredNight, quantity, summary


def test_a_night_in_sum(night: ScoredNight) -> None:
    found = summary(night)
    assert (found.minutes, found.scored) == (MINUTES, MINUTES - 1)
    assert found.left_out == {"masked": 1} and night.why[LOST] == "masked"
    apnea = [p > 0.5 for p in night.probability[:, 1]]  # a comparison with NaN is false
    assert found.apnea_minutes_an_hour == pytest.approx(60 * sum(apnea) / (MINUTES - 1))
    assert found.interval is not None and found.apnea_minutes_an_hour is not None
    assert found.interval[0] < found.apnea_minutes_an_hour < found.interval[1]
    assert found.sleep_by_model is None and found.sleep_by_scorer is not None
    assert found.sleep_by_scorer.stages == {"W": 0, "N1": 0, "N2": MINUTES, "N3": 0, "R": 0}
    assert found.sleep_by_scorer.efficiency == 1


def test_what_is_not_scored_has_no_class(night: ScoredNight) -> None:
    assert (night.called == NOT_SCORED).sum() == 1 and night.called[LOST] == NOT_SCORED
    assert not night.both[LOST] and night.both.sum() == MINUTES - 1
    assert np.flatnonzero(night.label == 1).tolist() == list(APNEA)


def test_the_number_that_ratings_are_compared_by(night: ScoredNight, staged: ScoredNight) -> None:
    assert quantity(night, np.array([0, 1, 1, 0])) == 30
    assert quantity(staged, np.array([0, 1, 4, 0, 2, 3])) == 40  # all but W


def test_sleep_by_the_model(staged: ScoredNight) -> None:
    found = summary(staged)
    assert found.apnea_minutes_an_hour is None and found.severity is None
    assert found.sleep_by_model is not None
    wake = int((staged.called == 0).sum())
    assert found.sleep_by_model.asleep == (MINUTES - 1 - wake) / 2
    assert sum(found.sleep_by_model.stages.values()) == (MINUTES - 1) / 2


def test_words_say_minutes_and_never_ahi_alone(night: ScoredNight) -> None:
    lines = words.of_night(summary(night))
    assert "apnea minutes an hour" in lines[0] and "this is no AHI" in lines[0]
    assert f"{MINUTES - 1} of {MINUTES} minutes scored (1: too much" in lines[1]
    assert words.bounds("moderate") == "moderate, 15 to below 30"
    assert words.warnings(summary(night)) == []
    warned = words.warnings(summary(dataclasses.replace(night, outside=True)))
    assert "outside" in warned[0] and "8%" in warned[0]
