"""Ranges from which traits are drawn, as data."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from stimjax.data.simulate.noise import log_uniform


@dataclasses.dataclass(frozen=True)
class Uniform:
    """Every number from `low` to `high` is as likely."""

    low: float
    high: float

    def draw(self, rng: np.random.Generator) -> float:
        return rng.uniform(self.low, self.high)


@dataclasses.dataclass(frozen=True)
class LogUniform:
    """Every factor from `low` (above 0) to `high` is as likely."""

    low: float
    high: float

    def draw(self, rng: np.random.Generator) -> float:
        return log_uniform(rng, self.low, self.high)


@dataclasses.dataclass(frozen=True)
class OneOf:
    """One of these values, each as likely."""

    values: tuple[float, ...]

    @property
    def low(self) -> float:
        return min(self.values)

    @property
    def high(self) -> float:
        return max(self.values)

    def draw(self, rng: np.random.Generator) -> float:
        return self.values[int(rng.integers(len(self.values)))]


@dataclasses.dataclass(frozen=True)
class Sometimes:
    """`then` for a share of all, for the others one number."""

    share: float
    then: Uniform | LogUniform | OneOf
    otherwise: float = 0.0

    @property
    def low(self) -> float:
        return min(self.then.low, self.otherwise)

    @property
    def high(self) -> float:
        return max(self.then.high, self.otherwise)

    def draw(self, rng: np.random.Generator) -> float:
        return self.then.draw(rng) if rng.random() < self.share else self.otherwise


Range = Uniform | LogUniform | OneOf | Sometimes


def draw(rng: np.random.Generator, ranges: Mapping[str, Range]) -> dict[str, Any]:
    """A number from each range, in their order. No range, no chance: nothing is drawn."""
    return {name: kind.draw(rng) for name, kind in ranges.items()}
