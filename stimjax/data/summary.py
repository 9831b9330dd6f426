"""What `prepare` says in sum of how its recordings were read and scored."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from stimjax.data.scoring import vocabulary
from stimjax.data.windows import Cut, said

SHOWN = 5  # of what has many kinds: the most frequent


class Summary:
    """Counts over recordings, which become a few lines."""

    def __init__(self, max_missing: float) -> None:
        self._max_missing = max_missing
        self._recordings = self._unbounded = self._quiet = self._windows = 0
        self._sources: Counter[str] = Counter()
        self._shifted: Counter[str] = Counter()
        self._ignored: Counter[str] = Counter()
        self._notes: Counter[str] = Counter()
        self._counted: Counter[str] = Counter()  # what such notes count
        self._left_out: Counter[str] = Counter()

    def add(self, cut: Cut) -> None:
        """Count a recording whose windows are used."""
        scoring = cut.scoring
        self._recordings += 1
        self._unbounded += not scoring.bounded
        self._quiet += not scoring.breathing
        given = [(group, s.kind) for s in scoring.sources for group in s.gives]
        self._sources.update(sorted({f"{group} from {kind}" for group, kind in given}))
        self._shifted.update(
            f"{source.kind} by {source.shift:+g} s ({source.why})"
            for source in scoring.sources
            if source.shift
        )
        self._ignored.update(scoring.ignored)
        for note in dict.fromkeys(cut.notes):  # in order: a set has none
            count, text = _parted(note)
            self._notes[text] += 1
            self._counted[text] += count
        self._left_out.update(cut.left_out)
        self._windows += len(cut.label) + sum(cut.left_out.values())

    def lines(self, task: str) -> Iterator[str]:
        """What a user should know, the usual first."""
        if self._sources:
            yield f"scoring: {_listed(self._sources)}"
        if self._shifted:
            yield f"shifted in time: {_listed(self._shifted)}"
        if task == "apnea" and self._unbounded:
            yield (
                f"{_recordings(self._unbounded)}: neither stages nor lights were scored; every "
                "minute without an event counts as normal"
            )
        if task == "apnea" and self._quiet:
            yield (
                f"{_recordings(self._quiet)}: stages, but not one apnea or hypopnea was scored; "
                "every scored minute counts as normal"
            )
        yield from self._lines_of_texts(task)
        left_out = self._left_out.total()
        if left_out:
            why = said(self._left_out, self._max_missing)
            yield f"left out {left_out} of {self._windows} labeled windows: {why}"
        for text, count in self._notes.most_common(SHOWN):
            yield f"{_recordings(count)}: {text.format(self._counted[text])}"
        if len(self._notes) > SHOWN:
            yield f"and {len(self._notes) - SHOWN} other notes; `stimjax inspect` shows them"

    def _lines_of_texts(self, task: str) -> Iterator[str]:
        if self._ignored:
            yield (
                f"not used: {self._ignored.total()} scored texts of {len(self._ignored)} kinds, "
                f"most often {_listed(self._ignored)}"
            )
        suspects = {
            text: count
            for text, count in self._ignored.items()
            if task == "apnea" and vocabulary.looks_respiratory(text)
        }
        if suspects:
            yield (
                f"warning: {_listed(Counter(suspects))} looks like a respiratory event and is not "
                "understood; its minutes may count as normal: say what it means in prepare.events"
            )


def _parted(note: str) -> tuple[int, str]:
    """A note without its file, and the count that it begins with, which "{}" stands for."""
    text = re.sub(r"^[^:/]*\.\w{2,9}: ", "", note).replace("{", "(").replace("}", ")")
    match = re.match(r"(\d+) ", text)
    return (int(match[1]), f"{{}} {text[match.end() :]}") if match else (0, text)


def _listed(counts: Counter[str]) -> str:
    """The most frequent, each with its count."""
    shown = [f"{_short(text)} ({count})" for text, count in counts.most_common(SHOWN)]
    more = len(counts) - SHOWN
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def _short(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= 80 else f"{plain[:77]}..."


def _recordings(count: int) -> str:
    return "1 recording" if count == 1 else f"{count} recordings"
