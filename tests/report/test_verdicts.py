"""The three answers on top of a report."""

import dataclasses

from studies import lost, results

from stimjax.disk.documents import Entry, Privacy, Side, Sides
from stimjax.report import public, verdicts


def entry(level: str = "subject", ci: tuple[float, float] = (0.4, 0.8), **other: object) -> Entry:
    base = Entry("nearest", "auc", level, 0.6, ci, 0.5, 1.0, 1.0, "", "the release", "", "")
    return dataclasses.replace(base, **other)  # pyright: ignore


def audit(*entries: Entry) -> Privacy:
    side = Side(100, 10)
    return Privacy(entries, None, None, Sides(side, side, side), {})


def test_not_shown_is_not_worse():
    good, worse = lost("cnn", -0.0025, -0.01, 0.005), lost("knn", 0.03, 0.02, 0.04)
    unclear = lost("mlp", 0.005, -0.01, 0.02)
    assert verdicts.students(results(good)).mark == "good"
    assert verdicts.students(results(worse)).mark == "bad"
    open_ = verdicts.students(results(unclear))
    assert open_.mark == "open" and "not shown" in open_.answer
    assert not any("Shown to be worse" in fact for fact in open_.facts)
    mixed = verdicts.students(results(good, worse, unclear))
    assert mixed.answer.startswith("1 of 3") and "k-nearest neighbors" in " ".join(mixed.facts)
    assert "cannot say" in verdicts.students(results()).answer


def test_of_people_the_upper_end_is_said():
    said = verdicts.people(audit(entry()))
    assert said.mark == "open" and "0.80" in said.answer and "up to 0.80" in said.facts[0]
    assert verdicts.people(audit(entry(ci=(0.55, 0.8)))).mark == "bad"
    found = entry(attack="files", metric="secrets_found", level="file", value=2.0, chance=0.0)
    assert "2 identifiers" in verdicts.people(audit(entry(), found)).facts[0]
    assert "no audit" in verdicts.people(None).answer


def test_publishing_is_the_holders_bounds():
    one = audit(entry())
    assert verdicts.publishing({}, (), one).mark == "open"
    assert verdicts.publishing({"auc": 0.9}, (), one).mark == "good"
    refused = verdicts.publishing({"auc": 0.7}, ("auc reaches 0.8",), one)
    assert refused.mark == "bad" and "Nothing was published" in refused.facts[0]


def test_what_is_published_is_rounded_and_of_no_single_person(story):
    worst = entry(metric="worst_subject", note="subject 7", value=0.123456789)
    losses = tuple(dataclasses.replace(x, accuracy_gap=0.123456789) for x in story.results.summary)
    told = dataclasses.replace(
        story,
        privacy=audit(entry(value=0.6123456, note="of somebody"), worst),
        results=dataclasses.replace(story.results, summary=losses),
        repeat="stimjax run --data HOSPITAL",
        config="HOSPITAL",
    )
    files = public.contents(told)
    assert sorted(files) == ["report.html", "utility.json"]
    for text in files.values():
        for never in ("HOSPITAL", "worst", "somebody", "0.1234", "0.61234", "Private:"):
            assert never not in text
    assert '"accuracy_lost": 0.123' in files["utility.json"]
    assert "test part" in files["report.html"] and "One night" not in files["report.html"]


def test_students_of_one_test_person_are_not_published(story):
    losses = tuple(dataclasses.replace(x, accuracy_gap_ci=None) for x in story.results.summary)
    one = dataclasses.replace(story, results=dataclasses.replace(story.results, summary=losses))
    files = public.contents(dataclasses.replace(one, privacy=None))
    assert '"students": []' in files["utility.json"] and "<img" not in files["report.html"]
