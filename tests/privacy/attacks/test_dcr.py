"""The sanity checks: 1 for strangers, below for copies, and they say what they are not."""

from typing import Any

import numpy as np
import pytest

from stimjax.privacy.attacks import dcr


def found(world) -> dict[str, Any]:
    return {f.metric: f for f in dcr.ATTACK.run(world)}


def test_strangers_are_as_far_and_copies_nearer(world):
    assert found(world(members=12))["dcr"].value == pytest.approx(1, abs=0.2)
    by = found(world("everything"))
    assert by["dcr"].value < 0.01 and by["nndr"].value < 0.01


def test_they_miss_copies_of_a_few_and_are_no_audit(world):
    by = found(world("copies", members=12))
    assert by["dcr"].value == pytest.approx(1, abs=0.2)
    assert all(f.interval is None and "sanity check" in f.note for f in by.values())


def test_ratio_of_nearest_and_second_nearest():
    of = np.zeros((3, 1), np.float32)
    among = np.array([[1.0], [-2.0], [5.0]], np.float32)
    assert dcr.ratio(of, among) == pytest.approx(1.001 / 2.001)


def test_few_windows_and_images(world):
    whole = world("everything", members=1, others=1, each=1)
    assert np.isfinite([f.value for f in found(whole).values()]).all()
    assert found(world("everything", pictures=True))["dcr"].value < 0.01
