"""The paper's excitation on recordings, beside labels without any: what students learn of stimuli.

python benchmarks/run.py --only paper_signals --recordings PATH [--split random] [--stimuli N]
                         [--seeds N]

A teacher of the authors' architecture, `am_classifier`, labels a release of each method. Students,
one of the same architecture and classical ones, learn from its first 100, 300, 1,000 and so on, and
from the real training windows. `paper` is the paper's excitation and needs no statistic of the
windows but the range of each channel; `probe`, which labels random signals, that and how frequent
the classes are; `mixture` is the default. Each seed tests another fold with another teacher, other
stimuli and other students, and is told on standard error as soon as it is there.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import workers

from stimjax import batch, config
from stimjax.api import Windows, load_windows, prepare
from stimjax.batch import Batch
from stimjax.excite import shards
from stimjax.excite.teach import teach
from stimjax.learn.teacher import Teacher
from stimjax.privacy.ratios import ratios
from stimjax.students import metrics, study

NETWORK = "am_classifier"
METHODS = ("paper", "probe", "mixture")
STUDENTS = (NETWORK, "random_forest", "knn", "logistic")
COUNTS = (100, 300, 1000, 3000, 10000, 20000)  # of the first stimuli of a release
FOLDS = {"random": 4, "subject": 5}
FIT = workers.sized(config.Fit(steps=600, every=50, patience=6), config.Fit(steps=20, every=10))
SOME = 1000  # windows between whose pairs distances are measured


def measure(recordings: Path, split: str, stimuli: int, seeds: int) -> dict[str, Any]:
    """What each seed gave, and the means over them.

    Args:
        recordings: a folder of recordings of apnea.
        split: random (windows) or subject.
        stimuli: of a release; students also learn from fewer.
        seeds: of all chance; the i-th tests the i-th fold.
    """
    rows: list[dict[str, Any]] = []
    for seed in range(seeds):
        rows.append(one(windows(recordings, split, seed), stimuli, seed))
        print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    return {"split": split, "stimuli": stimuli, "means": means(rows), "by_seed": rows}


def means(rows: list[Any]) -> Any:
    """Of numbers in the same places."""
    if isinstance(rows[0], Mapping):
        return {name: means([row[name] for row in rows]) for name in rows[0]}
    return float(np.mean(rows))


def windows(recordings: Path, split: str, seed: int) -> Windows:
    """Windows of one fold."""
    folds = FOLDS[split]
    settings = config.Prepare(split=split, folds=folds, fold=seed % folds, seed=seed // folds)  # pyright: ignore
    with tempfile.TemporaryDirectory() as folder:
        return load_windows(prepare([recordings], Path(folder) / "windows", settings))


def one(given: Windows, count: int, seed: int) -> dict[str, Any]:
    """Teacher, and students of real windows and of each method's stimuli."""
    settings = config.Teacher((NETWORK,), 1, False, critic="none", fit=FIT, seed=seed)
    teacher = teach(given.train, given.validation, settings)
    answer = teacher.probability(given.test.x)
    found: dict[str, Any] = {"teacher": scores(answer, given.test)}
    found["real"] = learned(given.train, given.validation, given.test, seed, answer)[0]
    for method in METHODS:
        stimuli, about = made(teacher, method, count, seed)
        about |= compared(stimuli, given)
        for number in sorted({*(n for n in COUNTS if n < count), count}):
            part = study.held_out(stimuli[:number], seed)
            about[str(number)], agreed = learned(*part, given.test, seed, answer)
            about[str(number)][NETWORK] |= agreed
        found[method] = about
    return found


def learned(
    train: Batch, validation: Batch, test: Batch, seed: int, answer: np.ndarray
) -> tuple[dict[str, dict[str, float]], dict[str, float]]:
    """Scores of all students, and how the first one answers: against the teacher, and by class."""
    settings = config.Study(seeds=1, fit=FIT, seed=seed)
    found, first = {}, {}
    for name in STUDENTS:
        said = study.student(name, settings, train=train, validation=validation, test=test)[0]
        found[name] = scores(said, test)
        if name == NETWORK:
            call = said.argmax(axis=1)
            first = {"agrees": mean(call == answer.argmax(axis=1)), "says_1": mean(call == 1)}
    return found, first


def made(teacher: Teacher, method: str, count: int, seed: int) -> tuple[Batch, dict[str, Any]]:
    """A release, and what it took."""
    since = time.monotonic()
    every = list(shards.shards(teacher, config.Synthesis(method, count, seed=seed)))
    seconds = time.monotonic() - since
    accepted, failed, steps = (
        sum(int(np.sum(getattr(one.counts, name))) for one in every)
        for name in ("accepted", "failed", "steps")
    )
    stimuli = batch.concatenate([one.stimuli for one in every])[:count]
    return stimuli, {
        "seconds": seconds,
        "steps_a_stimulus": steps / max(accepted, 1),
        "given_up": failed / max(accepted + failed, 1),
        "confidence": mean(np.asarray(stimuli.y).max(axis=1)),
        "class_1": mean(stimuli.label == 1),
    }


def compared(stimuli: Batch, given: Windows) -> dict[str, float]:
    """How stimuli lie among themselves and to real windows, over what real windows do."""
    apart = ratios(stimuli, train=given.train, held_out=given.test)["apart"]
    (between, dimensions), (real, theirs) = (
        spread(np.asarray(one.x)) for one in (stimuli, given.train)
    )
    return {
        "nearest_window": apart,
        "between_two": between / real,
        "dimensions": dimensions,
        "dimensions_of_real": theirs,
    }


def spread(x: np.ndarray) -> tuple[float, float]:
    """The mean distance between two windows, and in how many directions they differ.

    That is the participation ratio of the variances of their principal components.
    """
    x = x[np.random.default_rng(0).permutation(len(x))[:SOME]]
    x = x.reshape(len(x), -1).astype(np.float64)
    product = x @ x.T
    square = np.diag(product)
    distance = np.sqrt(np.maximum(square[:, None] + square - 2 * product, 0))
    variance = np.linalg.svd(x - x.mean(axis=0), compute_uv=False) ** 2
    pairs = len(x) * (len(x) - 1)
    return float(distance.sum() / pairs), float(variance.sum() ** 2 / (variance**2).sum())


def scores(probability: np.ndarray, test: Batch) -> dict[str, float]:
    """Accuracy and Cohen's kappa; 0 for one that is not defined."""
    found = metrics.evaluate(probability, test)
    return {"accuracy": found.accuracy or 0.0, "kappa": found.kappa or 0.0}


def mean(values: np.ndarray) -> float:
    return float(np.mean(values))
