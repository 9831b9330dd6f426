"""Scoring in tables of text: CSV, BIDS `events.tsv`, RemLogic's export, plain lists of stages.

The columns are named by a heading (onset or start; duration, stop or end; a text), which may
follow some lines of preamble, or are, without a heading, (onset, duration, text), (text, onset,
duration), (onset, text) or (text). Separators are tabs, semicolons, commas or spaces; where the
separator is no comma, a number may have a decimal comma. In a table with a row for each epoch, its
stage and an event, both are read. Times are s or times of day; times of
day that begin with 00:00:00 in a recording that does not start then count from its first sample.
"""

from __future__ import annotations

import csv
import dataclasses
import itertools
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from stimjax.data.recording import Header, Remark, Scoring
from stimjax.data.scoring import clock, stages, text, vocabulary
from stimjax.data.scoring.rules import EPOCH
from stimjax.data.times import DAY, Clock, moment, number
from stimjax.errors import StimjaxError

_IN_ONE_LINE = 5  # short cells; a file with so many in its only line is a list of stages
_PREAMBLE = 100  # lines in which a heading is looked for
_MISSING = frozenset(("", "n/a", "na", "nan", "none", "-", "."))
# Headings without case, accents, units and punctuation; of several texts the first that is there.
_ONSET = (
    "onset", "start", "starttime", "startsec", "startseconds", "begin", "onsetsec",
    "onsetseconds", "clocktime", "eventstart", "startzeit", "beginn", "anfang", "debut", "inicio",
    "inizio", "heuredebut", "heurededebut", "horadeinicio", "horainicio", "horadoinicio",
    "oradiinizio", "orainizio", "begintijd", "starttijd", "aanvang", "startdatetime", "开始",
    "开始时间", "起始时间", "time", "zeit", "heure", "hora", "ora", "tijd", "时间",
)  # fmt: skip
_DURATION = (
    "duration", "dur", "durationsec", "durationseconds", "length", "dauer", "duree", "duracion",
    "durata", "duracao", "duur", "lange", "持续时间", "时长", "持续",
)  # fmt: skip
_STOP = (
    "stop", "stoptime", "end", "endtime", "offset", "ende", "fin", "fine", "einde", "eventend",
    "endzeit", "heurefin", "heuredefin", "horadefin", "horafin", "horadefim", "fim", "oradifine",
    "eindtijd", "结束", "结束时间",
)  # fmt: skip
_STAGE = (
    "stage", "sleepstage", "sleepstages", "hypnogram", "stadedesommeil", "schlafstadium", "stade",
    "stadium", "stadio", "fase", "estagio", "slaapstadium", "stagehum", "睡眠分期", "分期",
)  # fmt: skip
_TEXT = (
    "trialtype", "description", "event", "eventname", "annotation", "annotations", "text",
    "label", "name", "eventtype", "type", "class", "ereignis", "evenement", "evento", "events",
    "evenements", "eventi", "eventos", "ereignisse", "gebeurtenis", "typeevenement", "tipo",
    "ereignistyp", "事件", "事件类型", "类型", "comment", "remark", "value",
    *_STAGE,
)  # fmt: skip
_DATE = ("date", "datum", "fecha", "data", "eventdate", "startdate", "日期")
_SCORER = ("scorer", "rater", "annotator", "expert", "reader", "scoredby", "auswerter")
_EPOCH = ("epoch", "epochnumber", "epochno", "epochindex", "epoche")
_SECONDS = re.compile(r"\s*(?:s|secs?|seconds?|sek\.?|segs?|秒)$", re.IGNORECASE)
_UNITS = {"s": 1.0, "sec": 1.0, "secs": 1.0, "second": 1.0, "seconds": 1.0, "hhmmss": 1.0,
          "sek": 1.0, "ms": 1e-3, "min": 60.0, "minutes": 60.0}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class _Columns:
    """Which column holds what; -1 for none. `texts`: the first that is not empty counts."""

    onset: int
    length: int
    texts: tuple[int, ...]
    stop: bool = False  # `length` is when it ends
    scorer: int = -1
    epoch: int = -1
    staged: bool = False  # its heading says that the text is a stage
    stage: int = -1  # of a row that has an event as well
    date: int = -1  # beside a time of day
    scale: tuple[float, float] = (1.0, 1.0)  # s in a unit of onset and length
    heading: int = 0  # rows before the first event


def read(path: Path, header: Header) -> Scoring:
    """The events of a table.

    Raises:
        StimjaxError: the file cannot be read, is no table of events or list of stages, or one of
            its lines has no time where one belongs.
    """
    rows = text.lines(path)
    if not rows:
        return Scoring(path, "table", (), notes=("is empty",))
    separator = _separator([line for _, line in rows[:_PREAMBLE]])
    cells = [(number, _cells(line, separator)) for number, line in rows]
    short = len(rows) == 1 and all(len(cell) <= len("REM") for cell in cells[0][1])
    if short and len(cells[0][1]) >= _IN_ONE_LINE:
        rows = [(cells[0][0], cell) for cell in cells[0][1] if cell]
        cells = [(line, [cell]) for line, cell in rows]
    columns = _headed(path, cells) or _bare(cells)
    if columns is None:
        if max(len(row) for _, row in cells) > 1 and separator != " ":
            raise text.NoScoring(
                f"{path}: is no table of events; give it a heading: onset, duration, description"
            )
        return _list_of_stages(path, header, rows)
    body = cells[columns.heading :]
    if columns.onset < 0:
        listed = [_text(row, columns) for _, row in body]
        remarks, note = stages.remarks(path, header, _in_order(path, body, columns, listed))
        return Scoring(path, "table of epochs", tuple(remarks), notes=(note,))
    try:
        remarks, notes = _events(path, header, body, columns)
    except StimjaxError as error:
        if columns.heading:
            raise
        raise text.NoScoring(str(error)) from None  # nothing says that it is a table of events
    return Scoring(path, "table", tuple(remarks), notes=notes)


def _list_of_stages(path: Path, header: Header, rows: Sequence[tuple[int, str]]) -> Scoring:
    """A scoring with one stage a line; a text of which no line is one is another file."""
    try:
        listed = stages.column(path, rows)
        remarks, note = stages.remarks(path, header, listed)
    except StimjaxError as error:
        raise text.NoScoring(str(error)) from None
    texts = {remark.text for remark in remarks}
    staged = any((vocabulary.kind(one) or "").startswith("stage.") for one in texts)
    if not staged and 2 * len(texts) > len(remarks):
        raise text.NoScoring(f"{path}: is neither a table of events nor a list of stages")
    return Scoring(path, "list of stages", tuple(remarks), notes=(note,))


def _separator(lines: Sequence[str]) -> str:
    """What divides the columns of most lines."""
    for separator in ("\t", ";", ","):
        if sum(separator in line for line in lines) > len(lines) / 2:
            return separator
    return "\t" if any(line.count("\t") > 1 for line in lines) else " "


def _cells(line: str, separator: str) -> list[str]:
    if separator == " ":
        return line.split()
    return [cell.strip() for cell in next(csv.reader([line], delimiter=separator))]


def _heading(cell: str) -> tuple[str, str]:
    """A heading without case, accents and punctuation, and its unit."""
    spelled = unicodedata.normalize("NFKD", cell.casefold())
    name, _, unit = spelled.replace("(", "[").partition("[")
    if not unit and (match := re.fullmatch(r"(.*[a-z])_(ms|min|sec|s)", name)):
        name, unit = match[1], match[2]
    name = "".join(sign for sign in name if sign.isalpha() and not unicodedata.combining(sign))
    return name, re.sub(r"[^a-z]", "", unit)


def _headed(path: Path, cells: Sequence[tuple[int, list[str]]]) -> _Columns | None:
    """The columns by the first row that names them."""
    for index, (line, row) in enumerate(cells[:_PREAMBLE]):
        headings = [_heading(cell) for cell in row]
        names = [name for name, _ in headings]

        def where(wanted: Sequence[str], names: list[str] = names) -> int:
            return next((names.index(name) for name in wanted if name in names), -1)

        texts = tuple(names.index(name) for name in _TEXT if name in names)
        onset, epoch = where(_ONSET), where(_EPOCH)
        staged = where(_STAGE)
        if texts and onset >= 0:
            length = where(_DURATION)
            stop = length < 0
            length = where(_STOP) if stop else length
            units = [headings[one][1] if one >= 0 else "" for one in (onset, length)]
            if unknown := [unit for unit in units if unit and unit not in _UNITS]:
                raise text.bad(path, line, f"times in {unknown[0]!r}", "write them in s")
            scale = (_UNITS.get(units[0], 1.0), _UNITS.get(units[1], 1.0))
            return _Columns(
                onset,
                length,
                texts,
                stop,
                where(_SCORER),
                staged=texts[0] == staged,
                stage=staged,
                date=where(_DATE),
                scale=scale,
                heading=index + 1,
            )
        if staged >= 0 and epoch >= 0:
            return _Columns(-1, -1, (staged,), epoch=epoch, heading=index + 1)
    return None


def _bare(cells: Sequence[tuple[int, list[str]]]) -> _Columns | None:
    """The columns of a table without a heading, by its first row."""
    first = cells[0][1]
    times = [moment(cell) for cell in first]
    if len(first) >= 3 and times[0] is not None and times[1] is not None:
        return _Columns(0, 1, (2,), stop=isinstance(times[1], Clock))
    if len(first) >= 3 and times[0] is None and times[1] is not None and times[2] is not None:
        return _Columns(1, 2, (0,), stop=isinstance(times[2], Clock))
    if len(first) == 2 and times[0] is not None:
        numbers = [number(row[0]) for _, row in cells if row]
        steps = itertools.pairwise(numbers)
        if all(a is not None and b is not None and b - a == 1 for a, b in steps):
            return _Columns(-1, -1, (1,), epoch=0)
        return _Columns(0, -1, (1,))
    return None


def _text(row: Sequence[str], columns: _Columns) -> str:
    texts = (row[one] for one in columns.texts if one < len(row))
    return next((one for one in texts if one.casefold() not in _MISSING), "")


def _in_order(
    path: Path,
    body: Sequence[tuple[int, list[str]]],
    columns: _Columns,
    listed: Sequence[str],
) -> list[str]:
    """The stages by the numbers of their epochs, which count from 0 or 1; gaps are unscored."""
    stage_of: dict[int, str] = {}
    for (line, row), stage in zip(body, listed, strict=True):
        value = number(row[columns.epoch]) if columns.epoch < len(row) else None
        if value is None or value != int(value) or not 0 <= value < 100_000:
            raise text.bad(path, line, "has no number of an epoch", "mend it")
        stage_of.setdefault(int(value), stage)  # of two for one epoch the first counts
    first = 0 if 0 in stage_of else 1
    return [stage_of.get(epoch, "9") for epoch in range(first, max(stage_of, default=0) + 1)]


def _events(
    path: Path,
    header: Header,
    body: Sequence[tuple[int, list[str]]],
    columns: _Columns,
) -> tuple[list[Remark], tuple[str, ...]]:
    """The remarks of a table, on the clock of the recording, and notes."""
    remarks: list[Remark] = []
    notes: dict[str, None] = {}
    named = _stage_words(path, body, columns)
    zero = _from_zero(header, body, columns)
    dated = _dated(header, body, columns)
    for line, row in body:
        words = named.get(line, _text(row, columns))
        if not words:
            continue
        cell = row[columns.onset] if columns.onset < len(row) else ""
        if cell.casefold() in _MISSING:
            raise text.bad(path, line, f"{words[:30]!r} has no onset", "mend or remove the line")
        cell = f"{row[columns.date]} {cell}" if dated else cell
        onset = _onset(path, line, header, cell, columns.scale[0], zero)
        if isinstance(moment(cell), Clock):
            begins = clock.written(header.start)
            since = "from 00:00:00" if zero else f"from the recording's start at {begins}"
            notes[f"its times are times of day, counted {since}"] = None
        length = row[columns.length] if 0 <= columns.length < len(row) else ""
        duration = None
        if length.casefold() not in _MISSING and columns.stop:
            stop = _onset(path, line, header, length, columns.scale[1], zero)
            duration = stop - onset
            if isinstance(moment(length), Clock):
                duration %= DAY
        elif length.casefold() not in _MISSING:
            duration = _length(path, line, length, columns.scale[1])
        if duration is not None and duration < 0:
            raise text.bad(path, line, f"{words[:30]!r} ends before it begins", "mend the line")
        scorer = row[columns.scorer] if 0 <= columns.scorer < len(row) else ""
        remarks.append(Remark(onset, duration, words, scorer))
    return remarks + _hidden_stages(path, body, columns, remarks), tuple(notes)


def _hidden_stages(
    path: Path,
    body: Sequence[tuple[int, list[str]]],
    columns: _Columns,
    remarks: Sequence[Remark],
) -> list[Remark]:
    """The stages of rows whose event was taken, in a table with a row for each epoch.

    Elsewhere a row has the stage in which its event happened, which says nothing of an epoch.
    """
    rows = [row for _, row in body if _text(row, columns)]
    steps = {round(b.onset - a.onset, 1) for a, b in itertools.pairwise(remarks)}
    if columns.staged or columns.stage < 0 or len(steps) != 1 or not 0 < min(steps) <= EPOCH:
        return []
    cells = [row[columns.stage] if columns.stage < len(row) else "" for row in rows]
    if any(cell.casefold() in _MISSING for cell in cells):
        return []
    listed = zip(remarks, cells, stages.worded(path, cells), strict=True)
    return [
        Remark(remark.onset, min(steps), word, remark.scorer)
        for remark, cell, word in listed
        if remark.text not in (cell, word)
    ]


def _stage_words(
    path: Path, body: Sequence[tuple[int, list[str]]], columns: _Columns
) -> dict[int, str]:
    """The words for stages that are numbers, by line: in a column that is named so.

    Raises:
        StimjaxError: another column has numbers only.
    """
    listed = {line: _text(row, columns) for line, row in body}
    texts = [one for one in listed.values() if one]
    if not texts or any(number(one) is None for one in texts):
        return {}
    if not columns.staged or any(re.fullmatch(r"-?\d", one) is None for one in texts):
        raise StimjaxError(f"{path}: its events are numbers; write words, or name the column stage")
    return dict(zip(listed, stages.worded(path, list(listed.values())), strict=True))


def _from_zero(header: Header, body: Sequence[tuple[int, list[str]]], columns: _Columns) -> bool:
    """Whether times of day count from the first sample: they begin with 00:00:00."""
    cells = (row[columns.onset] for _, row in body if columns.onset < len(row))
    first = moment(next(cells, ""))
    if not isinstance(first, Clock) or first.seconds or first.day:
        return False
    return header.start.clock is None or 60 <= header.start.clock <= DAY - 60


def _dated(header: Header, body: Sequence[tuple[int, list[str]]], columns: _Columns) -> bool:
    """Whether a column of dates counts: not where it is the recording's own day in all rows.

    So some software writes it, after midnight, too.
    """
    last = max(columns.date, columns.onset)
    if columns.date < 0 or any(len(row) <= last for _, row in body):
        return False
    times = [moment(f"{row[columns.date]} {row[columns.onset]}") for _, row in body]
    days = {time.day if isinstance(time, Clock) else None for time in times}
    return None not in days and days != {header.start.day}


def _onset(path: Path, line: int, header: Header, cell: str, scale: float, zero: bool) -> float:
    time = moment(cell)
    if time is None:
        raise text.bad(path, line, f"{cell[:30]!r} is no time", "write s or hh:mm:ss")
    if not isinstance(time, Clock):
        return time * scale
    if zero:
        return time.seconds
    try:
        return clock.elapsed(time, header)
    except ValueError as error:
        raise text.bad(path, line, f"has a time of day, but {error}", "write s") from None


def _length(path: Path, line: int, cell: str, scale: float) -> float:
    """A duration in s; one such as 0:00:12 is no time of day."""
    time = moment(_SECONDS.sub("", cell))
    if time is None:
        raise text.bad(path, line, f"{cell[:30]!r} is no duration", "write it in s")
    return time.seconds if isinstance(time, Clock) else time * scale
