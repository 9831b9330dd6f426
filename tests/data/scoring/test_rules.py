import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimjax.data.recording import Event, Header, Recording, Scored
from stimjax.data.scoring import combine, rules, vocabulary
from stimjax.errors import StimjaxError


def night(*events: Event, duration: float = 600.0) -> Recording:
    return Recording(Header("night", "", duration, {}), {}, Scored(combine.tidy(events)))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Obstructive apnea|Obstructive Apnea", "apnea.obstructive"),
        ("Central Apnea", "apnea.central"), ("Mixed apnea|Mixed Apnea", "apnea.mixed"),
        ("Apnea", "apnea"), ("Hypopnea|Hypopnea", "hypopnea"), ("HYP-C", "hypopnea"),
        ("SpO2 desaturation|SpO2 desaturation", "desaturation"),
        ("Arousal|Arousal ()", "arousal"), ("ASDA arousal|Arousal (ASDA)", "arousal"),
        ("Wake|0", "stage.W"), ("Stage 1 sleep|1", "stage.N1"), ("Stage 2 sleep|2", "stage.N2"),
        ("Stage 3 sleep|3", "stage.N3"), ("Stage 4 sleep|4", "stage.N3"),
        ("REM sleep|5", "stage.R"), ("Movement|6", "stage.unscored"),
        ("Unscored|9", "stage.unscored"), ("Sleep stage W", "stage.W"),
        ("Sleep stage 4", "stage.N3"), ("Sleep stage N2", "stage.N2"),
        ("Sleep stage R", "stage.R"), ("Sleep stage ?", "stage.unscored"),
        ("Movement time", "stage.unscored"), ("Normal", "minute.normal"),
        ("RERA", None), ("Unsure|Unsure", None), ("PLM", None), ("Lights off", None), ("", None),
        ("Sleep stage", None), ("Recording Start Time", None),
    ],
)  # fmt: skip
def test_the_vocabulary(text, kind):
    assert vocabulary.kind(text) == kind
    assert vocabulary.kind(text.lower()) == kind


def test_no_text_has_two_kinds():
    texts = [(text, kind) for kind, texts in vocabulary.WORDS.items() for text in texts]
    assert [vocabulary.kind(text) for text, _ in texts] == [kind for _, kind in texts]


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
    found = rules.spans(night(*events, duration=180.0), "apnea")
    assert found == [(60.0 * i, 60.0, label) for i, label in enumerate(expected)]


def test_an_event_over_a_border_counts_on_each_side_for_what_lies_there():
    recording = night(Event("hypopnea", 52.0, 20.0), duration=120.0)  # 8 s before, 12 s after
    assert rules.spans(recording, "apnea") == [(0.0, 60.0, 0), (60.0, 60.0, 1)]


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
