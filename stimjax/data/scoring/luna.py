"""Luna's `.annot` (zzz.bwh.harvard.edu/luna/ref/annotations).

Lines of 3 (class, start, stop), 4 (class, instance, start, stop) or 6 columns (class, instance,
channel, start, stop, meta). A start is s, a time of day, `0+hh:mm:ss` since the first sample or
`e:N` (the Nth epoch; `e:N:length:step`); a stop may also be `+s`, `.` or `...` (until the next).
"""

from __future__ import annotations

from pathlib import Path

from stimjax.data.recording import Header, Remark, Scoring
from stimjax.data.scoring import clock, text
from stimjax.data.scoring.rules import EPOCH
from stimjax.data.times import Clock, moment, number

_COLUMNS = {3: (0, 0, 1, 2), 4: (0, 1, 2, 3), 5: (0, 1, 3, 4), 6: (0, 1, 3, 4)}
_GENERIC = frozenset(("edf_annot", "annot", "annotation", "sleepstage", "stage", "event"))


def read(path: Path, header: Header) -> Scoring:
    """The annotations of an `.annot` file.

    Raises:
        StimjaxError: the file cannot be read, or a line has another form.
    """
    remarks: list[Remark] = []
    waiting: int | None = None  # whose stop is the next one's start
    clocked = False
    for line, content in text.lines(path):
        cells = content.split("\t") if "\t" in content else content.split()
        cells = [cell.strip() for cell in cells]
        if not remarks and cells[0].casefold() == "class":
            continue
        if len(cells) not in _COLUMNS:
            raise text.bad(path, line, f"has {len(cells)} columns", "3, 4 or 6 belong there")
        named, instance, begin, end = (cells[index] for index in _COLUMNS[len(cells)])
        clocked = clocked or isinstance(moment(begin), Clock)
        onset, until = _interval(path, line, header, begin)
        if waiting is not None:
            before = remarks[waiting]
            remarks[waiting] = Remark(before.onset, max(onset - before.onset, 0.0), before.text)
        waiting = len(remarks) if end == "..." else None
        if end.startswith("+"):
            until = onset + _number(path, line, end[1:])
        elif end not in (".", "..."):
            until = max(_interval(path, line, header, end))
        if until < onset:
            raise text.bad(path, line, f"{named!r} ends before it begins", "mend the line")
        words = instance if named.casefold() in _GENERIC and instance != "." else named
        remarks.append(Remark(onset, None if waiting is not None else until - onset, words))
    if waiting is not None:
        last = remarks[waiting]
        remarks[waiting] = Remark(last.onset, max(header.duration - last.onset, 0.0), last.text)
    note = f"its times of day count from the recording's start at {clock.written(header.start)}"
    return Scoring(path, "Luna annotations", tuple(remarks), notes=(note,) if clocked else ())


def _interval(path: Path, line: int, header: Header, cell: str) -> tuple[float, float]:
    """When what a cell names begins and ends, in s from the first sample."""
    if cell.startswith("e:"):
        parts = [_number(path, line, part) for part in cell[2:].split(":")]
        length = parts[1] if len(parts) > 1 else EPOCH
        onset = (parts[0] - 1) * (parts[2] if len(parts) > 2 else length)
        return onset, onset + length
    since = cell.startswith("0+")
    time = moment(cell[2:] if since else cell)
    if time is None:
        raise text.bad(path, line, f"{cell[:30]!r} is no time", "write s, hh:mm:ss or e:N")
    if isinstance(time, Clock):
        try:
            seconds = time.seconds if since else clock.elapsed(time, header)
        except ValueError as error:
            raise text.bad(path, line, f"has a time of day, but {error}", "write s") from None
    else:
        seconds = time
    return seconds, seconds


def _number(path: Path, line: int, cell: str) -> float:
    value = number(cell)
    if value is None:
        raise text.bad(path, line, f"{cell[:30]!r} is no number", "mend the line")
    return value
