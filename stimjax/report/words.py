"""The report's sentences that depend on the numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal

from stimjax.disk.documents import Loss, Metrics, Results
from stimjax.report.names import listed, named
from stimjax.report.tables import (
    BEYOND,
    Number,
    mean_of,
    points,
    range_of,
    signed,
    verdict,
)
from stimjax.students import worth

LARGE_LOSS = 0.05  # of accuracy: above all that the paper reports for similar architectures
LARGE_KAPPA_LOSS = 0.10
MOST_NAMES = 3  # in the headline
LITTLE_KAPPA = 0.20  # students that learned next to nothing from real windows


def headline(results: Results) -> list[str]:
    """One or two sentences: which student loses how much, and whether intervals include 0."""
    on_stimuli = (loss for loss in results.summary if loss.trained_on == "stimuli")
    losses = [(loss.accuracy_gap, loss) for loss in on_stimuli if loss.accuracy_gap is not None]
    if not losses:
        return ["No student was compared, so this run cannot say what training on stimuli costs."]
    losses.sort(key=lambda pair: pair[0])
    (smallest, least), (largest, most) = losses[0], losses[-1]
    large = largest >= LARGE_LOSS or (most.kappa_gap or 0) >= LARGE_KAPPA_LOSS
    than = "than after training on real windows" + ", a large loss" * large
    if len(losses) == 1:
        first = (
            f"Trained only on stimuli, the {named(most.student)} student’s accuracy on real test "
            f"windows is {_lower(largest)} {than}."
        )
    elif largest <= 0:
        first = (
            f"None of {len(losses)} students trained only on stimuli is less accurate on real "
            f"test windows than after training on real windows (from {named(least.student)}, "
            f"{_lower(smallest)}, to {named(most.student)}, {_lower(largest)})."
        )
    else:
        first = (
            f"Of {len(losses)} students trained only on stimuli, {named(most.student)} loses most: "
            f"its accuracy on real test windows is {_lower(largest)} {than}; at the other end, "
            f"{named(least.student)}’s is {_lower(smallest)}."
        )
    return [first, _about_intervals([loss for _, loss in losses])]


def trust(results: Results) -> str | None:
    """One sentence: which students may be trusted with this release; None where not tested."""
    losses = [loss for loss in results.summary if loss.trained_on == "stimuli"]
    if not losses:
        return None
    if all(loss.non_inferior is None for loss in losses):
        return "This test set is too small to say which students may be trusted with this release."
    random = results.test.split == "random"
    on = "other windows of the same people" if random else "people they have never seen"
    margins = f"the margin ({margins_of(losses)})"
    trusted = [loss.student for loss in losses if loss.non_inferior]
    worse = [loss.student for loss in losses if verdict(loss) == BEYOND]
    if not trusted:
        said = (
            "This run does not show of any student that it may be trusted with this release: for "
            f"none is a loss larger than {margins} ruled out"
        )
    else:
        whom = "every student that was tested" if len(trusted) == len(losses) else "these students"
        said = (
            f"This release may be trusted with {whom}: {listed(trusted)}; on {on}, what is lost "
            f"against training on real windows is shown to be below {margins}"
        )
    if worse:
        said += f"; {listed(worse)} {'lose' if len(worse) > 1 else 'loses'} more than that"
    unclear = len(losses) - len(trusted) - len(worse)
    if unclear and (trusted or worse):
        others = "the other" + ("s" if unclear > 1 else "")
        said += f"; for {others} this test set cannot tell"
    return said + "."


def margins_of(losses: Sequence[Loss]) -> str:
    """The margins of all families among `losses`, in words."""
    margins = {loss.family: (loss.accuracy_margin, loss.kappa_margin) for loss in losses}
    return ", ".join(
        f"{100 * accuracy:g} point{'s' * (accuracy != 0.01)} of accuracy and {kappa:g} of kappa "
        f"for {family} students"
        for family, (accuracy, kappa) in margins.items()
    )


def teacher(metrics: Metrics) -> str:
    """What the teacher consists of."""
    networks = Counter(member.network for member in metrics.members if member.weight > 0)
    if epsilon := metrics.privacy.epsilon:
        networks_named = listed(networks)
        return f"It is {networks_named}, trained with differential privacy (epsilon {epsilon:.3g})."
    if (count := networks.total()) == 1:
        tried = len(metrics.members)
        return (
            f"It is one network ({named(next(iter(networks)))}), the best of {tried} on validation."
        )
    parts = ", ".join(f"{many} {named(name)}" for name, many in networks.items())
    return (
        f"It is {count} networks ({parts}) that label together, each weighted by what it adds on "
        "the validation part."
    )


def _lower(gap: float) -> str:
    size = points(abs(gap))
    return f"{size} points {'higher' if gap < 0 and size != '0.0' else 'lower'}"


def _about_intervals(losses: Sequence[Loss]) -> str:
    intervals = [(loss.student, loss.accuracy_gap_ci) for loss in losses if loss.accuracy_gap_ci]
    if not intervals:
        return "The test set has fewer than two subjects, so no interval can be given."
    if len(losses) == 1:
        low, high = intervals[0][1]
        interval = f"The 95 % interval of the loss, {range_of([low, high])} points, "
        if low <= 0 <= high:
            return interval + "includes 0: this test set neither shows a loss nor rules one out."
        return interval + "does not include 0."
    unclear = [student for student, (low, high) in intervals if low <= 0 <= high]
    if len(unclear) == len(intervals):
        return (
            "Every student’s 95 % interval includes 0: this test set neither shows a loss nor "
            "rules one out."
        )
    if not unclear:
        return "No student’s 95 % interval includes 0."
    names = f" ({listed(unclear)})" if len(unclear) <= MOST_NAMES else ""
    return (
        f"The 95 % interval includes 0 for {len(unclear)} of {len(intervals)} students{names}: for "
        "these, this test set neither shows a loss nor rules one out."
    )


def cautions(
    results: Results, *, simulated: bool, split: Literal["subject", "random"]
) -> list[str]:
    """What a reader must know before believing the headline."""
    sentences = []
    if simulated:
        sentences.append(
            "The recordings are simulated. The numbers show that the method runs and how it "
            "behaves; they say nothing of patients."
        )
    if split == "random":
        sentences.append(
            "The split is random by window: windows of one night lie on both sides of it. "
            "Accuracy on people who are not in the training data will be lower."
        )
    students = dict.fromkeys(row.student for row in results.rows)
    kappas = [mean_of(results.rows, "kappa", student, "real")[0] for student in students]
    kappas = [kappa for kappa in kappas if kappa is not None]
    if kappas and max(kappas) < LITTLE_KAPPA:
        sentences.append(
            f"Trained on real windows, no student reaches a kappa above {signed(max(kappas), 2)}. "
            "Where there is little to lose, a small loss says little."
        )
    if added := worth.sentence(results, named):
        sentences.append(added)
    baselines = baseline_losses(results)
    if baselines:
        losses = ", ".join(
            f"{points(loss)} points on {named(name)}" for name, loss in baselines.items()
        )
        sentences.append(f"For comparison, mean accuracy lost by training on baselines: {losses}.")
    return sentences


def baseline_losses(results: Results) -> dict[str, float]:
    """Mean accuracy lost over students, for everything but stimuli that they were trained on."""
    losses: dict[str, list[float]] = {}
    for loss in results.summary:
        if loss.trained_on != "stimuli" and loss.accuracy_gap is not None:
            losses.setdefault(loss.trained_on, []).append(loss.accuracy_gap)
    return {name: sum(values) / len(values) for name, values in losses.items()}


def gap_alt(results: Results) -> str:
    """The gap figure in words."""
    parts = [
        f"{named(loss.student)} on {named(loss.trained_on)} {points(loss.accuracy_gap)}"
        + (f" (interval {range_of(loss.accuracy_gap_ci)})" if loss.accuracy_gap_ci else "")
        for loss in results.summary
    ]
    return "Accuracy lost, in points: " + "; ".join(parts) + "."


def accuracy_alt(results: Results, teacher: Number | None) -> str:
    """The accuracy figure in words."""
    pairs = dict.fromkeys((row.student, row.trained_on) for row in results.rows)
    parts = [] if teacher is None else [f"teacher {points(teacher)}"]
    for student, source in pairs:
        parts.append(
            f"{named(student)} on {named(source)} "
            f"{points(mean_of(results.rows, 'accuracy', student, source)[0])}"
        )
    return "Accuracy on real test windows in percent: " + "; ".join(parts) + "."
