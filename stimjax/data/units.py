"""One unit for each kind of channel, and what a unit says of a channel."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping

import numpy as np

from stimjax.data.quartiles import quartiles
from stimjax.data.recording import Signal

# As recorders spell them, plain (see `plain`), with what makes microvolts, percent or beats a
# minute of them. "?V" and "æV" are what is left of "µV" in ASCII and in the letters of DOS.
_VOLTAGE = {
    1e-3: ("nv", "nanovolt", "nanovolts"),
    1.0: ("uv", "?v", "æv", "mkv", "uvolt", "uvolts", "microv", "microvolt", "microvolts"),
    1e3: ("mv", "mvolt", "mvolts", "millivolt", "millivolts"),
    1e6: ("v", "volt", "volts"),
}
_PERCENT = {
    1.0: ("%", "percent", "pct", "perc", "prozent", "%o2", "%spo2", "%sao2", "%sat", "o2%"),
    100.0: ("fraction", "frac", "ratio"),
}
_PER_MINUTE = {
    1.0: (
        "bpm", "1/min", "/min", "b/min", "beat/min", "beats/min", "beatsperminute", "beats",
        "min-1", "min^-1", "p/min", "pulse/min", "pulses/min", "puls/min", "slag/min", "bt/min",
        "schlage/min", "batt/min", "lat/min", "1/m", "cpm", "rpm", "次/分",
    ),
    60.0: ("hz", "1/s", "/s", "1/sec"),
}  # fmt: skip
_QUANTITIES = {"voltage": _VOLTAGE, "percent": _PERCENT, "rate": _PER_MINUTE}
_UNITS = {
    unit: (quantity, factor)
    for quantity, table in _QUANTITIES.items()
    for factor, units in table.items()
    for unit in units
}
_UNSTATED = {
    "", "-", "--", "?", "n/a", "na", "none", "nil", "nu", "au", "a.u.", "arb", "arb.", "unknown",
    "undefined", "unit", "units", "dimensionless", "nodim", "1", "raw", "digital",
}  # fmt: skip
_EXPECTED = {
    "SpO2": "percent",
    "HR": "rate",
    "EEG": "voltage",
    "EOG": "voltage",
    "EMG": "voltage",
    "ECG": "voltage",
}
_WORDS = {"percent": "%", "rate": "beats a minute", "voltage": "a voltage"}
_IN_MICROVOLTS = ("EEG", "EOG", "EMG")
_MICRO = re.compile("Âµ|Î¼|Âμ|µ|μ")  # as Latin-1, as UTF-8 read so, or the Greek letter

# An interquartile range beyond these is no EEG, EOG or EMG in uV: the unit is another one.
_SPREAD = (1e-2, 1e5)
_FRACTION = 1.05  # a saturation of which no value is above it is a part of 1; calibration may add


def plain(unit: str) -> str:
    """A unit as units are compared: without case, blanks, brackets, and with u for micro."""
    unit = _MICRO.sub("u", unit).casefold().replace("ä", "a")
    return re.sub(r"\s", "", unit).strip("[]()")


def quantity(unit: str) -> str:
    """What a unit measures: "voltage", "percent", "rate", "" (it states none), or "other"."""
    unit = plain(unit)
    return "" if unit in _UNSTATED else _UNITS.get(unit, ("other", 1.0))[0]


def is_voltage(unit: str) -> bool:
    """Whether a unit is one of an amplifier, so that the converter's range is physical."""
    return quantity(unit) == "voltage"


def fits(name: str, unit: str) -> bool:
    """Whether a channel of that canonical name may have that unit; no unit fits all of them."""
    measures = quantity(unit)
    expected = _EXPECTED.get(name.split()[0] if name.strip() else "")
    if expected is not None:
        return measures in ("", expected)
    return measures != "rate" or name not in ("flow", "chest", "abdomen", "snore")


def scale(name: str, unit: str, high: float) -> tuple[float, str]:
    """What to multiply a channel's values by, and the unit that they are in then.

    EEG, EOG and EMG become microvolts where the file says a voltage, SpO2 becomes percent (where
    nothing is above 1 it is a fraction), HR beats a minute. All others keep their unit, and so
    does a channel with a unit that does not fit it: what is in mV is no saturation.

    Args:
        name: canonical name of the channel.
        unit: as the file writes it.
        high: the highest value, or the physical maximum that the file states, in its unit;
            infinite if neither is known.
    """
    shown = _MICRO.sub("u", unit)
    measures, factor = _UNITS.get(plain(unit), ("", 1.0))
    if not fits(name, unit):
        return 1.0, shown
    if name.startswith(_IN_MICROVOLTS) and measures == "voltage":
        return factor, "uV"
    if name == "SpO2":
        return (100.0 if high <= _FRACTION else factor), "%"
    if name == "HR":
        return factor, "bpm"
    return 1.0, shown


@dataclasses.dataclass(frozen=True)
class Rule:
    """What a channel's unit may be, plain (`plain`).

    Attributes:
        factors: to multiply values of each unit by; None where any but `refused` is taken as it is.
        unstated: what states no unit; then values are taken as they are.
        refused: units that contradict the channel.
        fraction_below: values are multiplied by 100 where none is above it; None for never.
        spread: of an interquartile range of values in `factors`; another contradicts the channel.
    """

    factors: Mapping[str, float] | None
    unstated: tuple[str, ...]
    refused: tuple[str, ...] = ()
    fraction_below: float | None = None
    spread: tuple[float, float] | None = None


def rule(name: str) -> Rule:
    """What `scale` and `contradiction` hold true of the channel of a canonical name."""
    kind, unstated = name.split()[0] if name.strip() else "", tuple(sorted(_UNSTATED))
    table = _QUANTITIES.get(_EXPECTED.get(kind, ""))
    if table is None:
        foreign = name in ("flow", "chest", "abdomen", "snore")
        refused = [unit for own in _PER_MINUTE.values() for unit in own] if foreign else []
        return Rule(None, unstated, tuple(sorted(refused)))
    kept = name.startswith(_IN_MICROVOLTS) or name in ("SpO2", "HR")  # others keep their unit
    factors = {u: factor if kept else 1.0 for factor, units in table.items() for u in units}
    fraction = _FRACTION if name == "SpO2" else None
    spread = _SPREAD if kind in _IN_MICROVOLTS else None
    return Rule(factors, unstated, (), fraction, spread)


def known() -> list[str]:
    """All units that are known, plain, sorted."""
    return sorted(_UNITS)


def contradiction(name: str, signal: Signal) -> str:
    """Why a signal cannot be the channel that it is called; empty where nothing says so.

    Args:
        name: canonical name of the channel.
        signal: converted, see `scale`.
    """
    kind = name.split()[0] if name.strip() else ""
    if not fits(name, signal.unit):
        unit = _WORDS.get(_EXPECTED.get(kind, ""), "none of a rate")
        return f"is in {signal.unit!r} ({span(signal)}), but the unit of {kind} is {unit}"
    if kind not in _IN_MICROVOLTS or signal.unit != "uV":
        return ""
    values = signal.values[np.isfinite(signal.values)]
    if not len(values) or np.ptp(values) == 0:
        return ""
    low, _, high = quartiles(values)
    spread = (high - low) or values.std()
    if _SPREAD[0] <= spread <= _SPREAD[1]:
        return ""
    return f"has the unit of a voltage, but {span(signal)} is no {kind}"


def span(signal: Signal) -> str:
    """The range of a signal's values with its unit, for messages."""
    values = signal.values[np.isfinite(signal.values)]
    if not len(values):
        return "no value"
    return f"values from {values.min():.4g} to {values.max():.4g} {signal.unit}".rstrip()
