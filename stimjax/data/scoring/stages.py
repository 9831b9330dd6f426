"""A plain list of stages: one for each epoch, from the recording's first sample on.

Numbers are read as 0 W, 1 N1, 2 N2, 3 N3, 4 stage 4 (N3), 5 REM, 6 movement, others unscored. Some
software writes 4 for REM: a list with 4 and without 5 is refused. UCDDB's own numbers
(`ucddb002_stage.txt`) are 0 W, 1 REM, 2 to 5 stages 1 to 4, 6 artifact, 7 indeterminate.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from stimjax.data.recording import Header, Remark
from stimjax.data.scoring import text
from stimjax.data.scoring.rules import EPOCH
from stimjax.data.times import number
from stimjax.errors import StimjaxError

UNSCORED = "Sleep stage ?"
NUMBERS = {
    0: "Sleep stage W", 1: "Sleep stage N1", 2: "Sleep stage N2", 3: "Sleep stage N3",
    4: "Sleep stage 4", 5: "Sleep stage R", 6: "Movement time",
}  # fmt: skip
_UCDDB = {
    0: "Sleep stage W", 1: "Sleep stage R", 2: "Sleep stage 1", 3: "Sleep stage 2",
    4: "Sleep stage 3", 5: "Sleep stage 4",
}  # fmt: skip
_SHORTER = 20.0  # s, the other epoch in use


def worded(path: Path, listed: Sequence[str]) -> list[str]:
    """Stages as words: numbers become EDF+'s texts, words stay.

    Raises:
        StimjaxError: 4 may be stage 4 or REM.
    """
    values = [number(one) for one in listed]
    present = {value for value in values if value is not None}
    numbers = NUMBERS
    if re.match(r"ucddb\d+", path.name, re.IGNORECASE):
        numbers = _UCDDB
    elif 4 in present and 5 not in present:
        raise StimjaxError(
            f"{path}: has stages 4 and no 5, so that 4 may be stage 4 or REM; "
            "write words (W, N1, N2, N3, R)"
        )
    return [
        one.strip() if value is None else numbers.get(int(value), UNSCORED)
        for one, value in zip(listed, values, strict=True)
    ]


def remarks(path: Path, header: Header, listed: Sequence[str]) -> tuple[list[Remark], str]:
    """One remark an epoch, and a note on the length of the epochs.

    An epoch is 30 s, or 20 s where only this fits the recording.

    Raises:
        StimjaxError: as for `worded`; or there are more stages than the recording has time for.
    """
    count, epoch = len(listed), EPOCH
    if count * EPOCH >= header.duration + 2 * EPOCH:
        epoch = _SHORTER
        if abs(count * epoch - header.duration) >= 2 * epoch:
            raise StimjaxError(
                f"{path}: has {count} stages, which of 30 s each are more than the "
                f"{header.duration:g} s of recording {header.name}; "
                "write onset, duration and stage in each line"
            )
    words = worded(path, listed)
    note = f"{count} epochs of {epoch:g} s, from the recording's first sample"
    return [Remark(epoch * index, epoch, word) for index, word in enumerate(words)], note


def column(path: Path, rows: Sequence[tuple[int, str]]) -> list[str]:
    """The stages of a file with one a line, without a heading.

    Raises:
        StimjaxError: a line holds more than a stage.
    """
    heading = rows and re.fullmatch(
        r"\W*(sleep[ _]?)?(stages?|hypno(gram)?|label|staging|scoring|sleep)\W*",
        rows[0][1],
        re.IGNORECASE,
    )
    listed = []
    for line, content in rows[1:] if heading else rows:
        stage = content.strip().strip("\"'").strip()
        value = number(stage)
        if len(stage) > 40 or (value is not None and value != int(value)):
            raise text.bad(path, line, f"{stage[:20]!r} is no stage", "write one stage a line")
        listed.append(stage)
    return listed
