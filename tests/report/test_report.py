import dataclasses
import html.parser
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from stimjax.batch import Batch, Channel, Spec, make, one_hot
from stimjax.errors import StimjaxError
from stimjax.report import Night, Story, figures, privacy, report, tables, windows, words, write

STUDENTS = {"cnn": ("deep", 0.004), "transformer": ("deep", 0.012), "forest": ("classical", 0.031)}
SIGNALS = Spec(
    shape=(60, 3),
    classes=("normal", "apnea"),
    channels=(
        Channel("SpO2", "%", "fixed", 92.0, 8.0, -4.0, 1.0, 0.125),
        Channel("Resp $C_x$ <thorax>", "a.u.", "recording", low=-5.0, high=5.0),
        Channel("HR", "1/min", "fixed", 70.0, 30.0, -1.5, 3.0),
    ),
    rate=1.0,
    label_seconds=60.0,
)
IMAGES = Spec((12, 12, 1), tuple("0123456789"), (Channel("gray", "", low=0.0, high=1.0),))
STAGES = ("wake", "N1", "N2", "N3", "REM")


def random_batch(spec: Spec, n: int, soft: bool) -> Batch:
    rng = np.random.default_rng(n)
    label = np.arange(n) % len(spec.classes)
    y = one_hot(label, spec)
    if soft:
        sure = rng.uniform(0.75, 1, (n, 1))
        y = sure * y + (1 - sure) * (1 - y) / (len(spec.classes) - 1)
    x = rng.normal(size=(n, *spec.shape)).cumsum(axis=1) / 4
    subject = None if soft or spec.rate is None else np.arange(n) // 20
    return make(np.clip(x, spec.low, spec.high), y, spec, subject=subject)


def scores(accuracy: float) -> dict[str, Any]:
    return {
        "accuracy": accuracy,
        "kappa": 2 * accuracy - 1,
        "sensitivity": accuracy - 0.02,
        "specificity": accuracy + 0.01,
        "f1": accuracy - 0.01,
        "auroc": min(1.0, accuracy + 0.03),
        "calibration_error": 0.02,
        "count_error": 1.7,
    }


def made_up_results() -> dict[str, Any]:
    rows, summary = [], []
    for student, (family, loss) in STUDENTS.items():
        row = {"student": student, "family": family}
        for source, lost in (("real", 0.0), ("stimuli", loss), ("noise", 0.4), ("gaussian", 0.09)):
            for seed in range(5):
                about = scores(0.93 - lost + 0.002 * (seed - 2))
                rows.append(row | {"trained_on": source, "seed": seed} | about)
            if source != "real":
                summary.append(
                    row
                    | {"accuracy_gap": lost, "accuracy_gap_ci": [lost - 0.01, lost + 0.012]}
                    | {"kappa_gap": 2 * lost, "kappa_gap_ci": [2 * lost - 0.02, 2 * lost + 0.02]}
                    | ({} if source == "stimuli" else {"trained_on": source})
                )
    return {"schema": 1, "teacher": scores(0.941), "rows": rows, "summary": summary}


def made_up_story(spec: Spec = SIGNALS) -> Story:
    rng = np.random.default_rng(0)
    scored = np.repeat(rng.random(48) < 0.3, 10).astype(float)
    if len(spec.classes) > 2:
        scored = np.repeat(rng.integers(0, len(spec.classes), 48), 10).astype(float)
        predicted = student = np.where(rng.random(480) < 0.9, scored, 1.0)
    else:
        predicted = np.clip(0.85 * scored + rng.beta(1, 6, 480), 0, 1)
        student = np.clip(predicted + rng.normal(0, 0.06, 480), 0, 1)
    real = random_batch(spec, 200, soft=False)
    return Story(
        title="Stimuli from a simulated cohort",
        simulated=True,
        results=made_up_results(),
        real=real,
        stimuli=random_batch(spec, 300, soft=True),
        night=Night(scored, predicted, student, seconds=60.0),
        data={
            "split": "subject",
            "counts": {
                "train": {"normal": 5120, "apnea": 2210, "subjects": 18},
                "test": {"normal": 1210, "apnea": 470, "subjects": 6},
            },
            "masked_windows": {"SpO2": 131, "Resp": 12, "HR": 0},
        },
        teacher={"models": 5, "validation": {"accuracy": 0.95, "kappa": 0.89}},
        manifest={
            "schema": 1,
            "method": "mixture",
            "seed": 0,
            "count": 20000,
            "thresholds": [0.75, 0.9999],
            "private_information": ["per class: mean and covariance of 12 components"],
            "accepted": {"normal": 10012, "apnea": 9988},
            "failed": {"normal": 1201, "apnea": 340},
            "shards": [{"name": "shard-00000", "sha256": "never shown"}],
        },
        config="seed: 0\nexcite:\n  method: mixture\n  count: 20000\n",
        versions={"stimjax": "0.1.0", "jax": "0.10.2"},
        repeat="stimjax demo --out demo --seed 0",
        teacher_on_real=random_batch(spec, 200, soft=True).y,  # pyright: ignore
    )


def page_of(story: Story, folder: Path) -> str:
    write(story, folder / "report.html")
    return (folder / "report.html").read_text(encoding="utf-8")


class Page(html.parser.HTMLParser):
    """Collects tags, attributes and text, and fails where tags are not nested."""

    VOID = frozenset({"meta", "img", "br", "hr", "link", "input"})

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(source)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Page:
    return Page(page_of(made_up_story(), tmp_path_factory.mktemp("report")))


def test_the_page_is_whole_and_says_that_it_is_private(page: Page):
    assert page.tags[0][0] == "html" and page.named("html")[0]["lang"] == "en"
    assert len(page.named("h1")) == 1 and len(page.named("main")) == 1
    assert "Private: this report shows real windows. Do not publish it." in page.text


def test_nothing_is_loaded_and_nothing_runs(page: Page, tmp_path: Path):
    source = page_of(made_up_story(), tmp_path)
    loads = [
        a[k] for _, a in page.tags for k in ("src", "href", "srcset", "data", "action") if k in a
    ]
    assert loads and all(str(load).startswith(("data:image/svg+xml", "#")) for load in loads)
    assert not re.search(r"@import|url\(|https?:", source)
    assert not page.named("script") and not page.named("link") and not page.named("iframe")
    targets = {attributes.get("id") for _, attributes in page.tags}
    assert all(str(a["href"])[1:] in targets for a in page.named("a"))


def test_every_student_and_baseline_is_named(page: Page):
    for name in [*STUDENTS, "noise", "gaussian", "teacher", "apnea", "HR", "mixture", "0.10.2"]:
        assert name in page.text, name
    assert "never shown" not in page.text
    assert "131" in page.text and "5,120" in page.text


def test_every_figure_has_a_description_and_every_table_a_caption(page: Page):
    images = page.named("img")
    assert len(images) == 6  # gap, accuracy, night, two classes, confidence
    assert all(len(str(image["alt"])) > 30 for image in images)
    captions = {str(a["id"]) for a in page.named("figcaption") if "id" in a}
    named = [str(a["aria-labelledby"]) for a in page.named("table")]
    assert set(named) == captions and len(captions) == len(named) >= 8
    assert all(cell.get("scope") in ("col", "row") for cell in page.named("th"))


def test_the_same_story_gives_the_same_bytes(tmp_path: Path):
    assert page_of(made_up_story(), tmp_path) == page_of(made_up_story(), tmp_path)


def test_only_the_owner_can_read_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(report, "render", lambda story: story.title)
    write(made_up_story(), tmp_path / "report.html")
    assert (tmp_path / "report.html").stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.html"]


def test_a_place_that_cannot_be_written_is_an_error_of_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(report, "render", lambda story: story.title)
    with pytest.raises(StimjaxError, match="cannot write here"):
        write(made_up_story(), tmp_path / "missing" / "report.html")
    (tmp_path / "taken").mkdir()
    with pytest.raises(StimjaxError, match="cannot be written"):
        write(made_up_story(), tmp_path / "taken")
    assert [entry.name for entry in tmp_path.iterdir()] == ["taken"]


def test_everything_is_escaped(tmp_path: Path):
    evil = "<script>alert('x')</script>"
    results = made_up_results()
    results["rows"][0]["student"] = results["summary"][0]["student"] = evil
    spec = dataclasses.replace(SIGNALS, classes=("normal", evil))
    story = dataclasses.replace(
        made_up_story(spec),
        title=evil,
        results=results,
        config=evil,
        repeat=evil,
        versions={evil: evil},
        data={evil: evil, "x": {evil: {evil: evil}}},
        teacher={evil: evil},
        manifest={"method": evil, evil: [evil]},
    )
    source = page_of(story, tmp_path)
    assert "<script" not in source.lower()
    assert "alert('x')" in Page(source).text


def test_images_are_shown_in_one_figure(tmp_path: Path):
    found = Page(page_of(dataclasses.replace(made_up_story(IMAGES), night=None), tmp_path))
    assert len(found.named("img")) == 4  # gap, accuracy, images, confidence
    assert "One night" not in found.text


def test_color_images_and_a_class_without_stimuli(tmp_path: Path):
    channels = tuple(Channel(name, "", low=0.0, high=1.0) for name in "rgb")
    spec = Spec((8, 8, 3), ("cat", "dog", "none"), channels)
    story = made_up_story(spec)
    alone = story.stimuli[np.asarray(story.stimuli.y).argmax(axis=1) == 1]
    Page(page_of(dataclasses.replace(story, stimuli=alone, night=None), tmp_path))


def test_a_class_without_any_window_and_a_constant_channel(tmp_path: Path):
    story = made_up_story()
    flat = dataclasses.replace(story.real, x=np.zeros_like(story.real.x))
    normal = story.stimuli[np.asarray(story.stimuli.y).argmax(axis=1) == 0]
    story = dataclasses.replace(story, real=flat, stimuli=normal, teacher_on_real=None)
    assert "hatched for real windows" not in Page(page_of(story, tmp_path)).text


def test_five_classes_at_a_high_rate(tmp_path: Path):
    channels = (Channel("EEG", "", "recording", low=-8.0, high=8.0),)
    spec = Spec((3000, 1), STAGES, channels, rate=100.0, label_seconds=30.0)
    source = page_of(made_up_story(spec), tmp_path)
    assert len(Page(source).named("img")) == 9
    assert len(source) < 3_000_000


def test_values_that_are_not_defined(tmp_path: Path):
    results = made_up_results()
    for row in results["rows"]:
        row["auroc"] = None
        if row["student"] == "forest":
            row["accuracy"] = row["kappa"] = None
    for entry in results["summary"]:
        entry["accuracy_gap_ci"] = entry["kappa_gap_ci"] = None
        if entry["student"] == "forest":
            entry["accuracy_gap"] = entry["kappa_gap"] = None
    found = Page(page_of(dataclasses.replace(made_up_story(), results=results), tmp_path)).text
    assert tables.UNDEFINED in found and "no interval can be given" in found
    assert "None" not in found.replace("None of", "") and "nan" not in found.lower()


def test_a_story_without_results(tmp_path: Path):
    story = dataclasses.replace(
        made_up_story(), results={}, teacher={}, data={}, manifest={}, night=None, versions={}
    )
    assert "No student was compared" in Page(page_of(story, tmp_path)).text


def entry(student: str, gap: float, low: float, high: float) -> dict[str, Any]:
    ci = [low, high]
    return {"student": student, "accuracy_gap": gap, "accuracy_gap_ci": ci, "kappa_gap": gap}


def test_the_headline_says_who_loses_and_whether_it_is_sure():
    one = " ".join(words.headline({"summary": [entry("cnn", 0.004, -0.002, 0.011)]}))
    assert "0.4 points lower" in one and "−0.2 to 1.1 points, includes 0" in one
    assert "large" not in one
    sure = " ".join(words.headline({"summary": [entry("cnn", 0.12, 0.08, 0.15)]}))
    assert "a large loss" in sure and "does not include 0" in sure
    both = [entry("cnn", -0.004, -0.01, 0.01), entry("knn", 0.03, 0.02, 0.04)]
    two = " ".join(words.headline({"summary": both}))
    assert "knn loses most" in two and "cnn’s is 0.4 points higher" in two
    assert "1 of 2 students (cnn)" in two
    none = " ".join(words.headline({"summary": [both[0], entry("mlp", 0.0, -0.1, 0.1)]}))
    assert "None of 2 students" in none and "Every student’s" in none
    assert "No student’s" in words.headline({"summary": [both[1], both[1] | {"student": "svm"}]})[1]


def test_cautions_for_simulation_random_split_and_students_that_learned_nothing():
    rows = [{"student": "cnn", "trained_on": "real", "kappa": 0.05}]
    summary = [entry("cnn", 0.3, 0.2, 0.4) | {"trained_on": "noise"}]
    results = {"rows": rows, "summary": summary}
    found = " ".join(words.cautions(results, simulated=True, split="random"))
    for part in ("simulated", "random by window", "kappa above 0.05", "30.0 points on noise"):
        assert part in found
    assert words.cautions({}, simulated=False, split="subject") == []


def test_numbers_as_text():
    assert tables.signed(-0.04, 1) == "0.0" and tables.signed(-1.26, 1) == "−1.3"
    assert tables.range_of([-0.002, 0.011]) == "−0.2 to 1.1"
    assert tables.text([1, None, True, 0.123456]) == "1, –, yes, 0.1235"
    assert tables.text(list(range(300))).endswith("(300 in all)")
    long = tables.plain_tables({"files": [{"name": str(k)} for k in range(100)]}, "x")[0]
    assert len(long.rows) == tables.MOST_ROWS + 1 and long.rows[-1][0] == "… and 60 more"


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


def test_figures_leave_matplotlibs_settings_as_they_were():
    import matplotlib

    before = dict(matplotlib.rcParams)
    drawing = figures.gap(made_up_results())
    assert dict(matplotlib.rcParams) == before
    assert "<dc:date>" not in drawing


def judged(student: str, low: float, high: float, family: str = "deep") -> dict[str, Any]:
    """An entry of the summary as the study makes it; accuracy and kappa alike."""
    found = entry(student, (low + high) / 2, low, high) | {"kappa_gap_ci": [low, high]}
    margins = {"accuracy_margin": 0.01, "kappa_margin": 0.01}
    return found | margins | {"non_inferior": high < 0.01, "family": family}


def test_one_sentence_says_who_may_be_trusted():
    good, worse, unclear = (
        judged("cnn", -0.01, 0.005),
        judged("knn", 0.02, 0.04, "classical"),
        judged("mlp", -0.01, 0.02),
    )
    all_good = words.trust({"summary": [good]})
    assert all_good is not None and "with every student that was tested: cnn;" in all_good
    assert "people they have never seen" in all_good and "1 point of accuracy" in all_good
    mixed = words.trust({"summary": [good, worse, unclear], "test": {"split": "random"}})
    assert mixed is not None and "with these students: cnn;" in mixed
    assert "knn loses more than that; for the other this test set cannot tell." in mixed
    assert "other windows of the same people" in mixed and "people they have" not in mixed
    none = words.trust({"summary": [worse, unclear]})
    assert none is not None and none.startswith("This run does not show of any student")
    small = words.trust({"summary": [good | {"non_inferior": None}]})
    assert small is not None and "too small" in small
    baseline = good | {"trained_on": "noise"}
    assert words.trust({"summary": [baseline]}) is None  # says nothing of the release
    assert words.trust(made_up_results()) is None  # of a version that did not test
    verdicts = [tables.verdict(e) for e in (good, worse, unclear, good | {"non_inferior": None})]
    assert verdicts == ["within the margin", "beyond the margin", "cannot tell", "–"]


def test_the_teachers_members_are_counted():
    members = [
        {"network": name, "weight": weight}
        for name, weight in (("cnn", 0.5), ("cnn", 0.2), ("gru", 0.3), ("mlp", 0.0))
    ]
    assert "3 networks (2 cnn, 1 gru) that label together" in words.teacher({"members": members})
    alone = [member | {"weight": float(i == 2)} for i, member in enumerate(members)]
    assert "one network (gru), the best of 4" in words.teacher({"members": alone})
    assert words.teacher({}) == words.teacher({"members": []}) == ""


def test_folds_are_shown_where_there_are_some(tmp_path: Path):
    results = made_up_results()
    assert tables.fold_table(results) is None
    results["rows"] = [
        row | {"fold": fold, "accuracy": row["accuracy"] - fold * (row["trained_on"] == "stimuli")}
        for row in results["rows"]
        for fold in range(2)
    ]
    results["test"] = {"windows": 100, "split": "subject", "folds": 2}
    results["summary"] += [judged("mlp", -0.01, 0.005)]
    table = tables.fold_table(results)
    assert table is not None and table.header == ["Student", "Fold 0", "Fold 1"]
    assert table.rows[0] == ["cnn", "0.4", "100.4"]
    teacher = {"members": [{"network": "cnn", "candidate": i, "weight": 0.5} for i in range(2)]}
    story = dataclasses.replace(made_up_story(), results=results, teacher=teacher)
    text = Page(page_of(story, tmp_path)).text
    for part in ("done 2 times", "2 networks (2 cnn)", "may be trusted", "within the margin"):
        assert part in text


def point(strength: float, kappa: list[float], found: float | None) -> dict[str, Any]:
    attacks = {} if found is None else {"lira auc (window)": (found, (found - 0.1, found + 0.1))}
    return {"strength": strength, "kappa": {"cnn on stimuli": kappa}, "attacks": attacks}


def test_the_tradeoff_is_a_curve_and_a_table(tmp_path: Path):
    points = [point(0.0, [0.7, 0.8], 0.6), point(0.5, [0.6, 0.6], None)]
    page = page_of(dataclasses.replace(made_up_story(), tradeoff=points), tmp_path)
    assert "What inhibition costs" not in page  # without an audit there is nothing to set it beside
    table = privacy.tradeoff(points)
    assert table.header == ["Inhibition", "0", "0.5"]
    half = stats.t.interval(0.95, 1, 0.75, stats.sem([0.7, 0.8]))  # scipy, of two seeds
    low, high = (f"{end:.3f}".replace("-", "\N{MINUS SIGN}") for end in half)
    assert table.rows[0] == [
        "kappa, cnn on stimuli",
        f"0.750 ({low} to {high})",
        "0.600 (0.600 to 0.600)",
    ]
    assert table.rows[1][1:] == ["0.600 (0.500 to 0.700)", tables.UNDEFINED]
    points.append(point(0.9, [], 0.5))  # kappa is not defined where there is one class
    assert privacy.tradeoff(points).rows[0][3] == tables.UNDEFINED
    picture = figures.tradeoff(points)
    assert picture == figures.tradeoff(points) and "lira (window)" in picture
