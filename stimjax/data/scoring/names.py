"""Which files beside a recording have its scoring, by their names."""

from __future__ import annotations

import functools
import os
import re
import time
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

RECORDINGS = r"(?:edf|edf\.gz|rec|bdf|hea)"
EDF = r"(?:edf|edf\.gz|rec|bdf)"
# What stands behind a recording's name in that of its scoring.
WORD = (
    r"[-_. ]?(?:sleep[-_ ]?)?(?:hypnogramm?e?s?|hypno|annotations?|annots?|scorings?|scored?|"
    r"scores|scorers?|experts?|raters?|events?|stages?|staging|respiration|respevts?|apnoe?as?|arousals?|"
    r"hypnodensity|schlafprofil|schlafstadien|auswertung|cotation|stadien|hipnogramas?|ipnogramma)"
    r"(?:[-_. ]?\d)?"
)
_RECORDED = re.compile(r"[-_. ](?:psg|eeg|nsrr|raw|signals?|recording|polysomnography)")
_SLEEP_EDF = re.compile(r"((?:sc4|st7)\d{3})[a-z]\w-psg")
_SETTLED = 2e9  # ns without a change after which a folder's list is kept
_MOST = 1000  # names in a folder that are looked through for near misses
_LIKELY = re.compile(rf".*(?:\.xml|\.annot|\.eannot|\.sta|\.hyp|{WORD}\.(?:{EDF}|csv|tsv|txt))")


class Listing:
    """The names of the files in a folder, without regard to case.

    Attributes:
        names: as they are, by their lower case.
        ordered: the lower case, sorted.
    """

    def __init__(self, folder: str):
        # Names, not paths: every recording comes by here, and its folder may hold thousands.
        self.names = {name.lower(): name for name in sorted(os.listdir(folder))}  # noqa: PTH208
        self.ordered = sorted(self.names)

    def beginning(self, start: str) -> Iterator[str]:
        """The lower-case names that begin so, in order."""
        for index in range(bisect_left(self.ordered, start), len(self.ordered)):
            if not self.ordered[index].startswith(start):
                return
            yield self.ordered[index]


def listing(folder: Path) -> Listing:
    """The files of a folder; its list is kept while the folder has not changed.

    Raises:
        OSError: the folder cannot be read.
    """
    changed = folder.stat().st_mtime_ns
    if time.time_ns() - changed < _SETTLED:  # a clock's tick may hide a later change
        return Listing(str(folder))
    return _kept(str(folder), changed)


@functools.lru_cache(maxsize=4)
def _kept(folder: str, _: int) -> Listing:
    return Listing(folder)


def bases(name: str) -> list[str]:
    """What the names of a recording's scorings begin with, best first, in lower case.

    Its name without its ending, and without what only says that it is the recording: "-PSG",
    BIDS's "_eeg", "-nsrr".
    """
    stem = re.sub(rf"\.{RECORDINGS}$", "", name.lower())
    shorter = re.fullmatch(rf"(.+?){_RECORDED.pattern}", stem)
    return [stem, shorter[1]] if shorter else [stem]


def sleep_edf(name: str, files: Listing) -> list[str]:
    """Sleep-EDF's hypnograms of a recording, in lower case; none for names of another form.

    `SC4001E0-PSG.edf` has `SC4001EC-Hypnogram.edf`: six letters tell the subject and the night.
    Those with seven equal letters come first.
    """
    match = _SLEEP_EDF.fullmatch(bases(name)[0])
    if match is None:
        return []
    form = re.compile(r".{6}[a-z]\w-hypnogram\.edf")
    hypnograms = [one for one in files.beginning(match[1]) if form.fullmatch(one)]
    return sorted(hypnograms, key=lambda one: one[6] != name.lower()[6])


def belongs(name: str, files: Mapping[str, str]) -> bool:
    """Whether a file is by its name the scoring of a recording in the same folder.

    Args:
        name: of an EDF file.
        files: the names in its folder by their lower case.
    """
    lower = name.lower()
    match = re.fullmatch(rf"(.+?){WORD}\.{EDF}", lower)
    if match is None:
        return False
    roots = (match[1], *(f"{match[1]}{end}" for end in ("-psg", "_psg", "_eeg", "-nsrr")))
    endings = ("edf", "rec", "bdf", "edf.gz")
    return any(f"{root}.{end}" in files for root in roots for end in endings)


def near(name: str, files: Listing) -> list[str]:
    """Files that might have been meant as the scoring of a recording but have no such name.

    Those that begin with its name or hold it; where no file does, those that look like a
    scoring and stand beside a single recording.
    """
    recording = re.compile(rf".*\.(?:{RECORDINGS}|dat|mat|npy|npz)$")
    stem, *others = bases(name)
    shortest = others[0] if others else stem
    lone = sum(bool(recording.fullmatch(one)) for one in files.ordered[:_MOST]) <= 1
    word = re.compile(rf"(?<![a-z0-9]){re.escape(shortest)}(?![a-z0-9])")
    rest = [one for one in files.ordered[:_MOST] if one != name.lower()]
    same = [one for one in rest if word.search(one)]
    likely = [one for one in same if not recording.fullmatch(one) or _LIKELY.fullmatch(one)]
    if not likely and lone:
        likely = [one for one in rest if _LIKELY.fullmatch(one)]
    return [files.names[one] for one in likely]


def sharing(name: str, files: Listing) -> list[str]:
    """EDF files whose name begins with that of a recording, without its ending, or ends with it."""
    base = re.escape(bases(name)[-1])
    form = re.compile(rf"(?:{base}(?![a-z0-9]).*|.*(?<![a-z0-9]){base})\.{EDF}")
    listed = (one for one in files.ordered[:_MOST] if one != name.lower())
    return [files.names[one] for one in listed if form.fullmatch(one)]


def shown(names: Sequence[str], most: int = 4) -> str:
    """Some names for a message."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
