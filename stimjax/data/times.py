"""Dates and times as headers and tables write them."""

from __future__ import annotations

import datetime
import re
from typing import NamedTuple

from stimjax.data import people
from stimjax.data.recording import Start

DAY = 86400.0  # s
_TIME = re.compile(r"(\d{1,2})([:.])(\d{2})\2(\d{2}(?:[.,]\d*)?)\s*([ap]m)?", re.IGNORECASE)
_SHORT = re.compile(r"(\d{1,2}):(\d{2})")
_EDF = re.compile(
    r"(\d{1,2})[.:,;\-/ hu]?(\d{2})(?:[.:,;\-/ m'′]?(\d{2})[s\"″]?)?\s*([ap]m)?", re.IGNORECASE
)
_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})[T ]+(.+?)(?:Z|[+-]\d\d:?\d\d)?")
_DATED = re.compile(r"(\d{1,2}[./-]\w{1,3}[./-]\d{4})[T ]+(.+)")


class Clock(NamedTuple):
    """A time of day: `seconds` after midnight, `day` None where it is not written."""

    seconds: float
    day: datetime.date | None = None


def start(date: str, time: str) -> Start:
    """When a file begins by two fields of an EDF header: dd.mm.yy; hh.mm.ss in many spellings.

    hh:mm:ss, hhmmss, 22h40m00, 22:40 and 10:40 PM are such spellings.

    The first of January of any year is a default, which de-identification and writers of EDF
    leave, and so is midnight on no or on a default date.
    """
    day = real(people.day(date.strip(" \0")))
    match = _EDF.fullmatch(time.strip(" \0"))
    seconds = _seconds(match[1], match[2], match[3] or "0", match[4]) if match else None
    return Start(day, None if seconds == 0 and day is None else seconds)


def real(day: datetime.date | None) -> datetime.date | None:
    """A day, None where it is a default."""
    return None if day and (day.month, day.day) == (1, 1) else day


def number(text: str) -> float | None:
    """A finite number, with a decimal point or comma; None for others."""
    if not re.fullmatch(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?", text.strip()):
        return None
    value = float(text.strip().replace(",", "."))
    return value if abs(value) < float("inf") else None


def moment(text: str) -> float | Clock | None:
    """A time as tables write it: s, or hh:mm:ss with or without a date; None for others.

    A date counts where the order of its parts is plain: 2020-03-05 or 05.03.2020.
    """
    text = text.strip()
    if (value := number(text)) is not None:
        return value
    day = None
    if match := _ISO.fullmatch(text):
        text, day = match[4], people.day(f"{match[3]}.{match[2]}.{match[1]}")
    elif match := _DATED.fullmatch(text):
        text, day = match[2], people.day(match[1]) if "/" not in match[1] else None
    if match := _TIME.fullmatch(text):
        seconds = _seconds(match[1], match[3], match[4], match[5])
    elif match := _SHORT.fullmatch(text):
        seconds = _seconds(match[1], match[2], "0")
    else:
        return None
    return None if seconds is None else Clock(seconds, real(day))


def _seconds(hours: str, minutes: str, seconds: str, half: str | None = None) -> float | None:
    hour, minute, second = int(hours), int(minutes), float(seconds.replace(",", "."))
    if half:
        hour = hour % 12 + (12 if half.lower() == "pm" else 0)
    return (
        3600.0 * hour + 60.0 * minute + second if hour < 24 and max(minute, second) < 60 else None
    )
