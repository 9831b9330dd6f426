"""Whether a scoring and a recording can be of one person."""

from __future__ import annotations

import re

# What recorders and de-identification write where a code was.
_PLACEHOLDERS = frozenset((
    "x", "xx", "xxx", "anonymous", "anonymized", "anonymised", "anonym", "anon", "unknown",
    "unnamed", "none", "null", "na", "nn", "test", "patient", "subject", "name", "noname", "id",
    "deidentified", "removed", "redacted", "default",
))  # fmt: skip


def contradict(recording: str, scoring: str) -> bool:
    """Whether two codes name two persons.

    Compared are their words, without regard to case and punctuation: "P01" and "P01 Smith" may
    be one person, "P01" and "P02" are not. Placeholders and zeros contradict nothing.
    """
    first, second = _words(recording), _words(scoring)
    return bool(first and second) and not (first <= second or second <= first)


def _words(code: str) -> set[str]:
    words = (re.sub(r"\W", "", word) for word in re.split(r"[\s,;_^]+", code.casefold()))
    return {word for word in words if word.strip("0") and word not in _PLACEHOLDERS}
