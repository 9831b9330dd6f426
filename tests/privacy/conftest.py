"""Simulated people, each with levels, a rhythm and a severity of their own, and what is released.

A release is of `everything` (the members' own windows), of `strangers` (further people), of
`copies` (strangers, of whose windows 1 % are replaced by members' with a little noise).
"""

from collections.abc import Callable

import numpy as np
import pytest

from stimjax.batch import Batch, Channel, Spec, concatenate, make, one_hot
from stimjax.privacy.findings import World

SPEC = Spec((60, 2), ("normal", "apnea"), (Channel("SpO2", "%"), Channel("HR", "")), 1.0, 0.0, 60.0)
IMAGES = Spec((8, 8, 1), ("a", "b", "c"), (Channel("pixel", "", low=0.0),))


def people(count: int, each: int, seed: int, first: int = 0) -> Batch:
    rng = np.random.default_rng(seed)
    subject = np.repeat(first + np.arange(count), each)
    level, severity = rng.normal(size=(count, 2)), rng.uniform(0.1, 0.9, count)
    rhythm = rng.uniform(0.2, 0.5, count)
    own = subject - first
    label = (rng.random(len(own)) < severity[own]).astype(int)
    time = np.arange(60.0)
    phase = rng.uniform(0, 6.3, (len(own), 1))
    wave = np.sin(rhythm[own, None] * time + phase) * (1 + 2 * label[:, None])
    noise = np.cumsum(rng.normal(size=(len(own), 60, 2)), axis=1) / 4
    x = level[own, None] + wave[..., None] + noise
    return make(x, one_hot(label, SPEC), SPEC, subject=subject)


def images(count: int, each: int, seed: int, first: int = 0) -> Batch:
    rng = np.random.default_rng(seed)
    subject = np.repeat(first + np.arange(count), each)
    shape = rng.normal(size=(count, 8, 8, 1))
    x = np.clip(shape[subject - first] + rng.normal(size=(len(subject), 8, 8, 1)), 0, None)
    return make(x, one_hot(rng.integers(3, size=len(subject)), IMAGES), IMAGES, subject=subject)


def released(windows: Batch) -> Batch:
    return make(windows.x, 0.9 * windows.y + 0.1 / windows.y.shape[1], windows.spec)


def with_copies(stimuli: Batch, members: Batch, share: float, noise: float, seed: int) -> Batch:
    rng = np.random.default_rng(seed)
    x, count = np.array(stimuli.x), round(share * len(stimuli))
    taken = np.asarray(members.x)[rng.permutation(len(members))[:count]]
    x[rng.permutation(len(x))[:count]] = taken + noise * rng.normal(size=taken.shape)
    return make(x, stimuli.y, stimuli.spec)


@pytest.fixture
def world() -> Callable[..., World]:
    def build(
        release: str = "strangers",
        *,
        members: int = 10,
        others: int = 12,
        each: int = 40,
        seed: int = 0,
        noise: float = 0.0,
        pictures: bool = False,
    ) -> World:
        of = images if pictures else people
        ours = of(members, each, 4 * seed + 1, 1000)
        strangers = released(of(12, 100, 4 * seed + 2))
        return World(
            release={
                "everything": lambda: released(ours),
                "strangers": lambda: strangers,
                "both": lambda: concatenate([released(ours), strangers]),
                "copies": lambda: with_copies(strangers, ours, 0.01, noise, seed),
            }[release](),
            members=ours,
            others=of(others, each, 4 * seed + 3, 2000),
            reference=of(10, 60, 4 * seed + 4, 3000),
            seed=seed,
        )

    return build
