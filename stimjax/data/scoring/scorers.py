"""Two scorers in one file: whose each remark is.

A scorer is told by the source (a column, an attribute), or stands in the text: "Scorer A: Apnea",
"Apnea (scorer 2)", "N2 [rater B]". Names without such a word ("Anna: N2", "N2 (Ben)") count where
two of them gave stages to the same epochs.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping

from stimjax.data.recording import Remark, Scoring
from stimjax.data.scoring import vocabulary

_WHO = r"(?:scorer|scored by|rater|reader|expert|annotator|reviewer|auswerter|scoreur|lecteur)"
_BEFORE = re.compile(rf"\W*{_WHO}[\s_#.:-]*(\w+)\W*?[:;,|/)\]–-]+\s*(.+)", re.IGNORECASE)
_BEHIND = re.compile(rf"(.+?)\W*\b{_WHO}[\s_#.:-]*(\w+)\W*", re.IGNORECASE)
_NAMED = (
    re.compile(r"(?P<who>[^:|]{1,30}?)\s*[:|]\s*(?P<text>.+)"),
    re.compile(r"(?P<text>.+?)\s*[(\[](?P<who>[^)\]]{1,30})[)\]]"),
)


def parts(scoring: Scoring, own: Mapping[str, str]) -> list[Scoring]:
    """A scoring for each scorer, in the order in which the file names them; one for none.

    Args:
        scoring: of one source.
        own: a user's own words, see `vocabulary.kind`.
    """
    remarks = [_spoken(remark) for remark in scoring.remarks]
    if not any(remark.scorer for remark in remarks):
        remarks = _named(remarks, own)
    names = list(dict.fromkeys(remark.scorer for remark in remarks))
    named = [name for name in names if name]
    if len(named) < 2:
        return [dataclasses.replace(scoring, remarks=tuple(remarks))]
    note = f"has {len(named)} scorers ({', '.join(named)}): the first, {named[0]}, counts"
    return [
        dataclasses.replace(
            scoring,
            kind=f"{scoring.kind}, scorer {name}" if name else scoring.kind,
            remarks=tuple(remark for remark in remarks if remark.scorer == name),
            notes=(*scoring.notes, note) if index == 0 else (),
        )
        for index, name in enumerate(names)
    ]


def _spoken(remark: Remark) -> Remark:
    """A remark without the scorer that its text names with such a word."""
    if remark.scorer:
        return remark
    if match := _BEFORE.fullmatch(remark.text):
        return dataclasses.replace(remark, scorer=match[1], text=match[2].strip())
    if match := _BEHIND.fullmatch(remark.text):
        return dataclasses.replace(remark, scorer=match[2], text=match[1].strip())
    return remark


def _named(remarks: list[Remark], own: Mapping[str, str]) -> list[Remark]:
    """Remarks without the bare names that stand in their texts, where these are scorers'.

    They are where two of them gave stages to the same epochs; "N2 (supine)" names no scorer.
    """
    for form in _NAMED:
        split: dict[str, tuple[str, str]] = {}
        for text in dict.fromkeys(remark.text for remark in remarks):
            match = form.fullmatch(text)
            if match and not vocabulary.kind(text, own) and vocabulary.kind(match["text"], own):
                split[text] = (match["who"].strip(), match["text"])
        if _staged_twice(remarks, split, own):
            pairs = [split.get(remark.text, ("", remark.text)) for remark in remarks]
            return [
                dataclasses.replace(remark, scorer=who, text=text)
                for remark, (who, text) in zip(remarks, pairs, strict=True)
            ]
    return remarks


def _staged_twice(
    remarks: list[Remark], split: Mapping[str, tuple[str, str]], own: Mapping[str, str]
) -> bool:
    """Whether most epochs that one name has stages in have a stage of another name as well."""
    onsets: dict[str, set[int]] = {}
    for remark in remarks:
        who, text = split.get(remark.text, ("", ""))
        if who and (vocabulary.kind(text, own) or "").startswith("stage."):
            onsets.setdefault(who, set()).add(round(remark.onset))
    first, *others = onsets.values() or [set()]
    return any(2 * len(first & other) > min(len(first), len(other)) for other in others)
