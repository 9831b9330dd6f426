"""What is done with a student that is kept: `fit` makes it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated, Literal

import tyro

from stimjax import config as sections
from stimjax.command.options import FLAT, Overwrite
from stimjax.command.talk import TALK, Talk
from stimjax.config import settings
from stimjax.disk.store import refuse_occupied
from stimjax.machine import runtime

DEFAULT = sections.Fit()


@dataclasses.dataclass(frozen=True)
class Fit:
    """Train a student on a release and keep it: a model to use on recordings.

    It is trained as a study trains it. Where the extra stimjax[onnx] is installed, the model is
    kept for onnxruntime too.

    Attributes:
        release: folder of the release. Or of windows: then it is trained on the real training part,
            and is private as they are.
        student: deep: mlp, cnn, cnn_half, resnet, gru, transformer, am_classifier; classical:
            random_forest, gradient_boosting, svm, knn, logistic.
        out: folder for the model.
        labels: learn from soft labels as they are, or from hard ones: their most probable class.
        seed: of its training.
        fit: how a deep student is trained.
    """

    release: tyro.conf.Positional[Path]
    student: str
    out: Path
    labels: Literal["soft", "hard"] = "soft"
    seed: int = 0
    overwrite: Overwrite = False
    talk: Annotated[Talk, FLAT] = TALK
    fit: sections.Fit = DEFAULT

    def run(self) -> None:
        study = sections.Study((), (), self.labels, seeds=1, fit=self.fit, seed=self.seed)
        settings.check(study, "--")
        refuse_occupied(self.out, self.overwrite)  # before any minute of training
        runtime.start()
        from stimjax.trained import model as models

        model = models.fit_folder(self.release, self.student, study)
        missing = models.keep(model, self.out, self.release, overwrite=self.overwrite)
        whose = "real windows (private)" if model.private else "stimuli"
        said = [f"{self.out}: the student {self.student}, trained on {model.windows} {whose}"]
        said += [f"{self.out}: {missing}"] if missing else []
        self.talk.outcome(self.out, "\n".join(said))
