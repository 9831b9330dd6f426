"""The table of a study as Markdown: mean accuracy (%) and kappa over seeds, and the gap.

python scripts/table.py RESULTS/study/results.json
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

from stimjax.store import StimjaxError, read_json


def table(results: dict[str, Any]) -> str:
    """Rows are students, columns what they were trained on; the gap is real minus stimuli."""
    rows = results["rows"]
    sources = list(dict.fromkeys(row["trained_on"] for row in rows))
    lines = [f"| student | {' | '.join(sources)} | gap, points (95 % interval) |"]
    lines.append("|---" * (len(sources) + 2) + "|")
    teacher = results["teacher"]
    if teacher:
        cell = f"{100 * teacher['accuracy']:.1f} / {teacher['kappa']:.3f}"
        lines.append(f"| teacher ({teacher['network']}) | {cell} |" + " |" * len(sources))
    for student in dict.fromkeys(row["student"] for row in rows):
        cells = [_cell(rows, student, source) for source in sources]
        lines.append(f"| {student} | {' | '.join(cells)} | {_gap(results['summary'], student)} |")
    return "\n".join(lines)


def _cell(rows: list[dict[str, Any]], student: str, source: str) -> str:
    chosen = [r for r in rows if (r["student"], r["trained_on"]) == (student, source)]
    accuracy = 100 * np.mean([row["accuracy"] for row in chosen])
    kappas = [row["kappa"] for row in chosen if row["kappa"] is not None]
    return f"{accuracy:.1f} / {np.mean(kappas):.3f}" if kappas else f"{accuracy:.1f} / -"


def _gap(summary: list[dict[str, Any]], student: str) -> str:
    entry = next(s for s in summary if (s["student"], s["trained_on"]) == (student, "stimuli"))
    if entry["accuracy_gap_ci"] is None:
        return f"{100 * entry['accuracy_gap']:.1f}"
    low, high = entry["accuracy_gap_ci"]
    return f"{100 * entry['accuracy_gap']:.1f} ({100 * low:.1f} to {100 * high:.1f})"


if __name__ == "__main__":
    try:
        print(table(read_json(Path(sys.argv[1]))))
    except (StimjaxError, IndexError) as error:
        sys.exit(f"stimjax: error: {error}")
