"""What inhibition costs students and what it takes from attackers, over its strength.

python scripts/tradeoff.py --windows WINDOWS --teacher TEACHER --out DIR [--strengths 0 0.25 ...]

WINDOWS and TEACHER are what `stimjax prepare` and `stimjax train` made. For each strength of
`synthesis.inhibit` a release, its study and its audit lie in DIR/inhibit-STRENGTH; what is there
already is not made again. DIR/tradeoff.md is the table, DIR/tradeoff.svg the curve: the students'
kappa on real test windows against the attacks' success.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import tyro

from stimjax import config, runtime, settings, stages
from stimjax.excite import synthesize
from stimjax.learn import teacher as teachers
from stimjax.progress import Reporter, reporter
from stimjax.store import StimjaxError, new_folder, read_json

DEFAULT = config.Job()
STUDY = config.Study(students=("cnn", "random_forest"), baselines=())
SHOWN = ("auc", "top1", "tpr_at_fpr_0.01")  # metrics of the table


@dataclasses.dataclass(frozen=True)
class Asked:
    """Measure the trade-off between students and anonymity.

    Attributes:
        windows: a folder of windows; its test part is the holdout of the audit.
        teacher: a folder with a teacher that has a critic.
        out: folder for all results.
        strengths: of inhibition.
        synthesis: how stimuli are made.
        study: the students.
        audit: the attacks.
        seed: of stimuli, students and attacks.
    """

    windows: Path
    teacher: Path
    out: Path
    strengths: tuple[float, ...] = (0.0, 0.25, 0.5, 0.75)
    synthesis: config.Synthesis = DEFAULT.synthesis
    study: config.Study = STUDY
    audit: config.Audit = DEFAULT.audit
    seed: int = 0


def measure(asked: Asked, strength: float, report: Reporter) -> None:
    """Make the release, study and audit of a strength, as far as they are not there."""
    folder = asked.out / f"inhibit-{strength:g}"
    folder.mkdir(parents=True, exist_ok=True)
    teacher = teachers.load(asked.teacher)
    made, windows = folder / "release", asked.windows
    inhibited = dataclasses.replace(asked.synthesis, inhibit=strength)
    if not made.exists():
        report.stage(f"inhibition {strength:g}: making stimuli")
        synthesize.synthesize(teacher, inhibited, made, note=report.note)

    def study(place: Path) -> None:
        stages.study_release(made, windows, windows, place, asked.study, None, report)

    def audit(place: Path) -> None:
        stages.audit_release(made, windows, windows, place, asked.audit, (), report)

    steps: dict[str, Callable[[Path], None]] = {"study": study, "audit": audit}
    for name, step in steps.items():
        if not (folder / name).exists():
            with new_folder(folder / name, private=True) as place:
                step(place)


def gathered(out: Path, strength: float) -> dict[str, Any]:
    """The students' kappa, and of each attack and metric its value and interval."""
    folder = out / f"inhibit-{strength:g}"
    kappa: dict[str, list[float]] = {}
    for row in read_json(folder / "study" / "results.json")["rows"]:
        kappa.setdefault(f"{row['student']} on {row['trained_on']}", []).append(row["kappa"])
    entries = read_json(folder / "audit" / "privacy.json")["attacks"]
    attacks = {
        f"{e['attack']} {e['metric']} ({e['level']})": (e["value"], e["ci"])
        for e in entries
        if e["metric"] in SHOWN and e["value"] is not None
    }
    return {"strength": strength, "kappa": kappa, "attacks": attacks}


def table(found: list[dict[str, Any]]) -> str:
    """Students and attacks as rows, strengths as columns, in Markdown."""
    head = [f"{one['strength']:g}" for one in found]
    lines = [f"| inhibition | {' | '.join(head)} |", "|---" * (len(head) + 1) + "|"]
    for name in found[0]["kappa"]:
        cells = [
            f"{np.mean(one['kappa'][name]):.3f} ± {np.std(one['kappa'][name]):.3f}" for one in found
        ]
        lines.append(f"| kappa, {name} | {' | '.join(cells)} |")
    for name in found[0]["attacks"]:
        cells = []
        for one in found:
            value, ends = one["attacks"].get(name, (float("nan"), None))
            cells.append(f"{value:.3f}" + (f" ({ends[0]:.3f} to {ends[1]:.3f})" if ends else ""))
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def draw(found: list[dict[str, Any]], path: Path) -> None:
    """The areas under the curve of each attack against the mean kappa of the students."""
    matplotlib.use("svg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4.5), layout="constrained")
    kappa = [
        np.mean([np.mean(v) for name, v in one["kappa"].items() if name.endswith("stimuli")])
        for one in found
    ]
    for name in (name for name in found[0]["attacks"] if " auc " in name):
        axes.plot([one["attacks"][name][0] for one in found], kappa, "o-", label=name)
    axes.axvline(0.5, color="gray", linestyle=":")
    axes.set(xlabel="area under the attack's ROC curve", ylabel="students' kappa on real windows")
    axes.legend(fontsize=7)
    figure.savefig(path)
    pyplot.close(figure)


def main(asked: Asked) -> None:
    """Measure every strength, and write the table and the curve."""
    runtime.start()
    asked = settings.seeded(asked, asked.seed)
    asked.out.mkdir(mode=0o700, parents=True, exist_ok=True)
    with reporter() as report:
        for strength in asked.strengths:
            measure(asked, strength, report)
    found = [gathered(asked.out, strength) for strength in asked.strengths]
    text = table(found)
    (asked.out / "tradeoff.md").write_text(text, encoding="utf-8")
    draw(found, asked.out / "tradeoff.svg")
    print(text)


if __name__ == "__main__":
    try:
        main(tyro.cli(Asked))
    except StimjaxError as error:
        sys.exit(f"stimjax: error: {error}")
