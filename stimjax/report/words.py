"""The report's sentences that depend on the numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stimjax.report.tables import (
    BEYOND,
    Number,
    comparisons,
    mean_of,
    points,
    range_of,
    signed,
    verdict,
)

LARGE_LOSS = 0.05  # of accuracy: above all that the paper reports for similar architectures
LARGE_KAPPA_LOSS = 0.10
MOST_NAMES = 3  # in the headline
LITTLE_KAPPA = 0.20  # students that learned next to nothing from real windows


def headline(results: Mapping[str, Any]) -> list[str]:
    """One or two sentences: which student loses how much, and whether intervals include 0."""
    entries = [
        entry
        for entry in comparisons(results)
        if entry["trained_on"] == "stimuli" and entry.get("accuracy_gap") is not None
    ]
    if not entries:
        return ["No student was compared, so this run cannot say what training on stimuli costs."]
    entries.sort(key=lambda entry: entry["accuracy_gap"])
    least, most = entries[0], entries[-1]
    large = most["accuracy_gap"] >= LARGE_LOSS or (most.get("kappa_gap") or 0) >= LARGE_KAPPA_LOSS
    than = "than after training on real windows" + ", a large loss" * large
    if len(entries) == 1:
        first = (
            f"Trained only on stimuli, the {most['student']} student’s accuracy on real test "
            f"windows is {_lower(most)} {than}."
        )
    elif most["accuracy_gap"] <= 0:
        first = (
            f"None of {len(entries)} students trained only on stimuli is less accurate on real "
            f"test windows than after training on real windows (from {least['student']}, "
            f"{_lower(least)}, to {most['student']}, {_lower(most)})."
        )
    else:
        first = (
            f"Of {len(entries)} students trained only on stimuli, {most['student']} loses most: "
            f"its accuracy on real test windows is {_lower(most)} {than}; at the other end, "
            f"{least['student']}’s is {_lower(least)}."
        )
    return [first, _about_intervals(entries)]


def trust(results: Mapping[str, Any]) -> str | None:
    """One sentence: which students may be trusted with this release; None where not tested."""
    entries = [
        entry
        for entry in comparisons(results)
        if entry["trained_on"] == "stimuli" and "non_inferior" in entry
    ]
    if not entries:
        return None
    if all(entry["non_inferior"] is None for entry in entries):
        return "This test set is too small to say which students may be trusted with this release."
    random = (results.get("test") or {}).get("split") == "random"
    on = "other windows of the same people" if random else "people they have never seen"
    margins = f"the margin ({margins_of(entries)})"
    trusted = [entry["student"] for entry in entries if entry["non_inferior"]]
    worse = [entry["student"] for entry in entries if verdict(entry) == BEYOND]
    if not trusted:
        said = (
            "This run does not show of any student that it may be trusted with this release: for "
            f"none is a loss larger than {margins} ruled out"
        )
    else:
        whom = "every student that was tested" if len(trusted) == len(entries) else "these students"
        said = (
            f"This release may be trusted with {whom}: {', '.join(trusted)}; on {on}, what is lost "
            f"against training on real windows is shown to be below {margins}"
        )
    if worse:
        said += f"; {', '.join(worse)} {'lose' if len(worse) > 1 else 'loses'} more than that"
    unclear = len(entries) - len(trusted) - len(worse)
    if unclear and (trusted or worse):
        others = "the other" + ("s" if unclear > 1 else "")
        said += f"; for {others} this test set cannot tell"
    return said + "."


def margins_of(entries: Sequence[Mapping[str, Any]]) -> str:
    """The margins of all families among `entries`, in words."""
    found = {
        str(entry.get("family", "all")): (entry["accuracy_margin"], entry["kappa_margin"])
        for entry in entries
    }
    return ", ".join(
        f"{100 * accuracy:g} point{'s' * (accuracy != 0.01)} of accuracy and {kappa:g} of kappa "
        f"for {family} students"
        for family, (accuracy, kappa) in found.items()
    )


def teacher(about: Mapping[str, Any]) -> str:
    """What the teacher consists of, from its `metrics.json`; empty where that does not say."""
    members = about.get("members") or []
    kinds: dict[str, int] = {}
    for member in members:
        if member.get("weight", 1) > 0:
            kinds[member["network"]] = kinds.get(member["network"], 0) + 1
    count = sum(kinds.values())
    if count == 0:
        return ""
    if epsilon := (about.get("privacy") or {}).get("epsilon"):
        named = ", ".join(kinds)
        return f"It is {named}, trained with differential privacy (epsilon {epsilon:.3g})."
    if count == 1:
        return f"It is one network ({next(iter(kinds))}), the best of {len(members)} on validation."
    named = ", ".join(f"{many} {name}" for name, many in kinds.items())
    return (
        f"It is {count} networks ({named}) that label together, each weighted by what it adds on "
        "the validation part."
    )


def _lower(entry: Mapping[str, Any]) -> str:
    gap = entry["accuracy_gap"]
    size = points(abs(gap))
    return f"{size} points {'higher' if gap < 0 and size != '0.0' else 'lower'}"


def _about_intervals(entries: list[dict[str, Any]]) -> str:
    known = [entry for entry in entries if entry.get("accuracy_gap_ci") is not None]
    if not known:
        return "The test set has fewer than two subjects, so no interval can be given."
    if len(entries) == 1:
        low, high = known[0]["accuracy_gap_ci"]
        interval = f"The 95 % interval of the loss, {range_of([low, high])} points, "
        if low <= 0 <= high:
            return interval + "includes 0: this test set neither shows a loss nor rules one out."
        return interval + "does not include 0."
    unclear = [
        e["student"] for e in known if e["accuracy_gap_ci"][0] <= 0 <= e["accuracy_gap_ci"][1]
    ]
    if len(unclear) == len(known):
        return (
            "Every student’s 95 % interval includes 0: this test set neither shows a loss nor "
            "rules one out."
        )
    if not unclear:
        return "No student’s 95 % interval includes 0."
    names = f" ({', '.join(unclear)})" if len(unclear) <= MOST_NAMES else ""
    return (
        f"The 95 % interval includes 0 for {len(unclear)} of {len(known)} students{names}: for "
        "these, this test set neither shows a loss nor rules one out."
    )


def cautions(results: Mapping[str, Any], *, simulated: bool, split: object) -> list[str]:
    """What a reader must know before believing the headline."""
    found = []
    if simulated:
        found.append(
            "The recordings are simulated. The numbers show that the method runs and how it "
            "behaves; they say nothing of patients."
        )
    if split == "random":
        found.append(
            "The split is random by window: windows of one night lie on both sides of it. "
            "Accuracy on people who are not in the training data will be lower."
        )
    students = dict.fromkeys(row["student"] for row in results.get("rows", []))
    kappas = [mean_of(results, "kappa", student, "real")[0] for student in students]
    kappas = [kappa for kappa in kappas if kappa is not None]
    if kappas and max(kappas) < LITTLE_KAPPA:
        found.append(
            f"Trained on real windows, no student reaches a kappa above {signed(max(kappas), 2)}. "
            "Where there is little to lose, a small loss says little."
        )
    baselines = baseline_losses(results)
    if baselines:
        losses = ", ".join(f"{points(loss)} points on {name}" for name, loss in baselines.items())
        found.append(f"For comparison, mean accuracy lost by training on baselines: {losses}.")
    return found


def baseline_losses(results: Mapping[str, Any]) -> dict[str, float]:
    """Mean accuracy lost over students, for everything but stimuli that they were trained on."""
    losses: dict[str, list[float]] = {}
    for entry in comparisons(results):
        if entry["trained_on"] != "stimuli" and entry.get("accuracy_gap") is not None:
            losses.setdefault(entry["trained_on"], []).append(entry["accuracy_gap"])
    return {name: sum(values) / len(values) for name, values in losses.items()}


def gap_alt(results: Mapping[str, Any]) -> str:
    """The gap figure in words."""
    parts = [
        f"{entry['student']} on {entry['trained_on']} {points(entry.get('accuracy_gap'))}"
        + (
            f" (interval {range_of(entry['accuracy_gap_ci'])})"
            if entry.get("accuracy_gap_ci")
            else ""
        )
        for entry in comparisons(results)
    ]
    return "Accuracy lost, in points: " + "; ".join(parts) + "."


def accuracy_alt(results: Mapping[str, Any], teacher: Number | None) -> str:
    """The accuracy figure in words."""
    pairs = dict.fromkeys((row["student"], row["trained_on"]) for row in results.get("rows", []))
    parts = [] if teacher is None else [f"teacher {points(teacher)}"]
    for student, source in pairs:
        parts.append(
            f"{student} on {source} {points(mean_of(results, 'accuracy', student, source)[0])}"
        )
    return "Accuracy on real test windows in percent: " + "; ".join(parts) + "."
