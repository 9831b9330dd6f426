"""Scoring in XML: NSRR's form, Compumedics Profusion's, Luna's and Embla's.

NSRR (`PSGAnnotation`): every event, stages included, is a `ScoredEvent` with `EventConcept`,
`Start` (older: `Starttime`) and `Duration` in s from the first sample of its EDF; its `ClockTime`
says the same once more and is not used. Profusion (`CMPStudyConfig`): a `ScoredEvent` has `Name`,
`Start` and `Duration`; stages are one `SleepStage` number for each epoch of `EpochLength` s. Luna
(`Annotations`): an `Instance` has `Class`, `Start` and `Duration`. Embla and RemLogic: an `Event`
has `Type` (or `EventType`), `StartTime` and `StopTime`, times of day with a date.

Whose an event is tells an attribute or a child of it, or of what it stands in, such as `Scorer`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from stimjax.data.recording import Header, Remark, Scoring
from stimjax.data.scoring import clock, stages
from stimjax.data.scoring.rules import EPOCH
from stimjax.data.scoring.text import NoScoring
from stimjax.data.times import DAY, Clock, moment, number
from stimjax.errors import StimjaxError


class _Form(NamedTuple):
    """How a form spells an event: its tag, and the children with its text, start and length."""

    name: str
    event: str
    texts: tuple[str, ...]
    onsets: tuple[str, ...] = ("start", "starttime")
    lengths: tuple[str, ...] = ("duration",)
    stops: tuple[str, ...] = ()


_FORMS = {
    "PSGAnnotation": _Form("NSRR XML", "scoredevent", ("eventconcept",)),
    "CMPStudyConfig": _Form("Profusion XML", "scoredevent", ("name",)),
    "Annotations": _Form("Luna XML", "instance", ("class", "name")),
}
_EMBLA = _Form(
    "Embla XML", "event", ("type", "eventtype", "name"), ("starttime", "start"), ("duration",),
    ("stoptime", "endtime", "stop", "end"),
)  # fmt: skip
_SCORERS = ("scorer", "scorername", "scoredby", "rater", "annotator", "expert", "technician")
_DEEPEST = 200  # elements within each other; more is no scoring


def read(path: Path, header: Header) -> Scoring:
    """The events of an XML file, as written.

    Raises:
        StimjaxError: the file is unreadable, no XML, of another form, or an event has no number
            where its start or duration belongs.
    """
    try:
        root = ElementTree.parse(path).getroot()
    except OSError as error:
        raise StimjaxError(f"{path}: cannot be read ({error.strerror})") from error
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise NoScoring(f"{path}: is no valid XML ({error}); export it again") from error
    form = _FORMS.get(_local(root), _EMBLA)
    remarks: list[Remark] = []
    clocked = False
    epoch = _epoch(root, path)
    for element, scorer in _walk(root):
        tag = _local(element).lower()
        if tag == form.event and (event := _event(element, form, path, header)):
            remark, by_clock = event
            clocked = clocked or by_clock
            remarks.append(Remark(remark.onset, remark.duration, remark.text, scorer))
        elif tag == "sleepstages":
            remarks += _stages(element, epoch, scorer)
    if form is _EMBLA and not remarks:
        raise NoScoring(
            f"{path}: is neither NSRR's nor Profusion's, Luna's or Embla's XML (its root is "
            f"{_local(root)!r}); convert it or remove it"
        )
    note = f"its times of day count from the recording's start at {clock.written(header.start)}"
    return Scoring(path, form.name, tuple(remarks), notes=(note,) if clocked else ())


def _walk(root: ElementTree.Element) -> Iterator[tuple[ElementTree.Element, str]]:
    """All elements in the order of the file, and whose each is."""
    waiting = [(root, "", 0)]
    while waiting:
        element, scorer, depth = waiting.pop()
        scorer = _scorer(element) or scorer
        yield element, scorer
        if depth < _DEEPEST:
            waiting += [(child, scorer, depth + 1) for child in reversed(element)]


def _scorer(element: ElementTree.Element) -> str:
    """Whose an element says that it is, "" where it does not say."""
    for name, value in element.attrib.items():
        if name.rpartition("}")[2].lower() in _SCORERS:
            return value.strip()
    children = (child for child in element if _local(child).lower() in _SCORERS and not len(child))
    return next(((child.text or "").strip() for child in children), "")


def _event(
    element: ElementTree.Element, form: _Form, path: Path, header: Header
) -> tuple[Remark, bool] | None:
    """An event, and whether its time is a time of day; None without a text."""
    fields = {_local(child).lower(): (child.text or "").strip() for child in element}

    def first(names: tuple[str, ...]) -> str:
        return next((fields[name] for name in names if name in fields), "")

    words = next((fields[name] for name in form.texts if fields.get(name)), "")
    if not words or (form is _EMBLA and not first(form.onsets)):
        return None
    onset, by_clock = _time(first(form.onsets), path, header)
    if stop := first(form.stops):
        duration = _time(stop, path, header)[0] - onset
        duration = duration % DAY if by_clock else duration
    elif not first(form.lengths):
        return Remark(onset, None, words), by_clock
    else:
        duration = _number(first(form.lengths), path)
    return Remark(onset, duration, words), by_clock


def _time(text: str, path: Path, header: Header) -> tuple[float, bool]:
    time = moment(text)
    if not isinstance(time, Clock):
        return _number(text, path), False
    try:
        return clock.elapsed(time, header), True
    except ValueError as error:
        raise StimjaxError(
            f"{path}: its times are times of day, but {error}; export it with times in s"
        ) from None


def _epoch(root: ElementTree.Element, path: Path) -> float:
    for element in root.iter():
        if _local(element) == "EpochLength" and (element.text or "").strip():
            epoch = _number((element.text or "").strip(), path)
            if epoch <= 0:
                raise StimjaxError(f"{path}: its epochs last {epoch:g} s; mend EpochLength")
            return epoch
    return EPOCH


def _stages(element: ElementTree.Element, epoch: float, scorer: str) -> list[Remark]:
    """One remark for each `SleepStage`; a second list begins at the first epoch again."""
    texts = [(one.text or "").strip() for one in element.iter() if _local(one) == "SleepStage"]
    return [
        Remark(number * epoch, epoch, _stage(stage), scorer) for number, stage in enumerate(texts)
    ]


def _stage(text: str) -> str:
    """Profusion's number as a word: 6 is movement, 9 unscored. A word stays as it is."""
    value = number(text)
    if value is None:
        return text or stages.UNSCORED
    return stages.NUMBERS.get(int(value), stages.UNSCORED)


def _local(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _number(text: str, path: Path) -> float:
    value = number(text)
    if value is None:
        raise StimjaxError(f"{path}: {text!r} is no time in seconds; mend that event")
    return value
