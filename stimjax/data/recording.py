"""One night in memory: channels at their own rates, and what a person scored in it."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from stimjax.data.people import NOTHING_TOLD, Person

_KEPT = 300.0  # s of a gap before the part of it that is cut out


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
        fault: why its values cannot be known, "" where they can.
    """

    label: str
    name: str | None
    unit: str
    rate: float
    fault: str = ""


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
        shared: whether it is of other recordings, too: what lies outside this one is theirs.
    """

    file: Path
    kind: str
    remarks: tuple[Remark, ...]
    start: Start | None = None
    patient: str = ""
    notes: tuple[str, ...] = ()
    shared: bool = False


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
        gives: the groups of events that were taken from it, such as "stages".
        shift: s that were added to its onsets.
        why: of the shift, "" where there is none.
    """

    file: str
    kind: str
    gives: tuple[str, ...]
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
        duration: seconds from the first sample to the end, without what was cut out.
        rates: samples a second by channel name; `reader.header` fills it from `signals`.
        person: what it says of the subject and the device.
        signals: all signals in the file, in its order.
        start: when it begins.
        notes: what is odd about the file and how it was read all the same, each a line.
        cuts: gaps that were shortened: the second after the first sample at which a gap begins,
            and how many seconds of it were cut out, see `on_axis`.
    """

    name: str
    subject: str
    duration: float
    rates: dict[str, float] = dataclasses.field(default_factory=dict)
    person: Person = NOTHING_TOLD
    signals: tuple[SignalHeader, ...] = ()
    start: Start = Start()
    notes: tuple[str, ...] = ()
    cuts: tuple[tuple[float, float], ...] = ()


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


class Opened(NamedTuple):
    """A recording whose file is open.

    Attributes:
        header: what it holds.
        signals: `signals(channels)`: the channels of these names or aliases, None for all, by
            canonical name.
        scorings: `scorings()`: what the recording itself holds of a scoring.
    """

    header: Header
    signals: Callable[[Sequence[str] | None], dict[str, Signal]]
    scorings: Callable[[], list[Scoring]]


def on_axis(cuts: Sequence[tuple[float, float]], seconds: float) -> float:
    """Where a moment lies on a recording's time axis, from which parts of gaps were cut out.

    A moment within what was cut out lies in the midst of what is left of its gap, where there are
    no samples.

    Args:
        cuts: of its header.
        seconds: from the first sample.
    """
    gone = (min(max(seconds - begin - _KEPT, 0.0), cut) for begin, cut in cuts)
    return seconds - sum(gone)


def stem(path: Path) -> str:
    """The name of a file without folder and ending; that of `night.edf.gz` is `night`."""
    return Path(path.stem).stem if path.suffix.lower() == ".gz" else path.stem
