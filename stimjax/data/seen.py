"""What is known of a cohort after each of its recordings was seen once."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from stimjax.data.plan import Plan
from stimjax.data.public import Private
from stimjax.data.windows import Cut, Task
from stimjax.disk.documents import Cohort, Part
from stimjax.errors import StimjaxError

SAMPLED = 5_000  # values of each channel that a recording gives to the percentiles at most,
SAMPLED_IN_ALL = 500_000  # and all together: memory does not grow with the cohort


def windows_file(folder: Path, index: int) -> Path:
    """Where the windows of a recording lie before it is known which part they go into."""
    return folder / f"recording-{index:04d}.safetensors"


def sampled(recordings: int) -> int:
    """How many values of each channel a recording gives to the percentiles."""
    return max(1, min(SAMPLED, SAMPLED_IN_ALL // recordings))


class Seen:
    """What is known of the recordings, by the index of each, after it was seen once."""

    def __init__(self, plan: Plan, skipped: int) -> None:
        self.labels: dict[int, np.ndarray] = {}  # class numbers of a recording's windows
        self.subject: dict[int, int] = {}
        self.sample: dict[int, np.ndarray] = {}  # some values of each channel
        self.source: dict[int, np.ndarray] = {}  # and which window each is from
        self.masked: dict[str, Counter[str]] = {name: Counter() for name in plan.channels}
        self.whole: dict[int, np.ndarray] = {}  # of each channel: whether its values are whole
        self.twins: dict[bytes, Path] = {}
        self.used: list[Private] = []  # where public recordings are compared with them
        self.plan, self.skipped = plan, skipped

    def refuse_twin(self, digest: bytes, path: Path) -> None:
        """Raise StimjaxError where another recording had the same signals."""
        twin = self.twins.setdefault(digest, path)
        if twin != path:
            raise StimjaxError(
                f"{path}: holds the same signals as {twin}; a copy in another part of the split "
                "would spoil the test: remove one of them"
            )

    def add(self, task: Task, cut: Cut) -> None:
        """Take note of a recording whose windows are used."""
        self.labels[task.index], self.subject[task.index] = cut.label, task.subject
        self.sample[task.index], self.source[task.index] = cut.sample, cut.source
        for name, counts in cut.masked.items():
            self.masked[name].update(counts)
        self.whole[task.index] = np.array(cut.whole)
        if cut.trace is not None:
            self.used.append(Private(task.path, cut.digest, cut.trace))

    def severity(self) -> dict[int, float]:
        """Of each subject: the part of its windows that are not of the first class."""
        labels: dict[int, list[np.ndarray]] = {}
        for index, label in self.labels.items():
            labels.setdefault(self.subject[index], []).append(label)
        return {s: float((np.concatenate(parts) > 0).mean()) for s, parts in labels.items()}

    def refuse_useless(self) -> None:
        """Raise StimjaxError where nothing can be learned from all recordings together."""
        if not self.labels:
            raise StimjaxError("not one recording can be used")
        present = np.unique(np.concatenate(list(self.labels.values())))
        if len(present) < 2:
            raise StimjaxError(
                f"every window is of the class {self.plan.classes[present[0]]!r}; recordings with "
                "at least two classes are needed"
            )

    def cohort(self, parts: dict[str, Part]) -> Cohort:
        """What `spec.json` records of the recordings."""
        return Cohort(
            recordings=len(self.labels),
            skipped=self.skipped,
            subjects=len(set(self.subject.values())),
            parts=parts,
            masked={name: dict(counts) for name, counts in self.masked.items()},
        )
