"""Who was recorded: which recordings are of one person, and what says so.

A person whose nights lie in several parts of a split spoils the test, and two persons who count as
one spoil nothing but numbers. Where it is not sure, recordings are therefore rather joined.
"""

from __future__ import annotations

import csv
import dataclasses
import difflib
import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from stimjax import config
from stimjax.data import codes
from stimjax.data.recording import Header
from stimjax.errors import StimjaxError

By = Literal["subjects file", "patient code", "folder", "file name"]
Recordings = Sequence[tuple[Path, Header]]


@dataclasses.dataclass(frozen=True)
class Attribution:
    """Whose a recording is.

    Attributes:
        subject: the name of the person; the same name, but for case, is the same person.
        by: what tells it.
    """

    subject: str
    by: By

    @property
    def key(self) -> str:
        """The name without case."""
        return self.subject.casefold()


_NIGHT = re.compile(  # what tells nights of a person apart, and no persons
    r"""
    (?:(?:first|second|third|1st|2nd|3rd|erste|zweite)[-_ ]*)?
    (?:nights?|nacht|nuit|noche|notte|noite|sessions?|sess|ses|visit[ea]?|besuch|days?|week
    |baseline|follow[-_ ]?up|recordings?|record|rec|run|psg|edf|data|raw|sleep|signals?)
    [-_ .]*\d{0,3}
    |(?:19|20)\d\d[-_.]?[01]\d[-_.]?[0-3]\d(?:\D.*)?
    |[0-3]\d[-_.][01]\d[-_.](?:19|20)\d\d(?:\D.*)?
    """,
    re.IGNORECASE | re.VERBOSE,
)
_COUNTED = r"(?:nights?|nacht|nuit|noche|notte|noite|visit[ea]?|besuch|sessions?|sess?|shhs)"
_COUNT = re.compile(  # a word of a file name that counts nights
    rf"{_COUNTED}\d{{1,2}}|baseline|follow-?up\d?|[nv]\d", re.IGNORECASE
)
_SPACED = re.compile(rf"(?<![a-z])({_COUNTED})[-_ .]+(?=\d{{1,2}}(?!\d))", re.IGNORECASE)
_BIDS = re.compile(r"(sub-[a-z0-9]+)(?:_.*)?", re.IGNORECASE)
_BORN = 1  # years that two birthyears may differ, each computed from a whole age
NAMED = 3  # codes that a note names


def attribute(recordings: Recordings, settings: config.Prepare) -> list[Attribution]:
    """Whose each recording is.

    A line of the subjects file, if there is one. Else the patient code, unless it names nobody
    (`codes.is_placeholder`) or is the same in all files. Else the place: BIDS's `sub-LABEL`; where
    equal file names lie in several folders, or file names only count nights, the topmost folder
    that differs and does not itself only count nights ("night1", "ses-2", a date), or the folder
    of them all; else the file name without what counts nights in it: "P01_night2" is P01's,
    "mros-visit1-aa0001" mros-aa0001's.

    With `settings.independent` the name of a file alone tells whose it is, and no folder: which of
    them differ is a look at all recordings.

    Args:
        recordings: paths and headers of a whole cohort.
        settings: `subjects` and `subject_from`.

    Raises:
        StimjaxError: the subjects file is wrong, or the header (or with `independent` the file's
            name) has to name a subject and does not.
    """
    if settings.subjects:
        if settings.subject_from != "auto":
            raise StimjaxError("--subjects and --subject-from both tell persons apart; give one")
        return _listed(recordings, Path(settings.subjects), rest=settings.skip_bad)
    own = [_code(header) for _, header in recordings]
    if settings.subject_from == "header":
        for (_, header), code in zip(recordings, own, strict=True):
            if not code:
                what = f"no subject ({header.subject!r})" if header.subject else "no subject"
                raise StimjaxError(
                    f"{header.name}: its header names {what}; use --subject-from file"
                )
        return [Attribution(code, "patient code") for code in own]
    if settings.subject_from == "file" and settings.independent:
        return _by_own_names(recordings)
    if settings.subject_from == "file" or _same(own):
        own = [""] * len(own)
    places = iter(_places(recordings, own))
    return [Attribution(code, "patient code") if code else next(places) for code in own]


def notes(
    recordings: Recordings, attributed: Sequence[Attribution], settings: config.Prepare
) -> Iterator[str]:
    """What a user should know of how persons were told apart, each a line."""
    if settings.subject_from == "auto" and not settings.subjects:
        if _same([_code(header) for _, header in recordings]):
            yield "every file has the same patient code; it names nobody"
        blank = Counter(h.subject for _, h in recordings if h.subject and not _code(h))
        if blank:
            shown = ", ".join(repr(code) for code, _ in blank.most_common(NAMED))
            yield f"{blank.total()} recordings have a patient code that names nobody ({shown})"
    for by in ("folder", "file name"):
        subjects = [one.key for one in attributed if one.by == by]
        if len(subjects) > 1:
            yield (
                f"persons are told apart by {by} in {len(subjects)} recordings "
                f"({len(set(subjects))} persons); name them with --subjects if that is wrong"
            )
    yield from _contradictions(recordings, attributed)


def numbers(attributed: Sequence[Attribution]) -> list[int]:
    """A number for the person of each recording, from 0 in order of their names."""
    order = {key: number for number, key in enumerate(sorted({one.key for one in attributed}))}
    return [order[one.key] for one in attributed]


def codes_of(recordings: Recordings) -> list[str]:
    """Each header's patient code without case; "" where it names nobody, alone or among these."""
    own = [_code(header).casefold() for _, header in recordings]
    return [""] * len(own) if _same(own) else own


def named(recordings: Recordings, attributed: Sequence[Attribution], wanted: str) -> set[int]:
    """The numbers of the persons (or of the recordings' persons) in `wanted`, "A, B".

    Raises:
        StimjaxError: there is no such person, or a file name is that of several.
    """
    numbers_of: dict[str, set[int]] = defaultdict(set)
    for (_, header), one, number in zip(recordings, attributed, numbers(attributed), strict=True):
        numbers_of[header.name].add(number)
        numbers_of[one.subject].add(number)
    names = [name.strip() for name in wanted.split(",") if name.strip()]
    for name in names:
        if name not in numbers_of:
            close = difflib.get_close_matches(name, numbers_of, n=3)
            hint = f"did you mean {', '.join(close)}?" if close else "stimjax inspect shows them"
            raise StimjaxError(f"--test-subjects: there is no subject {name!r}; {hint}")
        if len(numbers_of[name]) > 1:
            raise StimjaxError(
                f"--test-subjects: {name!r} is the name of recordings of {len(numbers_of[name])} "
                "subjects; rename the files, or see --subject-from"
            )
    return {number for name in names for number in numbers_of[name]}


def _code(header: Header) -> str:
    return "" if codes.is_placeholder(header.subject) else " ".join(header.subject.split())


def _same(own: Sequence[str]) -> bool:
    """Whether all files share a code: it is the study's, or the laboratory's."""
    return len(own) > 1 and len({code.casefold() for code in own}) == 1 and bool(own[0])


def _by_own_names(recordings: Recordings) -> list[Attribution]:
    """Whose each recording is by its own file name, whatever the others are called.

    Raises:
        StimjaxError: a name tells no person, or two files have it.
    """
    seen: dict[str, Path] = {}
    for path, header in recordings:
        twin = seen.setdefault(header.name.casefold(), path)
        if _is_count(header.name) or twin != path:
            what = f"has the name of {twin}" if twin != path else "counts nights by its name"
            raise StimjaxError(
                f"{path}: {what}, and with --independent no folder tells persons apart; name them "
                "with --subjects FILE.csv, or rename the file"
            )
    return [_place((header.name,), None) for _, header in recordings]


def _places(recordings: Recordings, own: Sequence[str]) -> list[Attribution]:
    """Whose the recordings without a code are, by where they lie."""
    folders = [path.absolute().parent for path, _ in recordings]
    root = Path(os.path.commonpath(folders))
    rows = [
        (*folder.relative_to(root).parts, header.name)
        for folder, (_, header), code in zip(folders, recordings, own, strict=True)
        if not code
    ]
    level = _level(rows)
    if (
        level is None
        and all(_is_count(row[-1]) for row in rows)
        and not _NIGHT.fullmatch(root.name)
    ):
        return [Attribution(root.name, "folder")] * len(rows)
    return [_place(row, level) for row in rows]


def _place(row: tuple[str, ...], level: int | None) -> Attribution:
    """Whose a recording is by its folders and name."""
    for part in row[:-1]:
        if match := _BIDS.fullmatch(part):
            return Attribution(match[1], "folder")
    if match := _BIDS.fullmatch(row[-1]):
        return Attribution(match[1], "file name")
    if level is None or level >= len(row) - 1:
        return Attribution(_without_night(row[-1]), "file name")
    return Attribution(row[level], "folder")


def _is_count(name: str) -> bool:
    """Whether a file name only counts nights; "n1" may be a person."""
    return len(name) > 2 and _COUNT.fullmatch(name) is not None


def _without_night(name: str) -> str:
    """A file name without the words that count nights, if what is left can name a person."""
    words = re.split(r"[-_ .]+", _SPACED.sub(r"\1", name))
    counts = [word for word in words if _COUNT.fullmatch(word)]
    rest = "-".join(word for word in words if word not in counts)
    sure = any(_is_count(word) for word in counts)  # "n1_psg" may be the first of many persons
    if not counts or _NIGHT.fullmatch(rest) or not re.search(r"\w" if sure else r"\d", rest):
        return name
    return rest


def _level(rows: Sequence[tuple[str, ...]]) -> int | None:
    """Which level of folders, from the top, tells persons apart; None where file names do."""
    where: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    for *folders, name in rows:
        where[name.casefold()].add(tuple(folders))
    nights = all(_NIGHT.fullmatch(name) for name in where)
    parted = len({tuple(folders) for *folders, _ in rows}) > 1
    if not parted or not (nights or any(len(folders) > 1 for folders in where.values())):
        return None
    depth = max(len(row) for row in rows) - 1
    levels = [{row[i] if i < len(row) - 1 else None for row in rows} for i in range(depth)]
    differing = [i for i, names in enumerate(levels) if len(names) > 1]
    telling = (i for i in differing if not all(_NIGHT.fullmatch(n) for n in levels[i] if n))
    rest = differing[0] if differing and (nights or len(where) == 1) else None
    return next(telling, rest)


def _contradictions(recordings: Recordings, attributed: Sequence[Attribution]) -> Iterator[str]:
    """A line for each code that stands in files of what cannot be one person."""
    together: dict[str, list[Header]] = defaultdict(list)
    for (_, header), one in zip(recordings, attributed, strict=True):
        if one.by == "patient code":
            together[one.key].append(header)
    for headers in together.values():
        sexes = {header.person.sex: header.name for header in headers if header.person.sex}
        born = {year: header.name for header in headers if (year := _born(header)) is not None}
        what = ""
        if len(sexes) > 1:
            what, names = "sex", list(sexes.values())
        elif born and max(born) - min(born) > _BORN:
            what, names = "age", [born[min(born)], born[max(born)]]
        if what:
            yield (
                f"{' and '.join(sorted(names))} have one patient code, but another {what}; they "
                "count as one person: name them with --subjects if they are not"
            )


def _born(header: Header) -> int | None:
    """The year in which a person was born, to a year."""
    age, day = header.person.age, header.start.day
    return None if age is None or day is None else day.year - age


def _listed(recordings: Recordings, file: Path, *, rest: bool) -> list[Attribution]:
    """Whose each recording is by the subjects file; with `rest` it may have further lines."""
    forms: dict[str, set[int]] = defaultdict(set)
    for number, (path, header) in enumerate(recordings):
        *folders, name = path.absolute().parts
        for last in {name, path.stem, header.name}:
            for start in range(len(folders) + 1):
                forms["/".join((*folders[start:], last)).lstrip("/")].add(number)
    lines: dict[int, int] = {}
    subjects: dict[int, str] = {}
    for line, name, subject in _rows(file):
        places = forms.get(name.replace("\\", "/").removeprefix("./").lstrip("/"), set())
        if not places and rest:
            continue
        if not places:
            close = difflib.get_close_matches(name, forms, n=1)
            hint = f"did you mean {close[0]}?" if close else "name its path, file name or stem"
            raise StimjaxError(f"{file}: line {line}: there is no recording {name!r}; {hint}")
        if len(places) > 1:
            raise StimjaxError(
                f"{file}: line {line}: {name!r} is the name of {len(places)} recordings; write it "
                "with its folder"
            )
        (number,) = places
        if number in lines:
            raise StimjaxError(
                f"{file}: line {line}: {name!r} stands in line {lines[number]} already; remove one"
            )
        lines[number], subjects[number] = line, subject
    absent = [path for n, (path, _) in enumerate(recordings) if n not in subjects]
    if absent:
        raise StimjaxError(
            f"{file}: has no line for {len(absent)} of {len(recordings)} recordings, such as "
            f"{absent[0]}; add them"
        )
    return [Attribution(subjects[n], "subjects file") for n in range(len(recordings))]


def _rows(file: Path) -> Iterator[tuple[int, str, str]]:
    """Line number, recording and subject of each line of a subjects file."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise StimjaxError(f"--subjects {file}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise StimjaxError(f"--subjects {file}: is no text in UTF-8; save it as CSV") from error
    first = text.partition("\n")[0]
    reader = csv.reader(text.splitlines(), delimiter=max(",;\t", key=first.count))
    try:
        columns = [column.strip().casefold() for column in next(reader, [])]
        if not {"recording", "subject"} <= set(columns):
            raise StimjaxError(
                f"{file}: its first line has to name the columns recording and subject, such as "
                "`recording,subject`"
            )
        places = columns.index("recording"), columns.index("subject")
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            name, subject = (row[i].strip() if i < len(row) else "" for i in places)
            if not name or not subject:
                empty = "subject" if name else "recording"
                raise StimjaxError(f"{file}: line {reader.line_num}: gives no {empty}")
            yield reader.line_num, name, subject
    except csv.Error as error:
        raise StimjaxError(f"{file}: line {reader.line_num}: is no CSV ({error})") from error
