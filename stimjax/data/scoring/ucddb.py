"""The respiratory events of PhysioNet's UCDDB: `ucddb002_respevt.txt`.

Below some lines of heading a line has a time of day, a type ("HYP-C", "APNEA-O"), "PB" or "CS" or
neither, a duration in s, and more that is not used.
"""

from __future__ import annotations

import re
from pathlib import Path

from stimjax.data.recording import Header, Remark, Scoring
from stimjax.data.scoring import clock, text
from stimjax.data.times import Clock, moment
from stimjax.errors import StimjaxError

_LINE = re.compile(r"\s*(\d{1,2}:\d{2}:\d{2})\s+([A-Za-z][\w-]*)\s+(?:(?:PB|CS)\s+)?(\d+\.?\d*)?")


def read(path: Path, header: Header) -> Scoring:
    """The events of such a file.

    Raises:
        StimjaxError: the file cannot be read, holds no such table, or the recording has no start.
    """
    remarks = []
    rows = text.lines(path)
    for line, content in rows:
        if not re.match(r"\s*\d{1,2}:\d{2}", content):
            continue
        match = _LINE.match(content + " ")
        time = moment(match[1]) if match else None
        if match is None or not isinstance(time, Clock):
            raise text.bad(path, line, "is no time, type and duration", "copy the file again")
        try:
            onset = clock.elapsed(time, header)
        except ValueError as error:
            raise text.bad(path, line, f"has a time of day, but {error}", "mend that") from None
        remarks.append(Remark(onset, float(match[3]) if match[3] else None, match[2]))
    if not remarks and not any("Type" in content for _, content in rows):
        raise StimjaxError(f"{path}: holds no respiratory events; copy it again")
    note = f"its times of day count from the recording's start at {clock.written(header.start)}"
    return Scoring(path, "UCDDB respiratory events", tuple(remarks), notes=(note,))
