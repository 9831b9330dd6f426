"""The three questions that a reader comes with, each answered in a few words and numbers.

About people the upper end of an interval is what counts: the holder answers for what may be so.
About students "not shown" is an answer of its own, and is not "worse".
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from stimjax.disk.documents import Loss, Privacy, Results
from stimjax.privacy.headline import WITH_SEED, Headline, headline
from stimjax.report.names import listed, named
from stimjax.report.privacy import above_chance
from stimjax.report.tables import BEYOND, NOT_SHOWN, WITHIN, points, range_of, verdict

LEVELS = {"subject": "participants", "window": "their windows"}


@dataclasses.dataclass(frozen=True)
class Verdict:
    """An answer.

    Attributes:
        question: that is answered.
        mark: "good", "bad" or "open": how the answer is framed, never by color alone.
        answer: the answer, in a few words.
        facts: numbers that it rests on, a sentence each.
        evidence: the part of the page that shows them.
    """

    question: str
    mark: str
    answer: str
    facts: tuple[str, ...]
    evidence: str


def students(results: Results) -> Verdict:
    """How well students of the stimuli do on real windows."""
    question, evidence = "How well do students do?", "students"
    losses = [loss for loss in results.summary if loss.trained_on == "stimuli"]
    losses = [loss for loss in losses if loss.accuracy_gap is not None]
    if not losses:
        answer = "This run cannot say: no student was compared."
        return Verdict(question, "open", answer, (), evidence)
    by = {said: [x for x in losses if verdict(x) == said] for said in (WITHIN, BEYOND, NOT_SHOWN)}
    many = len(losses)
    if len(by[WITHIN]) == many:
        mark, answer = "good", "As well as those of real windows, within the margins."
    elif len(by[BEYOND]) == many:
        mark, answer = "bad", "Worse than those of real windows, beyond the margins."
    elif by[WITHIN]:
        mark = "open"
        answer = f"{len(by[WITHIN])} of {many} as well as those of real windows."
    else:
        mark, answer = "open", "That they do as well as those of real windows is not shown."
    ordered = sorted(losses, key=lambda loss: loss.accuracy_gap or 0.0)
    ends = [ordered[0]] if many == 1 else [ordered[0], ordered[-1]]
    facts = [_lost(loss) for loss in ends]
    if by[BEYOND] and len(by[BEYOND]) < many:
        facts.append(f"Shown to be worse: {listed(loss.student for loss in by[BEYOND])}.")
    if by[NOT_SHOWN]:
        rest = "" if len(by[NOT_SHOWN]) == many else f" of {len(by[NOT_SHOWN])} of {many}"
        facts.append(f"Neither shown to be as good nor to be worse{rest}: too few test data.")
    return Verdict(question, mark, answer, tuple(facts), evidence)


def _lost(loss: Loss) -> str:
    name = named(loss.student)
    interval = ""
    if loss.accuracy_gap_ci:
        interval = f" (95 % interval {range_of(loss.accuracy_gap_ci)})"
    return f"{name[:1].upper()}{name[1:]} loses {points(loss.accuracy_gap)} points{interval}."


def people(privacy: Privacy | None) -> Verdict:
    """What a release tells of who took part."""
    question, evidence = "What does it tell of people?", "people"
    if privacy is None:
        return Verdict(question, "open", "This run cannot say: no audit was made.", (), evidence)
    entries = [e for e in privacy.attacks if not e.metric.endswith(WITH_SEED)]
    strongest = [one for level in LEVELS if (one := headline(entries, level))]
    facts = [_told(one) for one in strongest]
    found = list(dict.fromkeys(e.attack for e in entries if above_chance(e)))
    if found:
        mark, answer = "bad", "More than guessing does."
        facts.append(f"{len(found)} attacks are shown to do better: {listed(found)}.")
    elif strongest:
        mark, answer = "open", f"Up to an area of {_highest(strongest):.2f}; more is not shown."
        facts.append("No attack is shown to do better than guessing, which is no proof.")
    else:
        mark, answer = "open", "No attack on who took part could be tried."
    secrets = [e.value for e in entries if e.metric == "secrets_found" and e.value is not None]
    if secrets and max(secrets):
        mark, answer = "bad", "It names people, recordings or dates."
        facts.insert(0, f"{max(secrets):g} identifiers stand in its files.")
    return Verdict(question, mark, answer, tuple(facts), evidence)


def _told(one: Headline) -> str:
    entry, (_, high) = one.strongest, one.interval
    return (
        f"{LEVELS[entry.level].capitalize()} are told from others with an area of up to {high:.2f} "
        f"({entry.value:.2f} measured, {entry.chance:g} is guessing; strongest of {one.tried} "
        "attacks)."
    )


def _highest(strongest: Sequence[Headline]) -> float:
    return max(one.interval[1] for one in strongest)


def published(bounds: Mapping[str, float], privacy: Privacy | None) -> Verdict:
    """What bounds a release that is published was held to."""
    question, evidence = "What was it held to?", "bounds"
    guaranteed = privacy is not None and privacy.epsilon is not None
    facts = [
        f"The formal guarantee is epsilon {privacy.epsilon:.3g}."
        if privacy is not None and privacy.epsilon is not None
        else "There is no formal guarantee."
    ]
    if bounds:
        facts.insert(0, "The upper ends of the intervals keep them.")
        return Verdict(question, "good", "To bounds of its holder.", tuple(facts), evidence)
    mark = "good" if guaranteed else "open"
    return Verdict(question, mark, "Its holder set no bounds.", tuple(facts), evidence)


def publishing(
    bounds: Mapping[str, float], exceeded: Sequence[str], privacy: Privacy | None
) -> Verdict:
    """Whether the holder's bounds allow it."""
    question, evidence = "May it be published?", "bounds"
    if exceeded:
        facts = (f"{len(exceeded)} of the bounds' conditions are not kept. Nothing was published.",)
        return Verdict(question, "bad", "No: your bounds are exceeded.", facts, evidence)
    if bounds:
        kept = f"All {len(bounds)} bounds are kept" if len(bounds) > 1 else "The bound is kept"
        facts = (f"{kept} by the upper ends of the intervals.",)
        return Verdict(question, "good", "Yes, within your bounds.", facts, evidence)
    facts = ["With --require-privacy FILE nothing is published beyond your bounds."]
    if privacy is not None and privacy.epsilon is None:
        facts.append("There is no formal guarantee.")
    elif privacy is not None:
        facts.append(f"The formal guarantee is epsilon {privacy.epsilon:.3g}.")
    return Verdict(question, "open", "You set no bounds: you decide.", tuple(facts), evidence)
