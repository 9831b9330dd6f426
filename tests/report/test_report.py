import dataclasses
import html.parser
import re
from pathlib import Path

import numpy as np
import pytest
import studies
from scipy import stats

from stimjax.batch import Batch, Channel, Spec, make, one_hot
from stimjax.disk.documents import (
    Audited,
    Dealt,
    Estimate,
    Guarantee,
    Made,
    Member,
    TradeoffPoint,
)
from stimjax.errors import StimjaxError
from stimjax.learn import limits
from stimjax.report import (
    Answers,
    Night,
    Story,
    documents,
    figures,
    privacy,
    report,
    tables,
    words,
    write,
)

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


def with_windows(story: Story, spec: Spec) -> Story:
    """The story of a run on other windows; documents that count by class count theirs."""
    classes = len(spec.classes)
    rng = np.random.default_rng(0)
    scored = rng.integers(0, classes, 480).astype(float)
    night = Night(scored, scored, scored[::-1].copy(), seconds=60.0) if spec.rate else None
    by_class = tuple(range(10, 10 + classes))
    manifest = dataclasses.replace(
        story.manifest, classes=by_class, accepted=by_class, failed=by_class, hits=by_class
    )
    judged = random_batch(spec, 200, soft=True)
    sure = np.asarray(judged.y)
    answers = Answers(
        np.asarray(judged.label), np.arange(200) // 20, sure, sure[::-1].copy(), "mlp"
    )
    return dataclasses.replace(
        story,
        answers=answers,
        real=random_batch(spec, 200, soft=False),
        stimuli=random_batch(spec, 300, soft=True),
        night=night,
        manifest=manifest,
        teacher_on_real=random_batch(spec, 200, soft=True).y,
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
def page(story: Story, tmp_path_factory: pytest.TempPathFactory) -> Page:
    return Page(page_of(story, tmp_path_factory.mktemp("report")))


def test_the_page_is_whole_and_says_that_it_is_private(page: Page):
    assert page.tags[0][0] == "html" and page.named("html")[0]["lang"] == "en"
    assert len(page.named("h1")) == 1 and len(page.named("main")) == 1
    assert "Private: this report shows real windows. Do not publish it." in page.text


def test_nothing_is_loaded_and_nothing_runs(story: Story, page: Page, tmp_path: Path):
    source = page_of(story, tmp_path)
    loads = [
        a[k] for _, a in page.tags for k in ("src", "href", "srcset", "data", "action") if k in a
    ]
    assert loads and all(str(load).startswith(("data:image/svg+xml", "#")) for load in loads)
    assert not re.search(r"@import|url\(|https?:", source)
    assert not page.named("script") and not page.named("link") and not page.named("iframe")
    targets = {attributes.get("id") for _, attributes in page.tags}
    assert all(str(a["href"])[1:] in targets for a in page.named("a"))


def test_every_student_and_baseline_is_named(story: Story, page: Page):
    names = ["MLP", "k-nearest neighbors", "random forest", "random signals"]
    names += [
        "a Gaussian of each class",
        "apnea",
        "HR",
        "public",
        "distance to the nearest stimulus",
    ]
    for name in [*names, story.versions["jax"], "Samples masked or clipped"]:
        assert name in page.text, name


def test_what_the_release_is_stands_on_the_page_and_no_hash(story: Story, page: Page):
    manifest = story.manifest
    for use in manifest.uses:
        assert use in page.text, use
    for fact in ("60", "most probable class", "none", *map(str, manifest.accepted), "weight"):
        assert fact in page.text, fact
    assert manifest.files and not any(digest in page.text for digest in manifest.files.values())
    assert not re.search(r"[0-9a-f]{32}", page.text)


def test_every_figure_has_a_description_and_every_table_a_caption(page: Page):
    images = page.named("img")
    # Two of students, four of answers, the night, attacks, likeness in three, two classes.
    assert len(images) == 13
    assert all(len(str(image["alt"])) > 30 for image in images)
    captions = {str(a["id"]) for a in page.named("figcaption") if "id" in a}
    named = [str(a["aria-labelledby"]) for a in page.named("table")]
    assert set(named) == captions and len(captions) == len(named) >= 8
    assert all(cell.get("scope") in ("col", "row") for cell in page.named("th"))


def test_the_same_story_gives_the_same_bytes(story: Story, tmp_path: Path):
    assert page_of(story, tmp_path) == page_of(story, tmp_path)


def test_only_the_owner_can_read_the_file(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(report, "render", lambda story: story.title)
    write(story, tmp_path / "report.html")
    assert (tmp_path / "report.html").stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.html"]


def test_a_place_that_cannot_be_written_is_an_error_of_the_user(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(report, "render", lambda story: story.title)
    with pytest.raises(StimjaxError, match="cannot write here"):
        write(story, tmp_path / "missing" / "report.html")
    (tmp_path / "taken").mkdir()
    with pytest.raises(StimjaxError, match="cannot be written"):
        write(story, tmp_path / "taken")
    assert [entry.name for entry in tmp_path.iterdir()] == ["taken"]


def test_everything_is_escaped(story: Story, tmp_path: Path):
    evil = "<script>alert('x')</script>"
    replace, cohort = dataclasses.replace, story.origin.cohort
    assert cohort is not None and story.privacy is not None
    rows = tuple(replace(row, student=evil) for row in story.results.rows)
    losses = tuple(replace(loss, student=evil) for loss in story.results.summary)
    members = tuple(replace(member, network=evil) for member in story.teacher.members)
    attacks = tuple(replace(entry, attack=evil, note=evil) for entry in story.privacy.attacks)
    cohort = replace(cohort, masked={evil: {evil: 1}}, parts={evil: cohort.parts["train"]})
    story = with_windows(story, replace(SIGNALS, classes=("normal", evil)))
    assert story.privacy is not None
    method = replace(story.manifest.method, license=evil, method=evil)
    story = replace(
        story,
        title=evil,
        results=replace(story.results, rows=rows, summary=losses),
        config=evil,
        repeat=evil,
        versions={evil: evil},
        origin=replace(story.origin, cohort=cohort),
        teacher=replace(story.teacher, members=members),
        manifest=replace(story.manifest, method=method, uses=(evil,)),
        privacy=replace(story.privacy, attacks=attacks),
        exceeded=(evil,),
    )
    source = page_of(story, tmp_path)
    assert "<script" not in source.lower()
    assert "alert('x')" in Page(source).text


def test_images_are_shown_in_one_figure(story: Story, tmp_path: Path):
    dealt = dataclasses.replace(with_windows(story, IMAGES), origin=Made(Dealt()))
    found = Page(page_of(dealt, tmp_path))
    assert "random by window" in found.text
    # Two of students, two of answers, attacks, images, components, confidence.
    assert len(found.named("img")) == 8
    assert "One night" not in found.text


def test_color_images_and_a_class_without_stimuli(story: Story, tmp_path: Path):
    channels = tuple(Channel(name, "", low=0.0, high=1.0) for name in "rgb")
    spec = Spec((8, 8, 3), ("cat", "dog", "none"), channels)
    story = with_windows(story, spec)
    alone = story.stimuli[np.asarray(story.stimuli.y).argmax(axis=1) == 1]
    Page(page_of(dataclasses.replace(story, stimuli=alone, night=None), tmp_path))


def test_a_class_without_any_window_and_a_constant_channel(story: Story, tmp_path: Path):
    story = with_windows(story, SIGNALS)
    flat = dataclasses.replace(story.real, x=np.zeros_like(story.real.x))
    normal = story.stimuli[np.asarray(story.stimuli.y).argmax(axis=1) == 0]
    story = dataclasses.replace(story, real=flat, stimuli=normal, teacher_on_real=None)
    assert "hatched for real windows" not in Page(page_of(story, tmp_path)).text


def test_five_classes_at_a_high_rate(story: Story, tmp_path: Path):
    channels = (Channel("EEG", "", "recording", low=-8.0, high=8.0),)
    spec = Spec((3000, 1), STAGES, channels, rate=100.0, label_seconds=30.0)
    source = page_of(with_windows(story, spec), tmp_path)
    assert len(Page(source).named("img")) == 14
    assert len(source) < 3_000_000


def test_values_that_are_not_defined(story: Story, tmp_path: Path):
    replace, rows, losses = dataclasses.replace, [], []
    for row in story.results.rows:
        scores = replace(row.scores, auroc=None)
        if row.student == "knn":
            scores = replace(scores, accuracy=None, kappa=None)
        rows.append(replace(row, scores=scores))
    for loss in story.results.summary:
        loss = replace(loss, accuracy_gap_ci=None, kappa_gap_ci=None, non_inferior=None)
        if loss.student == "knn":
            loss = replace(loss, accuracy_gap=None, kappa_gap=None)
        losses.append(loss)
    results = replace(story.results, rows=tuple(rows), summary=tuple(losses))
    text = Page(page_of(replace(story, results=results), tmp_path)).text
    assert tables.UNDEFINED in text and "no interval can be given" in text
    assert "None" not in text.replace("None of", "").replace("None found", "")
    assert not re.search(r"\bnan\b", text.lower())


def test_a_story_without_students_and_without_an_audit(story: Story, tmp_path: Path):
    results = dataclasses.replace(story.results, rows=(), summary=(), teacher=None)
    bare = dataclasses.replace(story, results=results, privacy=None, night=None, versions={})
    bare = dataclasses.replace(bare, answers=None)
    text = Page(page_of(bare, tmp_path)).text
    assert "No student was compared" in text and "No audit was made" in text


def test_figures_leave_matplotlibs_settings_as_they_were(story: Story):
    import matplotlib

    before = dict(matplotlib.rcParams)
    drawing = figures.gap(story.results)
    assert dict(matplotlib.rcParams) == before
    assert "<dc:date>" not in drawing


def test_the_teachers_members_are_counted(story: Story):
    def told(*members: tuple[str, float], guarantee: Guarantee = story.teacher.privacy) -> str:
        trained = tuple(Member(name, 0, 0.0, weight, None, None) for name, weight in members)
        teacher = dataclasses.replace(story.teacher, members=trained, privacy=guarantee)
        return words.teacher(teacher)

    assert "2 CNN, 1 GRU) that label together" in told(
        ("cnn", 0.5), ("cnn", 0.2), ("gru", 0.3), ("mlp", 0.0)
    )
    alone = told(("cnn", 0.0), ("cnn", 0.0), ("gru", 1.0), ("mlp", 0.0))
    assert "one network (GRU), the best of 4" in alone
    private = told(("cnn", 1.0), guarantee=Guarantee("subject", 4.0, 1e-5))
    assert "CNN, trained with differential privacy (epsilon 4)" in private


def test_a_guarantee_and_what_was_spent_on_it_are_shown(story: Story):
    spent = ({"what": "gradients of cnn", "noise": 2.0, "sampling": 0.5, "count": 100},)
    guarantee = Guarantee("subject", 4.0, 1e-5, spent, audited=Audited(9, 0.1, 0.2, 0.3, 0.4))
    manifest = dataclasses.replace(story.manifest, privacy=guarantee)
    release, *_, budget = documents.release(manifest, story.real.spec.classes)
    assert ["formal guarantee", "epsilon 4, delta 1e−05, for one subject"] in release.rows
    assert budget.rows == [["gradients of cnn", "2", "0.5", "100"]]
    assert ["what that allows", limits.sentence(4.0, 1e-5, "subject")] in release.rows
    assert ["what an attack showed", str(guarantee.audited)] in release.rows
    assert story.privacy is not None
    audit = dataclasses.replace(story.privacy, epsilon=4.0, delta=1e-5)
    assert privacy.verdict(audit)[-1] == limits.sentence(4.0, 1e-5)


def test_who_has_the_seed_is_shown_apart_from_what_the_public_can_do(story: Story):
    assert story.privacy is not None
    known = dataclasses.replace(
        story.privacy.attacks[0], attack="seed", metric="auc_with_seed", value=0.97, ci=(0.9, 1.0)
    )
    plain = privacy.verdict(story.privacy)
    audit = dataclasses.replace(story.privacy, attacks=(*story.privacy.attacks, known))
    said = privacy.verdict(audit)
    (more,) = [line for line in said if line not in plain]
    assert [line for line in said if line != more] == plain
    assert more.startswith("The seed is private") and "0.97" in more
    row = privacy.table(audit).rows[-1]
    assert row[1] == "area under the ROC curve, by who has the seed" and "above guessing" in row


def test_folds_are_shown_where_there_are_some(story: Story, tmp_path: Path):
    assert tables.fold_table(story.results) is None
    sources = (("real", 0.93), ("stimuli", 0.926))
    rows = [
        studies.row("mlp", on, accuracy - fold * (on == "stimuli"), 0.8, fold)
        for on, accuracy in sources
        for fold in range(2)
    ]
    study = studies.results(studies.lost("mlp", -0.002, -0.01, 0.005), rows=rows, folds=2)
    table = tables.fold_table(study)
    assert table is not None and table.header == ["Student", "Fold 0", "Fold 1"]
    assert table.rows == [["MLP", "0.4", "100.4"]]
    text = Page(page_of(dataclasses.replace(story, results=study), tmp_path)).text
    for part in ("done 2 times", "may be trusted", "within the margin"):
        assert part in text


def point(strength: float, kappa: tuple[float, ...], area: float | None) -> TradeoffPoint:
    attacks = {}
    if area is not None:
        attacks["lira auc (window)"] = Estimate(area, (area - 0.1, area + 0.1))
    return TradeoffPoint(strength, {"cnn on stimuli": kappa}, attacks)


def test_the_tradeoff_is_a_curve_and_a_table(story: Story, tmp_path: Path):
    points = [point(0.0, (0.7, 0.8), 0.6), point(0.5, (0.6, 0.6), None)]
    traded = dataclasses.replace(story, tradeoff=points)
    assert "What inhibition costs" in page_of(traded, tmp_path)
    page = page_of(dataclasses.replace(traded, privacy=None), tmp_path)
    assert "What inhibition costs" not in page  # without an audit there is nothing to set it beside
    table = privacy.tradeoff(points)
    assert table.header == ["Inhibition", "0", "0.5"]
    half = stats.t.interval(0.95, 1, 0.75, stats.sem([0.7, 0.8]))  # scipy, of two seeds
    low, high = (f"{end:.3f}".replace("-", "\N{MINUS SIGN}") for end in half)
    assert table.rows[0] == [
        "kappa, CNN on stimuli",
        f"0.750 ({low} to {high})",
        "0.600 (0.600 to 0.600)",
    ]
    assert table.rows[1][1:] == ["0.600 (0.500 to 0.700)", tables.UNDEFINED]
    points.append(point(0.9, (), 0.5))  # kappa is not defined where there is one class
    assert privacy.tradeoff(points).rows[0][3] == tables.UNDEFINED
    picture = figures.tradeoff(points)
    assert picture == figures.tradeoff(points) and "LiRA, by shadow releases (window)" in picture
