"""What a report says in words and numbers, of studies that nobody made."""

import dataclasses

import numpy as np
from studies import lost, results, row

from stimjax.report import Night, tables, windows, words


def test_the_headline_says_who_loses_and_whether_it_is_sure():
    one = " ".join(words.headline(results(lost("cnn", 0.004, -0.002, 0.011))))
    assert "0.4 points lower" in one and "−0.2 to 1.1 points, includes 0" in one
    assert "large" not in one
    sure = " ".join(words.headline(results(lost("cnn", 0.12, 0.08, 0.15))))
    assert "a large loss" in sure and "does not include 0" in sure
    cnn, knn = lost("cnn", -0.004, -0.01, 0.01), lost("knn", 0.03, 0.02, 0.04)
    two = " ".join(words.headline(results(cnn, knn)))
    assert "k-nearest neighbors loses most" in two and "CNN’s is 0.4 points higher" in two
    assert "1 of 2 students (CNN)" in two
    none = " ".join(words.headline(results(cnn, lost("mlp", 0.0, -0.1, 0.1))))
    assert "None of 2 students" in none and "Every student’s" in none
    both = words.headline(results(knn, dataclasses.replace(knn, student="svm")))
    assert "No student’s" in both[1]


def test_cautions_for_simulation_random_split_and_students_that_learned_nothing():
    rows = [row("cnn", "real", 0.5, 0.05, None)]
    study = results(lost("cnn", 0.3, 0.2, 0.4, "noise"), rows=rows)
    said = " ".join(words.cautions(study, simulated=True, split="random"))
    for part in (
        "simulated",
        "random by window",
        "kappa above 0.05",
        "30.0 points on labeled random signals",
    ):
        assert part in said
    assert words.cautions(results(), simulated=False, split="subject") == []


def test_numbers_as_text():
    assert tables.signed(-0.04, 1) == "0.0" and tables.signed(-1.26, 1) == "−1.3"
    assert tables.range_of([-0.002, 0.011]) == "−0.2 to 1.1"
    assert tables.text([1, None, True, 0.123456]) == "1, –, yes, 0.1235"
    assert tables.text(list(range(300))).endswith("(300 in all)")


def test_the_night_is_counted_in_minutes():
    night = Night(np.array([0, 1, 1.0]), np.array([0.2, 0.9, 0.4]), np.array([0.6, 0.7, 0.8]), 30.0)
    rows = tables.night_table(night, ("normal", "apnea")).rows
    assert [row[1] for row in rows] == ["1.0", "0.5", "1.5"]
    assert [row[2] for row in rows] == ["–", "66.7", "66.7"]


def test_an_envelope_keeps_the_peaks():
    values = np.random.default_rng(0).normal(size=3001).astype(np.float32)
    line = windows.envelope(values)
    assert len(line) <= windows.POINTS
    assert line.max() == values.max() and line.min() == values.min()
    assert windows.envelope(values[:100]) is not None and len(windows.envelope(values[:100])) == 100


def test_one_sentence_says_who_may_be_trusted():
    good, worse, unclear = (
        lost("cnn", -0.0025, -0.01, 0.005),
        lost("knn", 0.03, 0.02, 0.04),
        lost("mlp", 0.005, -0.01, 0.02),
    )
    all_good = words.trust(results(good))
    assert all_good is not None and "with every student that was tested: CNN;" in all_good
    assert "people they have never seen" in all_good and "1 point of accuracy" in all_good
    mixed = words.trust(results(good, worse, unclear, split="random"))
    assert mixed is not None and "with these students: CNN;" in mixed
    assert (
        "k-nearest neighbors loses more than that; for the other this test set cannot tell."
        in mixed
    )
    assert "other windows of the same people" in mixed and "people they have" not in mixed
    none = words.trust(results(worse, unclear))
    assert none is not None and none.startswith("This run does not show of any student")
    untested = dataclasses.replace(good, non_inferior=None)
    small = words.trust(results(untested))
    assert small is not None and "too small" in small
    baseline = dataclasses.replace(good, trained_on="noise")
    assert words.trust(results(baseline)) is None  # says nothing of the release
    verdicts = [tables.verdict(loss) for loss in (good, worse, unclear, untested)]
    assert verdicts == ["within the margin", "beyond the margin", "cannot tell", "–"]
