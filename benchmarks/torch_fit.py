"""Training of one network in PyTorch, as a worker of `fit.py`.

PYTHON torch_fit.py DATA.safetensors --network NAME [--compiled] [--threads N]
PYTHON torch_fit.py DATA.safetensors --network NAME [--compiled] [--threads N] --study STUDENTS

The second trains students once, lets them answer and ends.

Runs in an environment of its own (`requirements/torch.txt`) and imports nothing of stimjax. Trains
as `stimjax.learn.fit` does: AdamW with warm-up and cosine decay, gradients clipped to norm 1, noise
on the windows, dropout, the best look at the validation part kept.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch  # pyright: ignore[reportMissingImports]
import torch.nn.functional as F  # pyright: ignore[reportMissingImports]
import torch_networks as networks
from workers import serve


class Training:
    """Data, network and settings, read from a file."""

    def __init__(self, path: Path, network: str, compiled: bool) -> None:
        self.apply = networks.CLASSIFIERS[network]
        given = networks.load(path, network)
        self.start = networks.prepared(given)
        self.train, self.validation = (
            networks.load(path, part) for part in ("train", "validation")
        )
        self.asked = {k: float(v) for k, v in networks.load(path, "asked").items()}
        size = sum(value.numel() for value in self.start.values())
        if size != sum(value.numel() for value in given.values()):
            raise AssertionError(f"{network} has {size} parameters here, not as many as in stimjax")
        check = networks.load(path, "check")
        networks.same(self.apply(self.start, check["x"]), check[network])
        self.loss: Callable[..., Any] = self._loss
        if compiled:
            self.loss = torch.compile(self._loss, dynamic=False)

    def run(self) -> tuple[int, networks.Params]:
        """Train once; gives the steps taken, and the parameters of the best look."""
        asked = self.asked
        steps, batch, every = (int(asked[name]) for name in ("steps", "batch", "every"))
        params = {name: value.clone().requires_grad_() for name, value in self.start.items()}
        decay, rate = asked["weight_decay"], asked["rate"]
        adam = torch.optim.AdamW(params.values(), lr=rate, weight_decay=decay, fused=True)
        order, least, best = self._order(steps * batch), math.inf, params
        for step in range(steps):
            adam.param_groups[0]["lr"] = rate * self._schedule(step)
            index = order[step * batch : (step + 1) * batch]
            adam.zero_grad()
            self.loss(params, *(self.train[name][index] for name in "xyw")).backward()
            torch.nn.utils.clip_grad_norm_(params.values(), 1.0)
            adam.step()
            if (step + 1) % every == 0 and (value := self._look(params)) < least:
                least = value
                best = {name: p.detach().clone() for name, p in params.items()}
        assert best is not params
        return steps, best

    @torch.no_grad()
    def answer(self, params: networks.Params) -> Any:
        """Logits of the validation windows."""
        return self.apply(params, self.validation["x"])

    def _loss(self, params: networks.Params, x: Any, y: Any, w: Any) -> Any:
        x = x + self.asked["noise"] * torch.randn_like(x)
        return _cross_entropy(self.apply(params, x, True), y, w)

    @torch.no_grad()
    def _look(self, params: networks.Params) -> float:
        part = self.validation
        return float(_cross_entropy(self.apply(params, part["x"]), part["y"], part["w"]))

    def _order(self, count: int) -> Any:
        n = len(self.train["x"])
        epochs = [torch.randperm(n, device=networks.DEVICE) for _ in range(-(-count // n))]
        return torch.cat(epochs)[:count]

    def _schedule(self, step: int) -> float:
        steps = self.asked["steps"]
        warm = steps // 10
        if step < warm:
            return step / warm
        return (1 + math.cos(math.pi * (step - warm) / (steps - warm))) / 2


def _cross_entropy(logits: Any, y: Any, w: Any) -> Any:
    return (w * F.cross_entropy(logits, y, reduction="none")).sum() / w.sum()


def main() -> None:
    """Serve trainings."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--network", choices=sorted(networks.CLASSIFIERS), required=True)
    parser.add_argument("--compiled", action="store_true")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--study", type=int, help="so many students, once")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    torch.set_flush_denormal(True)  # as XLA does
    torch.manual_seed(0)
    training = Training(asked.data, asked.network, asked.compiled)
    if asked.study:
        for _ in range(asked.study):
            training.answer(training.run()[1]).cpu()
        return

    def turn() -> dict[str, Any]:
        start = time.perf_counter()
        steps, _ = training.run()
        return {"seconds": time.perf_counter() - start, "steps": steps}

    turn()
    serve({"torch": torch.__version__}, turn)


if __name__ == "__main__":
    main()
