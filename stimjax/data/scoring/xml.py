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

from stimjax.data.recording import Remark, Scoring
from stimjax.data.scoring.rules import EPOCH
from stimjax.errors import StimjaxError

# Profusion writes a number for each epoch; 6 is movement, 9 and the rest are unscored.
_PROFUSION_STAGES = {
    "0": "Sleep stage W", "1": "Sleep stage N1", "2": "Sleep stage N2", "3": "Sleep stage N3",
    "4": "Sleep stage N3", "5": "Sleep stage R",
}  # fmt: skip


def read(path: Path) -> Scoring:
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
        raise StimjaxError(f"{path}: is no valid XML ({error}); export it again") from error
    form = _tag(root)
    if form == "PSGAnnotation":
        return Scoring(path, "NSRR XML", tuple(_events(root, "EventConcept", path)))
    if form == "CMPStudyConfig":
        remarks = _events(root, "Name", path) + _stages(root, path)
        return Scoring(path, "Profusion XML", tuple(remarks))
    raise StimjaxError(
        f"{path}: is neither NSRR's nor Profusion's XML (its root is {form!r}); "
        "convert it or remove it"
    )


def _events(root: ElementTree.Element, name: str, path: Path) -> list[Remark]:
    remarks = []
    for element in root.iter():
        if _tag(element) != "ScoredEvent":
            continue
        fields = {_tag(child): (child.text or "").strip() for child in element}
        if text := fields.get(name, ""):
            onset = _number(fields.get("Start", fields.get("Starttime", "")), path)
            remarks.append(Remark(onset, _number(fields.get("Duration", ""), path), text))
    return remarks


def _stages(root: ElementTree.Element, path: Path) -> list[Remark]:
    texts = {tag: [] for tag in ("EpochLength", "SleepStage")}
    for element in root.iter():
        if (tag := _tag(element)) in texts:
            texts[tag].append((element.text or "").strip())
    epoch = _number(texts["EpochLength"][0], path) if texts["EpochLength"] else EPOCH
    return [
        Remark(number * epoch, epoch, _PROFUSION_STAGES.get(stage, "Sleep stage ?"))
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
