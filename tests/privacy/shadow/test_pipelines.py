"""Pipelines in a row: halves, seeds, training together."""

import dataclasses

import jax
import numpy as np
import pytest

from stimjax import config, models
from stimjax.batch import Batch, Channel, Spec, make, one_hot
from stimjax.excite import carriers
from stimjax.learn import teacher
from stimjax.learn.predict import probabilities
from stimjax.prior.known import Known
from stimjax.privacy.shadow import pipelines, releases

SIGNAL = Spec((24, 2), ("a", "b", "c"), (Channel("x", "", low=-4, high=4),) * 2, rate=1.0)


def windows(spec: Spec, n: int, seed: int = 0) -> Batch:
    rng = np.random.default_rng(seed)
    label = np.arange(n) % 3
    x = rng.normal(size=(n, *spec.shape)) + label.reshape(-1, *[1] * len(spec.shape)) - 1
    return make(np.clip(x, -4, 4), one_hot(label, spec), spec)


@pytest.mark.parametrize("units", [2, 5, 60])
def test_every_unit_is_in_half_of_the_pipelines_and_every_pipeline_has_half(units: int) -> None:
    inside = pipelines.halves(16, units, 3)
    assert (inside.sum(axis=0) == 8).all()
    assert abs(inside.sum(axis=1) - units / 2).max() <= 0.5
    assert not np.array_equal(inside, pipelines.halves(16, units, 4))


def test_seeds_are_apart_from_teachers_students_and_each_other() -> None:
    found = [s for part in pipelines.PARTS for seed in (0, 1) for s in each(part, seed)]
    assert len(set(found)) == len(found)
    assert min(found) > max(teacher.seeds(10**9 - 1, 1)) and max(found) < 2**32


def each(part: str, seed: int) -> list[int]:
    return pipelines.seeds(seed, part, 100)


def test_networks_together_are_networks_alone() -> None:
    batch = windows(SIGNAL, 90)
    rows = [np.arange(30), np.arange(20, 90)]
    settings = config.Fit(steps=8, batch=16)
    model = models.classifier("mlp", SIGNAL.shape, len(SIGNAL.classes))
    together = pipelines.train(model, batch, rows, [5, 6], settings)
    answers = probabilities(model, together, batch.x)
    alone = pipelines.train(model, batch, rows[1:], [6], settings)
    assert probabilities(model, alone, batch.x)[0] == pytest.approx(answers[1], abs=1e-4)
    assert np.abs(answers[1] - answers[0]).max() > 0.01


def test_teachers_train_only_where_a_release_asks_for_them(monkeypatch) -> None:
    batch, rows = windows(SIGNAL, 60), [np.arange(30), np.arange(30, 60)]
    trained: list[list[int]] = []
    own = pipelines.train

    def train(model, windows, rows, seeds, settings=None):
        trained.append(list(seeds))
        return own(model, windows, rows, seeds, config.Fit(steps=50))

    def asking(given: pipelines.Trained) -> list[Batch]:
        assert given.params is given.params
        return releases.copied(given)

    monkeypatch.setattr(pipelines, "train", train)
    monkeypatch.setattr(pipelines, "STUDENT", "mlp")  # compiles fast
    teachers, students = (pipelines.seeds(1, part, 2) for part in ("teacher", "student"))
    by = pipelines.Labelers(("mlp",))
    pipelines.run(batch, rows, releases.copied, 1, by=by)
    assert trained == [students]
    pipelines.run(batch, rows, asking, 1, by=by)
    assert trained == [students, teachers, students]


def test_log_odds_of_the_class() -> None:
    batch = windows(SIGNAL, 20)
    model = models.classifier("mlp", SIGNAL.shape, len(SIGNAL.classes))
    params = jax.vmap(model.init)(jax.random.split(jax.random.key(0), 2))
    label = np.asarray(batch.y).argmax(axis=1)
    probability = probabilities(model, params, batch.x)
    p = probability[:, np.arange(20), label]
    found = pipelines.log_odds(model, params, np.asarray(batch.x), label)
    assert found == pytest.approx(np.log(p / (1 - p)), rel=1e-3, abs=1e-4)


def test_teachers_learn_the_prior_beside_their_own_windows(monkeypatch) -> None:
    spec = Spec((60, 1), ("normal", "apnea"), SIGNAL.channels[:1], 1.0, label_seconds=60.0)
    prior = Known(config.Prior(part=0.5, sleepers=2, hours=0.5))
    spec = dataclasses.replace(spec, channels=(Channel("SpO2", "%", low=-6.0),))
    label = np.arange(40) % 2
    own = make(np.zeros((40, 60, 1)), one_hot(label, spec), spec)
    rows, seen = [np.arange(10), np.arange(10, 40)], []
    monkeypatch.setattr(
        pipelines,
        "train",
        lambda model, windows, rows, seeds, settings: seen.append((windows, rows)),
    )
    by = pipelines.Labelers(("mlp",), prior=prior)
    given = pipelines.teachers(own, rows, [1, 2], [3, 4], by)
    given._family(0)
    windows, learned = seen[0]
    sleepers = carriers.learned(prior, spec, 30)
    np.testing.assert_array_equal(windows.x[40:], sleepers.x)
    for mine, all_of_them in zip(rows, learned, strict=True):
        assert list(all_of_them) == [*mine, *range(40, 40 + len(mine))]  # the half of all
    assert given.rows is rows and given.windows is own  # what statistics are measured on
    bare = pipelines.teachers(own, rows, [1, 2], [3, 4], pipelines.Labelers(("mlp",)))
    assert bare._learned == (own, rows)
