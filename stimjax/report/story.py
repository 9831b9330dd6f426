"""What a report tells: plain data, gathered by whoever ran the job."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from stimjax.batch import Batch


@dataclasses.dataclass(frozen=True)
class Night:
    """One test subject's windows, in order of time.

    Attributes:
        scored: class numbers.
        predicted: of the teacher: with two classes the probability of class 1, with more the
            predicted class number.
        student: the same from the student that was trained on stimuli.
        seconds: from the start of one window to the start of the next.
    """

    scored: Float[np.ndarray, " n"]
    predicted: Float[np.ndarray, " n"]
    student: Float[np.ndarray, " n"]
    seconds: float


@dataclasses.dataclass(frozen=True)
class Story:
    """Everything the report tells. Dictionaries that it does not know are shown as tables.

    Attributes:
        title: of the page.
        simulated: whether the recordings come from the simulator.
        results: content of `results.json`; an entry of its summary may carry `trained_on`
            ("stimuli" where it does not).
        real: a few hundred real windows with their scored labels.
        stimuli: stimuli with the teacher's soft labels.
        night: one night of the test set, if there is one.
        data: summary of the prepared windows; `data["split"]` is "subject" or "random".
        teacher: content of the teacher's `metrics.json`.
        manifest: of the release; its "shards" and "spec" are not shown.
        config: the effective configuration as YAML.
        versions: of the software, by name.
        repeat: the command that repeats the run.
        teacher_on_real: the teacher's probabilities for the windows of `real`; without them the
            confidence figure shows the stimuli alone.
        privacy: content of `privacy.json`, if there was an audit.
        tradeoff: of each strength of inhibition what `job/tradeoff.py` measured; empty where none
            was.
        exceeded: bounds of the data holder that the audit exceeded; then nothing was published.
    """

    title: str
    simulated: bool
    results: dict[str, Any]
    real: Batch
    stimuli: Batch
    night: Night | None
    data: dict[str, Any]
    teacher: dict[str, Any]
    manifest: dict[str, Any]
    config: str
    versions: dict[str, str]
    repeat: str
    teacher_on_real: Float[np.ndarray, "n classes"] | None = None
    privacy: dict[str, Any] | None = None
    tradeoff: Sequence[Mapping[str, Any]] = ()
    exceeded: tuple[str, ...] = ()
