"""What an audit found, as a table and in sentences; none of them says that a release is safe."""

from __future__ import annotations

from collections.abc import Sequence

from stimjax.disk.documents import LEAKS, Entry, Privacy, TradeoffPoint
from stimjax.learn import limits
from stimjax.privacy.headline import WITH_SEED, Headline, headline, with_seed
from stimjax.report.names import curve, listed, named
from stimjax.report.tables import UNDEFINED, Table, over_repeats, signed

METRICS = {
    "auc": "area under the ROC curve",
    "tpr_at_fpr_0.01": "found at 1 % false alarms",
    "tpr_at_fpr_0.001": "found at 0.1 % false alarms",
    "worst_subject": "worst-off subject: area of its windows",
    "told_apart": "whole cohort told from another",
    "top1": "first guess right",
    "top5": "among five guesses",
    "copies": "stimuli nearer than chance",
    "advantage": "severity: accuracy above that for others",
    "advantage_of_boosting": "severity, learned: the same",
    "advantage_of_strongest": "severity, the strongest of all: the same",
    "advantage_on_sex": "sex: accuracy above that for others",
    "advantage_on_age": "band of age: the same",
    "advantage_on_device": "device: the same",
    "secrets_found": "secrets found",
    "dcr": "distance ratio (sanity check)",
    "nndr": "nearest-neighbor ratio (sanity check)",
}
CHECKS = ("dcr", "nndr")  # no attacks: neither clears a release
CHOOSER = "chooser"  # nothing is planted for them


def above_chance(entry: Entry) -> bool:
    """Whether an attack's number is above that of guessing by more than its interval."""
    if entry.value is None or entry.metric in CHECKS:
        return False
    lowest = entry.ci[0] if entry.ci else entry.value
    return lowest > entry.chance


def blind(entry: Entry) -> bool:
    """Whether an attack misses what was planted: less than half way from guessing to certainty."""
    values = [v for v in (entry.real_data, *entry.planted) if v is not None]
    if entry.metric in CHECKS or entry.value is None or entry.level == CHOOSER:
        return False
    certain = 1.0 if entry.level != "file" else 2.0  # one secret found is enough
    return not values or max(values) < entry.chance + 0.5 * (certain - entry.chance)


def table(privacy: Privacy) -> Table:
    """Every number of the audit beside that of guessing, of real windows and of a planted leak."""
    rows = [
        [
            named(entry.attack),
            measured(entry.metric),
            named(entry.level),
            _number(entry.value),
            UNDEFINED if entry.ci is None else " to ".join(map(_number, entry.ci)),
            _number(entry.chance),
            _number(entry.real_data),
            *map(_number, entry.planted),
            "above guessing" if above_chance(entry) else "blind" if blind(entry) else "",
        ]
        for entry in privacy.attacks
    ]
    header = ["Attack", "Measured", "About one", "This release", "95 % interval", "Guessing"]
    header += ["Real windows", *(f"Planted: {name}" for name in LEAKS), ""]
    return Table("What attacks find", header, rows, words=3)


def verdict(privacy: Privacy) -> list[str]:
    """What was tried and what was found; who has the seed as well has a sentence of its own."""
    entries = [e for e in privacy.attacks if not e.metric.endswith(WITH_SEED)]
    tried = list(dict.fromkeys(e.attack for e in entries if e.metric not in CHECKS))
    successful = list(dict.fromkeys(e.attack for e in entries if above_chance(e)))
    missed = [
        name
        for name in tried
        if all(blind(e) or e.value is None for e in entries if e.attack == name)
    ]
    said = [f"{len(tried)} kinds of attack were tried on this release."]
    for level in ("subject", "window"):
        if strongest := headline(entries, level):
            said.append(f"{sentence(strongest)}; the attacker holds {strongest.strongest.holds}.")
    if successful:
        said.append(f"These found more than guessing does: {listed(successful)}.")
    else:
        said.append(
            "None found more than guessing does; that is no proof that others would not either."
        )
    if missed:
        said.append(
            f"These did not find even what was planted for them, so that they say nothing here: "
            f"{listed(missed)}."
        )
    said += [line for line in [with_seed(privacy.attacks)] if line]
    if privacy.epsilon is None or privacy.delta is None:
        said.append("There is no formal guarantee: the teacher was trained without noise.")
    else:
        said.append(
            f"The formal guarantee is (ε, δ) = ({privacy.epsilon:.3g}, {privacy.delta:.1g})."
        )
        said.append(limits.sentence(privacy.epsilon, privacy.delta))
    return said


def sentence(strongest: Headline) -> str:
    """The strongest attack in words."""
    code = strongest.strongest.attack
    name = named(code)
    return f"{name[:1].upper()}{name[1:]}{str(strongest).removeprefix(code)}"


def meanings(privacy: Privacy) -> list[tuple[str, str, str]]:
    """Of each attack: its name, what its number means to a participant, and what it has to hold."""
    return list(dict.fromkeys((named(e.attack), e.tells, e.holds) for e in privacy.attacks))


def notes(privacy: Privacy) -> list[str]:
    """What has to be known beside single numbers."""
    return list(
        dict.fromkeys(
            f"{named(e.attack)}, {measured(e.metric)}: {e.note}." for e in privacy.attacks if e.note
        )
    )


def tradeoff(points: Sequence[TradeoffPoint]) -> Table:
    """Students and attackers (rows) over the strength of inhibition (columns).

    Of students the mean over the seeds and its 95 % interval (of Student's t), of attacks the value
    and its interval.
    """
    rows = [
        [
            f"kappa, {curve(name)}",
            *(_with_interval(*over_repeats(point.kappa[name])) for point in points),
        ]
        for name in points[0].kappa
    ]
    for name in points[0].attacks:
        estimates = [point.attacks.get(name) for point in points]
        cells = [UNDEFINED if one is None else _with_interval(*one) for one in estimates]
        rows.append([curve(name), *cells])
    header = ["Inhibition", *(f"{point.strength:g}" for point in points)]
    return Table("Students and attackers over the strength of inhibition", header, rows)


def measured(metric: str) -> str:
    """The words for what an attack measured."""
    plain = metric.removesuffix(WITH_SEED)
    return METRICS.get(plain, plain) + ", by who has the seed" * (plain != metric)


def _with_interval(value: float | None, ends: Sequence[float] | None) -> str:
    if value is None or ends is None:
        return _number(value)
    return f"{_number(value)} ({_number(ends[0])} to {_number(ends[1])})"


def _number(value: float | None) -> str:
    return UNDEFINED if value is None else signed(value, 3)
