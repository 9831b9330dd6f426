"""What recordings say of persons, and which therefore must not stand in what is published.

Each reader knows what its own format tells (`edf.secrets`, `wfdb.secrets`); `reader.secrets` adds
what every file has: its name and its first bytes.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from stimjax.data.people import MONTHS
from stimjax.errors import StimjaxError


class Secret(NamedTuple):
    """What must not be published, and what kind of thing it is, for a message."""

    kind: str
    value: bytes | str


def of_day(kind: str, day: datetime.date | None) -> Iterator[Secret]:
    """A date in each form that a header writes; nothing where there is none."""
    if day is not None:
        yield Secret(kind, f"{day:%d.%m.%y}")
        yield Secret(kind, f"{day:%d.%m.%Y}")
        yield Secret(kind, f"{day:%Y-%m-%d}")
        yield Secret(kind, f"{day.day:02d}-{MONTHS[day.month - 1]}-{day.year}")


def content(path: Path, count: int = -1) -> bytes:
    """The first `count` bytes of a file, or all.

    Raises:
        StimjaxError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(count)
    except OSError as error:
        raise StimjaxError(f"{path}: cannot be read ({error.strerror})") from error
