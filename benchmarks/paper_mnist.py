"""The loop of the paper's authors on MNIST: teacher, stimuli, and students of the stimuli alone.

python benchmarks/run.py --only paper_mnist --images FILE --labels FILE [--stimuli N] [--seeds N]
                         [--tensorflow PYTHON]

Networks, loop and students are those of the authors' proof of concept (AM-Stimuli) as stimjax has
them: `am_classifier`, and the method `paper`. 7,000 images train the teacher and 2,000 test all;
which those are, each seed draws anew. No student sees an image before the test. With TensorFlow,
`paper_tensorflow.py` makes as many stimuli from the same teacher, one after the other, and its own
student learns from them: what is called `authors_`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np
import optax
import workers

from stimjax import batch, config, models
from stimjax.batch import Batch
from stimjax.data import images as image_sets
from stimjax.excite import methods, shards
from stimjax.learn.predict import probabilities
from stimjax.learn.teacher import Teacher
from stimjax.models import Params
from stimjax.students.classical import train_and_predict

TRAIN, TEST = workers.sized((7000, 2000), (256, 100))
NETWORK = "am_classifier"
BATCH, RATE = 128, 1e-3  # of teacher and student
TEACHER_EPOCHS, STUDENT_EPOCHS = workers.sized((3, 130), (20, 2))  # 3 and 130 are the authors'
TEACHER_SEED = 1_000_000_000  # and on: no student starts from a teacher's weights
CLASSICAL = {"forest": "random_forest", "knn": "knn", "logistic": "logistic"}


def measure(
    tensorflow: str | None, images: Path, labels: Path, stimuli: int, seeds: int
) -> dict[str, Any]:
    """Means over seeds, and what each seed gave, told on standard error as soon as it is there.

    Args:
        tensorflow: the Python of an environment with TensorFlow; None measures stimjax alone.
        images: of MNIST, an IDX file.
        labels: theirs.
        stimuli: of a release.
        seeds: of all chance, one after the other.
    """
    whole = image_sets.mnist(images, labels)
    rows: list[dict[str, float]] = []
    for seed in range(seeds):
        rows.append(one(whole, stimuli, seed, tensorflow))
        print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    means = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
    means.pop("seed")
    return {**means, "stimuli": stimuli, "by_seed": rows}


def one(whole: Batch, count: int, seed: int, tensorflow: str | None) -> dict[str, float]:
    """Teacher, stimuli and students of one seed: accuracies, and how the loop went."""
    order = np.random.default_rng(seed).permutation(len(whole))
    train, test = whole[order[:TRAIN]], whole[order[TRAIN : TRAIN + TEST]]
    found: dict[str, float] = {"seed": seed}

    since = time.monotonic()
    teacher = taught(train, TEACHER_SEED + seed)
    found["teacher"] = right(teacher.probability(test.x), test)
    found["seconds_of_teacher"] = time.monotonic() - since

    since = time.monotonic()
    stimuli, about = excited(teacher, count, seed)
    found |= about
    found["seconds_of_stimuli"] = time.monotonic() - since

    since = time.monotonic()
    found |= learned(stimuli, test, seed)
    found["seconds_of_students"] = time.monotonic() - since
    if tensorflow:
        theirs = authors(tensorflow, teacher, test, count, seed)
        found |= {f"authors_{name}": value for name, value in theirs.items()}
    return found


def authors(python: str, teacher: Teacher, test: Batch, count: int, seed: int) -> dict[str, float]:
    """The same of the authors' loop in TensorFlow, with this teacher."""
    with tempfile.TemporaryDirectory() as name:
        given, made = (Path(name) / file for file in ("given.npz", "made.npz"))
        weights = {f"teacher_{i:02d}": one for i, one in enumerate(keras_weights(teacher))}
        np.savez(given, allow_pickle=False, test=np.asarray(test.x), **weights)
        program = str(Path(__file__).with_name("paper_tensorflow.py"))
        words = ["--stimuli", count, "--seed", seed, "--epochs", STUDENT_EPOCHS]
        subprocess.run([python, program, given, made, *map(str, words)], check=True)
        found = dict(np.load(made))
    stimuli = batch.make(found["x"], found["y"], test.spec)
    return {
        "steps_a_stimulus": float(found["steps"]) / count,
        "failed": float(found["failed"]),
        "seconds_of_stimuli": float(found["seconds"]),
        "same_architecture": right(found["probability"], test),
        **classical(stimuli, test, seed),
    }


def keras_weights(teacher: Teacher) -> list[np.ndarray]:
    """Kernels and biases in Keras' order and shapes."""
    (members,) = teacher.params["members"]
    found = []
    for number in range(4):
        layer = members[f"Conv_{number}"]["Dense_0"]
        kernel, bias = (np.asarray(layer[name])[0] for name in ("kernel", "bias"))
        found += [kernel.reshape(4, 4, -1, kernel.shape[1]), bias]
    for number in range(3):
        found += [np.asarray(members[f"Dense_{number}"][name])[0] for name in ("kernel", "bias")]
    return found


def taught(train: Batch, seed: int) -> Teacher:
    """A teacher of the authors' network."""
    params = fitted(train, TEACHER_EPOCHS, seed)
    members = (jax.tree.map(lambda leaf: leaf[None], params),)
    weights = (jax.numpy.ones(1),)
    return Teacher((NETWORK,), {"members": members, "weights": weights}, train.spec)


def excited(teacher: Teacher, count: int, seed: int) -> tuple[Batch, Mapping[str, float]]:
    """The stimuli of a release, and what it took to make them."""
    settings = config.Synthesis("paper", count, seed=seed)
    made = list(shards.shards(teacher, settings))
    accepted, failed, steps = (
        sum(int(np.sum(getattr(one.counts, name))) for one in made)
        for name in ("accepted", "failed", "steps")
    )
    resolved = methods.resolved(settings)
    stimuli = batch.concatenate([one.stimuli for one in made])[:count]
    return stimuli, {
        "steps_a_stimulus": steps / accepted,
        "failed": failed,
        "tries": accepted + failed,
        "lanes": resolved.lanes,
        "stimuli_a_lane": resolved.shard / resolved.lanes,
        "confidence": float(np.asarray(stimuli.y).max(axis=1).mean()),
    }


def learned(stimuli: Batch, test: Batch, seed: int) -> dict[str, float]:
    """Accuracies of students of the stimuli alone."""
    found = classical(stimuli, test, seed)
    params = fitted(stimuli, STUDENT_EPOCHS, seed)
    model = models.classifier(NETWORK, test.spec.shape, len(test.spec.classes))
    stacked = jax.tree.map(lambda leaf: leaf[None], params)
    found["same_architecture"] = right(probabilities(model, stacked, np.asarray(test.x))[0], test)
    return found


def classical(stimuli: Batch, test: Batch, seed: int) -> dict[str, float]:
    """Accuracies of classical students."""
    return {
        name: right(train_and_predict(student, stimuli, np.asarray(test.x), seed), test)
        for name, student in CLASSICAL.items()
    }


def right(probability: np.ndarray, test: Batch) -> float:
    """Accuracy."""
    return float((probability.argmax(axis=1) == test.label).mean())


def fitted(train: Batch, epochs: int, seed: int) -> Params:
    """The authors' network after so many epochs as they train it: Adam at one rate, to the end."""
    model = models.classifier(NETWORK, train.spec.shape, len(train.spec.classes))
    optimizer = optax.adam(RATE, eps=1e-7)  # as in Keras
    key = jax.random.key(seed)

    @jax.jit
    def step(params: Params, state: Any, rows: tuple[Any, Any], count: Any) -> tuple[Params, Any]:
        x, y = rows

        def loss(params: Params) -> jax.Array:
            logits = model.apply(params, x, jax.random.fold_in(key, count))
            return optax.softmax_cross_entropy(logits, y).mean()

        updates, state = optimizer.update(jax.grad(loss)(params), state, params)
        return optax.apply_updates(params, updates), state

    params = model.init(key)
    state, count = optimizer.init(params), 0
    x, y = np.asarray(train.x), np.asarray(train.y)
    for epoch in range(epochs):
        order = np.random.default_rng([seed, epoch]).permutation(len(x))
        for first in range(0, len(x), BATCH):  # the last is smaller
            rows = order[first : first + BATCH]
            params, state = step(params, state, (x[rows], y[rows]), np.uint32(count))
            count += 1
    return params
