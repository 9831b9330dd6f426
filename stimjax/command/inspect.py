"""What a path holds, in a few readable lines: a recording, windows, a teacher, a release."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence, Sized
from pathlib import Path
from typing import Any

from stimjax import batch, release
from stimjax.data import reader
from stimjax.data.recording import Recording
from stimjax.disk.store import read_json
from stimjax.errors import StimjaxError


def describe(path: Path) -> str:
    """Lines on what `path` holds.

    Raises:
        StimjaxError: it does not exist, is damaged, or nothing that stimjax knows.
    """
    if not path.is_dir():
        if not path.exists():
            raise StimjaxError(f"{path}: no such file or folder; check the name")
        return _recording(reader.read(path))
    for name, how in (
        ("study", _job),
        ("results.json", _results),
        ("privacy.json", _audit),
        ("teacher.json", _teacher),
        ("manifest.json", _release),
        ("spec.json", _windows),
    ):
        if (path / name).exists():
            try:
                return how(path)
            except (KeyError, TypeError, AttributeError) as error:
                raise StimjaxError(f"{path / name}: is damaged ({error!r})") from error
    return _recordings(path)


def _recording(recording: Recording) -> str:
    header = recording.header
    rows = [("channel", "label in the file", "rate", "unit")]
    rows += [
        (name, signal.label, f"{signal.rate:g} Hz", signal.unit or "-")
        for name, signal in recording.signals.items()
    ]
    kinds = Counter(event.kind for event in recording.events)
    return "\n".join(
        [
            f"recording {header.name}",
            f"subject   {header.subject or '(not named)'}",
            f"duration  {_duration(header.duration)}",
            "",
            *_table(rows),
            "",
            f"scored events: {len(recording.events) or 'none'}",
            *_table([(f"  {kind}", str(count)) for kind, count in sorted(kinds.items())]),
        ]
    )


def _recordings(folder: Path) -> str:
    """A line for each recording in a folder; from the headers alone, so that it is quick."""
    rows = [("recording", "subject", "duration", "channels")]
    for path in reader.find([folder]):
        try:
            header = reader.header(path)
        except StimjaxError as error:
            rows.append((path.stem, "", "", f"cannot be used: {error}"))
        else:
            channels = ", ".join(header.rates)
            rows.append((header.name, header.subject, _duration(header.duration), channels))
    return "\n".join([f"{len(rows) - 1} recordings", "", *_table(rows)])


def _windows(folder: Path) -> str:
    spec = batch.load_spec(folder)
    made = read_json(folder / "spec.json").get("made", {})
    rows = [("part", "windows", *spec.classes, "subjects")]
    for name, part in made.get("parts", {}).items():
        counts = [str(part["classes"].get(kind, 0)) for kind in spec.classes]
        rows.append((name, str(part["windows"]), *counts, str(len(part["subjects"]))))
    lines = ["windows (private)", *_spec(spec), "", *_table(rows)]
    if made.get("skipped"):
        lines.append(f"recordings left out: {made['skipped']}")
    return "\n".join(lines)


def _audit(folder: Path) -> str:
    found = read_json(folder / "privacy.json")
    rows = [("attack", "metric", "of a", "value", "interval", "chance", "real", "planted")]
    for entry in found["attacks"]:
        ends = "" if entry["ci"] is None else " to ".join(map(_number, entry["ci"]))
        value, chance, real, planted = (
            _number(entry[name]) for name in ("value", "chance", "real_data", "planted_leak")
        )
        named = (entry["attack"], entry["metric"], entry["level"])
        rows.append((*named, value, ends, chance, real, planted))
    return "\n".join(["audit (what attacks find)", *_table(rows)])


def _teacher(folder: Path) -> str:
    from stimjax import models  # seconds to load, and only a teacher needs it
    from stimjax.learn import teacher

    found = teacher.load(folder)
    networks = _networks(found.networks, found.params["weights"])
    lines = [
        "teacher (private)",
        f"networks  {networks}, {models.size(found.params):,} weights",
        *_spec(found.spec),
    ]
    if (folder / "metrics.json").exists():
        metrics = read_json(folder / "metrics.json")
        rows = [("part", "accuracy", "kappa")]
        for part in ("validation", "test"):
            numbers = metrics.get(part, {})
            rows.append((part, _number(numbers.get("accuracy")), _number(numbers.get("kappa"))))
        lines += ["", *_table(rows)]
    return "\n".join([*lines, "", _versions(read_json(folder / "teacher.json"))])


def _networks(families: Sequence[str], weights: Sequence[Sized]) -> str:
    """Each family, with the number of its networks that count."""
    counts = map(len, weights)
    return ", ".join(f"{count} {name}" for name, count in zip(families, counts, strict=True))


def _release(folder: Path) -> str:
    manifest = release.load_manifest(folder)
    method = manifest.get("method", {})
    return "\n".join(
        [
            "release (may be published)",
            f"stimuli   {manifest.get('count')} in "
            f"{sum(name.endswith('.safetensors') for name in manifest['files'])} files",
            f"method    {method.get('method')}, seed {method.get('seed')}",
            *_spec(batch.load_spec(folder)),
            f"privacy   {_privacy(manifest.get('privacy') or {})}",
            "",
            "made from private data with the help of:",
            *(f"  {use}" for use in manifest.get("uses", [])),
            "",
            _versions(manifest),
            f"`stimjax verify {folder}` checks every byte",
        ]
    )


def _privacy(about: Mapping[str, Any]) -> str:
    if not about.get("epsilon"):
        return "no formal guarantee"
    return f"epsilon {about['epsilon']:.3g}, delta {about['delta']:g}, for one {about['unit']}"


def _results(folder: Path) -> str:
    results = read_json(folder / "results.json")
    kinds: dict[str, dict[str, list[float]]] = {}
    for row in results["rows"]:
        learned_from = kinds.setdefault(row["student"], {})
        learned_from.setdefault(row["trained_on"], []).append(row["accuracy"])
    sources = list(dict.fromkeys(row["trained_on"] for row in results["rows"]))
    rows = [("accuracy of", *(f"on {source}" for source in sources))]
    for name, found in kinds.items():
        means = [sum(found[s]) / len(found[s]) if s in found else None for s in sources]
        rows.append((name, *map(_number, means)))
    folds = results.get("test", {}).get("folds", 1)
    over = f"seeds and {folds} folds" if folds > 1 else "seeds"
    lines = [f"students on real windows (means over {over})", "", *_table(rows)]
    if results.get("teacher"):
        lines.append(f"the teacher itself: {_number(results['teacher']['accuracy'])}")
    judged = [s for s in results["summary"] if s["trained_on"] == "stimuli" and "non_inferior" in s]
    if judged:
        good = ", ".join(entry["student"] for entry in judged if entry["non_inferior"])
        lines.append(f"shown to lose less than the margin on stimuli: {good or 'none'}")
    return "\n".join(lines)


def _job(folder: Path) -> str:
    published = (folder / "release").exists()
    made = folder / "release" if published else folder / "private" / "refused"
    count = release.load_manifest(made).get("count")
    may = "may be published" if published else "exceeds your bounds and is not to be published"
    rows = [
        (str(folder / "report.html"), "look here first; private, for it shows real windows"),
        (str(folder / "private"), "keep it to yourself: windows, teacher, report"),
        (str(made), f"{may}: {count} stimuli and how they were made"),
    ]
    return "\n".join([_results(folder / "study"), "", *_table(rows)])


def _spec(spec: Any) -> list[str]:
    length = f", {spec.shape[0] / spec.rate:g} s at {spec.rate:g} Hz" if spec.rate else ""
    return [
        f"window    {' x '.join(map(str, spec.shape))}{length}",
        f"channels  {', '.join(channel.name for channel in spec.channels)}",
        f"classes   {', '.join(spec.classes)}",
    ]


def _versions(content: dict[str, Any]) -> str:
    found = content.get("versions", {})
    return "versions  " + ", ".join(f"{name} {number}" for name, number in found.items())


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    if not rows:
        return []
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min" if seconds >= 60 else f"{seconds:g} s"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
