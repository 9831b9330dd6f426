"""The paper's loop in PyTorch, one way of several, as a worker of `lanes.py`.

PYTHON torch_lanes.py WEIGHTS.safetensors --variant NAME --threads N

Runs in an environment of its own (`requirements/torch.txt`) and imports nothing of stimjax.
Variants: `eager`, the loop as it is written in the paper, one stimulus at a time; `vmap`, lanes by
`torch.func.vmap` of the gradient; `bmm`, lanes by batched products written by hand; and
`vmap-compiled`, `bmm-compiled`, the whole step of the lanes by `torch.compile`.

Lanes work as those of stimjax: one that has accepted draws its next goal and keeps its generator,
one that gave up gets a new generator and keeps Adam's state. Of several numbers of lanes, and of
two ways to write the teacher's convolution, the fastest is taken in a trial beforehand.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import torch  # pyright: ignore[reportMissingImports]
import torch.nn.functional as F  # pyright: ignore[reportMissingImports]
import torch_networks as networks
from workers import serve

LANES = {"cpu": (16, 64, 128, 512), "cuda": (4096,)}
LANES_COMPILED = {"cpu": (64, 128, 512), "cuda": (4096,)}  # each has to be compiled
CONVOLUTIONS = ("conv1d", "slices")
RATE, FIRST, SECOND = 1e-3, 0.9, 0.999  # of Adam
VARIANTS = ("eager", "vmap", "vmap-compiled", "bmm", "bmm-compiled")


Run = Callable[[float], tuple[int, int]]  # seconds -> steps of all lanes, accepted stimuli


class Given(NamedTuple):
    """What the weights' file says: the teacher, the range of windows, and when to stop."""

    teacher: networks.Params
    shapes: dict[str, tuple[int, ...]]  # of a generator's weights
    low: Any
    high: Any
    lowest: float
    highest: float
    tries: int
    shape: tuple[int, ...]
    latent: int

    def window(self, values: Any) -> Any:
        """Windows [n, time, channel] from a generator's values between 0 and 1."""
        return self.low + (self.high - self.low) * values.reshape(-1, *self.shape)

    def logits(self, values: Any) -> Any:
        return networks.cnn(self.teacher, self.window(values))


def read(path: Path) -> Given:
    """Load the weights, and check that both networks answer as those of stimjax do."""
    teacher = networks.prepared(networks.load(path, "teacher"))
    generator = networks.prepared(networks.load(path, "generator"))
    asked, check = networks.load(path, "asked"), networks.load(path, "check")
    given = Given(
        teacher=teacher,
        shapes={name: tuple(value.shape) for name, value in generator.items()},
        low=asked["low"],
        high=asked["high"],
        lowest=float(asked["lowest"]),
        highest=float(asked["highest"]),
        tries=int(asked["tries"]),
        shape=tuple(check["window"].shape[1:]),
        latent=check["z"].shape[1],
    )
    window = given.window(networks.generator(generator, check["z"]))
    networks.same(window, check["window"])
    for weights in (teacher, networks.for_slices(teacher)):
        networks.same(networks.cnn(weights, check["window"]), check["logits"])
    lanes = {name: value.expand(len(window), *value.shape) for name, value in generator.items()}
    networks.same(given.window(networks.lane_generators(lanes, check["z"])), check["window"])
    return given


def eager(given: Given) -> Run:
    """The paper's loop. Runs for some seconds; gives steps and accepted stimuli."""
    weights = {name: value[0] for name, value in networks.new_generators(given.shapes, 1).items()}
    for value in weights.values():
        value.requires_grad_()
    adam = torch.optim.Adam(weights.values(), lr=RATE, fused=True)

    def try_once(stimuli: list[Any]) -> int:
        target = torch.randint(2, (1,))
        wanted = int(target)
        threshold = given.lowest + (given.highest - given.lowest) * float(torch.rand(()))
        z = torch.randn(1, given.latent)
        for number in range(1, given.tries + 1):
            adam.zero_grad()
            values = networks.generator(weights, z, train=True)
            F.cross_entropy(given.logits(values), target).backward()
            adam.step()
            with torch.inference_mode():
                window = given.window(networks.generator(weights, z))
                probability = networks.cnn(given.teacher, window).softmax(1)[0]
                if float(probability[wanted]) > threshold:
                    stimuli.append((window[0], probability))
                    return number
        with torch.no_grad():
            for name, value in networks.new_generators(given.shapes, 1).items():
                weights[name].copy_(value[0])
        return given.tries

    def run(seconds: float) -> tuple[int, int]:
        stimuli: list[Any] = []
        steps, end = 0, time.perf_counter() + seconds
        while time.perf_counter() < end:
            steps += try_once(stimuli)
        return steps, len(stimuli)

    return run


class Lanes:
    """Many loops side by side."""

    def __init__(self, given: Given, lanes: int, variant: str) -> None:
        self._given, self._lanes = given, lanes
        self._params = networks.new_generators(given.shapes, lanes)
        self._mu = {name: torch.zeros_like(value) for name, value in self._params.items()}
        self._nu = {name: torch.zeros_like(value) for name, value in self._params.items()}
        self._count = torch.zeros(())
        self._goals = self._draw()
        self._tries = torch.zeros(lanes, dtype=torch.int64)
        self._gradient = self._by_vmap if variant.startswith("vmap") else self._by_hand
        self._compiled = variant.endswith("compiled")
        if self._compiled:
            self._program = torch.compile(self._whole, dynamic=False)
        else:
            for value in self._params.values():
                value.requires_grad_(variant == "bmm")
            self._adam = torch.optim.Adam(self._params.values(), lr=RATE, fused=True)

    def run(self, seconds: float) -> tuple[int, int]:
        """Step for some seconds; gives steps of all lanes and accepted stimuli."""
        stimuli: list[Any] = []
        steps, end = 0, time.perf_counter() + seconds
        while time.perf_counter() < end:
            self._step(stimuli)
            steps += self._lanes
        return steps, sum(len(windows) for windows, _ in stimuli)

    def _step(self, stimuli: list[Any]) -> None:
        windows, probability = self._as_one() if self._compiled else self._in_parts()
        target, threshold, _ = self._goals
        with torch.inference_mode():
            self._tries += 1
            accepted = probability[torch.arange(self._lanes), target] > threshold
            failed = ~accepted & (self._tries >= self._given.tries)
            done = accepted | failed
            stimuli.append((windows[accepted], probability[accepted]))
        if done.any():
            self._restart(done, failed)

    def _restart(self, done: Any, failed: Any) -> None:
        """New goals for lanes that are done, and new weights for those that gave up."""
        where = done.nonzero()[:, 0]
        for old, fresh in zip(self._goals, self._draw(len(where)), strict=True):
            old[where] = fresh
        self._tries[where] = 0
        lost = failed.nonzero()[:, 0]
        if len(lost):
            with torch.no_grad():
                for name, value in networks.new_generators(self._given.shapes, len(lost)).items():
                    self._params[name][lost] = value

    def _draw(self, lanes: int | None = None) -> tuple[Any, Any, Any]:
        n, given = lanes or self._lanes, self._given
        threshold = given.lowest + (given.highest - given.lowest) * torch.rand(n)
        return torch.randint(2, (n,)), threshold, torch.randn(n, given.latent)

    def _by_vmap(self, params: networks.Params, z: Any, target: Any) -> networks.Params:
        def loss(weights: networks.Params, z: Any, target: Any) -> Any:
            values = networks.generator(weights, z[None], train=True)
            return F.cross_entropy(self._given.logits(values), target[None])

        return torch.func.vmap(torch.func.grad(loss), randomness="different")(params, z, target)

    def _by_hand(self, params: networks.Params, z: Any, target: Any) -> networks.Params:
        def loss(params: networks.Params) -> Any:
            values = networks.lane_generators(params, z, train=True)
            return F.cross_entropy(self._given.logits(values), target, reduction="sum")

        if self._compiled:  # which understands this way of taking gradients only
            return torch.func.grad(loss)(params)
        found = torch.autograd.grad(loss(params), list(params.values()))
        return dict(zip(params, found, strict=True))

    def _check(self, params: networks.Params, z: Any) -> tuple[Any, Any]:
        windows = self._given.window(networks.lane_generators(params, z))
        return windows, networks.cnn(self._given.teacher, windows).softmax(1)

    def _in_parts(self) -> tuple[Any, Any]:
        target, _, z = self._goals
        gradient = self._gradient(self._params, z, target)
        for name, value in self._params.items():
            value.grad = gradient[name]
        self._adam.step()
        with torch.inference_mode():
            return self._check(self._params, z)

    def _as_one(self) -> tuple[Any, Any]:
        target, _, z = self._goals
        self._count += 1
        return self._program(self._params, self._mu, self._nu, self._count, z, target)

    def _whole(
        self,
        params: networks.Params,
        mu: networks.Params,
        nu: networks.Params,
        count: Any,
        z: Any,
        target: Any,
    ) -> tuple[Any, Any]:
        """Gradient, Adam in place, and check, for the compiler to see as one."""
        gradient = self._gradient(params, z, target)
        with torch.no_grad():
            first, second = 1 / (1 - FIRST**count), 1 / (1 - SECOND**count)
            for name, g in gradient.items():
                mu[name].copy_(FIRST * mu[name] + (1 - FIRST) * g)
                nu[name].copy_(SECOND * nu[name] + (1 - SECOND) * g * g)
                step = first * mu[name] / ((second * nu[name]).sqrt() + 1e-8)
                params[name].copy_(params[name] - RATE * step)
            return self._check(params, z)


def made(given: Given, variant: str, convolution: str, lanes: int) -> Run:
    """What runs a variant with a number of lanes (1 for the eager one) and a convolution."""
    if convolution == "slices":
        given = given._replace(teacher=networks.for_slices(given.teacher))
    return eager(given) if variant == "eager" else Lanes(given, lanes, variant).run


def fastest(given: Given, variant: str) -> tuple[str, int]:
    """The convolution and the number of lanes with the most steps a second in a trial."""
    widths = (LANES_COMPILED if variant.endswith("compiled") else LANES)[networks.DEVICE]
    rates: dict[tuple[str, int], float] = {}
    for choice in product(CONVOLUTIONS, (1,) if variant == "eager" else widths):
        torch.compiler.reset()
        run = made(given, variant, *choice)
        run(1.0)  # compiles
        start = time.perf_counter()
        steps, _ = run(1.0)
        rates[choice] = steps / (time.perf_counter() - start)
    return max(rates, key=rates.__getitem__)


def main() -> None:
    """Serve turns of some seconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--variant", choices=VARIANTS, required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--lanes", type=int, default=0, help="0 takes the fastest number")
    parser.add_argument("--convolution", choices=CONVOLUTIONS, default=CONVOLUTIONS[0])
    parser.add_argument("--seconds", type=float, default=1.5)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    torch.set_flush_denormal(True)  # as XLA does
    torch.manual_seed(0)
    torch.set_default_device(networks.DEVICE)
    given = read(asked.weights)
    choice = (asked.convolution, asked.lanes) if asked.lanes else fastest(given, asked.variant)
    torch.compiler.reset()
    run = made(given, asked.variant, *choice)

    def turn() -> dict[str, Any]:
        start = time.perf_counter()
        steps, accepted = run(asked.seconds)
        return {"seconds": time.perf_counter() - start, "steps": steps, "accepted": accepted}

    turn()
    turn()
    convolution, lanes = choice
    serve({"lanes": lanes, "convolution": convolution, "torch": torch.__version__}, turn)


if __name__ == "__main__":
    main()
