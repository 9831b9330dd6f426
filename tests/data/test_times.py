import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimjax.data import times
from stimjax.data.recording import Start
from stimjax.data.times import Clock

DAY = datetime.date(2020, 3, 5)


@pytest.mark.parametrize(
    ("date", "clock", "expected"),
    [
        ("05.03.20", "22.30.00", Start(DAY, 81000)),
        ("05.03.20", "22:30:00", Start(DAY, 81000)),
        ("05.03.20", "223000", Start(DAY, 81000)),
        ("05.03.20", "22-30-00", Start(DAY, 81000)),
        ("05.03.20", "9.05.03 ", Start(DAY, 32703)),
        ("05.03.20", "00.00.00", Start(DAY, 0)),  # midnight of a real day is midnight
        ("01.01.85", "00.00.00", Start()),
        ("01.01.01", "00:00:00", Start()),
        ("01.01.70", "22.30.00", Start(None, 81000)),
        ("00.00.00", "00.00.00", Start()),
        ("XX.XX.XX", "XX.XX.XX", Start()),
        ("05.03.20", "22h30m00", Start(DAY, 81000)),
        ("05.03.20", "22h30", Start(DAY, 81000)),
        ("05.03.20", "22:30", Start(DAY, 81000)),
        ("05.03.20", "10:30 PM", Start(DAY, 81000)),
        ("05.03.20", "24.00.00", Start(DAY)),
        ("05.03.20", "22.60.00", Start(DAY)),
        ("", "", Start()),
    ],
)
def test_the_start_of_an_edf_file(date, clock, expected):
    assert times.start(date, clock) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12.5", 12.5), ("12,5", 12.5), ("-3", -3.0), ("1e3", 1000.0), (".5", 0.5),
        ("22:30:00", Clock(81000)), ("22.30.00", Clock(81000)), ("22:30", Clock(81000)),
        ("23:03:01.524", Clock(82981.524)), ("23:03:01,5", Clock(82981.5)),
        ("10:30:00 PM", Clock(81000)), ("12:00:00 am", Clock(0)),
        ("2020-03-05T22:30:00.000", Clock(81000, DAY)), ("2020-03-05 22:30:00", Clock(81000, DAY)),
        ("2020-03-05T22:30:00Z", Clock(81000, DAY)), ("05.03.2020 22:30:00", Clock(81000, DAY)),
        ("03/05/2020 22:30:00", Clock(81000)),  # March or May: its date is not used
        ("1985-01-01 22:30:00", Clock(81000)),
        ("soon", None), ("", None), ("nan", None), ("inf", None), ("25:00:00", None),
        ("22:61:00", None), ("1,000,000", None), ("9" * 400, None),
    ],
)  # fmt: skip
def test_moments(text, expected):
    assert times.moment(text) == expected


@given(st.text(max_size=30))
def test_any_text_is_a_time_or_none(text):
    moment = times.moment(text)
    assert not isinstance(moment, Clock) or 0 <= moment.seconds < times.DAY
    assert isinstance(times.start(text, text), Start)
