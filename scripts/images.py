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
from stimjax.errors import StimjaxError
from stimjax.excite import rates, synthesize
from stimjax.job import stages
from stimjax.machine import runtime
from stimjax.machine.progress import reporter

TEACHER = config.Teacher(networks=("cnn", "resnet", "mlp"), fit=config.Fit(steps=800))
SYNTHESIS = config.Synthesis(method="mixture", count=10000)  # `public` has these digits alone
STUDY = config.Study(
    students=("cnn", "mlp", "random_forest", "svm", "knn", "logistic"), fit=config.Fit(steps=800)
)


@dataclasses.dataclass(frozen=True)
class Options:
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


def main(options: Options) -> None:
    """Make windows, teacher, stimuli and students."""
    runtime.start()
    if (options.images is None) != (options.labels is None):
        raise StimjaxError("give --images and --labels, or neither")
    whole = (
        image_sets.mnist(options.images, options.labels)
        if options.images and options.labels
        else image_sets.digits()
    )
    with (
        reporter() as report,
        store.new_folder(options.out, overwrite=options.overwrite) as folder,
    ):
        private = folder / "private"
        for place in (private, private / "windows", private / "teacher", folder / "study"):
            place.mkdir(mode=0o700 if place == private else 0o777)
        image_sets.deal(
            whole,
            private / "windows",
            train=options.train,
            validation=options.validation,
            seed=options.seed,
        )
        teacher = stages.train_teacher(
            private / "windows", private / "teacher", options.teacher, report
        )
        report.stage("making stimuli")
        synthesize.synthesize(
            teacher,
            options.synthesis,
            folder / "release",
            listener=rates.Listener(rates.telling(report), report.note),
        )
        windows = private / "windows"
        compared = stages.Compared(folder / "release", train=windows, test=windows)
        stages.study_release(compared, folder / "study", options.study, teacher, report)
        settings.save(folder, options.teacher, options.synthesis, options.study)


if __name__ == "__main__":
    try:
        main(tyro.cli(Options))
    except StimjaxError as error:
        sys.exit(f"stimjax: error: {error}")
