"""Training of one network as stimjax does it, as a worker of `fit.py`.

python jax_fit.py DATA.safetensors --network NAME [--seeds N] [--looks N]
python jax_fit.py DATA.safetensors --network NAME --study STUDENTS

The second trains students once, lets them answer and ends.
"""

from __future__ import annotations

import argparse
import dataclasses
import time
from pathlib import Path
from typing import Any

from safetensors.numpy import load_file
from workers import serve

from stimjax import batch, config, models
from stimjax.batch import Batch, Channel, Spec
from stimjax.learn import fit
from stimjax.learn.predict import probabilities
from stimjax.machine import runtime


def read(path: Path) -> tuple[Batch, Batch, config.Fit]:
    """Training and validation windows, and how to train."""
    arrays = load_file(path)
    shape, classes = arrays["train/x"].shape[1:], arrays["train/y"].shape[1]
    channels = tuple(Channel(str(i), "") for i in range(shape[1]))
    spec = Spec(shape, tuple(map(str, range(classes))), channels, 1.0, 0.0, 60.0)
    train, validation = (
        batch.make(arrays[f"{part}/x"], arrays[f"{part}/y"], spec, weight=arrays[f"{part}/w"])
        for part in ("train", "validation")
    )
    asked = {k.removeprefix("asked/"): v for k, v in arrays.items() if k.startswith("asked/")}
    steps, many, every = (int(asked[name]) for name in ("steps", "batch", "every"))
    settings = config.Fit(
        steps=steps,
        batch=many,
        every=every,
        rate=float(asked["rate"]),
        weight_decay=float(asked["weight_decay"]),
        noise=float(asked["noise"]),
        patience=steps,
    )
    return train, validation, settings


def main() -> None:
    """Serve trainings."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--network", required=True)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--looks", type=int, help="train until this look at the validation part")
    parser.add_argument("--study", type=int, help="so many students, once")
    asked = parser.parse_args()
    runtime.start()
    train, validation, settings = read(asked.data)
    if asked.looks:
        settings = dataclasses.replace(settings, steps=asked.looks * settings.every)
    model = models.classifier(asked.network, train.spec.shape, train.y.shape[1])
    if asked.study:
        fitted = fit.fit(model, train, validation, seeds=range(asked.study), settings=settings)
        probabilities(model, fitted.params, validation.x)
        return
    seeds = range(asked.seeds)

    def turn() -> dict[str, Any]:
        start = time.perf_counter()
        fitted = fit.fit(model, train, validation, seeds=seeds, settings=settings)
        return {"seconds": time.perf_counter() - start, "steps": fitted.steps}

    turn()  # compiles
    serve({"seeds": asked.seeds}, turn)


if __name__ == "__main__":
    main()
