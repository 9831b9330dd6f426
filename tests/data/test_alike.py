"""Pieces of nights are found again in copies, and in no other night."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from scipy import signal

from stimjax.data import alike, reader
from stimjax.data.alike import Course
from stimjax.data.condition import Conditioned, condition

NAMES = ("SpO2", "HR")
SECONDS = 3600


def night(seed: int, seconds: int = SECONDS) -> Conditioned:
    """Two slow channels at 1 Hz."""
    noise = np.random.default_rng(seed).normal(size=(seconds, 2))
    return of(np.asarray(signal.lfilter([0.2], [1, -0.8], noise, axis=0)))


def of(x: np.ndarray) -> Conditioned:
    return Conditioned(x.astype(np.float32), np.zeros(x.shape, bool), {}, (False, False))


def likeness(one: Conditioned, other: Conditioned, rate: float = 1.0, second: float = 1.0) -> float:
    return Course(alike.trace(one, rate)).likeness(Course(alike.trace(other, second)))


COPIES = {
    "itself": lambda x: x,
    "a third": lambda x: x[1205:2410],
    "its end": lambda x: x[1803:],
    "longer": lambda x: np.concatenate([night(9).x, x, night(8).x]),
    "other half": lambda x: np.concatenate([night(9).x, x[:1700]]),
    "scaled": lambda x: -2 * x + 7,
    "rounded": lambda x: np.round(x * 8) / 8,
    "one channel": lambda x: np.stack([night(9).x[:, 0], x[:, 1]], axis=1),
}


@pytest.mark.parametrize("name", COPIES)
def test_a_copy_is_found_whatever_became_of_it(name: str) -> None:
    own = night(0)
    copy = of(COPIES[name](own.x))
    assert likeness(own, copy) > alike.BOUND and likeness(copy, own) > alike.BOUND


def test_a_copy_of_another_rate_is_found() -> None:
    own = night(0)
    again = signal.resample_poly(signal.resample_poly(own.x, 4, 1), 1, 4)  # as it is read
    assert likeness(own, of(again)) > alike.BOUND


def test_of_fast_channels_the_strength_is_compared() -> None:
    rng = np.random.default_rng(0)
    strength = np.repeat(np.exp(night(0).x), 64, axis=0)
    own = of(strength * rng.normal(size=strength.shape))
    other = of(strength[::-1] * rng.normal(size=strength.shape))
    cut = of(own.x[64 * 700 : 64 * 2000])
    assert likeness(own, cut, 64.0, 64.0) > alike.BOUND
    assert likeness(own, other, 64.0, 64.0) < alike.BOUND


def test_other_nights_are_not_alike_nor_what_is_too_short_or_empty() -> None:
    assert max(likeness(night(0), night(seed)) for seed in range(1, 6)) < 0.8
    short = of(night(0).x[: alike.LEAST - 1])
    assert likeness(night(0), short) == likeness(short, short) == 0
    empty = of(np.zeros((SECONDS, 2)))
    assert likeness(empty, empty) == likeness(empty, night(0)) == 0


def test_a_line_over_a_gap_is_no_piece_of_a_night() -> None:
    nights = []
    for seed in (0, 1):
        x = night(seed, 1600).x
        x[300:1300] = np.linspace(x[300], x[1300] + 40, 1000)
        missing = np.zeros(x.shape, bool)
        missing[300:1300] = True
        nights.append(dataclasses.replace(of(x), missing=missing))
    measured = [dataclasses.replace(one, missing=np.zeros_like(one.missing)) for one in nights]
    assert likeness(*measured) > alike.BOUND
    assert likeness(*nights) < 0.8


def test_one_fall_of_saturation_is_like_another_and_no_piece_of_a_night() -> None:
    nights = []
    for at, depth in ((700, 4.0), (2000, 0.3)):
        x = np.zeros((SECONDS, 2))
        x[at : at + 40] = -depth * np.hanning(40)[:, None]
        nights.append(of(x + 1e-3 * np.random.default_rng(at).normal(size=x.shape)))
    assert likeness(*nights) < 0.8


def test_a_piece_is_found_in_its_own_size_alone() -> None:
    own = night(0)
    assert likeness(own, of(2 * own.x)) > alike.BOUND
    assert likeness(own, of(own.x / 40)) < alike.BOUND


def test_real_nights_of_different_people_are_not_alike() -> None:
    folder = Path(__file__).parents[3] / "shared/data/hugcdn2014"
    if not folder.is_dir():
        pytest.skip("no recordings in ../shared/data")
    nights = [condition(reader.read(p, NAMES), NAMES, 1.0) for p in reader.find([folder])[:16]]
    courses = [Course(alike.trace(one, 1.0)) for one in nights]
    found = [a.likeness(b) for i, a in enumerate(courses) for b in courses[:i]]
    assert max(found) < alike.BOUND - 0.02
    for one, course in zip(nights, courses, strict=True):  # whole percent, halves of a spread
        coarse = of(np.round(one.x[7 * 60 :] * [4, 8]) / [4, 8])
        coarse = dataclasses.replace(coarse, missing=one.missing[7 * 60 :])
        assert course.likeness(Course(alike.trace(coarse, 1.0))) > alike.BOUND
