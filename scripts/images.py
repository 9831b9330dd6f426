"""The predecessor's image task (arXiv 1903.02313) with the same code as for sleep recordings.

python scripts/images.py --out RESULTS                               scikit-learn's digits
python scripts/images.py --images FILE --labels FILE --out RESULTS   an IDX set such as MNIST

Writes windows, teacher, release and study/results.json into RESULTS.
"""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import tyro

from stimjax import config
from stimjax.config import settings
from stimjax.data import images as image_sets
from stimjax.disk import store
from stimjax.excite import rates, synthesize
from stimjax.job import stages
from stimjax.machine import runtime
from stimjax.machine.progress import reporter

TEACHER = config.Teacher(networks=("cnn", "resnet", "mlp"), fit=config.Fit(steps=800))
SYNTHESIS = config.Synthesis(count=10000)
STUDY = config.Study(
    students=("cnn", "mlp", "random_forest", "svm", "knn", "logistic"), fit=config.Fit(steps=800)
)


@dataclasses.dataclass(frozen=True)
class Images:
    """The whole job on images.

    Attributes:
        out: folder for the results.
        images: images in the IDX format; scikit-learn's digits without them.
        labels: their labels in the IDX format.
        train: images for training.
        validation: images for validation; what is left is the test part.
    """

    out: Path
    images: Path | None = None
    labels: Path | None = None
    train: int = 1000
    validation: int = 200
    overwrite: bool = False
    seed: int = 0
    teacher: config.Teacher = TEACHER
    synthesis: config.Synthesis = SYNTHESIS
    study: config.Study = STUDY


def main(asked: Images) -> None:
    """Do the job that `asked` describes."""
    runtime.start()
    if (asked.images is None) != (asked.labels is None):
        raise store.StimjaxError("give --images and --labels, or neither")
    whole = (
        image_sets.mnist(asked.images, asked.labels)
        if asked.images and asked.labels
        else image_sets.digits()
    )
    with (
        reporter() as report,
        store.new_folder(asked.out, overwrite=asked.overwrite) as folder,
    ):
        private = folder / "private"
        for made in (private, private / "windows", private / "teacher", folder / "study"):
            made.mkdir(mode=0o700 if made == private else 0o777)
        image_sets.deal(
            whole,
            private / "windows",
            train=asked.train,
            validation=asked.validation,
            seed=asked.seed,
        )
        teacher = stages.train_teacher(
            private / "windows", private / "teacher", asked.teacher, report
        )
        report.stage("making stimuli")
        synthesize.synthesize(
            teacher,
            asked.synthesis,
            folder / "release",
            progress=rates.telling(report),
            note=report.note,
        )
        windows = private / "windows"
        stages.study_release(
            folder / "release", windows, windows, folder / "study", asked.study, teacher, report
        )
        settings.save(folder, asked.teacher, asked.synthesis, asked.study)


if __name__ == "__main__":
    try:
        main(tyro.cli(Images))
    except store.StimjaxError as error:
        sys.exit(f"stimjax: error: {error}")
