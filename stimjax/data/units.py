"""One unit for each kind of channel."""

from __future__ import annotations

import re

_MICROVOLTS = {"nv": 1e-3, "uv": 1.0, "mv": 1e3, "v": 1e6}
_IN_MICROVOLTS = ("EEG", "EOG", "EMG")


def scale(name: str, unit: str, high: float) -> tuple[float, str]:
    """What to multiply a channel's values by, and the unit that they are in then.

    EEG, EOG and EMG become microvolts where the file says a voltage, SpO2 becomes percent (a
    physical maximum of at most 1 means a fraction). All others keep their unit.

    Args:
        name: canonical name of the channel.
        unit: as the file writes it.
        high: physical maximum that the file states, in its unit; infinite if it does not.
    """
    unit = re.sub("Âµ|Î¼|µ|μ", "u", unit)  # as Latin-1, as UTF-8 read so, or the Greek letter
    if name.startswith(_IN_MICROVOLTS) and unit.lower() in _MICROVOLTS:
        return _MICROVOLTS[unit.lower()], "uV"
    if name == "SpO2":
        return (100.0 if high <= 1 else 1.0), "%"
    return 1.0, unit


def is_voltage(unit: str) -> bool:
    """Whether a unit is one of an amplifier, so that the converter's range is physical."""
    return scale("EEG", unit, float("inf"))[1] == "uV"
