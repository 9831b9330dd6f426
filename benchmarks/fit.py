"""Training of students and teachers: `stimjax.learn.fit` against PyTorch on the same data.

Gradient steps a second of whole trainings (looks at the validation part included, compilation
not) of the CNN and the transformer of the registry, batches of 128 windows of 60 s of four
channels from simulated nights. PyTorch's networks are the same layers written by hand: their
number of parameters, and their outputs for the same weights, are checked against stimjax before
anything is measured. PyTorch runs eagerly and with `torch.compile` of the loss, on one core and,
with two threads, on two. Sixteen seeds trained side by side by `vmap`, over a third of the steps,
are compared with one.

The studies are whole commands, from start to answers on held-out windows, on all these cores:
five students of each network, side by side in stimjax, with what it compiles (or, a second time,
finds compiled), one after the other in PyTorch without compilation.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import workers
from workers import Start, Worker

REPEATS = workers.sized(5, 1)
SEEDS = workers.sized(16, 2)
NETWORKS = workers.sized(("cnn", "transformer"), ("cnn",))
STEPS, EVERY = workers.sized((150, 50), (4, 2))
ASKED = {"steps": STEPS, "batch": 128, "every": EVERY}
ASKED |= {"rate": 3e-3, "weight_decay": 1e-3, "noise": 0.1}
STUDY = ASKED | {"steps": workers.sized(500, 2), "batch": 64, "every": workers.sized(100, 2)}
STUDENTS = workers.sized(5, 2)
HERE = Path(__file__).parent


def measure(torch: str | None = None) -> dict[str, Any]:
    """Steps a second of each, how many times PyTorch's stimjax takes, and what 16 seeds cost.

    Args:
        torch: the Python of an environment with PyTorch; None measures stimjax alone.
    """
    import jax

    cores = workers.cores()[: 2 if jax.default_backend() == "cpu" else 1]
    with tempfile.TemporaryDirectory() as folder:
        data, study = (Path(folder, f"{name}.safetensors") for name in ("steps", "study"))
        for path, asked in ((data, ASKED), (study, STUDY)):
            write_data(path, asked)
        with workers.hired() as start:
            groups = variants(start, data, torch, cores)
            turns = workers.take_turns({name: [w] for name, w in groups.items()}, REPEATS)
        seconds = studies(study, torch, cores) if torch else None
    rates = {name: round(workers.median_rate(rows, "steps"), 1) for name, rows in turns.items()}
    found = {**ASKED, "repeats": REPEATS, "steps_a_second": rates, "times": ratios(rates)}
    return {**found, "study": {**STUDY, "students": STUDENTS, "seconds": seconds}}


def write_data(path: Path, asked: Mapping[str, float]) -> None:
    """Windows, settings, initial weights, and what the networks answer with those."""
    import jax
    import night_windows
    import numpy as np
    from flax.traverse_util import flatten_dict
    from safetensors.numpy import save_file

    from stimjax import models

    train, validation = night_windows.windows()
    arrays: dict[str, Any] = {"check/x": train.x[:8]}
    for name, part in (("train", train), ("validation", validation)):
        arrays |= {f"{name}/x": part.x, f"{name}/y": part.y, f"{name}/w": part.weight}
    for name in NETWORKS:
        model = models.classifier(name, train.spec.shape, train.y.shape[1])
        params = model.init(jax.random.key(0))
        arrays |= flatten_dict({name: params}, sep="/")
        arrays[f"check/{name}"] = model.apply(params, train.x[:8])
    arrays |= {f"asked/{name}": np.float64(value) for name, value in asked.items()}
    save_file({name: np.array(array) for name, array in arrays.items()}, path)


def variants(start: Start, data: Path, torch: str | None, cores: list[int]) -> dict[str, Worker]:
    """A worker for each network, way and number of cores."""
    found: dict[str, Worker] = {}
    for network in NETWORKS:
        jax = [sys.executable, str(HERE / "jax_fit.py"), str(data), "--network", network]
        script = [str(torch), str(HERE / "torch_fit.py"), str(data), "--network", network]
        for count in range(1, len(cores) + 1):
            ending = "" if count == 1 else f", {count} cores"
            on = cores[:count]
            found[f"{network}, stimjax{ending}"] = start(jax, on)
            found[f"{network}, stimjax, {SEEDS} seeds{ending}"] = start(
                [*jax, "--seeds", str(SEEDS), "--looks", "1"], on
            )
            if torch:
                threads = [*script, "--threads", str(count)]
                found[f"{network}, torch eager{ending}"] = start(threads, on)
                found[f"{network}, torch compiled{ending}"] = start([*threads, "--compiled"], on)
    return found


def studies(data: Path, torch: str, cores: list[int]) -> dict[str, float]:
    """Seconds of a study of each network and way: the medians of turns."""
    taken: dict[str, list[float]] = {}
    students = ["--study", str(STUDENTS)]
    for turn in range(REPEATS):
        cache = data.parent / f"cache{turn}"
        for network in NETWORKS:
            ours = [sys.executable, str(HERE / "jax_fit.py"), str(data), "--network", network]
            theirs = [torch, str(HERE / "torch_fit.py"), str(data), "--network", network]
            ways = {
                "stimjax": [*ours, *students],
                "stimjax, compiled before": [*ours, *students],
                "torch eager": [*theirs, *students, "--threads", str(len(cores))],
            }
            environment = os.environ | {"JAX_COMPILATION_CACHE_DIR": str(cache)}
            for way, command in ways.items():
                start = time.perf_counter()
                with workers.on(cores):
                    subprocess.run(command, check=True, env=environment)
                taken.setdefault(f"{network}, {way}", []).append(time.perf_counter() - start)
    return {name: round(statistics.median(all_), 2) for name, all_ in taken.items()}


def ratios(rates: dict[str, float]) -> dict[str, float]:
    """How many times PyTorch's steps stimjax takes, and how many times one seed's time 16 take."""
    times: dict[str, float] = {}
    for name, rate in rates.items():
        network, who, *rest = name.split(", ")
        if who != "stimjax" or f"{SEEDS} seeds" in rest:
            continue
        ending = "".join(f", {word}" for word in rest)
        for way in ("eager", "compiled"):
            if (theirs := rates.get(f"{network}, torch {way}{ending}")) is not None:
                times[f"{network} to torch {way}{ending}"] = round(rate / theirs, 2)
        many = rates[f"{network}, stimjax, {SEEDS} seeds{ending}"]
        times[f"{network}, cost of {SEEDS} seeds to one{ending}"] = round(rate / many, 2)
    return times
