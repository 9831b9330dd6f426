"""What students learn from, and how they are compared."""

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stimjax import batch, config
from stimjax.batch import Batch, Channel, Spec
from stimjax.errors import StimjaxError
from stimjax.students import metrics, study

SPEC = Spec(
    shape=(6, 1),
    classes=("normal", "apnea"),
    channels=(Channel("SpO2", "%", low=-3.0, high=3.0),),
    rate=1.0,
    label_seconds=6.0,
)
FAST = config.Fit(steps=120, every=40, batch=32)
SETTINGS = config.Study(
    students=("mlp", "random_forest", "knn"),
    baselines=config.THOROUGH.baselines,
    seeds=2,
    fit=FAST,
    seed=7,
)


def windows(n: int, seed: int, mark: float = 0.0, subjects: int = 5) -> Batch:
    """Apnea where the mean is above 0; `mark` is added to every value's thousandths."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, *SPEC.shape)).round(2) + mark
    label = (x.mean(axis=(1, 2)) > 0).astype(int)
    return batch.make(x, batch.one_hot(label, SPEC), SPEC, subject=np.arange(n) % subjects)


def marked(part: Batch) -> np.ndarray:
    """Which windows carry the mark of real ones."""
    return np.abs(np.asarray(part.x) - np.asarray(part.x).round(2)).max(axis=(1, 2)) > 1e-4


@pytest.fixture(scope="module")
def given_sources() -> study.Sources:
    stimuli, train, validation = windows(200, 0), windows(150, 1, 2e-3), windows(60, 2, 2e-3)
    return study.sources(stimuli, None, SETTINGS, train=train, validation=validation)


@pytest.fixture(scope="module")
def found(given_sources):
    test = windows(120, 3)
    predictions = study.predict(given_sources, test, SETTINGS)
    results = {
        "rows": study.rows(predictions, test, SETTINGS),
        "summary": study.summary(predictions, test, "subjects"),
    }
    return results, predictions


def test_no_student_of_stimuli_sees_a_real_window(given_sources):
    assert set(given_sources.train) == {"real", "stimuli", "gaussian"}  # no teacher, no noise
    stimuli, held_out = given_sources.train["stimuli"], given_sources.validation["stimuli"]
    assert not marked(stimuli).any() and not marked(held_out).any()
    assert (
        marked(given_sources.train["real"]).all() and marked(given_sources.validation["real"]).all()
    )
    # Every stimulus is in one of the two parts, once.
    both = np.concatenate([stimuli.x, held_out.x]).reshape(200, -1)
    assert len(held_out) == 20
    np.testing.assert_array_equal(
        np.unique(both, axis=0), np.unique(windows(200, 0).x.reshape(200, -1), axis=0)
    )
    real = {row.tobytes() for row in np.asarray(given_sources.train["real"].x)}
    for part in (given_sources.train["gaussian"], given_sources.validation["gaussian"]):
        assert not real & {row.tobytes() for row in np.asarray(part.x)}


def test_rows_and_summary_are_what_the_contract_says(found):
    results, predictions = found
    rows, summary = results["rows"], results["summary"]
    assert {(r.student, r.trained_on) for r in rows} == set(predictions)
    assert [r.seed for r in rows if (r.student, r.trained_on) == ("mlp", "real")] == [7, 8]
    assert [r.seed for r in rows if r.student == "knn"] == [7, 7, 7]
    assert {r.family for r in rows if r.student == "mlp"} == {"deep"}
    assert all("fold" not in r.to_json() for r in rows)
    assert {loss.trained_on for loss in summary} == {"stimuli", "gaussian"}
    for loss in summary:
        mean = {
            source: np.mean(
                [
                    r.scores.accuracy
                    for r in rows
                    if (r.student, r.trained_on) == (loss.student, source)
                ]
            )
            for source in ("real", loss.trained_on)
        }
        assert loss.accuracy_gap == pytest.approx(mean["real"] - mean[loss.trained_on])
        margins = (loss.accuracy_margin, loss.kappa_margin)
        assert margins == ((0.0056, 0.02) if loss.family == "deep" else (0.01, 0.03))
        assert loss.non_inferior in (True, False)


def test_students_learn(found):
    for name, on in itertools.product(SETTINGS.students, ("real", "stimuli")):
        wanted = (name, on)
        rows = [r for r in found[0]["rows"] if (r.student, r.trained_on) == wanted]
        assert np.mean([r.scores.accuracy for r in rows]) > 0.8  # over seeds; half by chance


def test_the_same_seed_gives_the_same_students(given_sources, found):
    again = study.predict(given_sources, windows(120, 3), SETTINGS)
    for key, value in found[1].items():
        np.testing.assert_array_equal(value, again[key])


def test_what_does_not_exist_or_does_not_fit_is_refused(given_sources):
    real = windows(20, 0)
    with pytest.raises(StimjaxError, match="no student 'cn'"):
        study.predict(given_sources, real, dataclasses.replace(SETTINGS, students=("cn",)))
    unknown = dataclasses.replace(SETTINGS, baselines=("gaus",))
    with pytest.raises(StimjaxError, match="no baseline 'gaus'"):
        study.sources(real, None, unknown, train=real, validation=real)
    other = dataclasses.replace(SPEC, rate=2.0)
    with pytest.raises(StimjaxError, match=r"their rate is 2\.0, not 1\.0"):
        study.refuse_other(SPEC, other, "the windows")
    wider = dataclasses.replace(SPEC, channels=(dataclasses.replace(SPEC.channels[0], high=9.0),))
    study.refuse_other(SPEC, wider, "the windows")  # ranges may differ


@pytest.mark.parametrize(
    ("accuracy", "kappa", "family", "verdict"),
    [
        ((-0.01, 0.005), (-0.01, 0.019), "deep", True),
        ((-0.01, 0.006), (-0.01, 0.019), "deep", False),
        ((-0.01, 0.006), (-0.01, 0.021), "classical", True),
        ((-0.01, 0.005), (-0.01, 0.021), "deep", False),
        ((-0.01, 0.0056), (-0.01, 0.01), "deep", False),  # at the margin is not below it
        (None, None, "deep", None),
        ((-0.01, 0.005), None, "deep", None),
    ],
)
def test_non_inferior_is_an_interval_below_the_margin(accuracy, kappa, family, verdict):
    gap = metrics.Gap(0.0, accuracy, 0.0, kappa)
    assert study.non_inferior(gap, family) is verdict


def constructed(n: int, wrong_real: int, wrong_stimuli: int) -> tuple[study.Predictions, Batch]:
    """`n` subjects of 50 windows; each side errs on so many windows of every subject."""
    label = np.tile(np.arange(50) % 2, n)
    test = batch.make(
        np.zeros((50 * n, *SPEC.shape)),
        batch.one_hot(label, SPEC),
        SPEC,
        subject=np.repeat(np.arange(n), 50),
    )

    def predicted(wrong: int) -> np.ndarray:
        flip = np.tile(np.arange(50) < wrong, n)
        return batch.one_hot(np.where(flip, 1 - label, label), SPEC)[None]

    sides = {"real": predicted(wrong_real), "stimuli": predicted(wrong_stimuli)}
    return {("cnn", source): value for source, value in sides.items()}, test


def test_a_constant_loss_in_every_subject_has_no_spread():
    for lost, verdict in ((0, True), (1, False)):  # no window, or 2 points
        (loss,) = study.summary(*constructed(8, 2, 2 + lost), "subjects")
        assert loss.accuracy_gap_ci == pytest.approx((lost / 50, lost / 50))
        assert loss.non_inferior is verdict
    (loss,) = study.summary(*constructed(1, 2, 2), "subjects")  # one subject: no interval
    assert loss.non_inferior is None


@settings(deadline=None, max_examples=8)
@given(st.integers(2, 5), st.integers(1, 3), st.integers(0, 1000))
def test_pooled_folds_are_one_test_set(folds, seeds, seed):
    """Against the whole: predictions dealt into folds and pooled give the whole's summary."""
    rng = np.random.default_rng(seed)
    whole = windows(90, seed, subjects=9)
    predictions = {
        ("cnn", source): rng.dirichlet([1, 1], (seeds, 90)).astype(np.float32)
        for source in ("real", "stimuli", "noise")
    }
    fold = rng.integers(0, folds, 90)
    fold[:folds] = np.arange(folds)
    ranges = [
        dataclasses.replace(SPEC, channels=(dataclasses.replace(SPEC.channels[0], high=1.0 + k),))
        for k in range(folds)
    ]
    parts = [
        (
            {key: value[:, fold == k] for key, value in predictions.items()},
            dataclasses.replace(whole[fold == k], spec=ranges[k]),
        )
        for k in range(folds)
    ]
    joined, test = study.pool(parts)
    assert test.x.size == 0 and len(test) == 90
    order = np.concatenate([np.flatnonzero(fold == k) for k in range(folds)])
    np.testing.assert_array_equal(test.subject, np.asarray(whole.subject)[order])
    for one, two in zip(
        study.summary(joined, test, "subjects"),
        study.summary(predictions, whole, "subjects"),
        strict=True,
    ):
        assert one == two
    scores = metrics.evaluate(joined["cnn", "real"][0], test)
    expected = metrics.evaluate(predictions["cnn", "real"][0], whole)
    assert dataclasses.asdict(scores) == pytest.approx(dataclasses.asdict(expected))


def test_a_fold_is_named_in_its_rows(found):
    _, predictions = found
    rows = study.rows(predictions, windows(120, 3), SETTINGS, fold=2)
    assert {row.fold for row in rows} == {2}
    assert [dataclasses.replace(row, fold=None) for row in rows] == found[0]["rows"]
    named = itertools.islice(rows[0].to_json(), 5)
    assert list(named) == ["student", "family", "trained_on", "fold", "seed"]


@pytest.mark.parametrize("name", ["mlp", "knn"])
def test_hard_labels_are_the_most_probable_class(name):
    certain, test = windows(80, 0), windows(40, 3)
    soft = dataclasses.replace(certain, y=np.asarray(0.6 * certain.y + 0.2, np.float32))
    np.testing.assert_array_equal(study.hardened(soft).y, certain.y)
    np.testing.assert_allclose(soft.y.max(axis=1), 0.8, atol=1e-6)  # is left as it was
    hard = dataclasses.replace(SETTINGS, labels="hard")
    learned = study.student(name, hard, train=soft, validation=soft, test=test)
    as_certain = study.student(name, SETTINGS, train=certain, validation=certain, test=test)
    np.testing.assert_array_equal(learned, as_certain)
    as_soft = study.student(name, SETTINGS, train=soft, validation=soft, test=test)
    assert np.abs(learned - as_soft).max() > 0.1


def test_nearest_neighbors_learn_from_simulated_windows_alone() -> None:
    plain = windows(30, 0)
    random = np.arange(30) % 3 == 0
    stimuli = dataclasses.replace(plain, columns={"origin": random.astype(np.int32)})
    simulated = study.suited("knn", stimuli)
    np.testing.assert_array_equal(simulated.x, plain.x[~random])
    np.testing.assert_array_equal(simulated.y, plain.y[~random])
    for name in set(config.STUDENTS) - {"knn"}:
        assert study.suited(name, stimuli) is stimuli
    assert study.suited("knn", plain) is plain
    alone = dataclasses.replace(plain, columns={"origin": np.ones(30, np.int32)})
    assert study.suited("knn", alone) is alone  # there is nothing else


def test_predictions_are_of_the_suited_windows() -> None:
    """Contrary random signals turn logistic regression around, and no neighbors."""
    stimuli, test = windows(200, 0), windows(100, 1)
    random = np.arange(200) % 4 > 0
    y = np.where(random[:, None], stimuli.y[:, ::-1], stimuli.y)
    contrary = dataclasses.replace(stimuli, y=y, columns={"origin": random.astype(np.int32)})
    settings = config.Study(students=("logistic", "knn"), baselines=(), seeds=1, fit=FAST)
    train = windows(100, 2)
    given = study.sources(contrary, None, settings, train=train, validation=train)
    found = study.predict(given, test, settings)
    right = {
        name: (found[name, "stimuli"][0].argmax(axis=1) == test.label).mean()
        for name in settings.students
    }
    assert right["knn"] > 0.7 and right["logistic"] < 0.3
