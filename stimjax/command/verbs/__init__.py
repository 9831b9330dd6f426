"""The verbs of the `stimjax` command: each a dataclass of what may be said, and one thin call.

What a verb needs is imported when it runs, so that `stimjax --help` answers at once.
"""

from stimjax.command.verbs.models import Fit
from stimjax.command.verbs.nights import Score
from stimjax.command.verbs.releases import Export, Inspect, Prior, Sign, Verify
from stimjax.command.verbs.steps import Audit, Prepare, Simulate, Study, Synthesize, Train
from stimjax.command.verbs.whole import Demo, Run

__all__ = [
    "Audit",
    "Demo",
    "Export",
    "Fit",
    "Inspect",
    "Prepare",
    "Prior",
    "Run",
    "Score",
    "Sign",
    "Simulate",
    "Study",
    "Synthesize",
    "Train",
    "Verify",
]
