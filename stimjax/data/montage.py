"""Which signals of a file stand for which channels.

A file may hold several signals of one kind, and electrodes whose reference is a signal of its own.
Here it is decided, from what the header says, which signal is taken for each channel and which is
subtracted from it; what a user asks for goes before the rules. Nothing of a format is known here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

import numpy as np

from stimjax.data import channels, units
from stimjax.data.channels import Wish
from stimjax.data.recording import Signal, SignalHeader
from stimjax.errors import StimjaxError

# AASM's references: the ear of the other side, and M2 for both eyes; else the other ear.
_EARS = {"odd": ("M2", "M1"), "even": ("M1", "M2"), "middle": ("M1", "M2"), "eye": ("M2", "M1")}


@dataclasses.dataclass(frozen=True)
class Choice:
    """What stands for a channel.

    Attributes:
        name: of the channel.
        kind: its canonical name, which tells how it is treated.
        index: of its signal in the file.
        reference: index of the signal that is subtracted from it, None where none is.
    """

    name: str
    kind: str
    index: int
    reference: int | None = None

    @property
    def indices(self) -> tuple[int, ...]:
        """Of all the signals that are needed."""
        return (self.index,) if self.reference is None else (self.index, self.reference)


def header(label: str, unit: str, rate: float, fault: str = "") -> SignalHeader:
    """What a file says of a signal, with the name that is known for it."""
    return SignalHeader(label, channels.known(label, unit), unit, rate, fault)


def choose(signals: Sequence[SignalHeader], without: Collection[int] = ()) -> dict[str, Choice]:
    """What stands for each channel of a file where a user asks for nothing else.

    Of several signals of one name that with a fitting unit is taken, then that which
    `channels.preference` names, then the faster one, then that whose label is the name, then the
    first. An electrode whose ear is a
    signal of its own, at the same rate and in a like unit, becomes the derivation of both.

    Args:
        signals: all of the file.
        without: indices of signals that are no candidates.

    Returns:
        The choices by name, in the order of the file.
    """
    best: dict[str, int] = {}
    for index in _candidates(signals, without):
        name = _name(signals[index])
        if name not in best or _order(signals, name, index) < _order(signals, name, best[name]):
            best[name] = index
    chosen = {name: _derived(signals, name, index) for name, index in best.items()}
    taken = {
        choice.name: choice
        for name, choice in chosen.items()
        if choice.name == name or choice.name not in best  # the recorder's own goes before ours
    }
    return dict(sorted(taken.items(), key=lambda item: item[1].index))


def rates(signals: Sequence[SignalHeader], wanted: Sequence[str] | None = None) -> dict[str, float]:
    """Samples a second by channel, with what a user asks for in place of what the rules take.

    Args:
        signals: all of the file.
        wanted: as for `pick`; a channel that the file does not have is left out.
    """
    chosen = choose(signals)
    for wish, choice in _resolved(signals, channels.wishes(wanted or ())).items():
        chosen.pop(wish.name, None)
        if choice is not None:
            chosen[wish.name] = choice
    return {name: signals[choice.index].rate for name, choice in chosen.items()}


def pick(
    signals: Sequence[SignalHeader], wanted: Sequence[str] | None, where: str
) -> dict[str, Choice]:
    """The channels of a file that a user wants, in the order of the wish.

    A canonical name is what `choose` takes for it. Another text is the label of a signal, if one
    has it, else an alias of what has its canonical name; a thermistor is not taken for nasal
    pressure, nor the reverse. A derivation ("F3-C3") may be one of two electrodes of the file.

    Args:
        signals: all of the file.
        wanted: see `channels.wishes`; None for all.
        where: names the file in the error.

    Raises:
        StimjaxError: a wanted channel is not in the file, or two are the same signal.
    """
    if wanted is None:
        return choose(signals)
    picked: dict[str, Choice] = {}
    owners: dict[tuple[int, ...], str] = {}
    for wish, choice in _resolved(signals, channels.wishes(wanted)).items():
        if choice is None:
            raise StimjaxError(f"{where}: {_lacks(wish, signals)}; it has {_listed(signals)}")
        other = owners.setdefault(choice.indices, wish.name)
        if other != wish.name:
            raise StimjaxError(
                f"{where}: {other!r} and {wish.name!r} would both be its signal "
                f"{signals[choice.index].label!r}; ask for one of them, or name labels"
            )
        picked[wish.name] = choice
    return picked


def notes(signals: Sequence[SignalHeader], wanted: Sequence[str] | None = None) -> tuple[str, ...]:
    """What was decided about channels that a user may want otherwise, each a line.

    Args:
        signals: all of the file.
        wanted: as for `pick`; then only what concerns these channels is said.
    """
    if wanted:
        resolved = _resolved(signals, channels.wishes(wanted))
        chosen = {wish.name: choice for wish, choice in resolved.items() if choice}
        named = {wish.name for wish in resolved if wish.text != wish.kind}
    else:
        chosen, named = choose(signals), set[str]()
    used = {index for choice in chosen.values() for index in choice.indices}
    lines = []
    for name, choice in chosen.items():
        label = signals[choice.index].label
        if choice.reference is not None:
            lines.append(f"{name} is {label!r} less {signals[choice.reference].label!r}")
        others = [i for i in _of_name(signals, _name(signals[choice.index])) if i not in used]
        if others and name not in named:
            lines.append(
                f"{name} is {label!r}{_why(signals, choice)}; {_left(signals, choice, others)}"
            )
        if channels.kind(choice.kind) in ("EEG", "EOG"):
            lines += _doubts(signals[choice.index], choice)
    return tuple(lines)


def _doubts(one: SignalHeader, choice: Choice) -> list[str]:
    lines = []
    if choice.reference is None and channels.electrode(one.label):
        lines.append(f"{one.label!r} is taken as it is: what it was measured against is not told")
    if not units.quantity(one.unit):
        lines.append(f"{one.label!r} states no unit: its values are taken as they are")
    return lines


def signal(choice: Choice, raw: Mapping[int, Signal]) -> Signal:
    """The channel of a choice in its usual unit, see `units.scale`; its reference is subtracted.

    Args:
        choice: from `choose` or `pick`.
        raw: at least the signals that it needs by index, in the units of the file.
    """
    main = _converted(raw[choice.index], choice)
    if choice.reference is None:
        return main
    ear = _converted(raw[choice.reference], choice)
    return dataclasses.replace(
        main,
        label=f"{main.label} - {ear.label}",
        values=main.values - ear.values,
        low=main.low - ear.high,
        high=main.high - ear.low,
    )


def _converted(raw: Signal, choice: Choice) -> Signal:
    high = raw.high
    if choice.kind == "SpO2" and np.isfinite(raw.values).any():
        most = float(np.nanmax(raw.values, initial=-np.inf, where=np.isfinite(raw.values)))
        high = min(high, most) if most > 0 else high
    factor, unit = units.scale(choice.kind, raw.unit, high)
    values = raw.values if factor == 1 else raw.values * factor
    return dataclasses.replace(
        raw,
        name=choice.name,
        unit=unit,
        values=values.astype(np.float32, copy=False),
        low=raw.low * factor,
        high=raw.high * factor,
    )


def _candidates(signals: Sequence[SignalHeader], without: Collection[int]) -> list[int]:
    return [
        index
        for index, signal in enumerate(signals)
        if channels.is_signal(signal.label) and index not in without and not signal.fault
    ]


def _name(signal: SignalHeader) -> str:
    return signal.name or " ".join(signal.label.split())


def _of_name(signals: Sequence[SignalHeader], name: str) -> list[int]:
    return [index for index in _candidates(signals, ()) if _name(signals[index]) == name]


def _order(signals: Sequence[SignalHeader], name: str, index: int) -> tuple[float, ...]:
    one = signals[index]
    fits, exact = units.fits(name, one.unit), _folded(one.label) == _folded(name)
    return (not fits, channels.preference(one.label), -one.rate, not exact, index)


def _derived(signals: Sequence[SignalHeader], name: str, index: int) -> Choice:
    """A signal against its ear, where both are electrodes; else the signal as it is."""
    pair = channels.electrode(signals[index].label) if name.startswith(("EEG ", "EOG ")) else None
    if pair is None:
        return Choice(name, name, index)
    first, against = pair
    for ear in _EARS[_side(first)]:
        reference = _electrode(signals, ear, against)
        if reference is not None and _alike(signals[index], signals[reference]):
            full = name if name.startswith("EOG") else f"EEG {first}-{ear}"
            return Choice(full, full, index, reference)
    return Choice(name, name, index)


def _side(electrode: str) -> str:
    if electrode in ("E1", "E2"):
        return "eye"
    if not electrode[-1].isdigit():
        return "middle"
    return "odd" if int(electrode[-1]) % 2 else "even"


def _electrode(signals: Sequence[SignalHeader], electrode: str, against: str) -> int | None:
    """The first signal of an electrode that was measured against the same.

    A cap of BioSemi counts its electrodes A1, A2, A3 and on: then these are no ears.
    """
    cap = any(signal.label.strip() in ("A3", "a3") for signal in signals)
    return next(
        (
            index
            for index in _candidates(signals, ())
            if not (cap and _folded(signals[index].label) in ("a1", "a2"))
            and channels.electrode(signals[index].label) == (electrode, against)
        ),
        None,
    )


def _alike(one: SignalHeader, other: SignalHeader) -> bool:
    """Whether one signal may be subtracted from another: rates and units allow it."""
    voltages = units.is_voltage(one.unit) and units.is_voltage(other.unit)
    return one.rate == other.rate and (voltages or one.unit == other.unit)


def _resolved(signals: Sequence[SignalHeader], wishes: Iterable[Wish]) -> dict[Wish, Choice | None]:
    """What each wish means in a file, None where the file has nothing for it."""
    wishes = tuple(wishes)
    kinds = [wish.kind for wish in wishes]
    result: dict[Wish, Choice | None] = dict.fromkeys(wishes)
    # Who names a label gets it; a canonical name beside it ("flow", "Thermistor") gets the rest.
    for wish in sorted(wishes, key=lambda wish: wish.text == wish.kind):
        shared = kinds.count(wish.kind) > 1
        others = [choice for choice in result.values() if choice is not None] if shared else []
        taken = {choice.index for choice in others if choice.kind == wish.kind}
        choice = _by_pattern(signals, wish)
        if choice is None and wish.text:
            choice = _by_text(signals, wish, taken, shared=shared)
        result[wish] = choice and dataclasses.replace(choice, name=wish.name)
    return result


def _by_pattern(signals: Sequence[SignalHeader], wish: Wish) -> Choice | None:
    for pattern in wish.patterns:
        fitting = [i for i in _candidates(signals, ()) if _matches(signals[i].label, pattern)]
        if fitting:
            index = min(fitting, key=lambda i: _order(signals, wish.kind, i))
            return Choice(wish.name, wish.kind, index)
    return None


def _matches(label: str, pattern: str) -> bool:
    label, pattern = _folded(label), _folded(pattern)
    return label == pattern or fnmatchcase(label, pattern)


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _by_text(
    signals: Sequence[SignalHeader], wish: Wish, taken: Collection[int], *, shared: bool
) -> Choice | None:
    chosen = choose(signals, without=taken)
    if wish.text in chosen and wish.text == wish.kind:
        return chosen[wish.text]
    labeled = [
        i for i in _candidates(signals, ()) if _folded(signals[i].label) == _folded(wish.text)
    ]
    if labeled:
        index = min(labeled, key=lambda i: _order(signals, wish.kind, i))
        return Choice(wish.name, wish.kind, index)
    sensor = channels.sensor(wish.text)
    if sensor or shared:
        return _by_sensor(signals, wish, sensor, shared=shared)
    return chosen.get(wish.kind) or _pair(signals, wish) or _first(signals, wish)


def _by_sensor(
    signals: Sequence[SignalHeader], wish: Wish, sensor: str, *, shared: bool
) -> Choice | None:
    """The signal of the sensor that was asked for, else (for one wish) one that tells none."""
    for like in (sensor,) if shared else (sensor, ""):
        fitting = [
            i for i in _of_name(signals, wish.kind) if channels.sensor(signals[i].label) == like
        ]
        if fitting and (like or not shared):
            index = min(fitting, key=lambda i: _order(signals, wish.kind, i))
            return Choice(wish.name, wish.kind, index)
    return None


def _pair(signals: Sequence[SignalHeader], wish: Wish) -> Choice | None:
    """A derivation of two electrodes of the file."""
    first, dash, second = wish.kind.removeprefix("EEG ").partition("-")
    if not dash or channels.kind(wish.kind) != "EEG":
        return None
    for against in ("", "Ref"):
        one, other = (_electrode(signals, name, against) for name in (first, second))
        if one is not None and other is not None and _alike(signals[one], signals[other]):
            return Choice(wish.name, wish.kind, one, other)
    return None


def _first(signals: Sequence[SignalHeader], wish: Wish) -> Choice | None:
    """An electrode that `choose` takes as a part of a derivation only."""
    indices = _of_name(signals, wish.kind)
    return Choice(wish.name, wish.kind, indices[0]) if indices else None


def _lacks(wish: Wish, signals: Sequence[SignalHeader]) -> str:
    for one in signals:
        if one.fault and (_name(one) == wish.kind or _folded(one.label) == _folded(wish.text)):
            return f"its signal {one.label!r} cannot be used ({one.fault}); mend its header"
    if wish.text:
        return f"has no channel {wish.text!r}"
    patterns = " or ".join(map(repr, wish.patterns))
    return f"has no signal labeled {patterns} for {wish.name!r}"


def _listed(signals: Sequence[SignalHeader]) -> str:
    """The channels of a file, and the labels that are none of them."""
    chosen = choose(signals)
    used = {index for choice in chosen.values() for index in choice.indices}
    rest = [signals[i].label for i in _candidates(signals, ()) if i not in used]
    also = f" and signals labeled {', '.join(map(repr, rest))}" if rest else ""
    return ", ".join(chosen) + also


def _why(signals: Sequence[SignalHeader], choice: Choice) -> str:
    pressure = channels.sensor(signals[choice.index].label) == "pressure"
    return " (hypopneas are scored on nasal pressure)" if pressure else ""


def _left(signals: Sequence[SignalHeader], choice: Choice, others: Sequence[int]) -> str:
    labels = [signals[index].label for index in others]
    verb, which = ("is", "it") if len(labels) == 1 else ("are", "one")
    equal = signals[choice.index].label in labels or len(set(labels)) < len(labels)
    hint = " (of equal labels only the first can be named)" if equal else ""
    name = choice.kind
    how = f" as {name}={name}" if any(label == name for label in labels) and not equal else ""
    return f"{', '.join(map(repr, labels))} {verb} left out: name {which}{how} to take it{hint}"
