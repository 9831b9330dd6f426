"""Which recordings are of one person."""

import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimjax import config
from stimjax.data import codes, persons
from stimjax.data.people import NOTHING_TOLD, Person
from stimjax.data.recording import Header, Start
from stimjax.errors import StimjaxError

ROOT = Path("/data")


def recording(place: str, code: str = "", person: Person = NOTHING_TOLD, year: int = 2020):
    path = ROOT / f"{place}.edf"
    start = Start(day=datetime.date(year, 1, 1))
    return path, Header(path.stem, code, 600.0, {}, person, start=start)


def attributed(*places: str, codes: dict[str, str] | None = None, **settings):
    rows = [recording(place, (codes or {}).get(place, "")) for place in places]
    return persons.attribute(rows, config.Prepare(**settings))


def subjects(*places: str, **fields) -> list[str]:
    return [one.subject for one in attributed(*places, **fields)]


NIGHTS = [f"night{n}" for n in (1, 2)]
PATIENTS = [f"p{n}" for n in range(3)]


@pytest.mark.parametrize(
    ("places", "expected", "by"),
    [
        # B1: a folder for each patient, equal names inside.
        ([f"{p}/{n}" for p in PATIENTS for n in NIGHTS], PATIENTS, "folder"),
        ([f"{p}/{n}/rec" for p in PATIENTS for n in NIGHTS], PATIENTS, "folder"),
        ([f"{n}/{p}/rec" for p in PATIENTS for n in NIGHTS], PATIENTS, "folder"),
        ([f"all/{p}/{n}" for p in PATIENTS for n in ("a", "b")], PATIENTS, "folder"),
        ([f"{p}/2023-0{m}-11/x" for p in PATIENTS for m in (1, 2)], PATIENTS, "folder"),
        # Nights are folders, and files are patients.
        ([f"{n}/{p}" for p in PATIENTS for n in NIGHTS], PATIENTS, "file name"),
        ([f"ses-{n}/{p}" for p in PATIENTS for n in (1, 2)], PATIENTS, "file name"),
        # Dates as a card writes them: no name occurs twice, and none is a person's.
        (["p0/20230101_2231_BRP", "p0/20230102_BRP", "p1/20230203", "p1/20230204", "p2/20230305",
          "p2/20230306"], PATIENTS, "folder"),
        # BIDS says it.
        ([f"sub-{p}/ses-{n}/eeg/sub-{p}_ses-{n}_eeg" for p in "abc" for n in (1, 2)],
         ["sub-a", "sub-b", "sub-c"], "folder"),
        ([f"sub-{p}_ses-{n}_eeg" for p in "abc" for n in (1, 2)],
         ["sub-a", "sub-b", "sub-c"], "file name"),
    ],
)  # fmt: skip
def test_persons_by_their_place(places, expected, by):
    found = attributed(*places)
    wanted = [one for one in expected for _ in range(len(places) // len(expected))]
    assert [one.subject for one in found] == wanted
    assert {one.by for one in found} == {by}


@pytest.mark.parametrize(
    ("name", "subject"),
    [
        ("P01_night1", "P01"), ("P01-Nacht2", "P01"), ("night2_P01", "P01"), ("P01_N1", "P01"),
        ("shhs2-200001", "200001"), ("mros-visit1-aa0001", "mros-aa0001"), ("S7 Nuit 2", "S7"),
        ("chat-baseline-300001", "chat-300001"), ("Smith_session1", "Smith"), ("n1", "n1"),
        ("n1_psg", "n1_psg"), ("P01", "P01"), ("P01_2", "P01_2"), ("n1_sleep", "n1_sleep"),
        ("record001", "record001"), ("Night", "Night"),
    ],
)  # fmt: skip
def test_what_counts_nights_in_a_file_name_names_no_person(name, subject):
    (one, _) = subjects(name, "other7")
    assert one == subject


def test_names_that_only_count_nights_in_one_folder_are_of_one_person():
    assert subjects("p7/night1", "p7/night2") == ["p7", "p7"]
    assert subjects("p7/night1") == ["p7"]
    assert subjects("recordings/night1") == ["night1"]
    assert subjects("cap/n1", "cap/n2") == ["n1", "n2"]


def test_different_file_names_are_persons_whatever_their_folders():
    assert subjects("cassette/a1", "cassette/b1", "telemetry/c1") == ["a1", "b1", "c1"]


def test_equal_names_of_two_formats_in_one_folder_are_one_person():
    rows = [recording("a/n1"), (ROOT / "a" / "n1.hea", recording("a/n1")[1]), recording("a/n2")]
    found = persons.attribute(rows, config.Prepare())
    assert [one.subject for one in found] == ["n1", "n1", "n2"]


@pytest.mark.parametrize(
    "code",
    [
        "anonymous", "Anonymous", "unknown", "X,X", "0", "000", "test", "patient", "none", "n/a",
        "-", "xxx", "anonymized", "anonyme", "Subject", "X X X X 1a2b", "?", "Unknown Unknown",
        "Anonymous, Patient", "Unbekannt", "ANONYMISÉ", "N/A", "no_name", "de-identified", "x_x",
        "Nachname, Vorname", "desconocido", "...", "XXXXXXXX", "F", "TEST PATIENT", "X^X", "null",
    ],
)  # fmt: skip
def test_a_placeholder_names_nobody(code):
    assert codes.is_placeholder(code)
    written = {"a": code, "b": "S1", "c": code, "d": "S1"}
    assert subjects("a", "b", "c", "d", codes=written) == ["a", "S1", "c", "S1"]


@pytest.mark.parametrize(
    "code", ["S0", "Subject 1", "patient7", "X12", "10", "SC400", "Max", "test-3", "MCH-0234567"]
)
def test_a_code_names_somebody(code):
    assert not codes.is_placeholder(code)


@given(st.text(st.characters(max_codepoint=127), max_size=12))
def test_case_says_nothing_of_a_code(text):
    assert codes.is_placeholder(text) == codes.is_placeholder(text.upper())


def test_the_code_of_all_files_names_nobody_and_case_does_not_part_persons():
    every = dict.fromkeys(("a", "b", "c"), "Sleeplab")
    assert subjects("a", "b", "c", codes=every) == ["a", "b", "c"]
    found = attributed("a", "b", "c", codes={"a": "p01", "b": "P01", "c": "P02"})
    assert persons.numbers(found) == [0, 0, 1]


def notes(*rows, **settings) -> list[str]:
    asked = config.Prepare(**settings)
    return list(persons.notes(rows, persons.attribute(rows, asked), asked))


def test_what_tells_persons_apart_is_noted():
    assert notes(recording("a", "S1"), recording("b", "S2")) == []
    (line,) = notes(recording("a"), recording("b"))
    assert "by file name in 2 recordings (2 persons)" in line and "--subjects" in line
    (line,) = notes(*(recording(f"{p}/n{i}") for p in PATIENTS for i in (1, 2)))
    assert "by folder in 6 recordings (3 persons)" in line
    lines = notes(recording("a", "anonymous"), recording("b", "S1"), recording("c", "0"))
    assert lines[0].startswith("2 recordings have a patient code that names nobody ('anonymous'")


@pytest.mark.parametrize(
    ("first", "second", "what"),
    [
        (Person("F"), Person("M"), "sex"),
        (Person(age=30), Person(age=60), "age"),
        (Person("F", 30), Person("F", 31), ""),
        (Person("F"), Person(), ""),
    ],
)
def test_one_code_for_two_persons_is_noted(first, second, what):
    rows = (recording("a", "S1", first), recording("b", "S1", second), recording("c", "S2"))
    lines = notes(*rows)
    assert bool(lines) == bool(what)
    if what:
        assert lines[0].startswith(f"a and b have one patient code, but another {what}")


def test_a_person_may_grow_older():
    rows = (recording("a", "S1", Person(age=30), 2010), recording("b", "S1", Person(age=40), 2020))
    assert notes(*rows, recording("c", "S2")) == []


PLACES = ("p0/night1", "p0/night2", "p1/night1", "p2/x")


def listed(tmp_path: Path, text: str, **settings) -> list[str]:
    file = tmp_path / "who.csv"
    file.write_text(text, encoding="utf-8")
    rows = [recording(place, "S") for place in PLACES]
    found = persons.attribute(rows, config.Prepare(subjects=str(file), **settings))
    assert {one.by for one in found} == {"subjects file"}
    return [one.subject for one in found]


@pytest.mark.parametrize(
    "text",
    [
        "recording,subject\np0/night1.edf,A\np0/night2,A\np1/night1.edf,B\nx.edf,C\n",
        "\ufeffRecording;Subject\r\np0\\night1.edf;A\r\nnight2;A\r\np1/night1;B\r\nx;C\r\n",
        "site\tsubject\trecording\n1\tC\tx\n1\tB\t./p1/night1\n\n1\tA\t/data/p0/night1.edf\n"
        "1\tA\tnight2\n",
        'recording,subject\n"p0/night1.edf","A"\nnight2.edf,A\ndata/p1/night1.edf,B\nx,C',
    ],
)
def test_the_subjects_file_says_who_was_recorded(tmp_path, text):
    assert listed(tmp_path, text) == ["A", "A", "B", "C"]


ALL = "p0/night1,A\nnight2,A\np1/night1,B\nx,C\n"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"recording,subject\n{ALL}nigth2,D\n", r"line 6: there is no recording 'nigth2'; did you"),
        (f"recording,subject\n{ALL}p0/night2.edf,A\n", "line 6: .* stands in line 3 already"),
        ("recording,subject\nnight1,A\n", "line 2: 'night1' is the name of 2 recordings; write"),
        ("recording,subject\nx,A\n", r"has no line for 3 of 4 recordings, such as /data/p0/night1"),
        ("recording,subject\nx,\n", "line 2: gives no subject"),
        ("recording,subject\nx\n", "line 2: gives no subject"),
        ("recording,subject\n,A\n", "line 2: gives no recording"),
        ("file,person\nx,A\n", "has to name the columns recording and subject"),
        ("", "has to name the columns recording and subject"),
    ],
)
def test_a_wrong_subjects_file_is_one_line(tmp_path, text, reason):
    with pytest.raises(StimjaxError, match=reason) as error:
        listed(tmp_path, text)
    assert "\n" not in str(error.value) and "who.csv" in str(error.value)


def test_a_subjects_file_that_is_none(tmp_path):
    (tmp_path / "a.xlsx").write_bytes(b"PK\x03\x04\xff\xfe\x00")
    for name, reason in (("a.xlsx", "is no text in UTF-8"), ("none", "cannot be read")):
        with pytest.raises(StimjaxError, match=reason):
            attributed("a", subjects=str(tmp_path / name))
    with pytest.raises(StimjaxError, match="--subjects and --subject-from both"):
        attributed("a", subjects="x.csv", subject_from="file")


def test_lines_of_recordings_that_were_left_out_are_no_mistake(tmp_path):
    text = f"recording,subject\n{ALL}damaged,D\n"
    assert listed(tmp_path, text, skip_bad=True) == ["A", "A", "B", "C"]


def test_a_placeholder_is_no_subject_where_the_header_has_to_name_one():
    with pytest.raises(StimjaxError, match=r"b: its header names no subject \('unknown'\)"):
        attributed("a", "b", codes={"a": "S1", "b": "unknown"}, subject_from="header")


# Each recording: two folders, a file name and a code. Few of each, so that they meet.
FOLDERS = st.sampled_from(["", "a", "night1", "sub-x", "p1"])
FILE_NAMES = st.sampled_from(["p1", "p2_night1", "sub-y_ses-1", "p1-night2", "n1", "Q", "p2", "r7"])
ANYWHERE = st.tuples(FOLDERS, FOLDERS, FILE_NAMES, st.sampled_from(["c1", "c2", "study"]))


@given(st.lists(ANYWHERE, min_size=2, max_size=8, unique_by=lambda place: place[2]))
def test_independently_a_recording_more_redefines_nobody(places):
    """One more has no say in whose the others are: that is whom a guarantee hides."""
    rows = [recording("/".join(filter(None, place[:3])), place[3]) for place in places]
    for by in ("header", "file"):
        settings = config.Prepare(independent=True, subject_from=by)
        whole = persons.attribute(rows, settings)
        assert persons.attribute(rows[:-1], settings) == whole[:-1]
        for row, one in zip(rows, whole, strict=True):
            assert persons.attribute([row], settings) == [one]


def test_independently_a_recording_more_would_redefine_all_that_is_told_by_looking_around():
    """What the test above would find of the other ways."""
    assert subjects("p1/a", "p1/b", subject_from="file") == ["a", "b"]
    assert subjects("p1/a", "p1/b", "p2/a", subject_from="file") == ["p1", "p1", "p2"]


@pytest.mark.parametrize(
    ("places", "said"),
    [
        (("p1/a", "p2/a"), "has the name of"),
        (("p1/night1", "p1/night2"), "counts nights by its name"),
    ],
)
def test_independently_a_file_name_has_to_tell_a_person(places, said):
    with pytest.raises(StimjaxError, match=said) as error:
        subjects(*places, subject_from="file", independent=True)
    assert "\n" not in str(error.value) and "--subjects FILE.csv" in str(error.value)
