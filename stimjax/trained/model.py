"""A student that is kept: trained as a study trains it, saved as a folder, used on windows.

    model.json           what it is, what it learned from, the SHA-256 of every other file
    spec.json            what a window is: that of the release
    weights.safetensors  of a deep student, or model.skops of one of scikit-learn
    coverage.safetensors what its stimuli cover
    model.onnx           the same student for onnxruntime, where it can be had
    README.md            the card

No file runs code when it is read.
"""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Float

from stimjax import batch, config, release
from stimjax.batch import Batch, Spec, load_spec, save_spec
from stimjax.config.names import STUDENTS, nearest
from stimjax.disk.documents import Manifest, ModelFile
from stimjax.disk.documents.made import FILE as SPEC
from stimjax.disk.store import new_folder, refuse_changed, sha256
from stimjax.errors import StimjaxError
from stimjax.machine.versions import versions
from stimjax.students import classical, study
from stimjax.students.classical import CLASSICAL, Fitted
from stimjax.trained import card, onnx, weights
from stimjax.trained import coverage as covers
from stimjax.trained.coverage import Coverage
from stimjax.trained.weights import Learned

SETTINGS = config.Study(students=(), baselines=(), seeds=1)


@dataclasses.dataclass(frozen=True)
class Model:
    """A student that has learned.

    Attributes:
        spec: of the windows that it takes.
        student: its name.
        settings: of its training; one student, one seed.
        learned: its weights.
        coverage: what the windows cover that it learned from.
        windows: how many these were.
        release: the digest of the release that it learned from; None if it is of none.
        private: it learned from real windows, and is private as they are.
        versions: of the software that trained it.
        sample: some windows that it learned from, on which `model.onnx` is compared; not kept.
    """

    spec: Spec
    student: str
    settings: config.Study
    learned: Learned
    coverage: Coverage
    windows: int
    release: str | None = None
    private: bool = False
    versions: Mapping[str, str] = dataclasses.field(default_factory=versions)
    sample: Float[np.ndarray, "n ..."] | None = None

    def predict_proba(self, x: Float[np.ndarray, "n ..."]) -> Float[np.ndarray, "n classes"]:
        """Class probabilities f32 of windows f32[n, *spec.shape].

        Raises:
            StimjaxError: the windows have another shape, or a value is not finite.
        """
        x = np.asarray(x, np.float32)
        refuse_windows(x, self.spec)
        if not len(x):
            return np.zeros((0, len(self.spec.classes)), np.float32)
        probability = self.learned.probability(x)
        return probability if isinstance(self.learned, Fitted) else probability[0]


def fit(
    stimuli: Batch,
    student: str,
    settings: config.Study = SETTINGS,
    *,
    validation: Batch | None = None,
) -> Model:
    """Train one student from one seed, as a study does.

    Args:
        stimuli: to learn from.
        student: its name.
        settings: labels, fit and seed; what else a study has is not looked at.
        validation: windows that choose a deep student's best step; by default a tenth of the
            stimuli, which it does not learn from then.

    Raises:
        StimjaxError: there is no such student, or its training diverged.
    """
    refuse_student(student)
    settings = dataclasses.replace(settings, students=(student,), baselines=(), seeds=1)
    windows = len(stimuli) + (0 if validation is None else len(validation))
    train, chosen = (
        study.held_out(stimuli, settings.seed) if validation is None else (stimuli, validation)
    )
    return Model(
        spec=stimuli.spec,
        student=student,
        settings=settings,
        learned=_learn(
            student, settings, study.suited(student, train), study.suited(student, chosen)
        ),
        coverage=covers.measure(train, chosen),
        windows=windows,
        sample=np.asarray(chosen.x[: onnx.CHECKED], np.float32),
    )


def fit_folder(folder: Path, student: str, settings: config.Study = SETTINGS) -> Model:
    """Train one student on a release, or on the real training part of a folder of windows.

    Of windows, their validation part chooses a deep student's best step.

    Raises:
        StimjaxError: `folder` is neither, there is no such student, or its training diverged.
    """
    refuse_student(student)
    if (folder / Manifest.FILE).is_file() or not (folder / SPEC).is_file():
        model = fit(release.load(folder), student, settings)
        return dataclasses.replace(model, release=sha256(folder / Manifest.FILE))
    train, validation = (batch.load(folder, part) for part in ("train", "validation"))
    model = fit(train, student, settings, validation=validation)
    return dataclasses.replace(model, private=True)


def _learn(student: str, settings: config.Study, train: Batch, validation: Batch) -> Learned:
    if settings.labels == "hard":
        train, validation = study.hardened(train), study.hardened(validation)
    if student in CLASSICAL:
        return classical.fitted(student, train, settings.seed)
    seeds = (settings.seed,)
    return study.networks(student, settings, seeds=seeds, train=train, validation=validation)


def save(model: Model, folder: Path, spec_file: Path | None = None) -> str | None:
    """Write `model` into a folder that is there and empty.

    Args:
        model: it.
        folder: see the head of this file.
        spec_file: the `spec.json` of what it learned from, which says more than `model.spec`; it
            is copied.

    Returns:
        Why there is no `model.onnx`, in a line; None where there is one.
    """
    if spec_file is None:
        save_spec(model.spec, folder)
    else:
        shutil.copyfile(spec_file, folder / SPEC)
    weights.save(model.learned, folder)
    covers.save(model.coverage, folder)
    if model.sample is None:
        missing = f"no {onnx.FILE}: the model was loaded, and has no windows to compare it on"
    else:
        missing = onnx.write(model.learned, model.student, model.sample, folder)
    text = card.render(about(model, {}), model.spec, onnx=missing is None)
    (folder / "README.md").write_text(text, encoding="utf-8")
    about(model, {path.name: sha256(path) for path in sorted(folder.iterdir())}).save(folder)
    return missing


def keep(
    model: Model, out: Path, source: Path | None = None, *, overwrite: bool = False
) -> str | None:
    """Save `model` as the folder `out`, which appears when it is complete.

    Args:
        model: it.
        out: where it is kept; for its owner alone (mode 0700) where the model is private.
        source: the folder that it learned from, whose `spec.json` is copied.
        overwrite: replace a model that stimjax wrote earlier.

    Returns:
        Why there is no `model.onnx`, in a line; None where there is one.

    Raises:
        StimjaxError: `out` is occupied.
    """
    with new_folder(out, overwrite=overwrite, private=model.private) as folder:
        return save(model, folder, None if source is None else source / SPEC)


def load(folder: Path) -> Model:
    """Read what `save` wrote, verified.

    Raises:
        StimjaxError: a file is missing, was changed, or holds something else.
    """
    if not folder.is_dir():
        raise StimjaxError(f"{folder}: is no model (no such folder); `stimjax fit` makes one")
    found = ModelFile.load(folder)
    _refuse_changed(folder, found)
    spec = load_spec(folder)
    if spec.classes != found.classes:
        raise StimjaxError(f"{folder / SPEC}: its classes are not those of {ModelFile.FILE}")
    return Model(
        spec=spec,
        student=found.student,
        settings=found.settings,
        learned=weights.load(folder, found, spec),
        coverage=covers.load(folder),
        windows=found.windows,
        release=found.release,
        private=found.learned_from == "windows",
        versions=found.versions,
    )


def about(model: Model, files: Mapping[str, str]) -> ModelFile:
    """The `model.json` of a model with these files, each with its SHA-256."""
    memory = "windows" if model.private else "memory"
    return ModelFile(
        student=model.student,
        classes=model.spec.classes,
        learned_from=memory if model.release is None else "release",
        release=model.release,
        windows=model.windows,
        settings=model.settings,
        columns=model.learned.columns if isinstance(model.learned, Fitted) else (),
        versions=model.versions,
        files=files,
    )


def refuse_student(student: str) -> None:
    """Raise StimjaxError for a student that there is not."""
    if student not in STUDENTS:
        raise StimjaxError(
            f"there is no student {student!r}{nearest(student, STUDENTS)} (choose from "
            f"{', '.join(STUDENTS)})"
        )


def refuse_windows(x: np.ndarray, spec: Spec) -> None:
    """Raise StimjaxError unless `x` are windows of `spec`."""
    if x.shape[1:] != spec.shape:
        axes = "time, channel" if len(spec.shape) == 2 else "height, width, channel"
        wanted = ", ".join(map(str, spec.shape))
        raise StimjaxError(
            f"the windows have shape {x.shape}, the model takes (n, {wanted}): n, {axes}; "
            "`stimjax prepare --like MODEL` makes such windows of a recording"
        )
    if not np.isfinite(x).all():
        raise StimjaxError("the windows hold NaN or infinite values; leave these windows out")


def _refuse_changed(folder: Path, about: ModelFile) -> None:
    """Refuse a folder that is not what its `model.json` says."""
    document, needed = folder / ModelFile.FILE, (SPEC, covers.FILE, weights.file_of(about.student))
    refuse_changed(document, about.files, needed, whole="model", lister=ModelFile.FILE)
