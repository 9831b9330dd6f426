"""One night in memory: channels at their own rates, and what a person scored in it."""

from __future__ import annotations

import dataclasses
import datetime
from pathlib import Path

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
class SignalHeader:
    """What a file says of one of its signals, whether it can be used or not.

    Attributes:
        label: what the file calls it.
        name: its canonical name; None where no name is known for it.
        unit: as the file writes it.
        rate: samples a second.
    """

    label: str
    name: str | None
    unit: str
    rate: float


@dataclasses.dataclass(frozen=True)
class Start:
    """When a file begins, as far as it tells: dates and times are often removed.

    Attributes:
        day: None where the file has none, or a default.
        clock: s after midnight; None where the file has none, or a default.
    """

    day: datetime.date | None = None
    clock: float | None = None


@dataclasses.dataclass(frozen=True)
class Remark:
    """One line of a scoring, as written.

    Attributes:
        onset: s from the start of its source.
        duration: s; None where the source does not state it.
        text: as written.
        scorer: whose it is, "" where the source does not tell.
    """

    onset: float
    duration: float | None
    text: str
    scorer: str = ""


@dataclasses.dataclass(frozen=True)
class Scoring:
    """What one source says of a night, before anything of it is understood.

    Attributes:
        file: where it stands.
        kind: which form it has, for messages ("EDF+ annotations", "NSRR XML").
        remarks: its lines.
        start: when its time begins; None where it counts from the recording's first sample.
        patient: the code of the person that it names, "" where it names none.
        notes: what was odd about it, each a line.
    """

    file: Path
    kind: str
    remarks: tuple[Remark, ...]
    start: Start | None = None
    patient: str = ""
    notes: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Event:
    """Something a person scored: `kind` from `vocabulary.KINDS`, `onset` and `duration` in s."""

    kind: str
    onset: float
    duration: float


@dataclasses.dataclass(frozen=True)
class Source:
    """A scoring that was used.

    Attributes:
        file: its name.
        kind: as in `Scoring`.
        gives: what was taken from it, such as "stages".
        shift: s that were added to its onsets.
        why: of the shift, "" where there is none.
    """

    file: str
    kind: str
    gives: str
    shift: float = 0.0
    why: str = ""


@dataclasses.dataclass(frozen=True)
class Scored:
    """What is known of a night from all its sources together.

    Attributes:
        events: in order of onset, from the first sample of the recording.
        sources: where they come from.
        ignored: texts that were not understood, with their counts.
        notes: what a user should know, each a line.
    """

    events: tuple[Event, ...] = ()
    sources: tuple[Source, ...] = ()
    ignored: dict[str, int] = dataclasses.field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Header:
    """What a recording holds, read without its samples.

    Attributes:
        name: of the file, without folder and ending; for messages only, never published.
        subject: what the header says identifies the person, "" where it says nothing.
        duration: seconds from the start of the file to its end.
        rates: samples a second by canonical channel name.
        person: what it says of the subject and the device.
        signals: all signals in the file, in its order.
        start: when it begins.
        notes: what is odd about the file and how it was read all the same, each a line.
    """

    name: str
    subject: str
    duration: float
    rates: dict[str, float]
    person: Person = NOTHING_TOLD
    signals: tuple[SignalHeader, ...] = ()
    start: Start = Start()
    notes: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Recording:
    """One night of one subject.

    Attributes:
        header: what the file says of itself.
        signals: by canonical channel name.
        scored: what people scored in it.
    """

    header: Header
    signals: dict[str, Signal]
    scored: Scored = Scored()

    @property
    def events(self) -> tuple[Event, ...]:
        """What was scored, in order of onset."""
        return self.scored.events
