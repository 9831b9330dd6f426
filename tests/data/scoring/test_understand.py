"""How long what was scored lasts, where its duration does not say so."""

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimjax.data.recording import Event, Header, Recording, Remark, Scoring
from stimjax.data.scoring import combine, rules
from stimjax.data.scoring.understand import LONGEST_PAIR, SHORTEST, Understood, understood


def read(*remarks: tuple, own: dict[str, str] | None = None, shift: float = 0.0) -> Understood:
    listed = tuple(Remark(*remark) for remark in remarks)
    return understood(Scoring(Path("night.edf"), "test", listed), shift, own or {})


@pytest.mark.parametrize("duration", [None, 0.0, -5.0, math.inf, math.nan])
@pytest.mark.parametrize("text", ["Hypopnea", "UA", "Zentrale Apnoe", "混合性呼吸暂停"])
def test_an_apnea_of_unknown_length_is_the_shortest(text, duration):
    said = read((30.0, duration, text), shift=5.0)
    assert [(event.onset, event.duration) for event in said.events] == [(35.0, SHORTEST)]
    assert "1 apneas and hypopneas of unknown length, counted as 10 s" in said.notes
    negative = duration is not None and duration < 0
    assert any("negative" in note for note in said.notes) == negative
    assert not said.ignored


@pytest.mark.parametrize("text", ["Arousal", "Desaturation 4%", "RERA", "N2", "Lights off"])
def test_other_events_without_a_duration_get_none(text):
    said = read((30.0, None, text))
    assert [event.duration for event in said.events] == [0.0]
    assert not said.notes


def test_a_length_in_the_text_is_read_where_the_duration_is_none():
    said = read((0.0, 0.0, "Hypopnea 23s"), (60.0, None, "Hypopnea (18,5 sec)"), (90.0, 0, "UA 0s"))
    assert [event.duration for event in said.events] == [23.0, 18.5, SHORTEST]
    assert said.notes == [
        "2 events without a duration whose text tells their length",
        "1 apneas and hypopneas of unknown length, counted as 10 s",
    ]


def test_a_stated_duration_counts_and_a_contradiction_is_said():
    said = read((0.0, 20.0, "Hypopnea 20.4s"), (60.0, 30.0, "Hypopnea 12s"))
    assert [event.duration for event in said.events] == [20.0, 30.0]
    assert said.notes == [
        "1 events whose text tells another length than their duration, which counts"
    ]


@pytest.mark.parametrize(
    ("begin", "end", "kind"),
    [
        ("Apnea start", "Apnea end", "apnea"),
        ("Start of hypopnea", "End of hypopnea", "hypopnea"),
        ("Obstructive apnea", "Obstructive apnea end", "apnea.obstructive"),
        ("Central apnea start", "Apnea end", "apnea.central"),
        ("Apnoe Beginn", "Apnoe Ende", "apnea"),
        ("低通气开始", "低通气结束", "hypopnea"),
        ("Début apnée", "Fin apnée", "apnea"),
        ("Arousal", "Arousal end", "arousal"),
    ],
)
def test_a_start_and_an_end_mark_are_one_event(begin, end, kind):
    said = read((30.0, None, begin), (52.5, 0.0, end), (80.0, 0.0, begin), (95.0, None, end))
    assert said.events == [Event(kind, 30.0, 22.5), Event(kind, 80.0, 15.0)]
    assert said.notes == ["2 events that last until an end mark"]
    assert not said.ignored


MINUTES = [("Normal", "Apnea")[n in (2, 5)] for n in range(8)]


@pytest.mark.parametrize(
    ("normal", "apnea"), [(None, None), (0.0, 0.0), (60.0, None), (60.0, 0.0), (None, 60.0)]
)
def test_labels_of_minutes_last_a_minute(normal, apnea):
    remarks = [
        (7.0 + 60 * n, apnea if text == "Apnea" else normal, text) for n, text in enumerate(MINUTES)
    ]
    events, _, notes = read(*remarks)
    assert [event.duration for event in events] == [60.0] * 8
    without = sum(not duration for _, duration, _ in remarks)
    assert notes == [f"{without} labels of minutes without a duration, which last 60 s"]


def test_a_remark_normal_makes_no_minutes():
    remarks = [(5.0, 0.0, "Normal"), (100.0, None, "Apnea"), (219.0, 0.0, "Apnea")]
    events, _, _ = read(*remarks)
    assert [event.duration for event in events] == [0.0, 10.0, 10.0]


@pytest.mark.parametrize(
    "remarks",
    [
        [(30.0, None, "Apnea start")],
        [(30.0, None, "Apnea end")],
        [(30.0, None, "Apnea end"), (50.0, None, "Apnea start")],
        [(30.0, None, "Apnea start"), (30.0, None, "Hypopnea end")],
        [(30.0, None, "Central apnea start"), (50.0, None, "Obstructive apnea end")],
        [(0.0, None, "Apnea start"), (LONGEST_PAIR + 1, None, "Apnea end")],
        [(30.0, None, "Apnea start", "A"), (50.0, None, "Apnea end", "B")],
    ],
)
def test_half_a_pair_is_ignored_aloud(remarks):
    said = read(*remarks)
    assert said.events == []
    assert sum(said.ignored.values()) == len(remarks)


def test_a_lost_end_does_not_reach_over_the_next_start():
    said = read((0.0, None, "Apnea start"), (60.0, None, "Apnea start"), (75.0, None, "Apnea end"))
    assert said.events == [Event("apnea", 60.0, 15.0)]
    assert said.ignored == {"Apnea start": 1}


def test_an_event_before_its_own_end_mark_does_not_swallow_the_one_before():
    said = read((0.0, None, "Apnea"), (60.0, None, "Apnea"), (75.0, None, "Apnea end"))
    assert [event.duration for event in said.events] == [SHORTEST, 15.0]


def test_what_is_not_understood_is_counted_and_what_needs_no_label_is_not():
    said = read(
        (0, 9, "Unsure"), (9, 9, "Unsure"), (20, 9, "no apnea"), (30, 1, "Snoring"), (9, 9, "PLM")
    )
    assert not said.events
    assert said.ignored == {"Unsure": 2, "no apnea": 1}


def test_own_words_are_read_and_ignored_ones_leave_no_trace():
    own = {"Ereignis 7": "hypopnea", "Hypopnea": "ignore"}
    said = read(
        (0.0, 12.0, "Ereignis 7"), (50.0, None, "ereignis-7"), (90.0, 20.0, "Hypopnea"), own=own
    )
    assert [(event.kind, event.duration) for event in said.events] == [
        ("hypopnea", 12.0),
        ("hypopnea", SHORTEST),
    ]
    assert not said.ignored


def labels(*remarks: tuple) -> list[int]:
    stages = tuple(Remark(30.0 * number, 30.0, "N2") for number in range(8))
    scoring = Scoring(Path("x"), "test", stages + tuple(Remark(*remark) for remark in remarks))
    header = Header("night", "", 240.0, {})
    recording = Recording(header, {}, combine.scored(header, [scoring]))
    return [label for *_, label in rules.spans(recording, "apnea")]


@pytest.mark.parametrize("text", ["Hypopnea 4%", "Hypopnea 3% A", "Apnée mixte", "低通气", "MSA"])
@pytest.mark.parametrize("duration", [25.0, 0.0, None])
def test_no_minute_with_an_event_is_normal(text, duration):
    assert labels((70.0, duration, text), (190.0, duration, text)) == [0, 1, 0, 1]


@pytest.mark.parametrize(
    "text",
    ["RERA", "Cheyne-Stokes", "Periodic breathing", "Deleted hypopnea 4% A", "Post-apnea arousal"],
)
def test_what_is_no_apnea_leaves_minutes_normal(text):
    assert labels((70.0, 25.0, "Hypopnea"), (190.0, 40.0, text)) == [0, 1, 0, 0]


texts = st.sampled_from(
    ["Apnea", "Apnea start", "Apnea end", "Hypopnea 23s", "Hypopnea end", "Arousal", "x", "PLM"]
)
times = st.floats(0, 3000)
lengths = st.one_of(st.none(), st.floats(allow_nan=True))


@given(st.lists(st.tuples(times, lengths, texts), max_size=20))
def test_every_remark_is_an_event_half_a_pair_or_counted(remarks):
    said = read(*remarks)
    pairs = sum(int(note.split()[0]) for note in said.notes if "end mark" in note)
    harmless = sum(text == "PLM" for *_, text in remarks)
    assert len(said.events) + pairs + sum(said.ignored.values()) + harmless == len(remarks)
    assert all(0 <= event.duration < math.inf for event in said.events)
    breathing = [event for event in said.events if event.kind != "arousal"]
    assert all(event.duration > 0 for event in breathing)
