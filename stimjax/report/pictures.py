"""The report's pictures: a figure, what it shows for who cannot see it, and its caption."""

from __future__ import annotations

import base64
import dataclasses

import numpy as np

from stimjax.batch import NOBODY
from stimjax.disk.documents import Privacy, Results
from stimjax.nights.severity import BOUNDS, severity
from stimjax.report import answers as said
from stimjax.report import figures, forest, likeness, strip, tables, windows, words
from stimjax.report.names import named
from stimjax.report.story import Answers, Story
from stimjax.report.tables import Number

FEWEST = 2  # subjects of a figure of subjects


@dataclasses.dataclass(frozen=True)
class Picture:
    """A figure of the page.

    Attributes:
        svg: the drawing.
        alt: what it shows, for who cannot see it.
        caption: below it.
        kind: "wide" takes the whole width, and a phone scrolls it; "photo" keeps its grays in the
            dark, where charts are inverted.
    """

    svg: str
    alt: str
    caption: str
    kind: str = ""

    @property
    def source(self) -> str:
        """The SVG as a data URL: as an image of its own, its names cannot clash with others."""
        return "data:image/svg+xml;base64," + base64.b64encode(self.svg.encode()).decode()


def of_students(results: Results, teacher: Number | None) -> list[Picture]:
    """What students lose, and what they reach."""
    pictures = []
    if any(loss.accuracy_gap is not None for loss in results.summary):
        caption = (
            "Accuracy lost on real test windows against the same student trained on real windows: "
            "mean over training seeds, 95 % bootstrap interval. Right of 0 is a loss."
        )
        pictures.append(Picture(figures.gap(results), words.gap_alt(results), caption))
    if results.rows:
        caption = "Accuracy on real test windows by what a student was trained on, mean over seeds."
        caption += " The dashed line is the teacher." * (teacher is not None)
        alt = words.accuracy_alt(results, teacher)
        pictures.append(Picture(figures.accuracy(results, teacher), alt, caption))
    return pictures


def of_answers(answers: Answers | None, classes: tuple[str, ...]) -> list[Picture]:
    """Confusion, ROC and calibration of the teacher and a student, and agreement by subject."""
    if answers is None:
        return []
    student = f"The student is {named(answers.name)}, trained on stimuli."
    right = {name: p.argmax(axis=1) == answers.label for name, p in said.sides(answers).items()}
    shares = ", ".join(f"{name} {share.mean():.0%}" for name, share in right.items())
    pictures = [
        Picture(
            said.confusion(answers, classes),
            f"Confusion matrices of teacher and student; called rightly: {shares}.",
            f"What real test windows of each scored class are called. {student}",
        )
    ]
    two = len(classes) == 2
    if two and 0 < (answers.label == 1).sum() < len(answers.label):
        caption = f"ROC curves for {classes[1]}; the marks are what probability 0.5 decides."
        alt = f"ROC curves of teacher and student for {classes[1]}, {_operating(answers)}."
        pictures.append(Picture(said.roc(answers), alt, caption))
    caption = "On the dotted line a probability is what it says; below it, it promises too much."
    alt = "Calibration curves of teacher and student: share called rightly over the probability."
    pictures.append(Picture(said.calibration(answers), alt, caption))
    known = np.unique(answers.subject[answers.subject != NOBODY])
    if two and "apnea" in classes[1] and len(known) >= FEWEST:
        pictures.append(_of_subjects(answers))
    return pictures


def _operating(answers: Answers) -> str:
    parts = []
    for name, probability in said.sides(answers).items():
        called, is_ = probability[:, 1] > 0.5, answers.label == 1
        parts.append(
            f"{name} at 0.5: sensitivity {called[is_].mean():.2f}, specificity "
            f"{1 - called[~is_].mean():.2f}"
        )
    return "; ".join(parts)


def _of_subjects(answers: Answers) -> Picture:
    rates = said.an_hour(answers)
    kinds = [severity(column) for column in rates.T]
    same = [int((kinds[0] == kind).sum()) for kind in kinds[1:]]
    bounds = ", ".join(f"{bound:g}" for bound in BOUNDS)
    caption = (
        f"Apnea minutes an hour of {len(rates)} test subjects (Bland-Altman): bias and limits of "
        f"agreement. Gray lines are the bounds of severity ({bounds}): the teacher puts {same[0]} "
        f"of {len(rates)} into the scored class, the student {same[1]}."
    )
    alt = "Called minus scored apnea minutes an hour over their mean, a point for each subject: "
    spans = [f"{d.min():.1f} to {d.max():.1f}" for d in (rates[:, 1:] - rates[:, :1]).T]
    alt += f"teacher {spans[0]}, student {spans[1]}."
    return Picture(said.subjects(answers), alt, caption)


def of_night(story: Story) -> Picture | None:
    """A night as a strip across the page."""
    night, classes = story.night, story.real.spec.classes
    if night is None or not len(night.scored):
        return None
    hours = len(night.scored) * night.seconds / 3600
    unseen = ", whose recording no model was trained on" * (
        story.origin.settings.split == "subject"
    )
    scorer = "the simulator" if story.simulated else "a person"
    below = f"probability of {classes[1]}" if len(classes) == 2 else "called class"
    counts = [
        int(strip.wrong(night.scored, values, len(classes)).sum())
        for values in (night.predicted, night.student)
    ]
    return Picture(
        strip.strip(night, story.real.spec),
        f"{hours:.1f} hours of one subject: signals, scored classes, teacher and student. Of "
        f"{len(night.scored)} windows the teacher calls {counts[0]} wrongly, the student "
        f"{counts[1]}.",
        f"One test subject{unseen}: the usable windows, one behind the other. Scored by {scorer}; "
        f"below it the teacher’s and the student’s {below}. Crosses and shades mark windows that "
        "are called wrongly.",
        "wide",
    )


def of_windows(story: Story) -> list[Picture]:
    """Real windows beside stimuli."""
    real, stimuli, classes = story.real, story.stimuli, story.real.spec.classes
    if len(real.spec.shape) == 3:
        alt = "Real images beside stimuli, one row for each of: " + ", ".join(classes) + "."
        caption = "Images of each class, chosen evenly through the file and not by eye."
        return [Picture(windows.images(real, stimuli), alt, caption, "photo")]
    channels = ", ".join(channel.name for channel in real.spec.channels)
    return [
        Picture(
            windows.signals(real, stimuli, number),
            f"Real windows of class {name} beside stimuli of that class; channels: {channels}.",
            f"{name}: real windows so scored, stimuli that the teacher calls so. Chosen evenly "
            "through the file and not by eye. Gray: the span that the label speaks of.",
            "wide",
        )
        for number, name in enumerate(classes)
    ]


def of_likeness(story: Story) -> list[Picture]:
    """Mean spectra of signals, principal components, and how sure the teacher is."""
    real, stimuli = story.real, story.stimuli
    pictures = []
    if len(real.spec.shape) == 2 and min(len(real), len(stimuli)):
        alt = "Mean power spectral density of each channel, of real windows and of stimuli."
        caption = "Mean spectra of real windows (solid) and of stimuli (dashed)."
        pictures.append(Picture(likeness.spectra(real, stimuli), alt, caption))
    if min(len(real), len(stimuli)) > 2 and len(real.spec.classes) <= windows.MOST_CLASSES:
        alt = "Real windows and stimuli of each class on two principal components of real windows."
        caption = "Where real windows (circles) and stimuli (crosses) lie, on the two directions "
        caption += "along which real windows differ most."
        pictures.append(Picture(likeness.components(real, stimuli), alt, caption))
    return [*pictures, _of_confidence(story)]


def _of_confidence(story: Story) -> Picture:
    classes, real = story.real.spec.classes, story.teacher_on_real
    caption = (
        "The teacher’s top probability, by its top class, as a share of the windows of that class: "
        + ("hatched for real windows, outlined for stimuli." if real is not None else "stimuli.")
    )
    parts = []
    for name, batch in (("real windows", real), ("stimuli", np.asarray(story.stimuli.y))):
        if batch is not None:
            mean = float(batch.max(axis=1).mean())
            parts.append(f"mean {tables.signed(mean, 2)} on {name}")
    alt = "Histograms of the teacher’s top probability for each class: " + ", ".join(parts) + "."
    return Picture(figures.confidence(np.asarray(story.stimuli.y), real, classes), alt, caption)


def of_attacks(privacy: Privacy) -> Picture | None:
    """All attacks in one figure; None where none of them has an area."""
    shown = forest.areas(privacy)
    if not shown:
        return None
    caption = (
        "What each attack finds, with 95 % intervals. An interval that ends right of 0.5 does not "
        "rule out that the attack works; one that begins there shows it."
    )
    return Picture(forest.forest(privacy), forest.alt(shown), caption, "wide")
