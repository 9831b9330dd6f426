"""What an attack on one training shows of each epsilon, beside what was promised.

python scripts/audit_dp.py [--epsilons 1 2 4 8 1000] [--units N] [--dp.canaries N] ...

Each row is a training with canaries on noise (`stimjax/learn/lower_bound.py`), with the noise that
the epsilon asks for. The last default, 1000, is next to no noise: it shows that the attack sees.
What it prints is the table of docs/privacy-dp.md.
"""

from __future__ import annotations

import dataclasses
import sys
import time

import tyro

from stimjax import config
from stimjax.batch import Channel, Spec
from stimjax.config import settings
from stimjax.errors import StimjaxError
from stimjax.learn import dp, lower_bound
from stimjax.machine import runtime
from stimjax.machine.progress import reporter

SPEC = Spec((60, 2), ("normal", "apnea"), (Channel("SpO2", "%"), Channel("HR", "1/min")), 1.0)
DEFAULT = config.Dp(canaries=1000)
HEADER = (
    "epsilon",
    "noise",
    "shown",
    "of at most",
    "shown, if Gaussian",
    "of at most",
    "CPU seconds",
)


@dataclasses.dataclass(frozen=True)
class Options:
    """Try what epsilon really is.

    Attributes:
        epsilons: that are promised, one after the other.
        units: subjects (or windows) that there are said to be.
        dp: all other settings of the training; its `epsilon` and `units` are those above.
    """

    epsilons: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0, 1000.0)
    units: int = 200
    dp: config.Dp = DEFAULT


def main(options: Options) -> None:
    """Print a row for each epsilon; it ends with an error at the first that is not kept.

    Raises:
        StimjaxError: a setting cannot be, or a promise is not kept.
    """
    each = [
        dataclasses.replace(options.dp, epsilon=epsilon, units=options.units)
        for epsilon in options.epsilons
    ]
    for asked in each:
        settings.check(asked, "dp.")
    runtime.start()
    print(f"| {' | '.join(HEADER)} |\n|{'---|' * len(HEADER)}", flush=True)
    with reporter() as report:
        for asked in each:
            share = dp.budget(options.units, asked)
            report.stage(f"epsilon {asked.epsilon:g}")
            start = time.process_time()
            spent = lower_bound.audited(SPEC, asked, share.spent, progress=report.progress)
            found, seconds = spent.audited, time.process_time() - start
            assert found is not None
            shown = (found.epsilon, found.most_epsilon, found.gaussian, found.most_gaussian)
            cells = (f"{asked.epsilon:g}", *(f"{one:.2f}" for one in (share.noise, *shown)))
            print(f"| {' | '.join(cells)} | {seconds:.0f} |", flush=True)


if __name__ == "__main__":
    try:
        main(tyro.cli(Options))
    except StimjaxError as error:
        sys.exit(f"stimjax: error: {error}")
