"""From one recording to its labelled windows on disk. It runs in workers: nothing brings jax."""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from stimjax.data import reader
from stimjax.data.alike import trace
from stimjax.data.condition import Conditioned, condition, kind_of
from stimjax.data.plan import Plan
from stimjax.data.recording import Recording, Source
from stimjax.data.scoring import rules
from stimjax.disk.store import save_arrays
from stimjax.errors import StimjaxError

OUTSIDE, MASKED, BRIDGED = "outside", "masked", "bridged"  # why a window is left out


@dataclasses.dataclass(frozen=True)
class Task:
    """A recording to cut.

    Attributes:
        path: of the recording.
        out: the file for its windows.
        index: of the recording in its cohort; the seed of what is sampled.
        subject: number of the person.
        plan: what is the same for all recordings.
        words: a user's own words of a scoring, see `vocabulary.kind`.
        max_missing: a window is left out if more than this part of a channel is masked.
        sampled: how many values of each channel are given back.
        traced: whether its course is given back, to be compared with others'.
    """

    path: Path
    out: Path
    index: int
    subject: int
    plan: Plan
    words: Mapping[str, str]
    max_missing: float
    sampled: int
    traced: bool = False


@dataclasses.dataclass(frozen=True)
class ScoredAs:
    """How a recording was scored.

    Attributes:
        sources: that were used.
        ignored: texts that were not understood, with their counts.
        bounded: whether minutes, stages or lights tell which minutes were looked at.
        breathing: whether there is a single respiratory event, or a scored minute.
    """

    sources: tuple[Source, ...]
    ignored: Mapping[str, int]
    bounded: bool
    breathing: bool


@dataclasses.dataclass(frozen=True)
class Cut:
    """What is known of a recording whose windows lie on disk.

    Attributes:
        label: the class of each window.
        sample: some values of each channel.
        source: the window that each of them is from.
        masked: samples by channel and reason, see `Conditioned.counts`.
        whole: of each channel, whether all its values are whole numbers.
        digest: the same for recordings with the same signals only.
        left_out: labelled windows that were left out, by reason.
        scoring: how it was scored.
        notes: what was odd about the recording and its scoring.
        trace: its course (`alike.trace`), where it was asked for.
    """

    label: Int[np.ndarray, " n"]
    sample: Float[np.ndarray, "k channel"]
    source: Int[np.ndarray, " k"]
    masked: Mapping[str, Mapping[str, int]]
    whole: tuple[bool, ...]
    digest: bytes
    left_out: Mapping[str, int]
    scoring: ScoredAs
    notes: tuple[str, ...]
    trace: Float[np.ndarray, "s channel"] | None = None


def cut(task: Task) -> Cut:
    """Write the windows of a recording to `task.out`: `x`, `y`, `subject` and `weight` of a Batch.

    Raises:
        StimjaxError: the recording cannot be read, or gives no window.
    """
    plan = task.plan
    recording = reader.read(task.path, plan.wishes, task.words)
    spans = _spans(recording, plan)
    conditioned = condition(recording, plan.channels, plan.rate)
    starts = np.array([round((start - plan.before) * plan.rate) for start, _, _ in spans])
    why = why_not(starts, conditioned, plan, task.max_missing)
    left_out = {reason: int((why == reason).sum()) for reason in (OUTSIDE, MASKED, BRIDGED)}
    keep = why == ""
    if not keep.any():
        raise StimjaxError(
            f"{recording.header.name}: none of its {len(spans)} labeled windows can be used: "
            f"{said(left_out, task.max_missing)}; allow more with --max-missing, name other "
            "channels, or leave the file out with --skip-bad"
        )
    label = np.array([label for _, _, label in spans])[keep]
    x = conditioned.x[starts[keep, None] + np.arange(plan.length)]
    arrays = {
        "x": x,
        "y": np.eye(len(plan.classes), dtype=np.float32)[label],
        "subject": np.full(len(label), task.subject, np.int32),
        "weight": np.ones(len(label), np.float32),
    }
    save_arrays(task.out, arrays)
    rows = np.random.default_rng(task.index).integers(0, x.shape[0] * x.shape[1], task.sampled)
    return Cut(
        label=label.astype(np.int8),
        sample=x.reshape(-1, x.shape[2])[rows],
        source=(rows // plan.length).astype(np.int32),
        masked=conditioned.counts,
        whole=conditioned.whole,
        digest=hashlib.sha256(conditioned.x.tobytes()).digest(),
        left_out=left_out,
        scoring=scored_as(recording),
        notes=(*recording.header.notes, *recording.scored.notes),
        trace=trace(conditioned, plan.rate) if task.traced else None,
    )


def said(left_out: Mapping[str, int], max_missing: float) -> str:
    """Why how many windows were left out, in words."""
    words = {
        OUTSIDE: "{} reach beyond the recording",
        MASKED: f"{{}} have more than {max_missing:.0%} of a channel missing",
        BRIDGED: "{} have too long a gap in one piece",
    }
    return ", ".join(words[why].format(count) for why, count in left_out.items() if count)


def _spans(recording: Recording, plan: Plan) -> list[rules.Span]:
    spans = rules.spans(recording, plan.task)
    if not spans:
        raise StimjaxError(
            f"{recording.header.name}: has no labeled window (it is too short, or only a small "
            "part of it was scored); leave it out with --skip-bad"
        )
    return spans


def why_not(
    starts: np.ndarray, conditioned: Conditioned, plan: Plan, max_missing: float
) -> np.ndarray:
    """For each window that starts at a sample, why it is left out; "" where it is not.

    What was not measured is masked, inside a recording and before and after it alike. A window is
    left out

    - if it needs time outside the recording, where no neighbor tells what a line should lead to,
    - if more than `max_missing` of a channel is masked,
    - if so many masked samples follow each other that the line over them would read as what the
      channel does in an apnea, or as a dead sensor (`Kind.bridge`).
    """
    length = plan.length
    outside = (starts < 0) | (starts + length > len(conditioned.x))
    first = np.where(outside, 0, starts)
    masked, bridged = np.zeros(len(starts), bool), np.zeros(len(starts), bool)
    for name, missing in zip(plan.channels, conditioned.missing.T, strict=True):
        if not missing.any():
            continue
        masked |= _counted(missing, first, length) / length > max_missing
        bridge = kind_of(name).bridge * plan.rate
        if bridge <= length:
            least = max(1, math.ceil(bridge))  # samples of a gap that is too long
            long = _behind(missing) >= least
            bridged |= _counted(long, first + least - 1, length - least + 1) > 0
    return np.select([outside, masked, bridged], [OUTSIDE, MASKED, BRIDGED], "")


def _counted(where: np.ndarray, first: np.ndarray, length: int) -> np.ndarray:
    """How many of the `length` values from each `first` on are true."""
    before = np.concatenate([[0], np.cumsum(where)])
    end = len(where)
    return before[np.minimum(first + length, end)] - before[np.minimum(first, end)]


def _behind(where: np.ndarray) -> np.ndarray:
    """At each true value, how many true ones without a break end with it; 0 elsewhere."""
    count = np.cumsum(where)
    return count - np.maximum.accumulate(np.where(where, 0, count))


def scored_as(recording: Recording) -> ScoredAs:
    """What was scored in a recording, for `Summary`."""
    return ScoredAs(
        sources=recording.scored.sources,
        ignored=dict(recording.scored.ignored),
        bounded=rules.bounded(recording.events),
        breathing=rules.breathing_scored(recording.events),
    )
