"""The JSON files: read back as they were written, and in one line why not."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimjax import config
from stimjax.config.recipes import RECIPES
from stimjax.disk.documents import (
    Cohort,
    CriticScores,
    Dealt,
    Entry,
    Guarantee,
    HeldOut,
    Loss,
    Made,
    Manifest,
    Member,
    Metrics,
    Part,
    PeopleBehind,
    Privacy,
    Results,
    Row,
    Scores,
    Side,
    Sides,
    TeacherFile,
    TeacherScores,
)
from stimjax.disk.documents.document import Document
from stimjax.errors import StimjaxError

SCORES = Scores(0.9, 0.8, 0.7, 1.0, 0.75, None, 0.02, 3.5)
VERSIONS = {"python": "3.11.7", "stimjax": "0.1.0"}
SPENT = Guarantee(
    "subject", 4.0, 1e-5, ({"what": "gradients", "noise": 2.0, "sampling": 0.5, "count": 100},)
)
MANIFEST = Manifest(
    count=3,
    method=config.Synthesis("probe", 3, RECIPES["probe"], inhibit=0.5, inhibit_by=("labels",)),
    classes=(2, 1),
    accepted=(3, 2),
    failed=(0, 1),
    hits=(3, 1),
    lane_steps=7,
    uses=("the range of each channel",),
    privacy=SPENT,
    versions=VERSIONS,
    people_behind=(PeopleBehind("mixture", "groups", 7, 1, 52, 6, 4.3, 0.25),),
    networks=("cnn", "gru"),
    dp=config.Dp(epsilon=8.0),
    files={"README.md": "0" * 64},
)
RESULTS = Results(
    teacher=TeacherScores(("cnn", "gru"), SCORES),
    rows=(Row("cnn", "deep", "real", 0, SCORES), Row("knn", "classical", "stimuli", 1, SCORES, 2)),
    summary=(
        Loss("cnn", "deep", "stimuli", 0.1, (0.0, 0.2), 0.1, (0.0, 0.2), 0.01, 0.02, False),
        Loss("knn", "classical", "noise", None, None, None, None, 0.01, 0.03, None),
    ),
    test=HeldOut(70, "random", "bootstrap of windows", 3),
    versions=VERSIONS,
)
PRIVACY = Privacy(
    attacks=(
        Entry("lira", "auc", "window", 0.5, (0.4, 0.6), 0.5, 0.9, None, "", "all", "a", "b"),
        Entry("dcr", "nndr", "stimulus", None, None, 1.0, None, None, "no", "all", "a", "b"),
    ),
    epsilon=4.0,
    delta=1e-5,
    on=Sides(Side(30, 3), Side(20, 2), Side(10, 1)),
    versions=VERSIONS,
)
METRICS = Metrics(
    networks=("cnn",),
    members=(Member("cnn", 0, 0.1, 1.0, 0.3, 0.9), Member("cnn", 1, 0.1, 0.0, None, None)),
    critic=CriticScores("cnn", 9, 0.5, 0.1, (0.1, 0.2, 0.3)),
    privacy=Guarantee(),
    validation=SCORES,
    test=SCORES,
    versions=VERSIONS,
)
TEACHER = TeacherFile(
    networks=("cnn", "gru"),
    counts=(2, 1),
    members=METRICS.members,
    critic=METRICS.critic,
    statistics=("a.mean", "b"),
    spec={"shape": (5, 2), "rate": None},
    privacy={"unit": "subject", "epsilon": 4.0, "delta": 1e-5, "expenses": ()},
    versions=VERSIONS,
)
DOCUMENTS: list[Document] = [MANIFEST, RESULTS, PRIVACY, METRICS, TEACHER]
COHORT = Cohort(
    recordings=2,
    skipped=1,
    subjects=2,
    parts={"train": Part(3, {"normal": 2, "apnea": 1}, (0, 1))},
    masked={"SpO2": {"samples": 9, "gap": 0}},
)
MADE = [Made(config.Prepare(channels=("SpO2",), before=3.0), COHORT), Made(Dealt())]


def one_line(error: pytest.ExceptionInfo) -> str:
    message = str(error.value)
    assert message and "\n" not in message and len(message) < 500
    return message


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.FILE)
def test_read_back_as_it_was_written(tmp_path: Path, document: Document):
    document.save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [document.FILE]
    assert type(document).load(tmp_path) == document
    content = json.loads((tmp_path / document.FILE).read_text())
    assert next(iter(content)) == "schema"
    assert list(content["versions"]) == list(VERSIONS)


def test_a_release_of_a_version_that_counted_no_people_and_named_no_networks_is_read():
    content = json.loads(json.dumps(MANIFEST.to_json()))
    for later in ("people_behind", "networks", "dp", "prior", "public"):
        del content[later]
    for later in ("random", "hard"):
        del content["method"]["recipe"][later]
    found = Manifest.from_json(content, "here")
    assert found == dataclasses.replace(MANIFEST, people_behind=(), networks=(), dp=None)


def test_a_release_whose_teacher_had_a_network_that_is_unknown_here_is_read():
    assert MANIFEST.dp is not None
    private = dataclasses.replace(MANIFEST.dp, networks=("oracle",))
    release = dataclasses.replace(MANIFEST, networks=("oracle",), dp=private)
    assert Manifest.from_json(json.loads(json.dumps(release.to_json())), "here") == release


@pytest.mark.parametrize(
    ("behind", "said"),
    [
        (
            PeopleBehind("mixture", "groups", 7, 2, 52, 6, 4.3, 0.25),
            "mixture (7 groups, 2 with windows of other classes): 6 people or more, in effect 4.3, "
            "of whom none gives more than 25% of the windows",
        ),
        (
            PeopleBehind("components", "all", 1, 0, 900, 1, 1.0, 1.0),
            "components (all windows): 1 person, in effect 1, who gives 100% of the windows",
        ),
        (
            PeopleBehind("range", "all", 1, 0, 900, 30, 28.4, 0.04),
            "range (all windows): 30 people, in effect 28.4, of whom none gives more than 4% of "
            "the windows",
        ),
        (
            PeopleBehind("spectral", "classes", 10, 0, 50, 0, 0.0, 0.0),
            "spectral (10 classes): 50 windows or more, of nobody",
        ),
    ],
)
def test_who_is_behind_a_statistic_is_a_sentence(behind: PeopleBehind, said: str):
    assert str(behind) == said


# Drawn as plain values: beartype, which checks the classes, would use `random` in a strategy.
numbers = st.none() | st.floats(allow_nan=False, allow_infinity=False)
scores = st.tuples(*[numbers] * 8)
ends = st.none() | st.tuples(*[st.floats(-1, 1)] * 2)
families = st.sampled_from(["deep", "classical"])
rows = st.tuples(st.text(), families, st.text(), st.integers(0), scores, st.none() | st.integers(0))
entries = st.tuples(*[st.text()] * 3, numbers, ends, st.floats(0, 1), *[numbers] * 2)


@given(scores, st.lists(rows), st.integers(1, 9))
def test_any_results_are_read_back(teacher: Any, drawn: list[Any], folds: int):
    study = dataclasses.replace(
        RESULTS,
        teacher=TeacherScores(("cnn",), Scores(*teacher)),
        rows=tuple(
            Row(student, family, source, seed, Scores(*scored), fold)
            for student, family, source, seed, scored, fold in drawn
        ),
        test=HeldOut(1, "subject", "bootstrap of subjects", folds),
    )
    content = json.loads(json.dumps(study.to_json()))
    assert Results.from_json(content, "here") == study
    assert list(content["test"]) == ["windows", "split", "intervals", *["folds"] * (folds > 1)]
    assert ["fold" in row for row in content["rows"]] == [
        row.fold is not None for row in study.rows
    ]


@given(entries)
def test_any_entry_of_an_audit_is_read_back(drawn: Any):
    values: list[Any] = [*drawn, "", "all", "a", "b"]
    audit = dataclasses.replace(PRIVACY, attacks=(Entry(*values),))
    assert Privacy.from_json(json.loads(json.dumps(audit.to_json())), "here") == audit


@pytest.mark.parametrize("made", MADE)
def test_how_windows_came_to_be_is_read_back_and_names_nobody(tmp_path: Path, made: Made):
    content = made.to_json()
    (tmp_path / "spec.json").write_text(json.dumps({"schema": 1, "made": content}))
    assert Made.load(tmp_path) == made
    named = Made(config.Prepare(channels=("SpO2",), before=3.0, test_subjects="Jane"), COHORT)
    assert "test_subjects" not in named.to_json()["settings"]
    assert named.to_json() == MADE[0].to_json()


def test_windows_remember_the_words_of_their_user_and_older_ones_had_none(tmp_path: Path):
    made = Made(config.Prepare(events={"my word": "hypopnea"}), COHORT)
    assert Made.from_json(json.loads(json.dumps(made.to_json())), "here") == made
    assert "events" not in Made(config.Prepare(), COHORT).to_json()["settings"]


def test_a_manifest_writes_no_seed_and_reads_that_of_an_older_one():
    method = dataclasses.replace(MANIFEST.method, seed=7)
    content = dataclasses.replace(MANIFEST, method=method).to_json()
    assert "seed" not in content["method"]
    assert Manifest.from_json(content, "here") == MANIFEST
    content["method"]["seed"] = 7
    assert Manifest.from_json(content, "here").method.seed == 7


def test_images_say_no_more_than_how_they_were_dealt():
    assert MADE[1].to_json() == {"settings": {"split": "random", "independent": False}}


Change = Callable[[dict[str, Any]], object]
DAMAGE: list[tuple[Document, Change, str]] = [
    *(
        (one, lambda c: c.update(schema=2), "has schema 2; this version reads 1")
        for one in DOCUMENTS[:-1]
    ),
    *((one, lambda c: c.pop("schema"), "has schema null") for one in DOCUMENTS),
    *((one, lambda c: c.pop("versions"), '"versions"') for one in DOCUMENTS),
    *((one, lambda c: c.update(bogus=1), '"bogus"') for one in DOCUMENTS),
    *((one, lambda c: c.update(versions=["a"]), '"versions"') for one in DOCUMENTS),
    (MANIFEST, lambda c: c.update(count="3"), '"count"'),
    (MANIFEST, lambda c: c.update(count=3.5), '"count"'),
    (MANIFEST, lambda c: c.update(uses="all"), '"uses"'),
    (MANIFEST, lambda c: c.pop("files"), '"files"'),
    (MANIFEST, lambda c: c["people_behind"][0].pop("people"), "people_behind.people"),
    (MANIFEST, lambda c: c["people_behind"][0].update(of="nights"), "of"),
    (MANIFEST, lambda c: c.update(people_behind=7), '"people_behind"'),
    (MANIFEST, lambda c: c["dp"].update(clip=-1.0), "dp.clip"),
    (MANIFEST, lambda c: c["method"].pop("license"), '"method.license"'),
    (MANIFEST, lambda c: c["method"]["recipe"].pop("tries"), '"method.recipe.tries"'),
    (MANIFEST, lambda c: c["method"]["recipe"].update(bogus=1), '"bogus"'),
    (MANIFEST, lambda c: c["method"].update(recipe=None), "has no recipe"),
    (MANIFEST, lambda c: c["method"].update(inhibit=2), "method.inhibit is 2"),
    (MANIFEST, lambda c: c["privacy"].pop("epsilon"), '"privacy.epsilon"'),
    (MANIFEST, lambda c: c["privacy"].update(unit="family"), '"privacy.unit"'),
    (RESULTS, lambda c: c["rows"][1].pop("accuracy"), '"rows.1.accuracy"'),
    (RESULTS, lambda c: c["rows"][1].update(kappa="high"), "kappa"),
    (RESULTS, lambda c: c["rows"][1].update(bogus=1), '"bogus"'),
    (RESULTS, lambda c: c.update(rows=[1]), "rows"),
    (RESULTS, lambda c: c.update(rows=7), "rows"),
    (RESULTS, lambda c: c["summary"][0].update(accuracy_gap_ci=[1.0]), "accuracy_gap_ci"),
    (RESULTS, lambda c: c["summary"][0].pop("non_inferior"), "non_inferior"),
    (RESULTS, lambda c: c["test"].update(split="both"), "split"),
    (RESULTS, lambda c: c["teacher"].pop("networks"), "networks"),
    (PRIVACY, lambda c: c["attacks"][0].pop("chance"), "chance"),
    (PRIVACY, lambda c: c["attacks"][0].update(value="\n" * 999), "value"),
    (PRIVACY, lambda c: c["on"].pop("members"), "members"),
    (METRICS, lambda c: c["members"][0].pop("weight"), "weight"),
    (METRICS, lambda c: c["critic"].update(sure=None), "sure"),
    (METRICS, lambda c: c["test"].pop("f1"), "f1"),
    (
        TEACHER,
        lambda c: c.update(schema=4),
        "has schema 4, this version reads 5; train the teacher",
    ),
    (TEACHER, lambda c: c.update(networks=["cnn", "rnn"]), "'rnn'"),
    (TEACHER, lambda c: c.update(counts=[2, True]), "its counts are not"),
    (TEACHER, lambda c: c.update(counts=[2]), "its counts are not"),
    (TEACHER, lambda c: c["members"][0].update(loss="low"), "loss"),
    (TEACHER, lambda c: c["critic"].update(accuracy="high"), "accuracy"),
    (TEACHER, lambda c: c["critic"].pop("sure"), "sure"),
    (TEACHER, lambda c: c.update(spec=None), '"spec"'),
    (TEACHER, lambda c: c.update(privacy=3), '"privacy"'),
]


@pytest.mark.parametrize("number", range(len(DAMAGE)))
def test_what_is_wrong_is_one_line_that_names_the_file(tmp_path: Path, number: int):
    document, change, reason = DAMAGE[number]
    content = json.loads(json.dumps(document.to_json()))
    change(content)
    path = tmp_path / document.FILE
    path.write_text(json.dumps(content))
    with pytest.raises(StimjaxError) as error:
        type(document).load(tmp_path)
    message = one_line(error)
    assert message.startswith(f"{path}: ") and reason in message


@pytest.mark.parametrize("content", ["[]", "3", "null", "", "{", '{"schema": 1}'])
@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.FILE)
def test_what_is_no_document_is_one_line_too(tmp_path: Path, document: Document, content: str):
    (tmp_path / document.FILE).write_text(content)
    with pytest.raises(StimjaxError) as error:
        type(document).load(tmp_path)
    assert one_line(error).startswith(str(tmp_path / document.FILE))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda c: c.update(schema=2), "has schema 2"),
        (lambda c: c.pop("made"), "made.settings"),
        (lambda c: c.update(made=[]), "made.settings"),
        (lambda c: c.update(made={}), "made.settings"),  # as of a release
        (lambda c: c["made"].update(settings=3), "no JSON object"),
        (lambda c: c["made"]["settings"].pop("split"), '"made.settings.split"'),
        (lambda c: c["made"]["settings"].update(split="both"), "split"),
        (lambda c: c["made"]["settings"].update(test_subjects="Jane"), "test_subjects"),
        (lambda c: c["made"].pop("parts"), '"parts"'),
        (lambda c: c["made"].update(bogus=1), '"bogus"'),
        (lambda c: c["made"]["parts"]["train"].pop("windows"), "windows"),
        (lambda c: c["made"]["parts"].update(train=3), "parts"),
        (lambda c: c["made"]["masked"]["SpO2"].update(gap="no"), "masked"),
    ],
)
def test_a_wrong_account_of_windows_is_one_line(tmp_path: Path, change: Change, reason: str):
    content = {"schema": 1, "made": json.loads(json.dumps(MADE[0].to_json()))}
    change(content)
    (tmp_path / "spec.json").write_text(json.dumps(content))
    with pytest.raises(StimjaxError) as error:
        Made.load(tmp_path)
    message = one_line(error)
    assert message.startswith(f"{tmp_path / 'spec.json'}: ") and reason in message


def test_a_manifest_of_the_version_before_is_read_but_for_what_is_gone() -> None:
    content = json.loads(json.dumps(MANIFEST.to_json()))
    recipe = content["method"]["recipe"]
    recipe |= {"teachers": "together"}
    recipe["terms"] |= {"logit": 0.0, "smoothness": 0.0, "diversity": 0.0}
    assert Manifest.from_json(content, "here") == MANIFEST
    recipe["teachers"] = "rotated"
    with pytest.raises(StimjaxError, match=r"^here: is damaged .*teachers"):
        Manifest.from_json(content, "here")
