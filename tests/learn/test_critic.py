"""The identity critic: what it learns of a night, what it must not, and when there is none."""

import dataclasses

import numpy as np
import pytest

from stimjax import batch, config
from stimjax.batch import Batch, Spec
from stimjax.errors import StimjaxError
from stimjax.learn import critic
from stimjax.learn.critic import Critic

FIT = config.Fit(steps=300, every=50, batch=32)
SUBJECTS, EACH = 4, 80


def nights(spec: Spec, level: np.ndarray) -> Batch:
    """Noise about a level for each subject and window, f[subject, window]."""
    rng = np.random.default_rng(0)
    x = level.reshape(-1, 1, 1) + 0.5 * rng.normal(size=(level.size, *spec.shape))
    subject = np.repeat(np.arange(len(level)) + 7, level.shape[1])
    label = batch.one_hot(rng.integers(0, 2, level.size), spec)
    return batch.make(x, label, spec, subject=subject)


@pytest.fixture(scope="module")
def known(spec: Spec) -> Critic:
    level = np.repeat(np.arange(SUBJECTS)[:, None] - 1.5, EACH, axis=1)
    found = critic.train(nights(spec, level), "mlp", FIT)
    assert found is not None
    return found


def test_tells_subjects_apart(known: Critic) -> None:
    assert known.subjects == SUBJECTS
    assert known.accuracy > 0.8
    assert known.chance == pytest.approx(0.25)


def test_what_marks_only_the_start_of_a_night_is_no_identity(spec: Spec) -> None:
    level = np.zeros((SUBJECTS, EACH))
    level[:, : EACH // 2] = 2 * np.arange(SUBJECTS)[:, None]  # gone afterward
    found = critic.train(nights(spec, level), "mlp", FIT)
    assert found is not None and found.accuracy < 0.45


def test_one_subject_or_nobody_has_no_critic(spec: Spec) -> None:
    one = nights(spec, np.zeros((1, EACH)))
    assert critic.train(one, "mlp", FIT) is None
    nobody = batch.make(one.x, one.y, spec)
    assert critic.train(nobody, "mlp", FIT) is None


def test_bound_is_a_quantile_of_how_sure_it_is(known: Critic) -> None:
    assert known.bound(0.0) == pytest.approx(max(known.sure))
    assert known.bound(1.0) == pytest.approx(min(known.sure))
    assert known.bound(0.5) == pytest.approx(known.sure[10])


def test_is_read_back_from_its_description(known: Critic, spec: Spec) -> None:
    again = Critic.of(known.about(), spec, "file")
    assert again.about() == known.about() and again.params is None


def test_an_unknown_network_is_refused(known: Critic, spec: Spec) -> None:
    about = dataclasses.replace(known.about(), network="oracle")
    with pytest.raises(StimjaxError, match=r"^file: names the network 'oracle'"):
        Critic.of(about, spec, "file")
