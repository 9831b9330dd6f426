"""What a teacher and a student said of the test windows, and the figures of that.

Each curve has a line style or a marker of its own, so that the figures survive black-and-white
print.
"""

from __future__ import annotations

import matplotlib
import numpy as np
from jaxtyping import Float, Int
from matplotlib.figure import Figure
from scipy.stats import rankdata

from stimjax.batch import NOBODY
from stimjax.nights import agreement
from stimjax.nights.severity import BOUNDS, MINUTES_AN_HOUR
from stimjax.report.figures import GRAY, INK, REAL, STIMULI, STYLE, WIDTH, svg
from stimjax.report.story import Answers

BINS = 10  # of the calibration curve
FEWEST = 5  # windows of a bin that is drawn
LOOK = {"Teacher": (REAL, "o", "-"), "Student": (STIMULI, "D", "--")}


def sides(answers: Answers) -> dict[str, Float[np.ndarray, "n classes"]]:
    """The probabilities of both."""
    return {"Teacher": answers.teacher, "Student": answers.student}


def confusion(answers: Answers, classes: tuple[str, ...]) -> str:
    """How often each scored class is called what, in percent of its windows, with the counts."""
    with matplotlib.rc_context(STYLE):
        figure = Figure((WIDTH, 1.2 + 0.42 * len(classes)), layout="constrained")
        axes = figure.subplots(1, 2, sharey=True)
        for panel, (name, probability) in zip(axes, sides(answers).items(), strict=True):
            table = confusion_counts(answers.label, probability)
            share = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
            panel.imshow(share, cmap="Blues", vmin=0, vmax=1, aspect="auto")
            for (row, column), count in np.ndenumerate(table):
                color = "white" if share[row, column] > 0.55 else INK
                text = f"{share[row, column]:.0%}" + f"\n{count:,}" * (len(classes) < 4)
                panel.text(column, row, text, ha="center", va="center", color=color)
            panel.set_xticks(range(len(classes)), classes)
            panel.set_yticks(range(len(classes)), classes)
            panel.set_title(name)
            panel.set_xlabel("Called")
            panel.spines[:].set_visible(False)
        axes[0].set_ylabel("Scored")
        return svg(figure)


def confusion_counts(
    label: Int[np.ndarray, " n"], probability: Float[np.ndarray, "n classes"]
) -> Int[np.ndarray, "classes classes"]:
    """Windows by scored class (rows) and called class (columns)."""
    classes = probability.shape[1]
    cell = label * classes + probability.argmax(axis=1)
    return np.bincount(cell, minlength=classes**2).reshape(classes, classes)


def roc(answers: Answers) -> str:
    """The ROC curve of class 1 of two, with the point at which probability 0.5 decides."""
    positive = answers.label == 1
    with matplotlib.rc_context(STYLE):
        figure = Figure((WIDTH, 3.6), layout="constrained")
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], color=GRAY, linestyle=":", linewidth=1)
        for name, probability in sides(answers).items():
            color, marker, line = LOOK[name]
            score = probability[:, 1]
            axes.plot(*curve(score, positive), color=color, linestyle=line, label=name)
            called = score > 0.5
            at = called[~positive].mean(), called[positive].mean()
            axes.plot(*at, marker=marker, color=color, markersize=8, linestyle="none")
        axes.set_xlabel("False alarms (1 − specificity)")
        axes.set_ylabel("Sensitivity")
        axes.set_xlim(-0.02, 1.02)
        axes.set_ylim(-0.02, 1.02)
        axes.set_aspect("equal")
        axes.legend(loc="lower right")
        return svg(figure)


def curve(
    score: Float[np.ndarray, " n"], positive: np.ndarray
) -> tuple[Float[np.ndarray, " m"], Float[np.ndarray, " m"]]:
    """False alarms and sensitivity over all thresholds; equal scores pass together."""
    rank = rankdata(-score, method="max").astype(int)
    ends = np.unique(rank)
    order = np.argsort(-score, kind="stable")
    hits = np.concatenate([[0], np.cumsum(positive[order])])[np.concatenate([[0], ends])]
    total = np.concatenate([[0], ends])
    return (total - hits) / max((~positive).sum(), 1), hits / max(positive.sum(), 1)


def calibration(answers: Answers) -> str:
    """How often the called class is right, over the probability that is given to it."""
    with matplotlib.rc_context(STYLE):
        figure = Figure((WIDTH, 3.6), layout="constrained")
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], color=GRAY, linestyle=":", linewidth=1)
        lowest = 1 / answers.teacher.shape[1]
        for name, probability in sides(answers).items():
            color, marker, line = LOOK[name]
            sure, right = calibrated(answers.label, probability)
            axes.plot(sure, right, label=name, color=color, linestyle=line, marker=marker)
        axes.set_xlabel("Probability of the called class")
        axes.set_ylabel("Share that is called rightly")
        axes.set_xlim(lowest - 0.02, 1.02)
        axes.set_ylim(0, 1.02)
        axes.legend(loc="lower right")
        return svg(figure)


def calibrated(
    label: Int[np.ndarray, " n"], probability: Float[np.ndarray, "n classes"]
) -> tuple[Float[np.ndarray, " bins"], Float[np.ndarray, " bins"]]:
    """Mean top probability and share of right calls, in bins of at least `FEWEST` windows."""
    top, right = probability.max(axis=1), probability.argmax(axis=1) == label
    lowest = 1 / probability.shape[1]
    place = ((top - lowest) / (1 - lowest) * BINS).astype(int).clip(0, BINS - 1)
    count = np.bincount(place, minlength=BINS)
    there = count >= FEWEST
    sums = (np.bincount(place, x, BINS)[there] / count[there] for x in (top, right))
    sure, share = sums
    return sure, share


def an_hour(answers: Answers) -> Float[np.ndarray, "subjects 3"]:
    """Apnea minutes an hour of each test subject: as scored, by the teacher, by the student."""
    known = answers.subject != NOBODY
    _, subject = np.unique(answers.subject[known], return_inverse=True)
    calls = [answers.label, *(p.argmax(axis=1) for p in sides(answers).values())]
    counts = [np.bincount(subject, (one == 1)[known]) for one in calls]
    return MINUTES_AN_HOUR * np.stack(counts, axis=1) / np.bincount(subject)[:, None]


def subjects(answers: Answers) -> str:
    """Bland-Altman plots of apnea minutes an hour of subjects, with the bounds of severity."""
    rates = an_hour(answers)
    with matplotlib.rc_context(STYLE):
        figure = Figure((WIDTH, 3.2), layout="constrained")
        axes = figure.subplots(1, 2, sharey=True, sharex=True)
        for panel, (column, name) in zip(axes, enumerate(LOOK, start=1), strict=True):
            color, marker, _ = LOOK[name]
            scored, called = rates[:, 0], rates[:, column]
            found = agreement.bland_altman(scored, called)
            panel.plot((scored + called) / 2, called - scored, marker, color=color)
            for one, line in ((found.lower, ":"), (found.bias, "-"), (found.upper, ":")):
                if one.value is not None:
                    panel.axhline(one.value, color=color, linestyle=line, linewidth=1.2)
            panel.axhline(0, color=GRAY, linewidth=0.6)
            for bound in BOUNDS:
                panel.axvline(bound, color="#d0d0d0", linewidth=0.8, zorder=0)
            panel.set_title(name)
            panel.set_xlabel("Mean of both")
        axes[0].set_ylabel("Called minus scored")
        return svg(figure)
