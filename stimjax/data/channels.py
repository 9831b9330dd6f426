"""One name for each channel, whatever a recorder calls it.

`canonical` compares labels without regard to case, spaces and punctuation, first as they stand
and then without the signal type that EDF+ writes in front ("Resp nasal", "SaO2 finger"). A label
that no rule knows keeps its own name, so that a user may ask for any channel of a file by the
name that the file gives it.

Where two labels of one file have one canonical name (a thermistor and a nasal cannula are both
`flow`), the first in the order of the file is taken and the others are left out: see `choose`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TypeVar

from stimjax.errors import StimjaxError

T = TypeVar("T")

# Canonical name -> labels met in AASM montages, NSRR cohorts (SHHS, MESA, MrOS, CFS), PhysioNet
# (Apnea-ECG, Sleep-EDF, UCDDB, challenge 2018) and the exports of common recorders.
ALIASES: dict[str, tuple[str, ...]] = {
    "SpO2": (
        "SpO2", "SaO2", "OSAT", "O2Sat", "O2 Saturation", "Oxygen Saturation", "SpO2 BB", "Sat",
        "Saturation", "SpO2 %", "Pulse Ox", "Oximetry", "SpO2 Beat to Beat",
        "SaO2 finger", "SaO2 ear",
    ),
    "flow": (
        "Flow", "Airflow", "New Air", "Nasal", "Nasal Pressure", "Nasal Flow", "Nasal Airflow",
        "Nasal Cannula", "Cannula", "Cannula Flow", "Pflow", "PNasal", "NPress", "PTAF", "NAF",
        "Thermistor", "Therm", "Thermocouple", "Oronasal", "Oronasal Flow", "Oro-nasal",
        "Nasal/Oral", "Airflow Thermistor", "Flow Patient", "Resp N", "Resp nasal", "Resp oronasal",
        "Flow_DR", "XFlow", "Resp Flow", "Resp Airflow",
    ),
    "chest": (
        "Chest", "Thor", "Thorax", "Thoracic", "THOR RES", "THO", "RIP Thorax", "Resp C",
        "Resp Thorax", "Resp Thor", "Resp chest", "Effort THO", "Effort Thorax", "Thorax Effort",
        "Thoracic Effort", "Chest Effort", "Resp Effort Thorax", "ribcage", "VTH",
    ),
    "abdomen": (
        "Abdomen", "Abdo", "ABD", "ABDO RES", "Abdominal", "RIP Abdomen", "Resp A",
        "Resp Abdomen", "Resp Abdo", "Resp abdominal", "Effort ABD", "Effort Abdomen",
        "Abdomen Effort", "Abdominal Effort", "Abdo Effort", "Resp Effort Abdomen", "VAB",
    ),
    "HR": ("HR", "H.R.", "Heart Rate", "Heartrate", "Pulse", "Pulse Rate", "PR", "Puls"),
    "EOG left": (
        "EOG left", "EOG L", "LEOG", "LOC", "E1", "E1-M2", "E1-A2", "EOG(L)", "EOG LOC-A2",
        "EOG LOC-M2", "LOC-A2", "LOC-M2", "EOG E1-M2", "EOG E1-A2", "Left Eye", "EOG 1",
        "EOG E1", "EOG LOC",
    ),
    "EOG right": (
        "EOG right", "EOG R", "REOG", "ROC", "E2", "E2-M1", "E2-A1", "E2-M2", "E2-A2", "EOG(R)",
        "EOG ROC-A1", "EOG ROC-M1", "EOG ROC-A2", "ROC-A1", "ROC-M1", "ROC-A2", "EOG E2-M1",
        "EOG E2-A1", "EOG E2-M2", "Right Eye", "EOG 2", "EOG E2", "EOG ROC",
    ),
    "EOG horizontal": ("EOG horizontal", "EOG hor", "EOG H", "HEOG"),
    "EMG": (
        "EMG", "EMG chin", "Chin", "Chin EMG", "EMG submental", "Submental", "EMG Chin1-Chin2",
        "Chin1-Chin2", "EMG1-EMG2", "EMG mentalis", "Chin 1", "EMG 1", "cchin", "lchin", "rchin",
    ),
    "ECG": ("ECG", "EKG", "ECG I", "ECG II", "EKG 1", "ECG 1", "ECG1-ECG2", "ECG L-R", "EKG R-L"),
    "snore": ("Snore", "Snoring", "Sound snore", "Snore Sensor", "Snoring Sensor", "Microphone"),
    "position": ("Position", "Pos", "Body", "Body Position", "Posture", "Pos Sensor", "Body Pos"),
}  # fmt: skip

# The types of signal that EDF+ (section 3.1 of its "standard texts") puts before the sensor.
_TYPES = ("EEG", "EOG", "EMG", "ECG", "Resp", "SaO2", "SpO2", "Flow", "Effort", "Sound", "Pos")

_ELECTRODE = r"(?:fp[12z]|af[34z]|fc[1-6z]|[fctpo]z|cp[1-6z]|[fctpo]\d|[am][12]|t[78])"
_DERIVATION = re.compile(rf"(?:eeg)?({_ELECTRODE})({_ELECTRODE})(?:ref)?")
_ANNOTATIONS = {"edfannotations", "bdfannotations"}


def _plain(label: str) -> str:
    return re.sub(r"[^a-z0-9]", "", label.casefold())


_NAMES = {_plain(alias): name for name, aliases in ALIASES.items() for alias in aliases}


def canonical(label: str) -> str | None:
    """The canonical name of a channel.

    An EEG derivation becomes `EEG <electrode>-<reference>` with the ears named as mastoids (A1
    is M1, A2 is M2): "C4A1", "EEG C4-A1" and "C4:M1" are all `EEG C4-M1`.

    Args:
        label: what a file or a user calls it.

    Returns:
        A key of `ALIASES`, an EEG derivation, or the label itself without surrounding blanks
        where no rule knows it; None for an empty label and for EDF+'s annotation signals.
    """
    label = " ".join(label.split())
    plain = _plain(label)
    if not label or plain in _ANNOTATIONS:
        return None
    if plain in _NAMES:
        return _NAMES[plain]
    if match := _DERIVATION.fullmatch(plain):
        first, second = (_electrode(part) for part in match.groups())
        return f"EEG {first}-{second}"
    kind, _, sensor = label.partition(" ")
    if sensor and kind.casefold() in (known.casefold() for known in _TYPES):
        return _NAMES.get(_plain(sensor), label)
    return label


def _electrode(plain: str) -> str:
    plain = {"a1": "m1", "a2": "m2"}.get(plain, plain)
    return plain[:-1].capitalize() + plain[-1] if plain[-1] == "z" else plain.capitalize()


def choose(labels: Iterable[str]) -> dict[str, int]:
    """Which signal of a file stands for each canonical name: the first that has it.

    Args:
        labels: of the signals, in the order of the file.

    Returns:
        The index into `labels` by canonical name, in the order of the file.
    """
    chosen: dict[str, int] = {}
    for index, label in enumerate(labels):
        name = canonical(label)
        if name is not None:
            chosen.setdefault(name, index)
    return chosen


def pick(found: dict[str, T], wanted: Sequence[str] | None, where: str) -> dict[str, T]:
    """Those of the channels of a file that a user wants, in the order of the wish.

    Args:
        found: what the file has, by canonical name.
        wanted: names or aliases; None for all.
        where: names the file in the error.

    Raises:
        StimjaxError: a wanted channel is not in the file.
    """
    if wanted is None:
        return found
    picked = {}
    for label in wanted:
        name = canonical(label)
        if name not in found:
            raise StimjaxError(f"{where}: has no channel {label!r}; it has {', '.join(found)}")
        picked[name] = found[name]
    return picked
