"""By which labels a channel is known, written down for other software.

`channels` and `montage` hold the rules. Here is what they come to for one channel: which signals
stand for it, the best first. The tests hold both against each other.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from stimjax.data import channels

_PREFIXES = ("", "eeg", "eegch", "脑电", *(f"eeg{digit}" for digit in range(10)))
_EYES = {"EOG left": ("e1", "loc"), "EOG right": ("e2", "roc")}
_EARS = ("M2", "M1")  # of both eyes


@dataclasses.dataclass(frozen=True)
class Source:
    """What stands for a channel.

    Attributes:
        label: of a signal, plain (`channels.letters`); any of these.
        less: labels of a second signal, of the same rate and unit, that is subtracted from it; none
            where it is taken as it is.
    """

    label: tuple[str, ...]
    less: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Labels:
    """The signals that stand for a channel.

    Attributes:
        sources: the best first.
        before, behind: of which one may stand before, or one behind, a label.
    """

    sources: tuple[Source, ...]
    before: tuple[str, ...] = ()
    behind: tuple[str, ...] = ()


def labels(name: str) -> Labels:
    """The labels of a channel.

    Args:
        name: of a channel of windows; where these have two of a kind, as it was asked for.
    """
    kind = channels.canonical(name) or name
    own = channels.words(kind)
    groups = list(map(_zeros, own.groups))
    sensor = channels.sensor(name)
    if sensor and name != kind:  # one of two: a thermistor is no nasal pressure
        groups = [group for group in groups if channels.sensor(group[0]) == sensor]
    if channels.kind(kind) == "EEG":
        sources = [Source(_eeg(kind)), *_differences(kind)]
    elif kind in _EYES:
        first, *rest = map(Source, groups)
        sources = [first, *_eyes(kind), *rest]
    else:
        sources = [Source(group) for group in groups]
    if not sources:  # a name that no rule knows
        sources = [Source((channels.letters(name),))]
    return Labels(tuple(sources), own.before, own.behind)


def _zeros(words: Iterable[str]) -> tuple[str, ...]:
    """Words, and the same with a zero for the letter where `channels` takes it so."""
    given = list(words)
    zeros = [
        zero
        for word in given
        for at in (0, 1, 2)
        if word[at : at + 2] == "o2"
        and channels.known(zero := f"{word[:at]}0{word[at + 1 :]}") == channels.known(word)
        and zero not in given
    ]
    return (*given, *zeros)


def _eeg(name: str) -> tuple[str, ...]:
    """Plain labels of an EEG: those of many that the rules call so."""
    first, _, second = name.removeprefix("EEG").strip().partition("-")
    seconds = _electrode(second) if second else ("",)
    endings = ("", *channels.REFERENCES.get(second, ()), "ref", "eeg")
    words = [
        f"{prefix}{one}{other}{end}"
        for prefix in _PREFIXES
        for one in _electrode(first)
        for other in (*seconds, "")
        for end in endings
    ]
    return tuple(w for w in dict.fromkeys(words) if channels.known(w, "uV") == name) or (
        channels.letters(name),
    )


def _electrode(name: str) -> tuple[str, ...]:
    """How an electrode is written: the ears as mastoids or as themselves."""
    word = name.casefold()
    return (word, word.replace("m", "a")) if word in ("m1", "m2") else (word,)


def _differences(name: str) -> list[Source]:
    """A derivation of two electrodes that were measured against the same."""
    first, dash, second = name.removeprefix("EEG ").partition("-")
    if not dash or channels.electrode(second) is None:
        return []
    return [Source(_single(first, end), _single(second, end)) for end in ("", "ref")]


def _single(name: str, end: str) -> tuple[str, ...]:
    return tuple(f"{start}{word}{end}" for start in ("", "eeg") for word in _electrode(name))


def _eyes(name: str) -> list[Source]:
    """An eye less an ear that is a signal of its own."""
    return [
        Source(
            tuple(f"{start}{eye}{end}" for start in ("", "eog") for eye in _EYES[name]),
            _single(ear, end),
        )
        for ear in _EARS
        for end in ("", "ref")
    ]
