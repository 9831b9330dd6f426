"""What a release adds, of studies that nobody made."""

from studies import lost, results

from stimjax.students import worth


def test_it_is_the_mean_of_what_students_gain_over_the_prior() -> None:
    found = worth.sentence(
        results(
            lost("cnn", 0.01, 0.0, 0.02),
            lost("cnn", 0.07, 0.06, 0.08, "prior"),
            lost("mlp", 0.05, 0.0, 0.1),
            lost("mlp", 0.03, 0.0, 0.1, "prior"),
            lost("mlp", 0.5, 0.4, 0.6, "noise"),
        )
    )
    assert found is not None
    assert "gain 2.0 points" in found  # (6 - 2) / 2
    assert found.endswith("; mlp gains nothing.")


def test_without_the_control_nothing_is_said() -> None:
    assert worth.sentence(results(lost("cnn", 0.01, 0.0, 0.02))) is None
    assert worth.sentence(results(lost("cnn", 0.07, 0.0, 0.1, "prior"))) is None
