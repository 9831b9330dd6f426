"""The plain alternatives, held against the distributions that they claim to draw from."""

import numpy as np
import pytest

from stimjax import batch, config
from stimjax.batch import Batch, Channel, Spec
from stimjax.errors import StimjaxError
from stimjax.excite import carriers
from stimjax.learn.teacher import Teacher
from stimjax.prior.known import Known
from stimjax.students import baselines

SPEC = Spec(
    shape=(3, 2),
    classes=("normal", "apnea"),
    channels=(Channel("SpO2", "%", low=-2.0, high=1.0), Channel("HR", "", low=5.0, high=9.0)),
    rate=1.0,
    label_seconds=3.0,
)


class MadeUp(Teacher):
    """Labels a window by its first value."""

    def probability(self, x: np.ndarray) -> np.ndarray:  # pyright: ignore
        p = (x[:, 0, 0] + 2) / 3
        return np.stack([p, 1 - p], axis=1).astype(np.float32)


@pytest.fixture(scope="module")
def train() -> Batch:
    rng = np.random.default_rng(0)
    label = (rng.random(900) < 0.3).astype(int)
    mixing = rng.normal(size=(2, 6, 6)) / 2
    x = np.einsum("ni,nij->nj", rng.normal(size=(900, 6)), mixing[label]) + label[:, None]
    return batch.make(x.reshape(-1, 3, 2), batch.one_hot(label, SPEC), SPEC)


def test_the_gaussian_has_each_classs_mean_and_covariance(train):
    made = baselines.gaussian(train, 60_000, seed=1)
    assert (made.subject == batch.NOBODY).all() and made.spec == SPEC
    share = made.y.mean(axis=0)
    np.testing.assert_allclose(share, train.y.mean(axis=0), atol=4 * np.sqrt(0.21 / 60_000))
    for number in range(2):
        drawn = made.x[made.y[:, number] == 1].reshape(-1, 6)
        real = np.asarray(train.x)[train.y[:, number] == 1].reshape(-1, 6)
        covariance = np.cov(real.T)
        error = 5 * np.sqrt(covariance.diagonal() / len(drawn))
        assert (np.abs(drawn.mean(axis=0) - real.mean(axis=0)) < error).all()
        np.testing.assert_allclose(np.cov(drawn.T), covariance, atol=0.06 * covariance.max())


def test_the_gaussian_of_many_windows_uses_some_and_of_one_window_repeats_it(train, monkeypatch):
    monkeypatch.setattr(baselines, "MOST_ROWS", 50)
    made = baselines.gaussian(train, 500, seed=0)
    normal = made.x[made.y[:, 0] == 1].reshape(-1, 6)
    assert np.linalg.matrix_rank(normal - normal.mean(axis=0), tol=1e-3) <= 6
    one = np.flatnonzero(train.y[:, 1] == 1)[:1]
    few = train[np.concatenate([np.flatnonzero(train.y[:, 0] == 1), one])]
    made = baselines.gaussian(few, 20_000, seed=0)
    rare = made.x[made.y[:, 1] == 1]
    assert len(rare) and (rare == np.asarray(few.x)[-1]).all()


def test_a_seed_is_a_draw(train):
    one, two, other = (baselines.gaussian(train, 50, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one.x, two.x)
    assert (one.x != other.x).any()


def test_noise_is_uniform_in_each_channels_range_and_labeled_by_the_teacher():
    teacher = MadeUp(("made up",), {}, SPEC)
    made = baselines.noise(teacher, 20_000, seed=0)
    assert made.x.shape == (20_000, 3, 2) and made.x.dtype == np.float32
    for i, channel in enumerate(SPEC.channels):
        ranks = np.sort(made.x[:, 1, i])
        uniform = np.linspace(channel.low, channel.high, len(ranks))
        # Kolmogorov's distance, far beyond its 99.9 % quantile if the law were another.
        assert np.abs(ranks - uniform).max() < 2 / np.sqrt(20_000) * (channel.high - channel.low)
    np.testing.assert_array_equal(made.y, teacher.probability(np.asarray(made.x)))


def test_the_prior_is_simulated_sleepers_with_their_own_labels():
    spec = Spec((60, 1), SPEC.classes, SPEC.channels[:1], 1.0, label_seconds=60.0)
    settings = Known(config.Prior(sleepers=2, hours=0.5))
    scored = carriers.scored(settings, spec)
    rows = {x.tobytes(): label for x, label in zip(scored.x, scored.label, strict=True)}
    found = baselines.prior(settings, spec, 20)
    assert found is not None and len(found) == 20 and (found.subject == batch.NOBODY).all()
    assert [rows[x.tobytes()] for x in found.x] == list(found.label)
    everything = baselines.prior(settings, spec, 10**6)
    assert everything is not None and len(everything) == len(scored)  # none twice


def test_there_is_no_prior_of_what_nobody_simulates(train):
    assert baselines.make("prior", train, None, 10, 0) is None


def test_sleepers_without_a_class_are_no_missing_prior():
    spec = Spec((60, 1), SPEC.classes, SPEC.channels[:1], 1.0, label_seconds=60.0)
    with pytest.raises(StimjaxError, match="have no window of the class"):
        baselines.prior(Known(config.Prior(sleepers=1, hours=0.1, cohort=2)), spec, 20)
