"""The halves of a validation part."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stimjax import batch
from stimjax.batch import Batch, Channel, Spec
from stimjax.privacy import choosers

SPEC = Spec((2, 1), ("normal", "apnea"), (Channel("SpO2", "%"),), rate=1.0, label_seconds=2.0)


def windows(shares: list[float], each: int = 10) -> Batch:
    """Of so many subjects, with that part of the windows of the second class."""
    label = np.concatenate([np.arange(each) < round(share * each) for share in shares]).astype(int)
    subject = np.repeat(np.arange(len(shares)), each)
    x = np.arange(len(label) * 2, dtype=np.float32).reshape(-1, 2, 1)
    return batch.make(x, batch.one_hot(label, SPEC), SPEC, subject=subject)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_nobody_is_in_both_halves_and_nobody_is_lost(shares: list[float]) -> None:
    whole = windows(shares)
    choosing, cohort = choosers.halves(whole)
    if len(shares) < choosers.FEWEST:
        assert choosing is whole
        assert cohort is whole
        return
    sides = [set(np.asarray(side.subject).tolist()) for side in (choosing, cohort)]
    assert not sides[0] & sides[1]
    assert sides[0] | sides[1] == set(range(len(shares)))
    assert len(choosing) + len(cohort) == len(whole)
    assert 0 <= len(sides[0]) - len(sides[1]) <= 1


def test_mild_and_severe_are_in_both() -> None:
    sides = choosers.halves(windows([0.9, 0.0, 0.1, 0.8]))
    assert [sorted({int(s) for s in side.subject}) for side in sides] == [[0, 2], [1, 3]]
