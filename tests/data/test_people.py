"""Sex, age and device, from headers as the standards and PhysioNet write them."""

import datetime
import json

import numpy as np
import pyedflib
import pytest

from stimjax.data import people, reader, simulate
from stimjax.data.edf.writer import Trace, write_edf
from stimjax.data.people import NOTHING_TOLD, People, Person
from stimjax.errors import StimjaxError


@pytest.mark.parametrize(
    ("patient", "recording", "start", "told"),
    [
        # The example of the EDF+ standard, 2.1.3.3.
        (
            "MCH-0234567 F 02-AUG-1951 Haagse_Harry",
            "Startdate 02-MAR-2002 PSG-1234/2002 NN Telemetry03",
            "02.03.02",
            Person("F", 50, "Telemetry03"),
        ),
        ("X F X Female_33yr", "Startdate 24-APR-1989 X X X", "24.04.89", Person("F", 33)),
        ("X X X X", "Startdate X X X X", "01.01.85", NOTHING_TOLD),
        ("", "", "", NOTHING_TOLD),
        ("P M 02-AUG-1951 X", "Startdate X X X A_B C", "02.08.91", Person("M", 40, "A B C")),
        ("P M 02-AUG-2051 X", "Startdate 02-AUG-2001 X X X", "", Person("M")),  # not born yet
        ("P M 02-AUG-1951 X", "Startdate 01-AUG-2001 X X X", "", Person("M", 49)),
        ("P Y 31-FEB-1951 X", "Startdate 02-AUG-2001 X X X", "", NOTHING_TOLD),
    ],
)
def test_of_edf(patient, recording, start, told):
    assert people.of_edf(patient, recording, start) == told


@pytest.mark.parametrize(
    ("comments", "told"),
    [
        (["Age: 53  Sex: M"], Person("M", 53)),
        (["<age>: 66  <sex>: F  <diagnoses> (none)"], Person("F", 66)),
        (["Gender: female"], Person("F")),
        (["average: 12", "Sextant"], NOTHING_TOLD),
        (["age: 300"], NOTHING_TOLD),
        ([], NOTHING_TOLD),
    ],
)
def test_of_comments(comments, told):
    assert people.of_comments(comments) == told


def test_headers_carry_it(tmp_path):
    write_edf(
        tmp_path / "a.edf",
        *("P1", [Trace("SpO2", "%", 1, np.full(60, 97.0), 0, 127, (0, 127))], []),
        person=Person("F", 40),
    )
    assert reader.header(tmp_path / "a.edf").person == Person("F", 40, "stimjax-simulator")
    (tmp_path / "r.dat").write_bytes(bytes(120))
    (tmp_path / "r.hea").write_text("r 1 1 60\nr.dat 16 1 16 0 0 0 0 SpO2\n# Age: 53  Sex: M\n")
    assert reader.header(tmp_path / "r.hea").person == Person("M", 53)


def test_simulated_sleepers_have_a_sex_and_an_age(tmp_path):
    simulate.write_cohort(tmp_path, subjects=12, hours=0.1, seed=0)
    told = [reader.header(path).person for path in sorted(tmp_path.iterdir())]
    assert {person.sex for person in told} == {"F", "M"}
    assert all(18 <= (person.age or 0) <= 90 for person in told)
    with pyedflib.EdfReader(str(tmp_path / "subject-001.edf")) as file:
        born = datetime.datetime.strptime(str(file.getBirthdate()), "%d %b %Y")
        assert file.getStartdatetime().year - born.year == told[0].age


def test_a_folder_keeps_what_any_recording_of_a_subject_tells(tmp_path):
    people.save(tmp_path, [(3, Person("F")), (1, NOTHING_TOLD), (3, Person("M", 40, "box"))])
    assert people.load(tmp_path) == {3: Person("F", 40, "box")}
    written = {"schema": 1, "people": {"3": {"sex": "F", "age": 40, "device": "box"}}}
    assert json.loads((tmp_path / People.FILE).read_text()) == written


def test_a_folder_of_silent_headers_has_no_file(tmp_path):
    people.save(tmp_path, [(0, NOTHING_TOLD)])
    assert list(tmp_path.iterdir()) == [] and people.load(tmp_path) == {}


@pytest.mark.parametrize(
    "text",
    [
        '{"schema": 1}',
        '{"schema": 1, "people": {"a": {"sex": "F", "age": 40, "device": ""}}}',
        '{"schema": 1, "people": {"1": {"sex": "F", "age": "40", "device": ""}}}',
        '{"schema": 1, "people": {"1": {}}}',
        '{"schema": 1, "people": 3}',
        '{"people": {}}',
        "{",
    ],
)
def test_a_damaged_file_is_named(tmp_path, text):
    (tmp_path / People.FILE).write_text(text)
    with pytest.raises(StimjaxError, match=r"people\.json"):
        people.load(tmp_path)
