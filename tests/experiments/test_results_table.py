"""Tables of results.json: Markdown of one study, and of several side by side."""

from typing import Any

from stimjax.experiments import results_table


def results(lost: float, students: tuple[str, ...] = ("cnn", "knn")) -> dict[str, Any]:
    """Two folds; two seeds of the first student, one of others."""
    rows, summary = [], []
    for student in students:
        seeds = 2 if student == "cnn" else 1
        for source, accuracy in (("real", 0.9), ("stimuli", 0.9 - lost), ("noise", 0.5)):
            row = {"student": student, "trained_on": source, "accuracy": accuracy, "kappa": 0.7}
            rows += [row | {"fold": fold, "seed": s} for fold in range(2) for s in range(seeds)]
            if source != "real":
                gap = {"accuracy_gap": 0.9 - accuracy, "accuracy_gap_ci": [0.0, 0.02]}
                gap |= {"kappa_gap": None, "kappa_gap_ci": None}
                margins = {"accuracy_margin": 0.0056, "kappa_margin": 0.02}
                good = source == "stimuli" and lost < 0.005
                entry = {"student": student, "trained_on": source, "non_inferior": good}
                summary.append(entry | gap | margins)
    teacher = {"networks": ["cnn", "gru"], "accuracy": 0.91, "kappa": 0.8}
    test = {"windows": 70, "split": "subject", "intervals": "bootstrap of subjects", "folds": 2}
    return {"teacher": teacher, "rows": rows, "summary": summary, "test": test}


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_one_study():
    lines = results_table.table(results(0.002)).splitlines()
    assert len({line.count("|") for line in lines if line.startswith("|")}) == 1
    assert cells(lines[2])[:2] == ["teacher (cnn, gru)", "91.0 / 0.800"]
    cnn = cells(lines[3])
    assert cnn[:4] == ["cnn", "90.0 / 0.700", "89.8 / 0.700", "50.0 / 0.700"]
    assert cnn[4:] == ["0.2 (0.0 to 2.0)", "-", "0.56 / 0.02", "yes"]
    assert cells(results_table.table(results(0.1)).splitlines()[3])[-1] == "not shown"
    said = "2 seeds, 2 folds, 70 test windows, intervals by bootstrap of subjects."
    assert lines[-1] == said


def test_a_study_of_a_baseline_alone():
    found = results(0.1)
    found = {k: [r for r in found[k] if r["trained_on"] != "stimuli"] for k in ("rows", "summary")}
    found |= {"teacher": None}
    lines = results_table.table(found).splitlines()
    assert cells(lines[0])[:3] == ["student", "real", "noise"]
    assert cells(lines[2])[3] == "40.0 (0.0 to 2.0)"


def test_several_studies_in_one_table():
    one, two = results(0.002), results(0.1, students=("cnn", "svm"))
    lines = results_table.combined({"mixture": one, "paper": two}).splitlines()
    assert cells(lines[0]) == ["trained on", "seeds x folds", "cnn", "knn", "svm"]
    assert [cells(line)[0] for line in lines[2:]] == ["real", "mixture", "noise", "paper"]
    assert cells(lines[3]) == ["mixture", "2 x 2", *["89.8 / 0.700 (0.2 ✓)"] * 2, "-"]
    lost = "80.0 / 0.700 (10.0)"
    assert cells(lines[5]) == ["paper", "2 x 2", lost, "-", lost]


def test_what_the_stimuli_of_a_method_are():
    about = {"seconds": 12.4, "from_stimuli": 0.991, "to_stimuli": 1.0, "apart": 1.234}
    about |= {
        "confidence": 0.9,
        "classes": [0.25, 0.75],
        "hit": [1.0, 0.5],
        "uses": ["a mean", "a range"],
    }
    lines = results_table.combined({"mixture": results(0.002) | {"made": about}}).splitlines()
    assert cells(lines[8]) == ["mixture", "12", "0.99 / 1.00", "1.23", "0.90", "25 75", "100 50"]
    assert lines[-1] == "- mixture: a mean; a range."
