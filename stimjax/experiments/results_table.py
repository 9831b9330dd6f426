"""Tables of `results.json` as Markdown: mean accuracy (%) and kappa over seeds and folds, the gap.

One study: students and what they learned from (`table`). Several: methods and students, and what
the stimuli of each method are (`combined`). `scripts/table.py` prints them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

Results = Mapping[str, Any]


def table(results: Results) -> str:
    """Rows are students, columns what they were trained on; the gap is real minus stimuli.

    Or minus the first baseline, if there are no stimuli.
    """
    sources = _names(results, "trained_on")
    judged = next((s for s in ["stimuli", *sources] if s in sources and s != "real"), "stimuli")
    header = [*sources, "gap, points (95 % interval)", "gap, kappa", "margin", "within"]
    lines = _head("student", header)
    teacher = results["teacher"]
    if teacher:
        cell = f"{100 * teacher['accuracy']:.1f} / {teacher['kappa']:.3f}"
        label = f"teacher ({', '.join(teacher['networks'])})"
        lines.append(_line(label, [cell, *[""] * (len(header) - 1)]))
    for student in _names(results, "student"):
        cells = [_cell(results, student, source) for source in sources]
        lines.append(_line(student, [*cells, *_gap(results, student, judged)]))
    return "\n".join([*lines, "", _how_many(results)])


def combined(named: Mapping[str, Results]) -> str:
    """Rows are methods, columns students: accuracy / kappa (points lost), checked if within.

    Results of `scripts/ablations/run.py` get a second table, of the stimuli.
    """
    first = next(iter(named.values()))
    students = list(dict.fromkeys(s for one in named.values() for s in _names(one, "student")))
    lines = _head("trained on", ["seeds x folds", *students])
    rows = {"real": (first, "real")}
    for name, results in named.items():
        for source in _names(results, "trained_on"):
            rows.setdefault(name if source == "stimuli" else source, (results, source))
    for label, (results, source) in rows.items():
        cells = [_cell(results, s, source) + _lost(results, s, source) for s in students]
        lines.append(_line(label, [" x ".join(map(str, _runs(results))), *cells]))
    stimuli = {name: results["made"] for name, results in named.items() if "made" in results}
    return "\n".join([*lines, *(_stimuli(stimuli) if stimuli else [])])


def _stimuli(stimuli: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What the stimuli of each method are, what they took, and what of private data.

    `nearest` are median distances to the nearest training window over those to the nearest test
    window, from stimuli and to stimuli; `apart` how far stimuli are from training windows, over
    how far test windows are from them; `confidence` the mean probability of the most probable
    class; `classes` the share of each; `hit` how many of the tries for a class the teacher calls
    so.
    """
    header = ["seconds", "nearest", "apart", "confidence", "classes, %", "hit, %"]
    lines = ["", *_head("stimuli", header)]
    for name, one in stimuli.items():
        near = f"{one['from_stimuli']:.2f} / {one['to_stimuli']:.2f}"
        shares = [" ".join(f"{100 * s:.0f}" for s in one.get(k, ())) for k in ("classes", "hit")]
        numbers = [f"{one['seconds']:.0f}", near, f"{one['apart']:.2f}", f"{one['confidence']:.2f}"]
        lines.append(_line(name, [*numbers, *shares]))
    uses = [f"- {name}: {'; '.join(one['uses'])}." for name, one in stimuli.items()]
    return [*lines, "", "What a method knows of the private data:", "", *uses]


def _head(label: str, header: list[str]) -> list[str]:
    return [_line(label, header), "|---" * (len(header) + 1) + "|"]


def _line(label: str, cells: list[str]) -> str:
    return f"| {label} | {' | '.join(cells)} |"


def _names(results: Results, key: str) -> list[str]:
    return list(dict.fromkeys(row[key] for row in results["rows"]))


def _cell(results: Results, student: str, source: str) -> str:
    key = (student, source)
    chosen = [r for r in results["rows"] if (r["student"], r["trained_on"]) == key]
    if not chosen:
        return "-"
    accuracy = 100 * np.mean([row["accuracy"] for row in chosen])
    kappas = [row["kappa"] for row in chosen if row["kappa"] is not None]
    return f"{accuracy:.1f} / {np.mean(kappas):.3f}" if kappas else f"{accuracy:.1f} / -"


def _entry(results: Results, student: str, source: str) -> dict[str, Any] | None:
    key = (student, source)
    entries = (s for s in results["summary"] if (s["student"], s["trained_on"]) == key)
    return next(entries, None)


def _gap(results: Results, student: str, source: str) -> list[str]:
    """Accuracy and kappa lost with their intervals, the margins, whether within."""
    entry = _entry(results, student, source)
    if entry is None:
        return ["-"] * 4
    cells = []
    for name, factor, digits in (("accuracy", 100, 1), ("kappa", 1, 3)):
        value, interval = entry[f"{name}_gap"], entry[f"{name}_gap_ci"]
        if value is None:
            cells.append("-")
            continue
        text = f"{factor * value:.{digits}f}"
        if interval is not None:
            low, high = (f"{factor * end:.{digits}f}" for end in interval)
            text += f" ({low} to {high})"
        cells.append(text)
    if "non_inferior" not in entry:  # of an earlier version
        return [*cells, "-", "-"]
    margin = f"{100 * entry['accuracy_margin']:g} / {entry['kappa_margin']:g}"
    verdict = {True: "yes", False: "not shown", None: "-"}[entry["non_inferior"]]
    return [*cells, margin, verdict]


def _lost(results: Results, student: str, source: str) -> str:
    entry = _entry(results, student, source)
    if entry is None or entry["accuracy_gap"] is None:
        return ""
    return f" ({100 * entry['accuracy_gap']:.1f}{' ✓' if entry.get('non_inferior') else ''})"


def _runs(results: Results) -> tuple[int, int]:
    """Most seeds of a student, and folds."""
    counts: dict[tuple[Any, ...], int] = {}
    for row in results["rows"]:
        key = (row["student"], row["trained_on"], row.get("fold"))
        counts[key] = counts.get(key, 0) + 1
    return max(counts.values(), default=0), len({row.get("fold") for row in results["rows"]})


def _how_many(results: Results) -> str:
    seeds, folds = _runs(results)
    test = results.get("test", {})
    counts = f"{seeds} seed{'s' * (seeds != 1)}, {folds} fold{'s' * (folds != 1)}"
    if not test:
        return f"{counts}."
    return f"{counts}, {test['windows']} test windows, intervals by {test['intervals']}."
