"""What inhibition costs students and what it takes from attackers, over its strength.

python scripts/tradeoff.py --windows WINDOWS --teacher TEACHER --out DIR [--strengths 0 0.25 ...]

WINDOWS and TEACHER are what `stimjax prepare` and `stimjax train` made. For each strength of
`synthesis.inhibit` a release, its study and its audit lie in DIR/inhibit-STRENGTH; what is there
already is not made again. DIR/tradeoff.md is the table, DIR/tradeoff.svg the curve: the students'
kappa on real test windows against the attacks' success. `stimjax run --tradeoff.strengths` puts
both into the report of a run.
"""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import tyro

from stimjax import config
from stimjax.config import settings
from stimjax.errors import StimjaxError
from stimjax.job import tradeoff
from stimjax.learn import teacher as teachers
from stimjax.machine import runtime
from stimjax.machine.progress import reporter
from stimjax.report import figures, privacy

DEFAULT = config.Job()
STUDY = config.Study(students=("cnn", "random_forest"), baselines=())


@dataclasses.dataclass(frozen=True)
class Options:
    """Measure the trade-off between students and anonymity.

    Attributes:
        windows: a folder of windows; its test part is the holdout of the audit.
        teacher: a folder with a teacher that has a critic.
        out: folder for all results.
        strengths: of inhibition.
        synthesis: how stimuli are made.
        study: the students.
        audit: the attacks.
        seed: of stimuli, students and attacks; without one the operating system gives that of each
            release, as `stimjax run` has it.
    """

    windows: Path
    teacher: Path
    out: Path
    strengths: tuple[float, ...] = (0.0, 0.25, 0.5, 0.75)
    synthesis: config.Synthesis = DEFAULT.synthesis
    study: config.Study = STUDY
    audit: config.Audit = DEFAULT.audit
    seed: int | None = None


def main(options: Options) -> None:
    """Measure every strength, and write the table and the curve."""
    runtime.start()
    options = settings.seeded(options, options.seed)
    options.out.mkdir(mode=0o700, parents=True, exist_ok=True)
    with reporter() as report:
        points = tradeoff.measure(
            windows=options.windows,
            teacher=teachers.load(options.teacher),
            out=options.out,
            job=dataclasses.replace(
                DEFAULT,
                synthesis=options.synthesis,
                study=options.study,
                audit=options.audit,
                tradeoff=config.Tradeoff(options.strengths),
            ),
            reporter=report,
        )
    table = privacy.tradeoff(points)
    lines = [table.header, ["---"] * len(table.header), *table.rows]
    text = "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
    (options.out / "tradeoff.md").write_text(text, encoding="utf-8")
    (options.out / "tradeoff.svg").write_text(figures.tradeoff(points), encoding="utf-8")
    print(text)


if __name__ == "__main__":
    try:
        main(tyro.cli(Options))
    except StimjaxError as error:
        sys.exit(f"stimjax: error: {error}")
