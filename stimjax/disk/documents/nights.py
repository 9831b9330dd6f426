"""Nights that a model scored: `nights.json` and `agreement.json`, and the file of each night."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import ClassVar

from stimjax.disk.documents.document import Document
from stimjax.disk.documents.results import Interval


@dataclasses.dataclass(frozen=True)
class Sleep:
    """The sleep of a night.

    Attributes:
        stages: minutes in each: W, N1, N2, N3, R.
        asleep: minutes in all but W.
        efficiency: the part of the staged minutes that they are.
    """

    stages: Mapping[str, float]
    asleep: float
    efficiency: float


@dataclasses.dataclass(frozen=True)
class NightSummary:
    """What the minutes (epochs of a staged night) say in sum.

    Attributes:
        name: of its files.
        recording: the file's name.
        minutes: that the night has.
        scored: of these by the model.
        left_out: the others by reason: outside, masked, bridged.
        apnea_minutes_an_hour: of the scored; None where stages were scored.
        interval: its 95 % interval.
        severity: none, mild, moderate or severe, by apnea minutes an hour; no AHI.
        sleep_by_model, sleep_by_scorer: None where nobody staged the night.
        outside: whether the night lies outside what the model learned from.
        uncovered_share: the part of its scored minutes that do.
    """

    name: str
    recording: str
    minutes: int
    scored: int
    left_out: Mapping[str, int]
    apnea_minutes_an_hour: float | None
    interval: Interval | None
    severity: str | None
    sleep_by_model: Sleep | None
    sleep_by_scorer: Sleep | None
    outside: bool
    uncovered_share: float


@dataclasses.dataclass(frozen=True)
class NightFile(Document):
    """A night's `NAME.json`: an entry for each minute (epoch), and the night in sum.

    Attributes:
        student: the kind of the model.
        classes: their names.
        seconds: the length of a minute.
        start: s from the start of the recording.
        called: the class by the model, None where it could not be scored.
        probability: of each class.
        why: it could not be scored: outside, masked, bridged.
        scored: the class that somebody scored.
        uncovered: whether it is unlike what the model learned from.
        summary: of the night.
        versions: of the software.
    """

    FILE: ClassVar[str] = "night.json"
    SCHEMA: ClassVar[int] = 1

    student: str
    classes: tuple[str, ...]
    seconds: float
    start: tuple[float, ...]
    called: tuple[str | None, ...]
    probability: tuple[tuple[float, ...] | None, ...]
    why: tuple[str | None, ...]
    scored: tuple[str | None, ...]
    uncovered: tuple[bool | None, ...]
    summary: NightSummary
    versions: Mapping[str, str]


@dataclasses.dataclass(frozen=True)
class Nights(Document):
    """A folder's `nights.json`.

    Attributes:
        student: the kind of the model.
        release: SHA-256 of the manifest of the release that it learned from; None where it
            learned from real windows.
        interval: how intervals were made.
        nights: each in sum.
        failed: of each night that could not be scored, why.
        versions: of the software.
    """

    FILE: ClassVar[str] = "nights.json"
    SCHEMA: ClassVar[int] = 1

    student: str
    release: str | None
    interval: str
    nights: tuple[NightSummary, ...]
    failed: Mapping[str, str]
    versions: Mapping[str, str]


@dataclasses.dataclass(frozen=True)
class Measured:
    """A number, None where it is not defined, and its 95 % interval, None where there is none."""

    value: float | None
    interval: Interval | None


@dataclasses.dataclass(frozen=True)
class BlandAltman:
    """Differences of two ratings, each with its 95 % interval.

    Attributes:
        bias: their mean, model minus scorer.
        lower, upper: the limits of agreement: bias minus and plus 1.96 standard deviations.
    """

    bias: Measured
    lower: Measured
    upper: Measured


@dataclasses.dataclass(frozen=True)
class Threshold:
    """How well a model finds the nights at or above a bound.

    Attributes:
        bound: in units of the quantity.
        positive, negative: nights at or above it, and below it, by the scorer.
        sensitivity, specificity: with Wilson's intervals.
    """

    bound: float
    positive: int
    negative: int
    sensitivity: Measured
    specificity: Measured


@dataclasses.dataclass(frozen=True)
class Agreement:
    """How a model agrees with a scorer over nights, see `nights.agreement`.

    Attributes:
        minute_kappa: Cohen's kappa of all minutes.
        icc: ICC(2,1) of the nights' quantities.
        bland_altman: of the same.
        severity_kappa: Cohen's kappa of four classes; None where the quantity has no bounds.
        severity_table: nights, rows as scored and columns as the model says: none to severe.
        thresholds: at 5, 15 and 30.
    """

    minute_kappa: Measured
    icc: Measured
    bland_altman: BlandAltman
    severity_kappa: Measured | None
    severity_table: tuple[tuple[int, ...], ...] | None
    thresholds: tuple[Threshold, ...]


@dataclasses.dataclass(frozen=True)
class Compared:
    """A night that a person scored as well.

    Attributes:
        name: of its files.
        minutes: that all ratings have.
        scorer: its quantity by the person.
        models: the same by each model.
    """

    name: str
    minutes: int
    scorer: float
    models: tuple[float, ...]


@dataclasses.dataclass(frozen=True)
class AgreementFile(Document):
    """A folder's `agreement.json`.

    Attributes:
        quantity: of a night, in words.
        models: their names; the first is the one whose files lie beside.
        agreement: of each of them.
        nights: that were compared.
        how: intervals, in words.
        versions: of the software.
    """

    FILE: ClassVar[str] = "agreement.json"
    SCHEMA: ClassVar[int] = 1

    quantity: str
    models: tuple[str, ...]
    agreement: tuple[Agreement, ...]
    nights: tuple[Compared, ...]
    how: str
    versions: Mapping[str, str]
