"""What a path holds, in a few readable lines: a recording, windows, a teacher, a release."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Sized
from pathlib import Path
from typing import Any, NamedTuple

from stimjax.command import recordings
from stimjax.command.table import aligned
from stimjax.disk.documents import (
    LEAKS,
    AgreementFile,
    Guarantee,
    Made,
    Metrics,
    ModelFile,
    Nights,
    PeopleBehind,
    Privacy,
    Results,
)
from stimjax.disk.store import read_json
from stimjax.errors import StimjaxError
from stimjax.learn import limits
from stimjax.spec import Spec, load_spec
from stimjax.students import worth

# Of a release that an earlier version made.
PUBLISHED = "seed      is published, so that the noise can be subtracted: make the release again"


def describe(path: Path) -> str:
    """Lines on what `path` holds.

    Raises:
        StimjaxError: it does not exist, is damaged, or nothing that stimjax knows.
    """
    if not path.is_dir():
        if not path.exists():
            raise StimjaxError(f"{path}: no such file or folder; check the name")
        return recordings.one(path)
    own = _own_at(path)
    return own.describe(path) if own else recordings.several(path)


def as_object(path: Path) -> dict[str, Any]:
    """A recording, a folder of them, or what stimjax wrote there, as an object of JSON.

    Of the latter `kind` says what it is, and `documents` are its own files of JSON, by name.

    Raises:
        StimjaxError: as `describe`.
    """
    if not path.exists():
        raise StimjaxError(f"{path}: no such file or folder; check the name")
    own = _own_at(path)
    if own is None:
        return recordings.as_object(path)
    there = [name for name in own.documents if (path / name).exists()]
    return {"kind": own.kind, "documents": {name: read_json(path / name) for name in there}}


class _Own(NamedTuple):
    """What stimjax writes: what it is, its files of JSON, and how it is described."""

    kind: str
    documents: tuple[str, ...]
    describe: Callable[[Path], str]


def _own() -> dict[str, _Own]:
    """All that stimjax writes, by the file or folder that tells it."""
    of_job = ("study/results.json", "audit/privacy.json")
    of_job += ("release/manifest.json", "release/spec.json")
    return {
        "study": _Own("job", of_job, _job),
        "results.json": _Own("study", ("results.json",), _results),
        "nights.json": _Own("nights", ("nights.json", "agreement.json"), _nights),
        "privacy.json": _Own("audit", ("privacy.json",), _audit),
        "teacher.json": _Own("teacher", ("teacher.json", "metrics.json"), _teacher),
        "manifest.json": _Own("release", ("manifest.json", "spec.json"), _release),
        "model.json": _Own("model", ("model.json", "spec.json"), _model),
        "spec.json": _Own("windows", ("spec.json",), _windows),
    }


def _own_at(path: Path) -> _Own | None:
    """Which of these lies at a path."""
    return next((own for name, own in _own().items() if (path / name).exists()), None)


def _windows(folder: Path) -> str:
    spec = load_spec(folder)
    cohort = Made.load(folder).cohort
    rows = [("part", "windows", *spec.classes, "subjects")]
    for name, part in cohort.parts.items() if cohort else ():
        counts = [str(part.classes.get(kind, 0)) for kind in spec.classes]
        rows.append((name, str(part.windows), *counts, str(len(part.subjects))))
    lines = ["windows (private)", *_spec(spec), "", *aligned(rows)]
    if cohort and cohort.skipped:
        lines.append(f"recordings left out: {cohort.skipped}")
    return "\n".join(lines)


def _audit(folder: Path) -> str:
    from stimjax.privacy.headline import with_seed  # it brings scipy

    header = ("attack", "metric", "of a", "value", "interval", "chance", "real", *LEAKS)
    rows: list[tuple[str, ...]] = [header]
    attacks = Privacy.load(folder).attacks
    for entry in attacks:
        ends = "" if entry.ci is None else " to ".join(map(_number, entry.ci))
        beside = map(_number, (entry.chance, entry.real_data, *entry.planted))
        named = (entry.attack, entry.metric, entry.level)
        rows.append((*named, _number(entry.value), ends, *beside))
    seed = with_seed(attacks)
    return "\n".join(["audit (what attacks find)", *aligned(rows), *([seed] if seed else [])])


def _nights(folder: Path) -> str:
    from stimjax.command.scored import lines  # it brings scipy and jinja

    measured = AgreementFile.load(folder) if (folder / AgreementFile.FILE).exists() else None
    return "\n".join(["scored nights (private)", "", *lines(Nights.load(folder), measured)])


def _model(folder: Path) -> str:
    about = ModelFile.load(folder)
    of = {"release": "stimuli of a release", "windows": "real windows (private)"}
    source = of.get(about.learned_from, "windows in memory")
    lines = [
        "model",
        f"student   {about.student}, trained on {about.windows} {source}",
        *(
            []
            if about.release is None
            else [f"release   its manifest has the SHA-256 {about.release}"]
        ),
        *_spec(load_spec(folder)),
        "",
        _versions(about.versions),
    ]
    return "\n".join(lines)


def _teacher(folder: Path) -> str:
    from stimjax import models  # seconds to load, and only a teacher needs it
    from stimjax.learn import teacher

    private = teacher.load(folder)
    networks = _networks(private.networks, private.params["weights"])
    lines = [
        "teacher (private)",
        f"networks  {networks}, {models.size(private.params):,} weights",
        *_spec(private.spec),
    ]
    if (folder / Metrics.FILE).exists():
        metrics = Metrics.load(folder)
        rows = [("part", "accuracy", "kappa")]
        for part, scores in (("validation", metrics.validation), ("test", metrics.test)):
            rows.append((part, _number(scores.accuracy), _number(scores.kappa)))
        lines += ["", *aligned(rows), "", _versions(metrics.versions)]
    return "\n".join(lines)


def _networks(families: Sequence[str], weights: Sequence[Sized]) -> str:
    """Each family, with the number of its networks that count."""
    counts = map(len, weights)
    return ", ".join(f"{count} {name}" for name, count in zip(families, counts, strict=True))


def _release(folder: Path) -> str:
    from stimjax import release  # it brings jax, which no other folder needs

    manifest = release.load_manifest(folder)
    return "\n".join(
        [
            "release",
            f"stimuli   {manifest.count} in "
            f"{sum(name.endswith('.safetensors') for name in manifest.files)} files",
            f"method    {manifest.method.method}",
            *([] if manifest.method.seed is None else [PUBLISHED]),
            *_spec(load_spec(folder)),
            *_privacy(manifest.privacy),
            "",
            "made from private data with the help of:",
            *(f"  {use}" for use in manifest.uses),
            *_behind(manifest.people_behind),
            "",
            _versions(manifest.versions),
            f"`stimjax verify {folder}` checks every byte",
        ]
    )


def _behind(statistics: Sequence[PeopleBehind]) -> list[str]:
    """A table of who is behind the statistics of private windows, with its title, if any."""
    rows = [("statistic", "of", "parts", "people", "in effect", "largest share", "windows")]
    for one in statistics:
        numbers = (str(one.people), f"{one.effective:g}", f"{one.share:.2f}", str(one.windows))
        rows.append((one.statistic, one.of, str(one.parts), *numbers))
    title = ["", "people behind each statistic (the fewest of its parts):"]
    return [*title, *aligned(rows)] if statistics else []


def _privacy(guarantee: Guarantee) -> list[str]:
    if guarantee.epsilon is None or guarantee.delta is None:
        return ["privacy   no formal guarantee"]
    epsilon, delta = f"epsilon {guarantee.epsilon:.3g}", f"delta {guarantee.delta:g}"
    unit = guarantee.unit or "unit"
    meant = limits.sentence(guarantee.epsilon, guarantee.delta, unit)
    shown = [meant, *([] if guarantee.audited is None else [str(guarantee.audited)])]
    said = [f"privacy   {epsilon}, {delta}, for one {guarantee.unit}"]
    return said + [f"          {line}" for line in shown]


def _results(folder: Path) -> str:
    results = Results.load(folder)
    accuracy: dict[str, dict[str, list[float]]] = {}
    for row in results.rows:
        of_seeds = accuracy.setdefault(row.student, {}).setdefault(row.trained_on, [])
        of_seeds += [] if row.scores.accuracy is None else [row.scores.accuracy]
    sources = list(dict.fromkeys(row.trained_on for row in results.rows))
    rows = [("accuracy of", *(f"on {source}" for source in sources))]
    for name, on in accuracy.items():
        means = [sum(on[s]) / len(on[s]) if on.get(s) else None for s in sources]
        rows.append((name, *map(_number, means)))
    folds = results.test.folds
    over = f"seeds and {folds} folds" if folds > 1 else "seeds"
    lines = [f"students on real windows (means over {over})", "", *aligned(rows)]
    if results.teacher:
        lines.append(f"the teacher itself: {_number(results.teacher.scores.accuracy)}")
    judged = [loss for loss in results.summary if loss.trained_on == "stimuli"]
    if judged:
        good = ", ".join(loss.student for loss in judged if loss.non_inferior)
        lines.append(f"shown to lose less than the margin on stimuli: {good or 'none'}")
    if added := worth.sentence(results):
        lines.append(added)
    return "\n".join(lines)


def _job(folder: Path) -> str:
    from stimjax import release

    published = (folder / "release").exists()
    folder_of_stimuli = folder / "release" if published else folder / "private" / "refused"
    count = release.load_manifest(folder_of_stimuli).count
    may = _may(folder, published)
    rows = [
        (str(folder / "report.html"), "look here first; private, for it shows real windows"),
        (str(folder / "private"), "keep it to yourself: windows, teacher, report"),
        (str(folder_of_stimuli), f"{count} stimuli and how they were made; {may}"),
    ]
    return "\n".join([_results(folder / "study"), "", *aligned(rows)])


def _may(folder: Path, published: bool) -> str:
    """Whether the release may be published, as far as anybody but its holder can say."""
    if not published:
        return "exceeds your bounds and is not to be published"
    if not (folder / "audit").exists():
        return "not audited: what it tells of people is not known; whether to publish is yours"
    from stimjax.privacy.headline import headline  # it brings scipy

    found = headline(Privacy.load(folder / "audit").attacks, "subject")
    strongest = f"; {found}" if found else ""
    return f"whether to publish it is yours to decide{strongest}"


def _spec(spec: Spec) -> list[str]:
    length = f", {spec.shape[0] / spec.rate:g} s at {spec.rate:g} Hz" if spec.rate else ""
    return [
        f"window    {' x '.join(map(str, spec.shape))}{length}",
        f"channels  {', '.join(channel.name for channel in spec.channels)}",
        f"classes   {', '.join(spec.classes)}",
    ]


def _versions(versions: Mapping[str, str]) -> str:
    return "versions  " + ", ".join(f"{name} {number}" for name, number in versions.items())


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
