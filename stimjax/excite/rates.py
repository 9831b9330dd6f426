"""How a synthesis gets on: in words for a person, as a line of JSON for a monitor."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Sequence
from typing import Any

from stimjax.machine.progress import Reporter


@dataclasses.dataclass(frozen=True)
class Rates:
    """What one process has done since it began.

    Attributes:
        process: its number.
        done: stimuli that it made.
        total: stimuli that it has to make.
        everywhere: stimuli of all processes, those of finished shards, earlier ones too.
        wanted: stimuli in the release.
        seconds: since it began.
        accepted: tries for each class that were accepted.
        failed: tries for each class that were given up.
        steps: of all its lanes together.
    """

    process: int
    done: int
    total: int
    everywhere: int
    wanted: int
    seconds: float
    accepted: Sequence[int]
    failed: Sequence[int]
    steps: int

    @property
    def speed(self) -> float:
        """Stimuli a second."""
        return self.done / max(self.seconds, 1e-9)

    @property
    def left(self) -> float | None:
        """Seconds left; None while nothing is done."""
        return (self.total - self.done) / self.speed if self.done else None

    @property
    def acceptance(self) -> list[float | None]:
        """Share of the tries for each class that were accepted; None without any."""
        pairs = zip(self.accepted, self.failed, strict=True)
        return [yes / (yes + no) if yes + no else None for yes, no in pairs]

    @property
    def steps_each(self) -> float | None:
        """Lane-steps for one stimulus; None while nothing is done."""
        return self.steps / self.done if self.done else None

    def words(self) -> str:
        """In one line."""
        if self.left is None:
            return ""
        shares = "/".join("-" if a is None else f"{100 * a:.0f}" for a in self.acceptance)
        all_ = "" if self.wanted == self.total else f", {self.everywhere} of {self.wanted} in all"
        return (
            f"{self.speed:.0f} a second, {self.steps_each:.1f} steps each, {shares} % accepted"
            f"{all_}, {_duration(self.left)} left"
        )

    def line(self) -> str:
        """As JSON."""
        derived: dict[str, Any] = {
            "per_second": self.speed,
            "seconds_left": self.left,
            "acceptance": self.acceptance,
            "steps_per_stimulus": self.steps_each,
        }
        return json.dumps(dataclasses.asdict(self) | derived)


@dataclasses.dataclass(frozen=True)
class Listener:
    """Who hears of a synthesis.

    Attributes:
        progress: hears how this process gets on, about once a second.
        note: hears what the holder should know of the result.
    """

    progress: Callable[[Rates], None] = lambda rates: None
    note: Callable[[str], None] = lambda line: None


UNHEARD = Listener()


def telling(
    reporter: Reporter, write: Callable[[str], None] = lambda line: None
) -> Callable[[Rates], None]:
    """A function that tells rates to `reporter` in words, and to `write` as a line of JSON."""

    def tell(rates: Rates) -> None:
        reporter.progress(rates.done, rates.total, rates.words())
        write(rates.line())

    return tell


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s"
