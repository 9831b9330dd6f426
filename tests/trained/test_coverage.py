"""What stimuli cover: against windows of the same kind and of wrong ones."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from stimjax import batch
from stimjax.batch import Batch, Channel, Spec
from stimjax.disk.store import save_arrays
from stimjax.errors import StimjaxError
from stimjax.trained import coverage

SPO2, HR = Channel("SpO2", "%", low=-4, high=4), Channel("HR", "", low=-4, high=4)
SPEC = Spec((60, 2), ("normal", "apnea"), (SPO2, HR), 1.0)


def windows(n: int, seed: int) -> Batch:
    """Waves of random height, length and level in noise."""
    rng = np.random.default_rng(seed)
    height, turns, level, phase = rng.uniform(0.5, 1.5, (4, n, 1, 2))
    time = np.arange(60)[:, None] / 10
    x = level + height * np.sin(turns * time + 6 * phase) + 0.1 * rng.normal(size=(n, 60, 2))
    return batch.make(x, np.eye(2)[np.arange(n) % 2], SPEC)


def test_features_are_these_numbers() -> None:
    x = np.array([[[0.0, 5.0], [2.0, 5.0], [1.0, 5.0]]], np.float32)
    spread, step, none = np.log(np.array([np.sqrt(2 / 3), 1.5, 0]) + coverage.LEAST_SPREAD)
    expected = [1, 5, spread, none, 0, 5, 2, 5, step, none]
    np.testing.assert_allclose(coverage.features(x)[0], expected, atol=1e-6)
    image = np.zeros((2, 3, 3, 1), np.float32)
    assert coverage.features(image).shape == (2, len(coverage.FEATURES))


def test_of_the_same_kind_few_are_outside_and_of_wrong_kinds_most() -> None:
    found = coverage.measure(windows(2000, 0), windows(4000, 1))
    x = np.asarray(windows(4000, 2).x)
    assert 0.001 < coverage.outside(x, found).mean() < 0.012  # 0.005 is the aim
    wrong = {"still": 0 * x, "percent": x / 100, "high": x + 9, "spikes": x**9}
    for name, values in wrong.items():
        assert coverage.outside(values.astype(np.float32), found).mean() > 0.9, name


def test_what_stimuli_may_not_take_is_looked_at_as_the_end_of_their_range() -> None:
    def kept(of: Batch) -> Batch:
        low, high = (dataclasses.replace(one, low=-1, high=1) for one in (SPO2, HR))
        spec = dataclasses.replace(SPEC, channels=(low, high))
        return batch.make(np.clip(of.x, -1, 1), np.asarray(of.y), spec)

    found = coverage.measure(kept(windows(2000, 0)), kept(windows(4000, 1)))
    x = np.asarray(windows(4000, 2).x)
    beyond = (np.abs(x) > 1).mean(axis=1).max(axis=1) > coverage.BEYOND
    assert 0.1 < beyond.mean() < 0.9
    assert coverage.outside(x, found)[beyond].all()
    assert coverage.outside(x, found)[~beyond].mean() < 0.012


def test_random_signals_of_a_release_are_left_out() -> None:
    known, random = windows(500, 0), windows(500, 1)
    x = np.concatenate([known.x, 9 * np.asarray(random.x)])
    column = {"origin": np.repeat([0, 1], 500)}
    both = batch.make(x, np.concatenate([known.y, random.y]), SPEC, columns=column)
    one, other = coverage.measure(both, both), coverage.measure(known, known)
    np.testing.assert_array_equal(one.mean, other.mean)
    assert one.limit == other.limit


def test_it_is_read_back_or_refused(tmp_path: Path) -> None:
    found = coverage.measure(windows(200, 0), windows(100, 1))
    coverage.save(found, tmp_path)
    read, x = coverage.load(tmp_path), np.asarray(windows(50, 2).x)
    np.testing.assert_array_equal(coverage.outside(x, read), coverage.outside(x, found))
    save_arrays(tmp_path / coverage.FILE, {"mean": found.mean})
    with pytest.raises(StimjaxError, match="is damaged"):
        coverage.load(tmp_path)
