"""Identity-selective units against Cohen's d written out, and what is silenced."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from stimjax import batch, models
from stimjax.batch import Spec
from stimjax.excite import selective
from stimjax.learn.teacher import Teacher


def cohen(activity: np.ndarray, subject: np.ndarray, label: np.ndarray) -> float:
    rest = activity.astype(float).copy()
    for k in set(label):
        rest[label == k] -= rest[label == k].mean()
    found = []
    for s in set(subject):
        a, b = rest[subject == s], rest[subject != s]
        pooled = ((len(a) - 1) * a.var(ddof=1) + (len(b) - 1) * b.var(ddof=1)) / (len(rest) - 2)
        found.append(abs(a.mean() - b.mean()) / np.sqrt(pooled))
    return max(found)


def test_effect_is_the_largest_of_cohens_d() -> None:
    rng = np.random.default_rng(0)
    subject, label = rng.integers(0, 5, 300) * 3, rng.integers(0, 2, 300)
    activity = rng.normal(size=(300, 4))
    activity[:, 1] += 2.0 * (subject == 6)  # one subject's unit
    activity[:, 2] += 5.0 * label  # the class's unit
    found = selective.effect(activity, subject, label)
    expected = [cohen(activity[:, i], subject, label) for i in range(4)]
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    assert found[1] > 1.5 and found[[0, 2, 3]].max() < 0.6


def test_strength_is_the_largest_part_that_is_silenced_and_small_effects_never_are() -> None:
    effect = np.array([0.1, 3.0, 0.9, 1.5], np.float32)
    statistics = {"selective.0.effect": effect, "selective.0.mean": np.arange(4, dtype=np.float32)}
    for strength, silent in ((0.0, []), (0.25, [1]), (0.5, [1, 3]), (1.0, [1, 2, 3])):
        ((mask, instead),) = selective.lesion(statistics, strength)
        assert np.flatnonzero(mask).tolist() == silent
        assert np.asarray(instead).tolist() == [0, 1, 2, 3]


def test_measured_for_every_layer_where_there_are_subjects(teacher: Teacher, spec: Spec) -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(spec.low, spec.high, (300, *spec.shape))
    y = batch.one_hot(rng.integers(0, 3, 300), spec)
    windows = batch.make(x, y, spec, subject=np.arange(300) % 4)
    found = selective.measure(windows, teacher.model, teacher.params)
    _, (layer,) = teacher.model.hidden(teacher.params, windows.x)
    np.testing.assert_allclose(found["selective.0.mean"], layer[:, 0].mean(axis=0), atol=1e-5)
    assert found["selective.0.effect"].shape == (12,)
    assert selective.measure(batch.make(x, y, spec), teacher.model, teacher.params) == {}


@pytest.mark.parametrize("name", list(models.CLASSIFIERS))
def test_a_silent_unit_shows_its_mean_and_changes_what_follows(name: str) -> None:
    model = models.classifier(name, (12, 2), 3)
    params = model.init(jax.random.key(0))
    x = jax.random.normal(jax.random.key(1), (4, 12, 2))
    show = jax.jit(model.hidden)
    logits, hidden = show(params, x)
    none = tuple((jnp.zeros(h.shape[-1], bool), jnp.zeros(h.shape[-1])) for h in hidden)
    same, _ = show(params, x, none)
    np.testing.assert_allclose(same, logits, atol=1e-6)
    first = (jnp.arange(hidden[0].shape[-1]) < 2, jnp.full(hidden[0].shape[-1], 7.0))
    other, lesioned = show(params, x, (first, *none[1:]))
    assert (np.asarray(lesioned[0])[..., :2] == 7.0).all()
    np.testing.assert_allclose(lesioned[0][..., 2:], hidden[0][..., 2:], atol=1e-6)
    assert np.abs(other - logits).max() > 1e-3
