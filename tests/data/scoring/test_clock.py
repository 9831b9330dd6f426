import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimjax.data import reader
from stimjax.data.recording import Event, Header, Scoring, Start
from stimjax.data.scoring import clock
from stimjax.data.times import DAY, Clock
from stimjax.errors import StimjaxError

APNEA = ("100", "15", "Apnea")


@pytest.mark.parametrize(
    ("date", "time", "shift"),
    [
        ("05.03.20", "22.10.00", 600),
        ("05.03.20", "22:10:00", 600),
        ("05.03.20", "221000", 600),
        ("05.03.20", "21.59.30", -30),
        ("06.03.20", "00.00.00", 7200),  # a real midnight
        ("06.03.20", "00:01:00", 7260),
        ("01.01.85", "22.10.00", 600),  # a default date: its time of day counts
        ("01.01.01", "00.01.00", 7260),
        ("01.01.85", "00.00.00", 0),  # a default start: counts from the first sample
        ("01.01.01", "00:00:00", 0),
        ("00.00.00", "000000", 0),
        ("XX", "XX", 0),
    ],
)
def test_a_scoring_is_shifted_to_its_recording(night, scoring, date, time, shift):
    path = night()
    scoring("night_annotations.edf", APNEA, date=date, clock=time)
    scored = reader.scored(path)
    assert scored.events == (Event("apnea", 100 + shift, 15),)
    assert scored.sources[0].shift == shift
    assert bool(scored.sources[0].why) == (shift != 0 or time in ("00.00.00", "XX", "00:00:00",
                                                                  "000000"))  # fmt: skip


def test_a_shift_is_explained(night, scoring):
    path = night()
    scoring("night_annotations.edf", APNEA, clock="22:10:00")
    assert reader.scored(path).sources[0].why == (
        "by date and time it starts 2020-03-05 22:10:00, the recording 2020-03-05 22:00:00"
    )


def test_a_default_start_is_said(night, scoring):
    path = night()
    scoring("night_annotations.edf", APNEA, date="01.01.85", clock="00.00.00")
    assert reader.scored(path).notes == (
        "night_annotations.edf: its start is a default: it counts from the recording's first "
        "sample",
    )


def test_a_recording_with_a_default_start(night, scoring):
    path = night(date="01.01.85", clock="00.00.00")
    scoring("night_annotations.edf", APNEA, clock="23.00.00")
    scored = reader.scored(path)
    assert scored.events == (Event("apnea", 100, 15),)
    assert "the recording's start is a default" in scored.notes[0]


@pytest.mark.parametrize(
    ("date", "time"),
    [("06.03.20", "22.00.00"), ("05.03.21", "22.00.00"), ("05.03.20", "00.00.00"),
     ("04.03.20", "22.00.00"), ("01.01.85", "10.30.00"), ("05.03.20", "06.00.00")],
)  # fmt: skip
def test_a_scoring_of_another_time_is_refused_by_name(night, scoring, date, time):
    path = night()
    beside = scoring("night_annotations.edf", APNEA, date=date, clock=time)
    with pytest.raises(StimjaxError) as caught:
        reader.scored(path)
    message = str(caught.value)
    assert message.startswith(f"{beside}: none of its 1 events lie within the 9000 s of recording")
    assert time.replace(".", ":") in message
    assert "2020-03-05 22:00:00" in message
    assert "; mend its start, or remove it" in message


def test_what_lies_outside_is_counted(night, scoring):
    path = night()
    scoring("night_annotations.edf", ("100", "15", "Apnea"), ("9000", "15", "Apnea"))
    assert reader.scored(path).notes == (
        "night_annotations.edf: 1 of its 2 events lie within the 9000 s of the recording",
    )


def test_a_file_with_its_own_events_outside_is_read(night):
    path = night(annotations=[("9999", "15", "Apnea")])
    assert "none of its 1 events" in reader.scored(path).notes[0]


starts = st.builds(
    Start,
    st.none() | st.dates(datetime.date(2020, 3, 4), datetime.date(2020, 3, 6)),
    st.none() | st.floats(0, DAY - 1),
)


@given(starts, starts)
def test_a_shift_is_finite_and_explained(own, other):
    scoring = Scoring(Path("a.edf"), "", (), own)
    seconds, why = clock.shift(Header("r", "", 9000, {}, start=other), scoring)
    assert abs(seconds) <= 3 * DAY
    assert why or not seconds
    if own == other and own.clock is not None:
        assert seconds == 0


@given(st.floats(0, DAY - 1), st.floats(0, DAY - 1), st.floats(60, 0.9 * DAY))
def test_a_time_of_day_is_the_nearest_to_the_middle(began, time, duration):
    header = Header("r", "", duration, {}, start=Start(None, began))
    elapsed = clock.elapsed(Clock(time), header)
    assert abs(elapsed - duration / 2) <= DAY / 2 + 1e-3
    assert min((elapsed - time + began) % DAY, (time - began - elapsed) % DAY) < 1e-3
