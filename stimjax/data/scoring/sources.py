"""Where the scoring of a recording is found."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from stimjax.data import codes
from stimjax.data.edf.layout import peek
from stimjax.data.recording import Header, Scoring
from stimjax.data.scoring import edf, luna, names, tables, text, ucddb, xml
from stimjax.errors import StimjaxError


class Form(NamedTuple):
    """A form of scoring.

    Attributes:
        tail: what follows the recording's name in that of the scoring, a pattern.
        read: `read(path, header of the recording)`.
        sure: whether such a name can be nothing else. A file of another name and another form
            is no error but a note.
    """

    tail: str
    read: Callable[[Path, Header], Scoring]
    sure: bool = True


_WORD = names.WORD
# Best first: what was put beside a recording by name, then by form.
FORMS = (
    Form(r"[-_.]nsrr\.xml", xml.read),
    Form(r"[-_.]profusion\.xml", xml.read),
    Form(rf"\.{names.RECORDINGS}\.xml", xml.read),
    Form(rf"{_WORD}\.xml", xml.read),
    Form(r"\.xml", xml.read, sure=False),
    Form(rf"[-_. ]hypnogram\.{names.EDF}", edf.read),
    Form(rf"[-_. ]annotations?\.{names.EDF}", edf.read),
    Form(rf"{_WORD}\.{names.EDF}", edf.read),
    Form(rf"({_WORD})?\.annot", luna.read),
    Form(r"_respevts?\.txt", ucddb.read),
    Form(rf"({_WORD})?\.(eannot|sta|stages?|hypno)", tables.read),
    Form(rf"{_WORD}\.(tsv|csv|txt)", tables.read),
    Form(r"\.(tsv|csv|txt)", tables.read, sure=False),
)
NAMES = (
    "NAME-nsrr.xml, NAME.xml, NAME-Hypnogram.edf, NAME_annotations.edf, NAME.annot, NAME.eannot, "
    "NAME_events.tsv, NAME.csv, NAME_stages.txt"
)


def beside(path: Path, header: Header) -> Iterator[Scoring]:
    """The scorings that lie beside a recording, best first.

    Names are compared without regard to case. NAME is the recording's, with or without what
    says that it is the recording (`-PSG`, `_eeg`, `-nsrr`); what may follow it is in `FORMS`, in
    the order of precedence. Sleep-EDF's hypnograms and the events of a ResMed card have names of
    their own (`names.sleep_edf`, `edf.resmed`).

    Args:
        path: of the recording.
        header: of the recording.

    Raises:
        StimjaxError: a scoring file is damaged, or is of another person.
    """
    try:
        files = names.listing(path.parent)
    except OSError as error:
        raise StimjaxError(f"{path.parent}: cannot be read ({error.strerror})") from error
    for name, form in _candidates(path.name, files):
        scoring = _read(path.with_name(files.names[name]), form, header)
        _check_person(path, header, scoring)
        yield scoring
    if night := edf.resmed(path.name):
        wanted = [files.names[one] for one in files.ordered if edf.resmed(one) == (night[0], True)]
        if card := edf.together(path, wanted, header):
            yield card


def _candidates(name: str, files: names.Listing) -> list[tuple[str, Form]]:
    """The lower-case names of the scorings of a recording, each with its form, best first."""
    ranked: dict[str, tuple[int, int]] = {}
    for number, base in enumerate(names.bases(name)):
        for one in files.beginning(base):
            for rank, form in enumerate(FORMS):
                if one != name.lower() and re.fullmatch(form.tail, one[len(base) :]):
                    ranked.setdefault(one, (rank, number))
                    break
    listed = sorted(ranked, key=lambda one: (*ranked[one], one))
    hypnograms = [one for one in names.sleep_edf(name, files) if one not in ranked]
    whole = Form("", edf.read)
    return [(one, FORMS[ranked[one][0]]) for one in listed] + [(one, whole) for one in hypnograms]


def _read(path: Path, form: Form, header: Header) -> Scoring:
    try:
        return form.read(path, header)
    except text.NoScoring as error:
        if form.sure:
            raise
        reason = str(error).removeprefix(f"{path}: ")
        return Scoring(path, "not read", (), notes=(f"is not read as a scoring: {reason}",))


def _check_person(path: Path, header: Header, scoring: Scoring) -> None:
    """Refuse a scoring that names another person; Sleep-EDF's persons are in the names of files."""
    if edf.is_sleep_edf(path.stem) or not codes.contradict(header.subject, scoring.patient):
        return
    raise StimjaxError(
        f"{scoring.file}: is of patient {scoring.patient!r}, but the recording {path.name} of "
        f"{header.subject!r}; rename or remove it, or mend the code in its header"
    )


def is_scoring(path: Path) -> bool:
    """Whether an EDF file is the scoring of a recording rather than one.

    It holds annotations and no signal but a checksum, or one signal and has the name of a
    scoring of a recording that lies beside it, or is a ResMed card's file of events.
    """
    if (card := edf.resmed(path.name)) and card[1]:
        return True
    named = names.belongs(path.name, names.listing(path.parent).names)
    return _only_scoring(path, dummies=int(named))


def _only_scoring(path: Path, dummies: int = 0) -> bool:
    """Whether an EDF file holds annotations and no more than some dummies of signals."""
    try:
        held = peek(path)
    except StimjaxError:  # a bad file is reported when it is read
        return False
    return not held.signals or edf.only_scoring(held, dummies)


def near_misses(path: Path) -> tuple[str, ...]:
    """What a user should know of the files beside a recording that nobody scored, as notes."""
    files = names.listing(path.parent)
    read = {one for one, _ in _candidates(path.name, files)}
    others = [one for one in names.near(path.name, files) if one.lower() not in read]
    others += [
        one
        for one in names.sharing(path.name, files)
        if one not in others and one.lower() not in read and _only_scoring(path.with_name(one))
    ]
    if not others:
        return ()
    return (
        f"no scoring was found; {names.shown(others)} beside it is not read: a scoring is read "
        f"under a name such as {NAMES}",
    )
