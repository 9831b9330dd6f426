"""What people score in a night: one vocabulary, and the rules that make labels of it.

Sources of the vocabulary:
- AASM manual for the scoring of sleep: obstructive, central and mixed apnea, hypopnea, arousal,
  stages W, N1, N2, N3, R. Rechtschaffen and Kales: stages 1 to 4, REM, movement time; 3 and 4
  are N3.
- EDF+ standard texts (edfplus.info): "Sleep stage W", ..., "Sleep stage ?", "Movement time", as in
  Sleep-EDF's hypnograms; "Obstructive apnea", "Hypopnea", "EEG arousal".
- NSRR XML: "concept|Profusion's name", for instance "Stage 1 sleep|1", "Arousal|Arousal ()";
  its older ontology ("SDO:ObstructiveApnea").
- Compumedics Profusion XML: the names after that bar, and a number for each epoch
  (`PROFUSION_STAGES`).
- PhysioNet Apnea-ECG: one symbol a minute (`APNEA_ECG`); HuGCDN2014: "Apnea" or "Normal" for each
  minute.

What is not here is ignored on purpose: RERA, limb movements, snoring, periodic breathing, body
position, lights, artifacts, and the "Unsure" of SHHS.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np

from stimjax.data.recording import Event, Recording
from stimjax.errors import StimjaxError

APNEA_CLASSES = ("normal", "apnea")
STAGE_CLASSES = ("W", "N1", "N2", "N3", "R")
CLASSES = {"apnea": APNEA_CLASSES, "stages": STAGE_CLASSES}
Task = Literal["apnea", "stages"]

MINUTE = 60.0  # s, the span of an apnea label
EPOCH = 30.0  # s, the span of a stage label
APNEA_SECONDS = 10.0  # an apnea lasts at least so long (AASM), and so must it within its span

# Kind -> the texts that name it.
VOCABULARY: dict[str, tuple[str, ...]] = {
    "apnea.obstructive": (
        "Obstructive Apnea", "Apnea Obstructive", "Obstructive Apnoea", "Obstr. Apnea", "OA",
        "apnea_obstructive", "SDO:ObstructiveApnea", "Resp Obstructive Apnea", "APNEA-O", "OSA",
    ),
    "apnea.central": (
        "Central Apnea", "Apnea Central", "Central Apnoea", "CA", "apnea_central",
        "SDO:CentralApnea", "Resp Central Apnea", "APNEA-C", "CSA",
    ),
    "apnea.mixed": (
        "Mixed Apnea", "Apnea Mixed", "Mixed Apnoea", "apnea_mixed", "SDO:MixedApnea",
        "Resp Mixed Apnea", "APNEA-M",
    ),
    "apnea": ("Apnea", "Apnoea", "Sleep Apnea", "Unclassified Apnea", "SDO:Apnea"),
    "hypopnea": (
        "Hypopnea", "Hypopnoea", "Obstructive Hypopnea", "Central Hypopnea", "Mixed Hypopnea",
        "Hypopnea Obstructive", "Hypopnea Central", "Hypopnea Mixed", "Resp Hypopnea", "HYP",
        "HYP-O", "HYP-C", "HYP-M", "hypopnea30", "hypopnea50", "SDO:HypopneaSleepEvent", "OH", "CH",
        "Obstructive Hypopnoea", "Central Hypopnoea",
    ),
    "desaturation": (
        "Desaturation", "SpO2 desaturation", "SaO2 desaturation", "Oxygen desaturation",
        "O2 desaturation", "Relative desaturation", "Desat", "SpO2 desat", "SpO2 artifact desat",
        "SDO:OxygenDesaturation",
    ),
    "arousal": (
        "Arousal", "EEG arousal", "Arousal ()", "Arousal (Standard)", "Arousal (ASDA)",
        "ASDA arousal", "Arousal (ARO RES)", "Arousal (ARO SPONT)", "Arousal (ARO Limb)",
        "Arousal (ARO PLM)", "Arousal (ARO SNORE)", "Arousal (CHESHIRE)",
        "Arousal (External Arousal)", "External arousal", "Spontaneous arousal", "ARO SPONT",
        "Arousal spontaneous", "Arousal resulting from respiratory effort", "Respiratory arousal",
        "Arousal resulting from Chin EMG", "Arousal resulting from limb movement",
        "Arousal resulting from periodic leg movement", "Limb movement arousal", "ARO RES",
        "Periodic limb movement arousal", "Micro arousal", "SDO:Arousal",
    ),
    "minute.normal": ("Normal",),
    "minute.apnea": ("Apnea minute",),
    "stage.W": (
        "W", "Wake", "Awake", "Stage W", "Stage Wake", "Sleep stage W", "Sleep stage Wake",
        "Wakefulness", "SDO:WakeState",
    ),
    "stage.N1": (
        "N1", "Stage 1", "Stage N1", "Sleep stage 1", "Sleep stage N1", "Stage 1 sleep", "S1",
        "NREM1", "NREM 1", "Sleep stage NREM1", "SDO:NonRapidEyeMovementSleep-N1",
    ),
    "stage.N2": (
        "N2", "Stage 2", "Stage N2", "Sleep stage 2", "Sleep stage N2", "Stage 2 sleep", "S2",
        "NREM2", "NREM 2", "Sleep stage NREM2", "SDO:NonRapidEyeMovementSleep-N2",
    ),
    "stage.N3": (
        "N3", "Stage 3", "Stage N3", "Sleep stage 3", "Sleep stage N3", "Stage 3 sleep", "S3",
        "NREM3", "NREM 3", "Sleep stage NREM3", "SDO:NonRapidEyeMovementSleep-N3", "N4", "Stage 4",
        "Stage N4", "Sleep stage 4", "Sleep stage N4", "Stage 4 sleep", "S4", "NREM4", "NREM 4",
        "SDO:NonRapidEyeMovementSleep-N4", "Sleep stage 3/4",
    ),
    "stage.R": (
        "R", "REM", "Stage R", "Stage REM", "Sleep stage R", "Sleep stage REM", "REM sleep",
        "Sleep stage 5", "SDO:RapidEyeMovementSleep",
    ),
    "stage.unscored": (
        "Sleep stage ?", "Movement time", "Movement|6", "Sleep stage MT", "Stage MT", "MT",
        "Unscored", "Unscored stage", "Sleep stage unscored", "Stage ?", "Not scored",
        "Sleep stage unknown", "Sleep stage M", "Stage unknown",
    ),
}  # fmt: skip

APNEA_ECG = {"A": "minute.apnea", "N": "minute.normal"}

# Profusion writes a number for each epoch; 6 is movement, 9 and the rest are unscored.
PROFUSION_STAGES = {
    "0": "stage.W", "1": "stage.N1", "2": "stage.N2", "3": "stage.N3", "4": "stage.N3",
    "5": "stage.R",
}  # fmt: skip

_RESPIRATORY = ("apnea.obstructive", "apnea.central", "apnea.mixed", "apnea", "hypopnea")
_STAGES = {f"stage.{name}": number for number, name in enumerate(STAGE_CLASSES)}
_MINUTES = {"minute.normal": 0, "minute.apnea": 1}
_ROUNDING = 1e-6  # s; onsets and durations are decimals that a float does not hold exactly


def _plain(text: str) -> str:
    # A question mark is the whole difference between "Sleep stage ?" and a text without a stage.
    return re.sub(r"[^a-z0-9?]", "", text.casefold())


_KINDS = {_plain(text): kind for kind, texts in VOCABULARY.items() for text in texts}


def kind(text: str) -> str | None:
    """The kind of event that `text` names, without regard to case, spaces and punctuation.

    Args:
        text: of an annotation, or NSRR's "concept|name", of which the concept counts first.

    Returns:
        A key of `VOCABULARY`; None for what is not used here.
    """
    for part in (text, *text.split("|")):
        if found := _KINDS.get(_plain(part)):
            return found
    return None


def tidy(events: Iterable[Event]) -> tuple[Event, ...]:
    """Events in order of onset, with what only the whole night tells filled in.

    - Where "Normal" minutes were scored, the plain "Apnea" events are scored minutes, too; a
      "Normal" shorter than a minute is a remark and left out.
    - A stage without a duration lasts until the next stage; the last one lasts an epoch.
    - Any other event without a duration is a moment: its duration is 0.
    """
    found = sorted(
        (
            event
            for event in events
            if event.kind != "minute.normal" or event.duration >= MINUTE - _ROUNDING
        ),
        key=lambda event: (event.onset, event.kind),
    )
    if any(event.kind == "minute.normal" for event in found):
        found = [
            dataclasses.replace(event, kind="minute.apnea") if event.kind == "apnea" else event
            for event in found
        ]
    onsets = [event.onset for event in found if event.kind.startswith("stage.")]
    following = dict(zip(onsets, [*onsets[1:], math.inf], strict=False))
    tidied = []
    for event in found:
        duration = max(event.duration, 0.0)
        if duration == 0 and event.kind.startswith("stage."):
            until = following[event.onset]
            duration = until - event.onset if math.isfinite(until) else EPOCH
        tidied.append(dataclasses.replace(event, duration=duration))
    return tuple(tidied)


def spans(recording: Recording, task: Task) -> list[tuple[float, float, int]]:
    """The labelled spans of a night, in order.

    "apnea": the scored minutes of a minute-scored recording; otherwise the recording is tiled
    with whole minutes: apnea if at least 10 s lie in scored apneas and hypopneas (what overlaps
    counts once), and left out where half or more lies outside the scored sleep stages, if there
    are any. "stages": scored stages cut into epochs of 30 s (a rest shorter than an epoch is left
    out). The last span may reach beyond the recording's end.

    Returns:
        `(start, seconds, label)`, start in s from the start of the recording, label an index
        into `CLASSES[task]`.

    Raises:
        StimjaxError: nobody scored this recording for the task.
    """
    events, duration = recording.events, recording.header.duration
    scored = [event for event in events if event.kind != "stage.unscored"]
    if task == "stages":
        scored = [event for event in scored if event.kind in _STAGES]
    if not scored:
        what = "no scored event" if task == "apnea" else "no scored event (sleep stage)"
        raise StimjaxError(
            f"{recording.header.name}: {what}; put its scoring beside it "
            "(EDF+ annotations, -nsrr.xml, -profusion.xml or .apn) or leave it out"
        )
    if task == "stages":
        return _cut(events, _STAGES, EPOCH, duration)
    if any(event.kind in _MINUTES for event in events):
        return _cut(events, _MINUTES, MINUTE, duration)
    rule = _ApneaRule(events)
    starts = MINUTE * np.arange(int((duration + _ROUNDING) // MINUTE))
    labelled = [(float(start), MINUTE, rule.label(start, MINUTE)) for start in starts]
    return [(start, seconds, label) for start, seconds, label in labelled if label is not None]


def _cut(
    events: Sequence[Event], labels: dict[str, int], seconds: float, duration: float
) -> list[tuple[float, float, int]]:
    """Pieces of `seconds` of every labelled event, as far as they start within the night."""
    pieces: dict[float, int] = {}  # of two events that start together the first counts
    for event in events:
        if event.kind in labels:
            for number in range(int((event.duration + _ROUNDING) // seconds)):
                start = event.onset + number * seconds
                if 0 <= start < duration:
                    pieces.setdefault(start, labels[event.kind])
    return [(start, seconds, label) for start, label in sorted(pieces.items())]


class _Cover:
    """The union of some intervals."""

    def __init__(self, events: Iterable[Event]):
        merged: list[list[float]] = []
        for event in sorted(events, key=lambda event: event.onset):
            end = event.onset + event.duration
            if merged and event.onset <= merged[-1][1]:
                merged[-1][1] = max(merged[-1][1], end)
            else:
                merged.append([event.onset, end])
        self.start, self.end = np.array(merged, float).reshape(-1, 2).T

    def inside(self, start: float, seconds: float) -> float:
        """How many seconds of a span the union covers."""
        covered = np.minimum(self.end, start + seconds) - np.maximum(self.start, start)
        return float(np.maximum(covered, 0).sum())


class _ApneaRule:
    """Whether a span of a night counts as apnea, see `spans`; not for minute-scored nights."""

    def __init__(self, events: Sequence[Event]):
        present = {event.kind for event in events}
        self.breathing = _Cover(event for event in events if event.kind in _RESPIRATORY)
        staged = present & set(_STAGES)
        self.stages = _Cover(e for e in events if e.kind in _STAGES) if staged else None

    def label(self, start: float, seconds: float) -> int | None:
        if self.stages and self.stages.inside(start, seconds) <= seconds / 2:
            return None
        return int(self.breathing.inside(start, seconds) >= APNEA_SECONDS - _ROUNDING)
