"""Scoring in XML: NSRR's form and that of Compumedics Profusion.

NSRR (`PSGAnnotation`): every event, stages included, is a `ScoredEvent` with `EventConcept`,
`Start` (older: `Starttime`) and `Duration` in s. Profusion (`CMPStudyConfig`): a `ScoredEvent`
has `Name`, `Start` and `Duration`; stages are one `SleepStage` number for each epoch of
`EpochLength` s.
"""

from __future__ import annotations

import math
from pathlib import Path
from xml.etree import ElementTree

from stimjax.data import scoring
from stimjax.data.recording import Event
from stimjax.errors import StimjaxError


def read(path: Path) -> list[Event]:
    """The events of an XML file that the vocabulary knows, as written (not yet `scoring.tidy`).

    Raises:
        StimjaxError: the file is unreadable, no XML, of another form, or an event has no number
            where its start or duration belongs.
    """
    try:
        root = ElementTree.parse(path).getroot()
    except OSError as error:
        raise StimjaxError(f"{path}: cannot be read ({error.strerror})") from error
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise StimjaxError(f"{path}: is no valid XML ({error}); export it again") from error
    form = _tag(root)
    if form == "PSGAnnotation":
        return _events(root, "EventConcept", path)
    if form == "CMPStudyConfig":
        return _events(root, "Name", path) + _stages(root, path)
    raise StimjaxError(
        f"{path}: is neither NSRR's nor Profusion's XML (its root is {form!r}); "
        "convert it or remove it"
    )


def _events(root: ElementTree.Element, name: str, path: Path) -> list[Event]:
    events = []
    for element in root.iter():
        if _tag(element) != "ScoredEvent":
            continue
        fields = {_tag(child): (child.text or "").strip() for child in element}
        if kind := scoring.kind(fields.get(name, "")):
            onset = _number(fields.get("Start", fields.get("Starttime", "")), path)
            events.append(Event(kind, onset, _number(fields.get("Duration", ""), path)))
    return events


def _stages(root: ElementTree.Element, path: Path) -> list[Event]:
    texts = {tag: [] for tag in ("EpochLength", "SleepStage")}
    for element in root.iter():
        if (tag := _tag(element)) in texts:
            texts[tag].append((element.text or "").strip())
    epoch = _number(texts["EpochLength"][0], path) if texts["EpochLength"] else scoring.EPOCH
    return [
        Event(scoring.PROFUSION_STAGES.get(stage, "stage.unscored"), number * epoch, epoch)
        for number, stage in enumerate(texts["SleepStage"])
    ]


def _tag(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]  # without the namespace


def _number(text: str, path: Path) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise StimjaxError(f"{path}: {text!r} is no time in seconds; mend that event")
    return value
