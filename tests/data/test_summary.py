"""What is said in sum of a cohort."""

import numpy as np
import pytest

from stimjax.data import summary
from stimjax.data.recording import Source
from stimjax.data.windows import Cut, ScoredAs


def cut(*, sources=(), ignored=None, bounded=True, breathing=True, left_out=None, notes=()) -> Cut:
    return Cut(
        label=np.zeros(8, np.int8),
        sample=np.zeros((1, 1), np.float32),
        source=np.zeros(1, np.int32),
        masked={},
        whole=(True,),
        digest=b"",
        left_out=left_out or {},
        scoring=ScoredAs(tuple(sources), ignored or {}, bounded, breathing),
        notes=tuple(notes),
    )


def lines(*cuts: Cut, task: str = "apnea") -> list[str]:
    total = summary.Summary(0.5)
    for one in cuts:
        total.add(one)
    return list(total.lines(task))


def test_nothing_odd_is_no_line():
    assert lines(cut(), cut()) == []


def test_sources_and_shifts_are_counted():
    stages = Source("a.xml", "NSRR XML", ("stages",))
    events = Source("a.edf", "EDF+ annotations", ("events",), 600.0, "its start is another time")
    assert lines(cut(sources=[stages, events]), cut(sources=[events])) == [
        "scoring: events from EDF+ annotations (2), stages from NSRR XML (1)",
        "shifted in time: EDF+ annotations by +600 s (its start is another time) (2)",
    ]


@pytest.mark.parametrize(("task", "count"), [("apnea", 2), ("stages", 0)])
def test_what_makes_minutes_normal_is_said(task, count):
    found = lines(cut(bounded=False), cut(breathing=False), cut(breathing=False), task=task)
    assert len(found) == count
    if count:
        assert found[0].startswith("1 recording: neither stages nor lights")
        assert found[1].startswith("2 recordings: stages, but not one apnea or hypopnea")


def test_ignored_texts_are_counted_and_those_of_breathing_are_warned_of(monkeypatch):
    looks = lambda text: "apn" in text.lower()  # noqa: E731
    monkeypatch.setattr(summary.vocabulary, "looks_respiratory", looks, raising=False)
    many = {f"text {i}": 1 for i in range(7)}
    found = lines(cut(ignored={"Snore": 9, "Apnea (?)": 2, **many}), cut(ignored={"Snore": 1}))
    assert found[0].startswith("not used: 19 scored texts of 9 kinds, most often Snore (10), Apnea")
    assert found[0].endswith("and 4 more")
    assert found[1].startswith("warning: Apnea (?) (2) looks like a respiratory event")
    assert len(lines(cut(ignored={"Apnea (?)": 2}), task="stages")) == 1


def test_notes_are_summed_and_only_the_most_frequent_shown():
    one = "record count -1, read from the size"
    found = lines(*[cut(notes=[one, one])] * 12, cut(notes=[f"note {i}" for i in range(9)]))
    assert found[0] == f"12 recordings: {one}"
    assert found[1] == "1 recording: note 0"
    assert found[-1].startswith("and 5 other notes") and len(found) == summary.SHOWN + 1


def test_the_same_note_of_many_files_is_one_line_with_the_sum():
    counted = "{} apneas and hypopneas of unknown length, counted as 10 s"
    cuts = [cut(notes=[f"{name}.edf: {counted.format(n)}"]) for name, n in (("a", 3), ("b.x", 14))]
    assert lines(*cuts) == [f"2 recordings: {counted.format(17)}"]
    assert lines(cut(notes=["a {b}"])) == ["1 recording: a (b)"]


def test_windows_that_are_left_out_are_counted():
    left = {"outside": 2, "masked": 1, "bridged": 0}
    assert lines(cut(left_out=left), cut(left_out=left)) == [
        "left out 6 of 22 labeled windows: 4 reach beyond the recording, 2 have more than 50% of a "
        "channel missing"
    ]
