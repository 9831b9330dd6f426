"""The area under the ROC curve, and percentile intervals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from stimjax.students import intervals


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10_000), st.integers(2, 80), st.integers(1, 20))
def test_area_is_scikit_learns_and_counts_pairs(seed: int, n: int, levels: int) -> None:
    rng = np.random.default_rng(seed)
    score = rng.integers(0, levels, n).astype(np.float32)  # with ties
    positive = np.arange(n) < rng.integers(1, n)
    found = intervals.area(score, positive)
    ours, theirs = score[positive, None], score[None, ~positive]
    assert found == pytest.approx(((ours > theirs) + (ours == theirs) / 2).mean(), abs=1e-12)
    assert found == pytest.approx(roc_auc_score(positive, score), abs=1e-12)


def test_percentile_is_the_middle_of_what_was_drawn() -> None:
    assert intervals.percentile(np.linspace(0.0, 1.0, 1001)) == pytest.approx((0.025, 0.975))
