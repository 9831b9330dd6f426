"""Tables and plot of a sweep: means over folds and repeats, and what stands on the axis."""

import numpy as np
import pytest

from stimjax.experiments import tables


def record(setting, seed: int | None, value: float | None, **more):
    about = {"fold": 0, "student": "mlp", "family": "deep", "trained_on": "stimuli"}
    about |= {"student_seed": 0, "metric": "accuracy", "configuration": 0}
    return about | {"teacher.networks": setting, "seed": seed, "value": value} | more


def test_means_over_folds_come_before_those_over_seeds():
    values = {0: (0.5, 0.7), 1: (0.9, 0.8), 2: (None, 0.7)}
    records = [
        record(["cnn", "gru"], seed, value, fold=fold)
        for seed, both in values.items()
        for fold, value in enumerate(both)
    ]
    found = tables.tidy(records, ["teacher.networks"])
    (row,) = tables.table(found, ["teacher.networks"], "seed")
    assert row["teacher.networks"] == "cnn, gru" and row["repeats"] == 3
    means = [0.6, 0.85, 0.7]
    half = 4.302653 * np.std(means, ddof=1) / np.sqrt(3)  # Student's t, two degrees of freedom
    assert row["mean"] == pytest.approx(np.mean(means))
    assert row["low"] == pytest.approx(np.mean(means) - half)
    assert row["high"] == pytest.approx(np.mean(means) + half)


def test_a_metric_that_is_never_defined_has_no_number():
    settings = ["teacher.networks"]
    found = tables.tidy([record(["cnn"], None, None)], settings)
    means = tables.table(found, settings, "student_seed")
    assert "| cnn | mlp | stimuli | - | - | 0 |" in tables.markdown(means, settings, "student_seed")


@pytest.mark.parametrize(
    ("values", "scale", "labels"),
    [
        ([1, 100], "log", None),
        ([0.1, 0.2], "linear", None),
        ([0, 100], "linear", None),
        ([["cnn"], ["mlp", "gru"]], "linear", ["cnn", "mlp, gru"]),
        ([True, False], "linear", ["true", "false"]),
        ([None, 3.0], "linear", ["null", "3.0"]),
    ],
)
def test_the_axis_of_the_plot(values, scale, labels):
    settings = ["teacher.networks", "study.labels"]
    records = [
        record(value, None, 0.5 + 0.1 * i, configuration=2 * i + k) | {"study.labels": label}
        for i, value in enumerate(values)
        for k, label in enumerate(("soft", "hard"))
    ]
    means = tables.table(tables.tidy(records, settings), settings, "student_seed")
    figure = tables.plot(means, settings)
    assert [one.get_title("left") for one in figure.axes] == [
        "study.labels soft",
        "study.labels hard",
    ]
    assert figure.axes[0].get_xscale() == scale
    if labels:
        assert [tick.get_text() for tick in figure.axes[0].get_xticklabels()] == labels
