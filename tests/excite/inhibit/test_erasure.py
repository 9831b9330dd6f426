"""Identity directions against Cohen's d, a linear probe and the projection written out."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from stimjax import batch, models
from stimjax.batch import Spec
from stimjax.excite.inhibit import erasure
from stimjax.learn.teacher import Teacher
from stimjax.models.layers import Erasure


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
    found = erasure.effect(activity, subject, label)
    expected = [cohen(activity[:, i], subject, label) for i in range(4)]
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    assert found[1] > 1.5 and found[[0, 2, 3]].max() < 0.6


def people(n: int = 4000, units: int = 8) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Activities in which classes and five subjects differ, each in directions of their own."""
    rng = np.random.default_rng(1)
    subject, label = rng.integers(0, 5, n), rng.integers(0, 3, n)
    whose, kind = rng.normal(size=(5, units)), 2 * rng.normal(size=(3, units))
    mixing = rng.normal(size=(units, units))
    noise = rng.normal(size=(n, units))
    return (
        (whose[subject] * [3, 2, 1, 0, 0, 0, 0, 0] + kind[label] + noise) @ mixing,
        subject,
        label,
    )


def without(activity: np.ndarray, read: np.ndarray, write: np.ndarray) -> np.ndarray:
    return activity - (activity - activity.mean(axis=0)) @ read.T @ write


def test_what_is_taken_out_is_what_tells_subjects_apart_and_not_the_classes() -> None:
    activity, subject, label = people()
    read, write = erasure.directions(activity, subject, label)
    kept = int(read.any(axis=1).sum())
    assert 2 <= kept <= 4 and not write[kept:].any()
    np.testing.assert_allclose(
        read[:kept] @ write[:kept].T, np.eye(kept), atol=1e-6
    )  # a projection
    after = without(activity, read, write)
    for number in range(3):
        chosen = label == number
        np.testing.assert_allclose(
            after[chosen].mean(axis=0), activity[chosen].mean(axis=0), atol=1e-6
        )
    assert probe(activity, subject) > 0.65 and probe(activity, label) > 0.65
    assert probe(after, subject) < 0.45  # some of what tells subjects apart lies along the classes
    assert probe(after, label) > probe(activity, label) - 0.02
    assert (
        erasure.effect(after, subject, label).max()
        < erasure.effect(activity, subject, label).max() / 2
    )


def probe(activity: np.ndarray, of: np.ndarray) -> float:
    """How often a linear discriminant is right on the second half."""
    first, second = np.array_split(np.arange(len(of)), 2)
    model = LinearDiscriminantAnalysis().fit(activity[first], of[first])
    return model.score(activity[second], of[second])


def test_the_strongest_direction_comes_first_and_small_effects_never_count() -> None:
    activity, subject, label = people()
    read, write = erasure.directions(activity, subject, label)
    effects = [
        erasure.effect(activity @ row[:, None], subject, label)[0] for row in read if row.any()
    ]
    assert min(effects) >= erasure.LARGE
    first, second = (
        probe(without(activity, read[[k]], write[[k]]), subject) for k in (0, len(effects) - 1)
    )
    assert first < second
    noise = np.random.default_rng(2).normal(size=activity.shape)
    assert not erasure.directions(noise, subject, label)[0].any()


def test_dead_units_and_one_class_are_no_trouble() -> None:
    activity, subject, label = people(600)
    activity[:, 3] = 0.0
    for kind in (label, np.zeros_like(label)):
        read, write = erasure.directions(activity, subject, kind)
        assert np.isfinite(read).all() and np.isfinite(write).all()
        assert np.abs(without(activity, read, write)[:, 3]).max() < 1e-2


def test_a_dead_network_has_no_directions() -> None:
    _, subject, label = people(600)
    for part in erasure.directions(np.zeros((600, 8)), subject, label):
        np.testing.assert_array_equal(part, 0)


def test_strength_is_the_part_of_the_directions() -> None:
    read = np.diag([1.0, 2.0, 3.0, 4.0, 0.0]).astype(np.float32)
    known = {
        "erasure.0.read": read,
        "erasure.0.write": 2 * read,
        "erasure.0.mean": np.ones(5),
        "erasure.units": np.array([5]),
    }
    for strength, rows in ((0.0, 0), (0.25, 1), (0.5, 2), (1.0, 4)):
        (one,) = erasure.erasures(known, strength)
        np.testing.assert_array_equal(one.read, read * (np.arange(5) < rows)[:, None])
        np.testing.assert_array_equal(one.write, 2 * one.read)
    with pytest.raises(KeyError):
        erasure.erasures({}, 0.5)


def test_measured_for_every_network_where_there_are_subjects(spec: Spec) -> None:
    """Of two families, and with the labels that the teacher gives then."""
    names, counts = ("mlp", "gru"), (2, 1)
    families = tuple(models.classifier(name, spec.shape, 3) for name in names)
    params = models.ensemble(families, counts).init(jax.random.key(0))
    teacher = Teacher(names, params, spec)
    rng = np.random.default_rng(0)
    subject = np.arange(300) % 4
    middle = spec.low + (spec.high - spec.low) * rng.uniform(size=(4, *spec.shape))
    x = middle[subject] + 0.1 * (spec.high - spec.low) * rng.normal(size=(300, *spec.shape))
    y = batch.one_hot(rng.integers(0, 3, 300), spec)
    windows = batch.make(np.clip(x, spec.low, spec.high), y, spec, subject=subject)
    found = erasure.measure(windows, teacher, {})
    assert {name.split(".")[1] for name in found} == {"0", "1", "2", "units", "behind"}
    second = jax.tree.map(lambda leaf: leaf[1], params["members"][0])
    seen = np.asarray(families[0].represent(second, jnp.asarray(windows.x)), float)
    np.testing.assert_allclose(found["erasure.1.mean"], seen.mean(axis=0), atol=1e-5)
    expected = erasure.directions(seen, subject, np.asarray(y).argmax(axis=1))[0]
    assert expected.any()
    np.testing.assert_allclose(found["erasure.1.read"], expected, atol=1e-3)
    assert erasure.measure(batch.make(x, y, spec), teacher, {}) == {}
    more = batch.concatenate([batch.make(x[:7], y[:7], spec), windows])  # seven of nobody
    np.testing.assert_array_equal(
        erasure.measure(more, teacher, {})["erasure.0.read"], found["erasure.0.read"]
    )


@pytest.mark.parametrize("name", list(models.CLASSIFIERS))
def test_what_is_erased_is_gone_from_what_the_last_layer_gets(name: str) -> None:
    model = models.classifier(name, (12, 2), 3)
    params = model.init(jax.random.key(0))
    x = jax.random.normal(jax.random.key(1), (4, 12, 2))
    show = jax.jit(model.hidden)
    logits, hidden = show(params, x)
    before = np.asarray(jax.jit(model.represent)(params, x))
    units = before.shape[-1]
    nothing = Erasure(jnp.zeros((2, units)), jnp.ones((2, units)), jnp.zeros(units))
    np.testing.assert_allclose(show(params, x, (nothing,))[0], logits, atol=1e-6)
    basis = np.linalg.qr(np.random.default_rng(0).normal(size=(units, 2)))[0].T
    mean = before.mean(axis=0)
    parts = (jnp.asarray(a, jnp.float32) for a in (basis, basis, mean))
    changed, same = show(params, x, (Erasure(*parts),))
    last = params[max(k for k in params if k.startswith("Dense_"))]
    expected = (before - (before - mean) @ basis.T @ basis) @ last["kernel"] + last["bias"]
    np.testing.assert_allclose(changed, expected, atol=1e-4)
    assert np.abs(changed - logits).max() > 1e-3
    chex.assert_trees_all_close(same, hidden, atol=1e-6)
