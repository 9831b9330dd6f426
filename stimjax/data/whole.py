"""A night that is kept whole, for what begins anywhere in it: where, and of which class."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from stimjax.data.condition import Conditioned
from stimjax.data.plan import Plan
from stimjax.data.recording import Recording
from stimjax.data.scoring import rules
from stimjax.data.windows import why_not
from stimjax.disk.documents import PublicRecording

NONE, ANY = -1, -2  # no carrier begins there; one that serves every class
MISSING = 0.5  # a window with more of a channel masked is left out, as `Prepare.max_missing`


class Night(NamedTuple):
    """One night.

    Attributes:
        x: its values, normalized.
        carrier: the class of a carrier that begins at each step (`step_of`), `NONE` or `ANY`.
        scored: samples at which a labelled window begins; none of a night that nobody scored.
        label: its class.
    """

    x: Float[np.ndarray, "time channel"]
    carrier: Int[np.ndarray, " step"]
    scored: Int[np.ndarray, " n"]
    label: Int[np.ndarray, " n"]

    @property
    def about(self) -> PublicRecording:
        """What tells this night from every other."""
        digest = hashlib.sha256(np.ascontiguousarray(self.x).tobytes()).hexdigest()
        return PublicRecording(digest, len(self.x), len(self.scored))


def step_of(rate: float) -> int:
    """Samples between two places where a carrier may begin: a second."""
    return max(1, round(rate))


def night(recording: Recording, conditioned: Conditioned, plan: Plan) -> Night:
    """A night with the places where windows of `plan` may begin.

    A carrier is of the class of the scored span that lies nearest to its own, within half of one.
    In a night that nobody scored for the task it may begin anywhere, and serves every class.

    Args:
        recording: with what was scored in it.
        conditioned: the same, its columns the channels of `plan`.
        plan: of the windows.
    """
    every = np.arange(0, len(conditioned.x), step_of(plan.rate))
    usable = why_not(every, conditioned, plan, MISSING) == ""
    nothing, scored = np.zeros(0, np.int32), rules.scored(recording, plan.task)
    spans = rules.spans(recording, plan.task) if scored else []
    if not spans:  # too short for one, or nobody's
        carrier = np.where(usable & (not scored), ANY, NONE).astype(np.int8)
        return Night(conditioned.x, carrier, nothing, nothing)
    at = np.array([round((start - plan.before) * plan.rate) for start, _, _ in spans], np.int32)
    label = np.array([number for _, _, number in spans], np.int32)
    keep = why_not(at, conditioned, plan, MISSING) == ""
    nearest = np.abs(every[:, None] - at).argmin(axis=1)
    near = np.abs(every - at[nearest]) <= plan.label_seconds * plan.rate / 2
    carrier = np.where(usable & near, label[nearest], NONE).astype(np.int8)
    return Night(conditioned.x, carrier, at[keep], label[keep])
