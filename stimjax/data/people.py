"""Sex, age and recording device, as far as a header tells them.

EDF+: the patient field is "code sex birthdate name", the recording field "Startdate dd-MMM-yyyy
administration technician equipment", "X" standing for what is not told (Kemp and Olivan 2003,
2.1.3.3). Sleep-EDF has the age in place of a name ("Female_33yr"). WFDB has no such fields;
PhysioNet's databases write comments such as "Age: 53  Sex: M" or "<age>: 53 <sex>: M".
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import ClassVar

from stimjax.disk.documents.document import Document
from stimjax.errors import StimjaxError

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
OLDEST = 120  # years; more, or less than 0, is a mistake in the header

_AGE_FOR_NAME = re.compile(r"(?:fe)?male_(\d{1,3})yr", re.IGNORECASE)
_AGE = re.compile(r"\bage\b\W*(\d{1,3})\b", re.IGNORECASE)
_SEX = re.compile(r"\b(?:sex|gender)\b\W*(f|m|female|male)\b", re.IGNORECASE)


@dataclasses.dataclass(frozen=True)
class Person:
    """Who was recorded, and with what.

    Attributes:
        sex: "F", "M", or "" where the header does not tell.
        age: in whole years on the day of the recording (a birthdate would name many a person);
            None where the header does not tell.
        device: the equipment as the header names it, "" where it does not.
    """

    sex: str = ""
    age: int | None = None
    device: str = ""


NOTHING_TOLD = Person()


@dataclasses.dataclass(frozen=True)
class People(Document):
    """A folder of windows' `people.json`.

    Attributes:
        people: by the number of the subject; those of whom nothing is known lack.
    """

    FILE: ClassVar[str] = "people.json"
    SCHEMA: ClassVar[int] = 1

    people: Mapping[str, Person]

    def refuse(self, where: str) -> None:
        """See `Document`: subjects have numbers."""
        if not all(map(str.isdecimal, self.people)):
            raise StimjaxError(f"{where}: is damaged (a subject is no number)")


def of_edf(patient: str, recording: str, start: str) -> Person:
    """What an EDF+ header tells.

    Args:
        patient: its local patient identification.
        recording: its local recording identification.
        start: its start date, dd.mm.yy, for a recording field that has none.
    """
    _, sex, born, name = patient_fields(patient)
    words = recording.split()
    begun = day(words[1]) if len(words) > 1 else None
    birth, begun = day(born), begun or day(start)
    age = None
    if birth and begun:
        age = begun.year - birth.year - ((begun.month, begun.day) < (birth.month, birth.day))
    if age is None and (told := _AGE_FOR_NAME.fullmatch(name)):
        age = int(told[1])
    device = " ".join(word for word in words[4:] if word != "X").replace("_", " ")
    return Person(sex if sex in ("F", "M") else "", _possible(age), device)


def patient_fields(patient: str) -> tuple[str, str, str, str]:
    """Code, sex, birthdate and name of an EDF+ patient field, "X" where one is not told."""
    code, sex, born, name = (*patient.split(), "X", "X", "X", "X")[:4]
    return code, sex, born, name


def has_plus_form(patient: str) -> bool:
    """Whether a patient field is divided as EDF+ asks, also in a file that is only EDF."""
    _, sex, born, name = (*patient.split(), "", "", "", "")[:4]
    return sex in ("M", "F", "X") and (born == "X" or day(born) is not None) and bool(name)


def of_comments(comments: Iterable[str]) -> Person:
    """What the comments of a WFDB header tell."""
    text = "\n".join(comments)
    age, sex = _AGE.search(text), _SEX.search(text)
    return Person(sex[1][0].upper() if sex else "", _possible(int(age[1]) if age else None))


def joined(first: Person, second: Person) -> Person:
    """The first, completed from the second where it does not tell."""
    age = second.age if first.age is None else first.age
    return Person(first.sex or second.sex, age, first.device or second.device)


def save(folder: Path, headers: Iterable[tuple[int, Person]]) -> None:
    """Write `people.json` if anything was told.

    Args:
        folder: of windows.
        headers: the number of a subject and what one recording says of it.
    """
    people: dict[int, Person] = {}
    for number, person in headers:
        people[number] = joined(people.get(number, NOTHING_TOLD), person)
    rows = {str(n): people[n] for n in sorted(people) if people[n] != NOTHING_TOLD}
    if rows:
        People(rows).save(folder)


def load(folder: Path) -> dict[int, Person]:
    """What headers told of the subjects, by their numbers; those of whom nothing is known lack.

    Raises:
        StimjaxError: the file is damaged.
    """
    if not (folder / People.FILE).exists():  # no header told anything
        return {}
    return {int(number): person for number, person in People.load(folder).people.items()}


def day(text: str) -> datetime.date | None:
    """A date as EDF and WFDB write it: dd.mm.yy, dd-MMM-yyyy or dd/mm/yyyy; None for others."""
    with contextlib.suppress(ValueError, OverflowError):
        number, month, year = re.split(r"[./-]", text)
        which = MONTHS.index(month.upper()) + 1 if month.upper() in MONTHS else int(month)
        century = (1900 if int(year) >= 85 else 2000) if len(year) == 2 else 0
        return datetime.date(century + int(year), which, int(number))
    return None


def _possible(age: int | None) -> int | None:
    return age if age is not None and 0 <= age <= OLDEST else None
