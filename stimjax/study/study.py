"""Train students on stimuli, on real windows and on baselines, and compare them on real windows.

A student that learns from anything but the real windows never sees a real one: its validation
part is cut from what it learns from, as a third party would have to do.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from jaxtyping import Float

from stimjax import config, models
from stimjax.batch import Batch, Spec
from stimjax.learn import fit
from stimjax.learn.teacher import Teacher
from stimjax.store import StimjaxError
from stimjax.study import baselines, metrics
from stimjax.study.classical import CLASSICAL, RANDOM, train_and_predict

SCHEMA = 1
HELD_OUT = 0.1  # part of the stimuli (or of a baseline) on which a student's best step is chosen

Predictions = dict[tuple[str, str], Float[np.ndarray, "seeds n classes"]]


@dataclasses.dataclass(frozen=True)
class Sources:
    """What students learn from.

    Attributes:
        train: by name ("real", "stimuli", "noise", "gaussian"): the windows to learn from.
        validation: for each: windows that choose a deep student's best step.
    """

    train: dict[str, Batch]
    validation: dict[str, Batch]


def sources(
    stimuli: Batch,
    train: Batch,
    validation: Batch,
    teacher: Teacher | None,
    settings: config.Study,
) -> Sources:
    """The real windows, the stimuli, and the baselines, as many windows each as stimuli.

    Noise needs the teacher, and is left out without one.

    Raises:
        StimjaxError: stimuli and windows are not of the same kind, or a baseline is unknown.
    """
    refuse_other(stimuli.spec, train.spec, "the training windows")
    synthetic = {"stimuli": stimuli}
    for name in settings.baselines:
        if name not in ("noise", "gaussian"):
            raise StimjaxError(f"there is no baseline {name!r}; choose from noise, gaussian")
        if name == "gaussian":
            synthetic[name] = baselines.gaussian(train, len(stimuli), settings.seed)
        elif teacher is not None:
            synthetic[name] = baselines.noise(teacher, len(stimuli), settings.seed)
    split = {name: _held_out(batch, settings.seed) for name, batch in synthetic.items()}
    return Sources(
        train={"real": train} | {name: parts[0] for name, parts in split.items()},
        validation={"real": validation} | {name: parts[1] for name, parts in split.items()},
    )


def study(
    given: Sources,
    test: Batch,
    settings: config.Study,
    *,
    resample: Literal["subjects", "windows"] = "subjects",
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[dict[str, Any], Predictions]:
    """Train every student on every source and compare it on `test`.

    Args:
        given: what to learn from.
        test: real windows that nothing was trained or chosen on.
        settings: students, seeds, fit.
        resample: what the intervals' bootstrap draws; windows where a random split has put
            windows of the same subjects into training and test.
        progress: called with students done and in all.

    Returns:
        `rows` and `summary` of `results.json` (see `docs/results.md` for the fields), and the
        predicted probabilities by student and source.

    Raises:
        StimjaxError: a student is unknown, or its training diverged.
    """
    for name in settings.students:
        if name not in models.CLASSIFIERS and name not in CLASSICAL:
            known = ", ".join([*models.CLASSIFIERS, *CLASSICAL])
            raise StimjaxError(f"there is no student {name!r}; choose from {known}")
    refuse_other(given.train["real"].spec, test.spec, "the test windows")
    predictions: Predictions = {}
    total = len(settings.students) * len(given.train)
    for name in settings.students:
        for source in given.train:
            predictions[name, source] = _predict(name, source, given, test, settings)
            progress(len(predictions), total)
    rows = [
        {
            "student": name,
            "family": family(name),
            "trained_on": source,
            "seed": settings.seed + i,
            **metrics.evaluate(probability, test),
        }
        for (name, source), all_seeds in predictions.items()
        for i, probability in enumerate(all_seeds)
    ]
    summary = [
        {
            "student": name,
            "family": family(name),
            "trained_on": source,
            **gap(predictions[name, "real"], predictions[name, source], test, resample),
        }
        for name, source in predictions
        if source != "real"
    ]
    return {"rows": rows, "summary": summary}, predictions


def family(student: str) -> str:
    """Whether a student is "deep" or "classical"."""
    return "deep" if student in models.CLASSIFIERS else "classical"


def gap(
    real: Float[np.ndarray, "real_seeds n classes"],
    other: Float[np.ndarray, "seeds n classes"],
    test: Batch,
    resample: Literal["subjects", "windows"],
) -> dict[str, Any]:
    """Real minus other in accuracy and kappa, with 95 % bootstrap intervals."""
    truth = np.asarray(test.y).argmax(axis=1)
    groups = metrics.groups_of(test) if resample == "subjects" else np.arange(len(test))
    return metrics.gap_interval(real.argmax(axis=-1), other.argmax(axis=-1), truth, groups)


def refuse_other(spec: Spec, other: Spec, what: str) -> None:
    """Raise StimjaxError unless windows of both specs mean the same (ranges may differ)."""

    def meaning(spec: Spec) -> dict[str, Any]:
        channels = [(c.name, c.normalization, c.center, c.scale) for c in spec.channels]
        label = (spec.label_start, spec.label_seconds)
        return {
            "shape": spec.shape,
            "classes": spec.classes,
            "channels": channels,
            "rate": spec.rate,
            "label": label,
        }

    one, two = meaning(spec), meaning(other)
    for field in one:
        if one[field] != two[field]:
            raise StimjaxError(
                f"{what} are of another kind: their {field} is {two[field]}, not {one[field]}; "
                "prepare them with the same task, channels, rate and context"
            )


def _held_out(batch: Batch, seed: int) -> tuple[Batch, Batch]:
    order = np.random.default_rng(seed).permutation(len(batch))
    held_out = max(1, round(HELD_OUT * len(batch)))
    return batch[order[held_out:]], batch[order[:held_out]]


def _predict(
    name: str, source: str, given: Sources, test: Batch, settings: config.Study
) -> Float[np.ndarray, "seeds n classes"]:
    """Probabilities of all seeds of one student; a student without randomness has one."""
    train, seeds = given.train[source], range(settings.seed, settings.seed + settings.seeds)
    x = np.asarray(test.x)
    if name in CLASSICAL:
        used = seeds if name in RANDOM else seeds[:1]
        return np.stack([train_and_predict(name, train, x, seed) for seed in used])
    model = models.classifier(name, train.spec.shape, len(train.spec.classes))
    validation = given.validation[source]
    fitted = fit.fit(model, train, validation, seeds=seeds, settings=settings.fit)
    diverged = [seed for seed, loss in zip(seeds, fitted.loss, strict=True) if np.isinf(loss)]
    if diverged:  # its weights would be those it started from
        raise StimjaxError(
            f"the student {name} on {source} diverged from seed {diverged[0]}; lower "
            f"--study.fit.rate ({settings.fit.rate:g})"
        )
    return fit.predict(model, fitted.params, x)
