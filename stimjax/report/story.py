"""What a report tells: plain data, gathered by whoever ran the job."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float, Int

from stimjax.batch import Batch
from stimjax.disk.documents import (
    Made,
    Manifest,
    Metrics,
    Privacy,
    Results,
    Scores,
    TradeoffPoint,
)


@dataclasses.dataclass(frozen=True)
class Night:
    """One test subject's windows, in order of time.

    Attributes:
        scored: class numbers.
        predicted: of the teacher: with two classes the probability of class 1, with more the
            predicted class number.
        student: the same from the student that was trained on stimuli.
        seconds: from the start of one window to the start of the next.
        x: the windows themselves; None where only their classes are known.
    """

    scored: Float[np.ndarray, " n"]
    predicted: Float[np.ndarray, " n"]
    student: Float[np.ndarray, " n"]
    seconds: float
    x: Float[np.ndarray, "n time channel"] | None = None


@dataclasses.dataclass(frozen=True)
class Answers:
    """What was said of all test windows.

    Attributes:
        label: as scored.
        subject: whose a window is; `batch.NOBODY` where that is not known.
        teacher: its probabilities.
        student: those of a student that was trained on stimuli, mean over its seeds.
        name: of that student.
    """

    label: Int[np.ndarray, " n"]
    subject: Int[np.ndarray, " n"]
    teacher: Float[np.ndarray, "n classes"]
    student: Float[np.ndarray, "n classes"]
    name: str


@dataclasses.dataclass(frozen=True)
class Story:
    """Everything the report tells.

    Attributes:
        title: of the page.
        simulated: whether the recordings come from the simulator.
        results: of the study.
        real: a few hundred real windows with their scored labels.
        stimuli: stimuli with the teacher's soft labels.
        night: one night of the test set, if there is one.
        origin: how the windows came to be.
        teacher: how good the teacher is.
        manifest: of the release.
        config: the effective configuration as YAML.
        versions: of the software, by name.
        repeat: the command that repeats the run.
        teacher_on_real: the teacher's probabilities for the windows of `real`; without them the
            confidence figure shows the stimuli alone.
        privacy: of the audit, if there was one.
        tradeoff: a point for each strength of inhibition; empty where none was measured.
        exceeded: bounds of the data holder that the audit exceeded; then nothing was published.
        bounds: of the data holder; empty where none were set.
        answers: on the test windows, if they are at hand.
    """

    title: str
    simulated: bool
    results: Results
    real: Batch
    stimuli: Batch
    night: Night | None
    origin: Made
    teacher: Metrics
    manifest: Manifest
    config: str
    versions: dict[str, str]
    repeat: str
    teacher_on_real: Float[np.ndarray, "n classes"] | None = None
    privacy: Privacy | None = None
    tradeoff: Sequence[TradeoffPoint] = ()
    exceeded: tuple[str, ...] = ()
    bounds: Mapping[str, float] = dataclasses.field(default_factory=dict)
    answers: Answers | None = None

    @property
    def scores(self) -> Scores:
        """The teacher's on the test windows, of all folds where the study has them."""
        return self.results.teacher.scores if self.results.teacher else self.teacher.test
