import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimjax.data.recording import Event, Header, Recording, Scored
from stimjax.data.scoring import combine, rules
from stimjax.errors import StimjaxError


def night(*events: Event, duration: float = 600.0) -> Recording:
    return Recording(Header("night", "", duration, {}), {}, Scored(combine.tidy(events)))


tenths = st.integers(0, 1200)
scored = st.lists(
    st.builds(
        lambda kind, onset, length: Event(kind, onset / 10, length / 10),
        st.sampled_from(["apnea.obstructive", "hypopnea", "apnea", "arousal", "desaturation"]),
        tenths,
        st.integers(0, 300),
    ),
    min_size=1,
    max_size=8,
)


@given(scored)
def test_apnea_is_ten_seconds_of_the_union(events):
    grid = np.zeros(2000, bool)  # tenths of a second, the slow and plain way
    for event in events:
        if event.kind not in ("arousal", "desaturation"):
            first = round(event.onset * 10)
            grid[first : first + round(event.duration * 10)] = True
    if all(event.kind in ("arousal", "desaturation") for event in events):
        events = [*events, Event("hypopnea", 190.0, 10.0)]  # somebody looked at the breathing
    expected = [int(grid[start : start + 600].sum() >= 100) for start in (0, 600, 1200)]
    for border in (600, 1200, 1800):  # an event that it cuts into parts of less than 10 s
        before = int(np.argmin(np.append(grid[:border][::-1], False)))
        after = int(np.argmin(np.append(grid[border:], False)))
        if max(before, after) < 100 <= before + after and min(before, after) > 0:
            minute = border // 600 - (before >= after)
            if minute < 3:
                expected[minute] = 1
    found = rules.spans(night(*events, duration=180.0), "apnea")
    assert found == [(60.0 * i, 60.0, label) for i, label in enumerate(expected)]


def test_an_event_over_a_border_counts_on_each_side_for_what_lies_there():
    recording = night(Event("hypopnea", 52.0, 20.0), duration=120.0)  # 8 s before, 12 s after
    assert rules.spans(recording, "apnea") == [(0.0, 60.0, 0), (60.0, 60.0, 1)]


@pytest.mark.parametrize(
    ("onset", "seconds", "labels"),
    [
        (55, 10, [1, 0, 0]),  # an apnea of unknown length
        (52, 16, [1, 0, 0]),
        (51, 12, [1, 0, 0]),
        (57, 10, [0, 1, 0]),
        (112, 17, [0, 0, 1]),
        (55, 9, [0, 0, 0]),  # too short for an apnea
        (175, 10, [0, 0, 1]),
        (177, 10, [0, 0, 0]),  # most of it after the last minute
        (50, 20, [1, 1, 0]),
    ],
)
def test_every_apnea_of_ten_seconds_has_a_minute(onset, seconds, labels):
    recording = night(Event("apnea", float(onset), float(seconds)), duration=180.0)
    assert [label for *_, label in rules.spans(recording, "apnea")] == labels


def test_half_a_minute_out_of_the_scored_stages_is_left_out():
    events = [Event("stage.N2", 90.0, 91.0), Event("stage.unscored", 181.0, 60.0)]
    recording = night(*events, Event("apnea.central", 200.0, 30.0), duration=300.0)
    # 0-60 and 180-240 were not scored, 60-120 half, 120-180 wholly.
    assert rules.spans(recording, "apnea") == [(120.0, 60.0, 0)]


def test_scored_minutes_are_the_spans_wherever_they_begin():
    recording = night(
        Event("minute.normal", 7.0, 60.0),
        Event("apnea", 67.0, 60.0),
        Event("apnea.obstructive", 130.0, 60.0),  # a further event is no scored minute
    )
    assert rules.spans(recording, "apnea") == [(7.0, 60.0, 0), (67.0, 60.0, 1)]


def test_apnea_without_normal_is_an_event():
    recording = night(Event("apnea", 30.0, 15.0), duration=60.0)
    assert [event.kind for event in recording.events] == ["apnea"]
    assert rules.spans(recording, "apnea") == [(0.0, 60.0, 1)]


def test_a_remark_normal_is_no_scored_minute():
    recording = night(Event("minute.normal", 5.0, 0.0), Event("apnea", 30.0, 15.0))
    assert [event.kind for event in recording.events] == ["apnea"]


def test_a_night_with_stages_but_no_apnea_is_normal():
    recording = night(Event("stage.N2", 0.0, 180.0), duration=180.0)
    assert [label for *_, label in rules.spans(recording, "apnea")] == [0, 0, 0]


def test_long_stages_are_cut_into_epochs_within_the_night():
    recording = night(
        Event("stage.W", 0.0, 60.0),
        Event("stage.N3", 60.0, 75.0),  # two epochs and a rest
        Event("stage.unscored", 135.0, 30.0),
        Event("stage.R", 165.0, 900.0),
        duration=210.0,
    )
    assert rules.spans(recording, "stages") == [
        (0.0, 30.0, 0), (30.0, 30.0, 0), (60.0, 30.0, 3), (90.0, 30.0, 3),
        (165.0, 30.0, 4), (195.0, 30.0, 4),
    ]  # fmt: skip


def test_a_stage_without_a_duration_lasts_until_the_next():
    recording = night(
        Event("stage.W", 0.0, 0.0), Event("hypopnea", 20.0, 0.0), Event("stage.N1", 90.0, 0.0)
    )
    assert [label for *_, label in rules.spans(recording, "stages")] == [0, 0, 0, 1]


@pytest.mark.parametrize(
    ("task", "events"),
    [
        ("apnea", []),
        ("apnea", [Event("stage.unscored", 0.0, 600.0)]),
        ("stages", [Event("hypopnea", 0.0, 20.0)]),
        ("stages", [Event("stage.unscored", 0.0, 600.0)]),
    ],
)
def test_a_night_that_nobody_scored_is_an_error(task, events):
    with pytest.raises(StimjaxError, match=r"^night: no scored event"):
        rules.spans(night(*events), task)


@pytest.mark.parametrize(
    ("lights", "minutes"),
    [
        ([("off", 120, 0), ("on", 300, 0)], [2, 3, 4]),
        ([("off", 100, 0), ("on", 325, 0)], [2, 3, 4]),  # 20 s and 25 s of a minute say nothing
        ([("off", 80, 0), ("on", 335, 0)], [1, 2, 3, 4, 5]),
        ([("off", 480, 0)], [8, 9]),
        ([("on", 120, 0)], [0, 1]),
        ([("off", 0, 0), ("on", 60, 0), ("off", 480, 0), ("on", 540, 0)], [0, 8]),
        ([("on", 0, 0), ("off", 120, 0), ("on", 240, 0)], [2, 3]),
        ([("off", 120, 0), ("off", 180, 0), ("on", 240, 0), ("on", 480, 0)], [2, 3]),
        ([("off", 120, 180)], [2, 3, 4]),  # the whole dark as one event
        ([("off", 120, 1), ("on", 300, 1)], [2, 3, 4]),  # marks that a device gives a second
    ],
)
def test_minutes_in_the_light_are_not_normal(lights, minutes):
    marks = [Event(f"lights.{to}", float(at), float(long)) for to, at, long in lights]
    recording = night(*marks, Event("hypopnea", 130.0, 20.0), Event("hypopnea", 490.0, 20.0))
    found = rules.spans(recording, "apnea")
    assert [start / 60 for start, *_ in found] == minutes
    assert all(label == (start in (120, 480)) for start, _, label in found)


def test_stages_and_lights_both_bound_the_minutes():
    events = [Event("stage.W", 60.0, 300.0), Event("lights.off", 180.0, 0.0)]
    recording = night(*events, Event("apnea", 20.0, 15.0))  # before both
    assert rules.spans(recording, "apnea") == [(180.0, 60.0, 0), (240.0, 60.0, 0), (300.0, 60.0, 0)]


def test_without_stages_and_lights_every_minute_counts():
    recording = night(Event("apnea", 200.0, 15.0))
    assert [label for *_, label in rules.spans(recording, "apnea")] == [0, 0, 0, 1, *[0] * 6]
    assert not rules.bounded(recording.events) and rules.breathing_scored(recording.events)


def test_scored_epochs_and_minutes_count_in_the_light_too():
    dark = (Event("lights.off", 120.0, 0.0), Event("lights.on", 180.0, 0.0))
    staged = night(Event("stage.W", 0.0, 240.0), *dark)
    assert len(rules.spans(staged, "stages")) == 8
    minutes = night(Event("minute.normal", 0.0, 60.0), Event("apnea", 60.0, 60.0), *dark)
    assert [label for *_, label in rules.spans(minutes, "apnea")] == [0, 1]


@pytest.mark.parametrize("kind", ["lights.off", "arousal", "desaturation"])
def test_what_says_nothing_of_breathing_is_no_scoring(kind):
    with pytest.raises(StimjaxError, match="no scored event"):
        rules.spans(night(Event(kind, 30.0, 20.0)), "apnea")


def epochs(seconds: float, stages: str, gap: float = 0.0) -> list[Event]:
    kinds = {"W": "W", "1": "N1", "2": "N2", "3": "N3", "R": "R", "?": "unscored"}
    return [
        Event(f"stage.{kinds[one]}", i * (seconds + gap), seconds) for i, one in enumerate(stages)
    ]


@pytest.mark.parametrize(
    ("seconds", "stages", "expected"),
    [
        (20.0, "WWW222", [(0, 0), (30, 0), (60, 2), (90, 2)]),
        (20.0, "W2W", [(0, 0), (30, 0)]),  # two thirds of each window
        (20.0, "W?22?R", [(0, 0), (40, 2), (100, 4)]),  # a third may be unscored
        (10.0, "WWW2W222R", [(0, 0), (30, 2), (60, 2)]),
        (10.0, "W2RW2R333", [(60, 3)]),
        (15.0, "WW2RRR", [(0, 0), (60, 4)]),  # half is not enough
        (60.0, "W2", [(0, 0), (30, 0), (60, 2), (90, 2)]),
        (30.0, "W?2", [(0, 0), (60, 2)]),
        (5.0, "WWWWWW", [(0, 0)]),
        (1.0, "W" * 45, [(0, 0)]),
        (29.992, "W2", [(0, 0), (30, 2)]),
        (29.992, "?W?R?", [(29.992, 0), (3 * 29.992, 4)]),
    ],
)
def test_epochs_of_any_length(seconds, stages, expected):
    found = rules.spans(night(*epochs(seconds, stages)), "stages")
    assert [(pytest.approx(start), label) for start, _, label in found] == expected
    assert {length for _, length, _ in found} == {30.0}


@pytest.mark.parametrize(
    ("seconds", "gap"), [(29.992, 0.0), (29.992, 0.008), (30.0, 0.01), (30.05, -0.05), (30.01, 0.0)]
)
def test_jitter_does_not_add_up(seconds, gap):
    stages = "".join(one * 8 for one in "W123R" * 24)  # 960 epochs
    events = epochs(seconds, stages, gap)
    found = rules.spans(night(*events, duration=28_800.0), "stages")
    assert len(found) >= 959
    for start, _, label in found:  # the stage at its middle
        assert rules.STAGE_CLASSES[label] == events[int((start + 15) / (seconds + gap))].kind[6:]


def test_stages_that_contradict_each_other_label_nothing():
    events = [Event("stage.W", 0.0, 90.0), Event("stage.N2", 30.0, 30.0)]
    assert [start for start, *_ in rules.spans(night(*events), "stages")] == [0.0, 60.0]
    twice = [Event("stage.W", 0.0, 90.0), Event("stage.W", 30.0, 30.0)]
    assert len(rules.spans(night(*twice), "stages")) == 3


@given(
    st.lists(
        st.tuples(st.sampled_from("W123R?"), st.integers(1, 900)), min_size=1, max_size=30
    ).filter(lambda parts: any(one != "?" for one, _ in parts))
)
def test_no_window_of_a_stage_shares_time_with_another_or_holds_less_than_two_thirds(parts):
    kinds = dict(zip("W123R?", (*rules.STAGE_CLASSES, "unscored"), strict=True))
    events, now, truth = [], 0, []
    for one, tenths in parts:
        events.append(Event(f"stage.{kinds[one]}", now / 10, tenths / 10))
        truth += [kinds[one]] * tenths
        now += tenths
    found = rules.spans(night(*events, duration=now / 10 + 30), "stages")
    starts = [start for start, *_ in found]
    assert all(b - a >= 30 - 1e-6 for a, b in itertools.pairwise(starts))
    for start, _, label in found:
        first = round(start * 10)
        assert truth[first : first + 300].count(rules.STAGE_CLASSES[label]) >= 200
