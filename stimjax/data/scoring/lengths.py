"""Lengths that stand in the text of an event, as some recorders write them: "Hypopnea 23s"."""

from __future__ import annotations

import re

_NUMBER = r"(\d{1,3}(?:[.,]\d{1,9})?)"
_SECONDS = (
    r"(?:s|secs?|seconds?|sek|sekunden?|segs?|segundos?|secondi|secondo|secondes?|seconden|秒)"
    r"(?![^\W_])\.?"
)
_CALLED = r"(?:dur|duration|dauer|duree|durata|duracion|duracao|duur|length|持续时间|持续|时长)"
# Signs before a number that make it no length: "<10 s", "-5 s", "0:23 s", "1 min 5 s".
_BARE = r"(?<![\d.,<>=≥≤~+-])(?<!\d:)(?<!min )(?<!min\. )"
_NAMED = rf"(?<![^\W_]){_CALLED}\.?\s*[:=]?\s*"
_LENGTH = re.compile(
    rf"(?:{_NAMED}|{_BARE}){_NUMBER}\s*{_SECONDS}|{_NAMED}{_NUMBER}(?![\d.,:]*\s*[%\w:])"
)
# "00:00:23", "dur: 0:31": minutes and seconds.
_SPELLED = re.compile(
    rf"(?:(?<![\w:.])0{{1,2}}:|(?P<named>{_NAMED})(?:0{{1,2}}:)?)(?P<minutes>\d{{1,2}}):(?P<seconds>[0-5]\d)(?![\w:.,])"
)
_UNSURE = re.compile(r"[<>≥≤=~±-]\s+$")


def without_length(text: str) -> tuple[str, float | None]:
    """A text without the length in it, and that length.

    Args:
        text: in lower case, without accents.

    Returns:
        What is left, and the first length in s: None where the text has none, or one of 0.
    """
    text = _SPELLED.sub(lambda match: f" {_spelled(match)} s", text)
    lengths = [match for match in _LENGTH.finditer(text) if not _is_bound(text, match.start())]
    for match in reversed(lengths):
        text = f"{text[: match.start()]} {text[match.end() :]}"
    if not lengths:
        return text, None
    number = next(filter(None, lengths[0].groups()))
    return text, float(number.replace(",", ".")) or None


def _spelled(match: re.Match[str]) -> int:
    return 60 * int(match["minutes"]) + int(match["seconds"])


def _is_bound(text: str, start: int) -> bool:
    """Whether a sign before it makes a length a bound: "< 10 s"; a dash alone may part words."""
    before = _UNSURE.search(text[:start])
    return bool(before) and not before[0].startswith("-")
