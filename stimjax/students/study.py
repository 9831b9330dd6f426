"""Train students on stimuli, on real windows and on baselines, and compare them on real windows.

A student that learns from anything but the real windows never sees a real one: its validation
part is cut from what it learns from, as a third party would have to do.

Over folds (`--folds`), `predict` is called in each, `pool` joins what it gave, and `summary`
compares the students on all windows at once, each tested by models that never saw it.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

import numpy as np
from jaxtyping import Float

from stimjax import config, models
from stimjax.batch import Batch, Spec, concatenate, one_hot
from stimjax.config import names
from stimjax.disk.documents import Family, Loss, Row
from stimjax.errors import StimjaxError
from stimjax.excite import origin
from stimjax.learn import fit
from stimjax.learn.predict import probabilities
from stimjax.learn.teacher import Teacher
from stimjax.machine.runtime import cores
from stimjax.students import baselines, metrics
from stimjax.students.classical import CLASSICAL, ONE_CORE, RANDOM, train_and_predict
from stimjax.students.metrics import Gap

HELD_OUT = 0.1  # part of the stimuli (or of a baseline) on which a student's best step is chosen

# The loss that is still as good as none, (accuracy, kappa) by family of the student: for deep ones
# what the paper reports for similar architectures (0.56 points). No setting, so that no run's
# result can choose it.
MARGINS: dict[Family, tuple[float, float]] = {"deep": (0.0056, 0.02), "classical": (0.01, 0.03)}

# Axes of any length: seeds differ between students, windows between folds.
Predictions = dict[tuple[str, str], Float[np.ndarray, "_seeds _n classes"]]
Resample = Literal["subjects", "windows"]


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
    teacher: Teacher | None,
    settings: config.Study,
    *,
    train: Batch,
    validation: Batch,
) -> Sources:
    """The real windows, the stimuli, and the baselines, as many windows each as stimuli.

    A baseline that needs the teacher is left out without one.

    Raises:
        StimjaxError: stimuli and windows are not of the same kind, or a baseline is unknown.
    """
    names.check(settings, "study.")
    refuse_other(stimuli.spec, train.spec, "the training windows")
    synthetic = {"stimuli": stimuli}
    for name in settings.baselines:
        baseline = baselines.make(name, train, teacher, len(stimuli), settings.seed)
        if baseline is not None:
            synthetic[name] = baseline
    split = {name: held_out(batch, settings.seed) for name, batch in synthetic.items()}
    return Sources(
        train={"real": train} | {name: parts[0] for name, parts in split.items()},
        validation={"real": validation} | {name: parts[1] for name, parts in split.items()},
    )


def predict(
    given: Sources,
    test: Batch,
    settings: config.Study,
    *,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Predictions:
    """Train every student on every source; what each predicts for `test`.

    Raises:
        StimjaxError: a student is unknown, or its training diverged.
    """
    names.check(settings, "study.")
    refuse_other(given.train["real"].spec, test.spec, "the test windows")
    predictions: Predictions = {}
    total = len(settings.students) * len(given.train)

    def learn(name: str, source: str) -> np.ndarray:
        try:
            return student(
                name,
                settings,
                train=suited(name, given.train[source]),
                validation=suited(name, given.validation[source]),
                test=test,
            )
        except StimjaxError as error:
            raise StimjaxError(f"on {source}: {error}") from error

    for name in settings.students:
        learned = _several(name, functools.partial(learn, name), given.train)
        for source, probability in zip(given.train, learned, strict=True):
            predictions[name, source] = probability
            progress(len(predictions), total)
    return predictions


def _several(
    name: str, learn: Callable[[str], np.ndarray], sources: Iterable[str]
) -> Iterator[np.ndarray]:
    """What a student learns from each source; at once, if it would leave cores idle otherwise."""
    if name not in ONE_CORE:  # in this thread, where an interruption reaches it
        yield from map(learn, sources)
        return
    with ThreadPoolExecutor(cores()) as pool:
        yield from pool.map(learn, sources)


def student(
    name: str, settings: config.Study, *, train: Batch, validation: Batch, test: Batch
) -> Float[np.ndarray, "seeds n classes"]:
    """Train one student from every seed; its class probabilities for `test`.

    A student without randomness is trained once.

    Args:
        name: of the student.
        settings: labels, seeds and fit.
        train: windows or stimuli to learn from.
        validation: more of them, which choose a deep student's best step.
        test: real windows.

    Raises:
        StimjaxError: its training diverged.
    """
    if settings.labels == "hard":
        train, validation = hardened(train), hardened(validation)
    seeds, x = range(settings.seed, settings.seed + settings.seeds), np.asarray(test.x)
    if name in CLASSICAL:
        used = seeds if name in RANDOM else seeds[:1]
        return np.stack([train_and_predict(name, train, x, seed) for seed in used])
    learned = networks(name, settings, seeds=seeds, train=train, validation=validation)
    return learned.probability(x)


@dataclasses.dataclass(frozen=True)
class Networks:
    """A deep student that has learned, from each seed.

    Attributes:
        model: the network.
        params: with a leading axis for the seeds.
    """

    model: models.Model
    params: models.Params

    def probability(self, x: Float[np.ndarray, "n ..."]) -> Float[np.ndarray, "seeds n classes"]:
        """Class probabilities of windows."""
        return probabilities(self.model, self.params, x)


def networks(
    name: str,
    settings: config.Study,
    *,
    seeds: Sequence[int],
    train: Batch,
    validation: Batch,
) -> Networks:
    """Train the deep student `name` from each of `seeds`.

    Args:
        name: of the student.
        settings: of its training (`fit`).
        seeds: one network each.
        train: windows or stimuli to learn from.
        validation: more of them, which choose its best step.

    Raises:
        StimjaxError: its training diverged.
    """
    model = models.classifier(name, train.spec.shape, len(train.spec.classes))
    fitted = fit.fit(model, train, validation, seeds=seeds, settings=settings.fit)
    diverged = [seed for seed, loss in zip(seeds, fitted.loss, strict=True) if np.isinf(loss)]
    if diverged:  # its weights would be those it started from
        raise StimjaxError(
            f"the student {name} diverged from seed {diverged[0]}; lower "
            f"--study.fit.rate ({settings.fit.rate:g})"
        )
    return Networks(model, fitted.params)


def suited(student: str, windows: Batch) -> Batch:
    """What of a release a student learns from: k-nearest neighbors leave out random signals.

    Real windows may lie nearer to these than to all simulated ones, and others learn from both
    (docs/choices.md).
    """
    return origin.simulated(windows) if student == "knn" else windows


def hardened(windows: Batch) -> Batch:
    """The same windows, labeled by the most probable class alone."""
    label = windows.label
    return dataclasses.replace(windows, y=one_hot(label, windows.spec))


def held_out(batch: Batch, seed: int) -> tuple[Batch, Batch]:
    """What a student learns from and what chooses its step, cut at random from `batch`."""
    order = np.random.default_rng(seed).permutation(len(batch))
    size = max(1, round(HELD_OUT * len(batch)))
    return batch[order[size:]], batch[order[:size]]


def rows(
    predictions: Predictions, test: Batch, settings: config.Study, fold: int | None = None
) -> list[Row]:
    """The metrics of every student, source and seed; the `rows` of `results.json`.

    Args:
        predictions: from `predict`.
        test: what they are predictions of.
        settings: those of `predict`; `settings.seed` is the first seed.
        fold: its number, named in each row if it is given.
    """
    return [
        Row(
            student=name,
            family=family(name),
            trained_on=source,
            seed=settings.seed + i,
            scores=metrics.evaluate(probability, test),
            fold=fold,
        )
        for (name, source), all_seeds in predictions.items()
        for i, probability in enumerate(all_seeds)
    ]


def summary(
    predictions: Predictions, test: Batch, resample: Resample, reference: str = "real"
) -> list[Loss]:
    """What students lose on each source, and whether it is shown to be within the margin.

    Args:
        predictions: by student and source; the reference among the sources of each.
        test: what they are predictions of; the values of its windows are not looked at.
        resample: what the intervals' bootstrap draws.
        reference: the source that others are compared with.
    """
    return [
        loss(
            name,
            source,
            gap(test, resample, real=predictions[name, reference], other=probability),
        )
        for (name, source), probability in predictions.items()
        if source != reference
    ]


def pool(
    parts: Sequence[tuple[Predictions, Batch]],
) -> tuple[Predictions, Batch]:
    """The predictions of several folds as those of one test set.

    Args:
        parts: of each fold what `predict` gave, and its test windows or `without_values` of them.

    Returns:
        The predictions of all windows in order of folds; the i-th seeds of all folds make the
        i-th row. And the windows, without their values.
    """
    spec = parts[0][1].spec  # ranges come from a fold's training part and may differ
    tests = [dataclasses.replace(without_values(test), spec=spec) for _, test in parts]
    joined = {
        key: np.concatenate([predictions[key] for predictions, _ in parts], axis=1)
        for key in parts[0][0]
    }
    return joined, concatenate(tests)


def without_values(windows: Batch) -> Batch:
    """Labels, subjects and weights alone (`x` is f32[n, 0]): all that judging predictions needs."""
    return dataclasses.replace(windows, x=np.zeros((len(windows), 0), np.float32))


def family(student: str) -> Family:
    """Whether a student is "deep" or "classical"."""
    return "deep" if student in models.CLASSIFIERS else "classical"


def gap(
    test: Batch,
    resample: Resample,
    *,
    real: Float[np.ndarray, "real_seeds n classes"],
    other: Float[np.ndarray, "seeds n classes"],
) -> Gap:
    """Real minus other in accuracy and kappa, with 95 % bootstrap intervals."""
    groups = metrics.groups_of(test) if resample == "subjects" else np.arange(len(test))
    return metrics.gap_interval(
        real=real.argmax(axis=-1), stimuli=other.argmax(axis=-1), truth=test.label, groups=groups
    )


def loss(student: str, trained_on: str, gap: Gap) -> Loss:
    """`gap` of a student beside its margins, and whether it is shown to lie below them."""
    kind = family(student)
    accuracy_margin, kappa_margin = MARGINS[kind]
    return Loss(
        student=student,
        family=kind,
        trained_on=trained_on,
        accuracy_gap=gap.accuracy_gap,
        accuracy_gap_ci=gap.accuracy_gap_ci,
        kappa_gap=gap.kappa_gap,
        kappa_gap_ci=gap.kappa_gap_ci,
        accuracy_margin=accuracy_margin,
        kappa_margin=kappa_margin,
        non_inferior=non_inferior(gap, kind),
    )


def non_inferior(gap: Gap, family: Family) -> bool | None:
    """Whether a student of a family is shown to lose less than the margins.

    True if the upper ends of the 95 % intervals of both gaps lie below their margins (a one-sided
    test of each at 2.5 %), false if one does not, None without an interval. False does not say
    that the loss is larger; it may be that the test set is too small to tell.
    """
    accuracy_margin, kappa_margin = MARGINS[family]
    if gap.accuracy_gap_ci is None or gap.kappa_gap_ci is None:
        return None
    return gap.accuracy_gap_ci[1] < accuracy_margin and gap.kappa_gap_ci[1] < kappa_margin


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
