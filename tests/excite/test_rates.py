"""How a synthesis gets on, in words and as JSON."""

import json

from stimjax.excite.rates import Rates, telling
from stimjax.machine.progress import Reporter

HALF = Rates(
    process=1,
    done=500,
    total=1000,
    everywhere=1500,
    wanted=4000,
    seconds=50.0,
    accepted=[300, 400, 0],
    failed=[100, 0, 0],
    steps=2500,
)


def test_words_name_speed_acceptance_and_time_left() -> None:
    assert HALF.words() == (
        "10 a second, 5.0 steps each, 75/100/- % accepted, 1500 of 4000 in all, 0 min 50 s left"
    )


def test_nothing_is_said_of_nothing() -> None:
    none = Rates(0, 0, 1000, 0, 1000, 3.0, [0, 0], [5, 0], 128)
    assert none.words() == "" and none.left is None and none.acceptance == [0.0, None]


def test_hours_and_a_single_process() -> None:
    slow = Rates(0, 10, 1010, 10, 1010, 100.0, [10], [0], 10)
    assert slow.words() == "0 a second, 1.0 steps each, 100 % accepted, 2 h 46 min left"


def test_a_line_holds_all_numbers_as_json() -> None:
    found = json.loads(HALF.line())
    assert found["done"] == 500 and found["everywhere"] == 1500 and found["process"] == 1
    assert found["per_second"] == 10.0 and found["seconds_left"] == 50.0
    assert found["acceptance"] == [0.75, 1.0, None] and found["steps_per_stimulus"] == 5.0
    assert "\n" not in HALF.line()


def test_a_reporter_is_told_in_words_and_a_log_in_json() -> None:
    told: list[tuple[int, int, str]] = []

    class Teller(Reporter):
        def progress(self, done: int, total: int, detail: str = "") -> None:
            told.append((done, total, detail))

    written: list[str] = []
    telling(Teller(), written.append)(HALF)
    telling(Teller())(HALF)
    assert told == 2 * [(500, 1000, HALF.words())]
    assert written == [HALF.line()]
