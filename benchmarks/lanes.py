"""Lanes of the paper's loop: stimjax against PyTorch written in four ways, and one core or two.

The same loop everywhere (Nikolaidis et al., JAIR 72, 2021, as `--method paper` has it, but for its
generator): the same dense generator, thresholds and tries, and a CNN teacher with the same weights,
trained on simulated nights (windows of 60 s of four channels at 1 Hz). PyTorch's networks are
checked against those of stimjax before anything is measured. Compared are lane-steps and accepted
stimuli a second of

- stimjax (`jax_lanes.py`);
- PyTorch eager, one stimulus at a time, as the paper's loop is written;
- lanes by `torch.func.vmap`, and by batched products written by hand (`bmm`);
- both of these with their whole step through `torch.compile` (`torch_lanes.py`).

PyTorch takes the fastest of several numbers of lanes and of two ways to write the convolution,
stimjax what its recipe says. On two cores PyTorch has two threads, and stimjax two devices, in
one process; or both have two processes of one core each: the better one counts.

On a GPU all have that, and stimjax as many lanes as PyTorch may take.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import workers
from workers import Start, Worker

REPEATS = 7
ON_GPU = ("--lanes", "4096", "--seconds", "0.5")
WAYS = {"1 core": ("",), "2 cores": (", 2 devices", ", 2 threads", ", 2 processes")}
HERE = Path(__file__).parent
TORCH = ("eager", "vmap", "vmap-compiled", "bmm", "bmm-compiled")


def measure(torch: str | None = None) -> dict[str, Any]:
    """Rates of every variant, and how many times those of PyTorch stimjax reaches.

    Args:
        torch: the Python of an environment with PyTorch; None measures stimjax alone.
    """
    import jax

    on_cpu = jax.default_backend() == "cpu"
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder, "weights.safetensors")
        write_weights(weights)
        with workers.hired() as start:
            if on_cpu:
                groups = variants(start, weights, torch, workers.cores()[:2])
            else:
                groups = on_gpu(start, weights, torch)
            turns = workers.take_turns(groups, REPEATS)
    found = {
        name: {
            "lane_steps_a_second": round(workers.median_rate(turns[name], "steps")),
            "accepted_a_second": round(workers.median_rate(turns[name], "accepted"), 1),
            **group[0].ready,
        }
        for name, group in groups.items()
    }
    made = {"teacher": "cnn", "generator": "dense", "window": "60x4", "repeats": REPEATS}
    times = ratios(found)
    if not on_cpu:
        times = {name.replace("1 core", "1 GPU"): ratio for name, ratio in times.items()}
    return {**made, "variants": found, "times": times}


def write_weights(path: Path) -> None:
    """Train the teacher, and write it, a generator, and what both answer to some input."""
    import jax
    import night_windows
    import numpy as np
    import paper
    from flax.traverse_util import flatten_dict
    from safetensors.numpy import save_file

    from stimjax import config, models
    from stimjax.learn import fit

    train, validation = night_windows.windows()
    spec, recipe = train.spec, paper.RECIPE
    teacher = models.classifier("cnn", spec.shape, 2)
    fitted = fit.fit(teacher, train, validation, seeds=[0], settings=config.Fit(steps=600))
    params = jax.tree.map(lambda leaf: leaf[0], fitted.params)
    generator = models.generator(recipe.generator, spec.shape, recipe.latent)
    weights = generator.init(jax.random.key(1))
    low, high = np.float32(spec.low), np.float32(spec.high)
    z = jax.random.normal(jax.random.key(2), (8, recipe.latent))
    window = low + (high - low) * generator.apply(weights, z)
    arrays = {
        **flatten_dict({"teacher": params, "generator": weights}, sep="/"),
        **{"check/z": z, "check/window": window, "check/logits": teacher.apply(params, window)},
        **{"asked/low": low, "asked/high": high},
        **{"asked/lowest": np.float32(recipe.lowest), "asked/highest": np.float32(recipe.highest)},
        **{"asked/tries": np.int32(recipe.tries)},
    }
    save_file({name: np.array(array) for name, array in arrays.items()}, path)


def variants(
    start: Start, weights: Path, torch: str | None, cores: list[int]
) -> dict[str, list[Worker]]:
    """The workers of each variant, on one core and, where there are two, on both."""
    jax = [sys.executable, str(HERE / "jax_lanes.py"), str(weights)]
    alone = start(jax, cores[:1])
    groups = {"stimjax": [alone]}
    if len(cores) > 1:
        groups["stimjax, 2 devices"] = [start(jax, cores)]
        groups["stimjax, 2 processes"] = [alone, start(jax, cores[1:])]
    for variant in TORCH if torch else ():
        script = [str(torch), str(HERE / "torch_lanes.py"), str(weights), "--variant", variant]
        one = start(script, cores[:1])
        groups[f"torch {variant}"] = [one]
        if len(cores) > 1:
            groups[f"torch {variant}, 2 threads"] = [start([*script, "--threads", "2"], cores)]
            same = [f"--{name}={one.ready[name]}" for name in ("lanes", "convolution")]
            groups[f"torch {variant}, 2 processes"] = [one, start([*script, *same], cores[1:])]
    return groups


def on_gpu(start: Start, weights: Path, torch: str | None) -> dict[str, list[Worker]]:
    """A worker of each variant on the GPU."""
    cores = workers.cores()
    jax = [sys.executable, str(HERE / "jax_lanes.py"), str(weights), *ON_GPU]
    groups = {"stimjax": [start(jax, cores)]}
    for variant in TORCH if torch else ():
        script = [str(torch), str(HERE / "torch_lanes.py"), str(weights), "--variant", variant]
        groups[f"torch {variant}"] = [start([*script, *ON_GPU[2:]], cores)]
    return groups


def ratios(found: dict[str, dict[str, Any]]) -> dict[str, float]:
    """How many times the lane-steps of others stimjax takes, on one core and on two."""
    rate = {name: float(row["lane_steps_a_second"]) for name, row in found.items()}

    def best(variant: str, cores: str) -> float:
        return max(rate.get(f"{variant}{way}", 0.0) for way in WAYS[cores])

    times: dict[str, float] = {}
    for cores in WAYS:
        ours, eager = best("stimjax", cores), best("torch eager", cores)
        others = max(best(f"torch {variant}", cores) for variant in TORCH if variant != "eager")
        if ours and others:
            times[f"{cores}, to torch eager"] = round(ours / eager, 2)
            times[f"{cores}, to the best torch"] = round(ours / others, 2)
    for way in WAYS["2 cores"]:
        if f"stimjax{way}" in rate:
            times[f"stimjax{way}, to one core"] = round(rate[f"stimjax{way}"] / rate["stimjax"], 2)
    return times
