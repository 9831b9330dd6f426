"""One night in memory: channels at their own rates, and the events that a person scored."""

from __future__ import annotations

import dataclasses

import numpy as np
from jaxtyping import Float

from stimjax.data.people import NOTHING_TOLD, Person


@dataclasses.dataclass(frozen=True)
class Signal:
    """One channel of a recording, as measured.

    Attributes:
        name: the canonical name that `channels.canonical` gives.
        label: what the file calls it.
        rate: samples a second.
        unit: of the values, from the file ("%", "uV", "bpm", "" if not said).
        values: the samples; NaN where nothing was recorded (a gap in the file).
        low, high: the physical range that the file's header promises (a value at either end was
            clipped); minus and plus infinity where the file does not say.
    """

    name: str
    label: str
    rate: float
    unit: str
    values: Float[np.ndarray, " time"]
    low: float = -np.inf
    high: float = np.inf


@dataclasses.dataclass(frozen=True)
class Event:
    """Something a person scored: `kind` from `scoring.VOCABULARY`, `onset` and `duration` in s."""

    kind: str
    onset: float
    duration: float


@dataclasses.dataclass(frozen=True)
class Header:
    """What a recording holds, read without its samples.

    Attributes:
        name: of the file, without folder and ending; for messages only, never published.
        subject: what the header says identifies the person, "" where it says nothing.
        duration: seconds from the start of the file to its end.
        rates: samples a second by canonical channel name.
        person: what it says of the subject and the device.
    """

    name: str
    subject: str
    duration: float
    rates: dict[str, float]
    person: Person = NOTHING_TOLD


@dataclasses.dataclass(frozen=True)
class Recording:
    """One night of one subject.

    Attributes:
        header: what the file says of itself.
        signals: by canonical channel name.
        events: in order of onset, from the start of the file.
    """

    header: Header
    signals: dict[str, Signal]
    events: tuple[Event, ...]
