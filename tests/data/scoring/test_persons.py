"""No recording gets the scoring of another person."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimjax.data import codes, reader
from stimjax.data.recording import Event
from stimjax.errors import StimjaxError

STAGE = ("0", "60", "Sleep stage N3")


@pytest.mark.parametrize(
    ("recording", "scoring_of"),
    [
        ("patient01-PSG.edf", "patient03-Hypnogram.edf"),
        ("patient1-PSG.edf", "patient11-Hypnogram.edf"),
        ("subject_001-PSG.edf", "subject_002-Hypnogram.edf"),
        ("SC4001-PSG.edf", "SC4002-Hypnogram.edf"),
        ("SC40010-PSG.edf", "SC40013-Hypnogram.edf"),
        ("SC4001E0-PSG.edf", "SC4002EC-Hypnogram.edf"),
        ("SC4011E0-PSG.edf", "SC4021EC-Hypnogram.edf"),
        ("ST7011J0-PSG.edf", "ST7012JP-Hypnogram.edf"),
        ("night.edf", "night2-Hypnogram.edf"),
        ("night2.edf", "night-Hypnogram.edf"),
        ("s1.edf", "s11_annotations.edf"),
        ("s1.edf", "s1_2_annotations.edf"),
    ],
)
def test_equal_letters_are_no_name(night, scoring, recording, scoring_of):
    path = night(recording)
    scoring(scoring_of, STAGE)
    assert reader.scored(path).events == ()


@pytest.mark.parametrize(
    ("recording", "scoring_of"),
    [
        ("SC4001E0-PSG.edf", "SC4001EC-Hypnogram.edf"),
        ("sc4362f0-psg.edf", "SC4362FC-HYPNOGRAM.EDF"),
        ("ST7011J0-PSG.edf", "ST7011JP-Hypnogram.edf"),
        ("patient01-PSG.edf", "patient01-Hypnogram.edf"),
        ("patient01_psg.edf", "patient01_hypnogram.edf"),
        ("patient01.edf", "PATIENT01.annotations.EDF"),
    ],
)
def test_names_that_belong_together(night, scoring, recording, scoring_of):
    path = night(recording, patient="X F X Female_33yr")
    scoring(scoring_of, STAGE, patient="X F X Female_33yr")
    assert reader.scored(path).events == (Event("stage.N3", 0, 60),)


def test_sleep_edf_has_the_nearest_name_first(night, scoring):
    path = night("SC4001E0-PSG.edf")
    scoring("SC4001GA-Hypnogram.edf", ("0", "60", "Sleep stage W"))
    scoring("SC4001EC-Hypnogram.edf", STAGE)
    scored = reader.scored(path)
    assert scored.events == (Event("stage.N3", 0, 60),)
    assert "SC4001EC-Hypnogram.edf counts, SC4001GA-Hypnogram.edf does not" in scored.notes[0]


@pytest.mark.parametrize("plus", ["EDF+C", ""])
def test_another_patient_is_refused_by_name(night, scoring, plus):
    path = night(patient="P01 F X Smith", reserved="EDF+C", stamps=["0"])
    fields = {"reserved": plus, "patient": "P02 F X Jones" if plus else "P02"}
    beside = scoring("night-Hypnogram.edf", STAGE, **fields)
    with pytest.raises(StimjaxError) as caught:
        reader.scored(path)
    assert str(caught.value) == (
        f"{beside}: is of patient 'P02', but the recording night.edf of 'P01'; "
        "rename or remove it, or mend the code in its header"
    )


@pytest.mark.parametrize("code", ["X", "anonymous", "Unknown", "0", "0000", "test", "X,X", "N/A"])
def test_placeholders_contradict_nothing(night, scoring, code):
    path = night(patient="P01 F X X", reserved="EDF+C", stamps=["0"])
    scoring("night-Hypnogram.edf", STAGE, patient=f"{code} X X X")
    assert reader.scored(path).events == (Event("stage.N3", 0, 60),)


@pytest.mark.parametrize(
    ("first", "second", "contradictory"),
    [
        ("P01", "P01", False), ("P01", "p-01", False), ("P01", "P01 Smith", False),
        ("P01", "P02", True), ("P1", "P11", True), ("Smith_John", "John Smith", False),
        ("", "P01", False), ("anonymous", "P01", False), ("Smith", "Jones", True),
        ("00123", "123", False), ("0012", "0021", True), ("X X X X 1a2b", "P01", False),
        ("Unbekannt", "P01", False), ("Müller", "Muller", False), ("ID 12", "12", False),
        ("Patient 7", "Patient 8", True), ("X12", "X13", True),
    ],
)  # fmt: skip
def test_codes(first, second, contradictory):
    assert codes.contradict(first, second) == contradictory


@given(st.text(max_size=20), st.text(max_size=20))
def test_contradiction_is_mutual(first, second):
    assert codes.contradict(first, second) == codes.contradict(second, first)
    assert not codes.contradict(first, first)
