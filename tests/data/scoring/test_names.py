"""Which files are scorings, of which recording, and what is said of those that are not read."""

import gzip
import os
import time

import pytest

from stimjax.data import reader
from stimjax.data.recording import Event
from stimjax.data.scoring import names, sources
from stimjax.errors import StimjaxError

APNEA = ("60", "20", "Apnea")
TABLE = "onset,duration,event\n60,20,Apnea\n"


@pytest.mark.parametrize(
    "name",
    [
        "night.xml", "night-nsrr.xml", "night_profusion.xml", "night.edf.xml", "night_events.xml",
        "NIGHT-Annotations.XML",
    ],
)  # fmt: skip
def test_names_of_xml(night, tmp_path, name):
    (tmp_path / name).write_text(
        "<CMPStudyConfig><ScoredEvent><Name>Apnea</Name><Start>60</Start><Duration>20</Duration>"
        "</ScoredEvent></CMPStudyConfig>"
    )
    assert reader.scored(night()).events == (Event("apnea", 60, 20),)


@pytest.mark.parametrize(
    "name",
    [
        "night_sleepscoring.edf", "night-annotations.edf", "night_hypnogram.edf",
        "night-scoring.edf", "night.annotations.edf", "night_sleep-scoring.edf",
        "night_events.edf", "night-hypnogram.edf", "night scoring.edf", "night_scoring_2.edf",
        "NIGHT_SCORED.EDF", "night_Hypnogramm.edf", "night Schlafprofil.edf", "night_scorer1.edf",
        "night_expert2.edf", "night_hypnogramme.rec", "night-Hypnogram.REC", "night-Hypnogram.bdf",
    ],
)  # fmt: skip
def test_names_of_edf(night, scoring, name):
    path = night()
    scoring(name, APNEA)
    assert reader.scored(path).events == (Event("apnea", 60, 20),)


def test_a_compressed_scoring(night, scoring):
    path = night()
    plain = scoring("night-Hypnogram.edf", APNEA)
    plain.with_name("night-Hypnogram.edf.gz").write_bytes(gzip.compress(plain.read_bytes()))
    plain.unlink()
    assert reader.scored(path).events == (Event("apnea", 60, 20),)
    assert reader.find([path.parent]) == [path]


@pytest.mark.parametrize(
    "name",
    ["night Base.edf", "night_manual.rec", "hypnogram_night.edf", "night_final.edf"],
)
def test_annotations_under_another_name_are_near_misses(night, scoring, name):
    path = night()
    scoring(name, APNEA)
    assert f"no scoring was found; {name} beside it is not read" in reader.scored(path).notes[0]


def test_recordings_of_similar_names_are_no_near_misses(night):
    path = night()
    night("night_2.edf")
    night("night_base.edf")
    assert reader.scored(path).notes == ()


def test_nsrr_beside_a_recording_that_is_called_so(night, tmp_path):
    xml = (
        "<PSGAnnotation><ScoredEvent><EventConcept>Central apnea|Central Apnea</EventConcept>"
        "<Start>60</Start><Duration>20</Duration></ScoredEvent></PSGAnnotation>"
    )
    (tmp_path / "X-nsrr.xml").write_text(xml)
    assert reader.scored(night("X-nsrr.edf")).events == (Event("apnea.central", 60, 20),)
    assert reader.scored(night("X.edf")).events == (Event("apnea.central", 60, 20),)


def test_a_hypnogram_with_a_dummy_signal(night, raw_edf):
    path = night()
    dummy = raw_edf(
        "night-Hypnogram.edf", reserved="EDF+C", stamps=["0"], annotations=[APNEA], date="05.03.20"
    )
    assert reader.scored(path).events == (Event("apnea", 60, 20),)
    assert reader.find([path.parent]) == [path]
    path.unlink()
    assert reader.find([dummy.parent]) == [dummy]  # of no recording: it may be one


def test_a_scoring_without_annotations_is_said(night, raw_edf):
    path = night()
    raw_edf("night-Hypnogram.edf", date="05.03.20")
    assert reader.scored(path).notes[0] == (
        "night-Hypnogram.edf: has no list of annotations; export the scoring as EDF+"
    )


@pytest.mark.parametrize(
    "name",
    ["night_final.xml", "scoring_night.csv", "night-notes.docx", "night (1).annot", "night.hyp"],
)
def test_near_misses_are_named_with_the_remedy(night, tmp_path, name):
    (tmp_path / name).write_text(TABLE)
    scored = reader.scored(night())
    assert scored.events == ()
    (note,) = scored.notes
    assert note.startswith(f"no scoring was found; {name} beside it is not read: ")
    assert "NAME-nsrr.xml" in note
    assert "NAME_events.tsv" in note


def test_a_scoring_beside_a_single_recording_is_a_near_miss(night, tmp_path):
    (tmp_path / "scoring.xml").write_text("")
    assert "scoring.xml beside it is not read" in reader.scored(night()).notes[0]
    night("other.edf")
    assert reader.scored(night()).notes == ()


def test_files_of_others_are_no_near_misses(night, scoring, tmp_path):
    path = night("s1.edf")
    night("s11.edf")
    scoring("s11-Hypnogram.edf", APNEA)
    (tmp_path / "s12.xml").write_text("")
    assert reader.scored(path).notes == ()


def test_many_near_misses_are_counted(night, tmp_path):
    for number in range(9):
        (tmp_path / f"night (copy {number}).xml").write_text("")
    assert "and 5 more beside it" in reader.scored(night()).notes[0]


def test_a_list_of_names_is_kept_until_the_folder_changes(tmp_path, monkeypatch):
    (tmp_path / "a.xml").write_text("")
    old = time.time() - 60
    os.utime(tmp_path, (old, old))
    first = names.listing(tmp_path)
    assert names.listing(tmp_path) is first
    (tmp_path / "b.xml").write_text("")
    assert set(names.listing(tmp_path).names) == {"a.xml", "b.xml"}


def test_thousands_of_files_are_listed_once(night, tmp_path, monkeypatch):
    path = night()
    for number in range(3000):
        (tmp_path / f"x{number}.xml").touch()
    old = time.time() - 60
    os.utime(tmp_path, (old, old))
    header = reader.header(path)
    list(sources.beside(path, header))
    monkeypatch.setattr(names.os, "listdir", lambda _: pytest.fail("listed again"))
    begin = time.perf_counter()
    for _ in range(20):
        assert list(sources.beside(path, header)) == []
    assert time.perf_counter() - begin < 1


# --- a ResMed card ---

CARD = ("20200305_220058_BRP.edf", "20200305_220059_PLD.edf", "20200306_030000_BRP.edf")


@pytest.fixture
def card(raw_edf):
    """Two spells of a night, and the events of both; give the paths of the recordings."""
    starts = (("05.03.20", "22.00.58"), ("05.03.20", "22.00.59"), ("06.03.20", "03.00.00"))
    paths = [
        raw_edf(name, seconds="9000", date=date, clock=clock)
        for name, (date, clock) in zip(CARD, starts, strict=True)
    ]
    events = [("68", "15", "Obstructive Apnea"), ("18050", "12", "Hypopnea")]
    beside = {"signals": [], "seconds": "0", "reserved": "EDF+D", "stamps": ["0"]}
    raw_edf(
        "20200305_220050_EVE.edf", **beside, annotations=events, date="05.03.20", clock="22.00.50"
    )
    raw_edf("20200305_220050_CSL.edf", **beside, date="05.03.20", clock="22.00.50",
            annotations=[("1", "", "CSR Start")])  # fmt: skip
    raw_edf("20200307_220050_EVE.edf", **beside, date="07.03.20", clock="22.00.50",
            annotations=[("68", "15", "Central Apnea")])  # fmt: skip
    return paths


def test_the_events_of_a_card_are_those_of_their_night(card):
    first, second, third = (reader.scored(path) for path in card)
    # The card has the times of their ends.
    assert first.events == (Event("apnea.obstructive", 45, 15),)
    assert second.events == (Event("apnea.obstructive", 44, 15),)
    assert third.events == (Event("hypopnea", 18050 - 17950 - 12, 12),)
    assert any("those of their ends" in note for note in first.notes)
    assert first.sources[0].kind == "ResMed events"
    assert first.sources[0].shift == -8
    assert "20200305_220050_CSL.edf, 20200305_220050_EVE.edf" in first.notes[0]


@pytest.mark.parametrize("length", ["", "0"])
def test_a_hypopnea_of_a_card_without_a_length_ends_at_its_time(card, raw_edf, length):
    raw_edf("20200305_220050_EVE.edf", signals=[], seconds="0", reserved="EDF+D", stamps=["0"],
            annotations=[("68", length, "Hypopnea"), ("100", "0", "Arousal")], date="05.03.20",
            clock="22.00.50")  # fmt: skip
    events = reader.scored(card[0]).events
    assert events == (Event("hypopnea", 50, 10), Event("arousal", 92, 0))


def test_the_events_of_a_card_are_no_recordings(card):
    assert reader.find([card[0].parent]) == sorted(card)


def test_a_spell_without_events_is_no_error(card, raw_edf):
    path = raw_edf("20200306_070000_BRP.edf", seconds="60", date="06.03.20", clock="07.00.00")
    assert reader.scored(path).events == ()


@pytest.mark.parametrize("name", ["20201399_220050_EVE.edf", "20200305_2200_EVE.edf", "EVE.edf"])
def test_other_names_are_no_card(card, raw_edf, name):
    path = raw_edf(name, seconds="9000")
    assert path in reader.find([path.parent])


def test_a_damaged_file_of_a_card_is_named(card):
    bad = card[0].with_name("20200305_220050_EVE.edf")
    bad.write_bytes(b"junk")
    with pytest.raises(StimjaxError, match=r"220050_EVE\.edf: is no EDF file"):
        reader.scored(card[0])
