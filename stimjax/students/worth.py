"""What a release adds to what anybody may have: students of stimuli against those of the prior."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from stimjax.disk.documents import Loss, Results

RELEASE, CONTROL = "stimuli", "prior"


def sentence(results: Results, named: Callable[[str], str] = str) -> str | None:
    """How much students of the release gain over those of the prior alone, on average.

    None where no student learned from that. Students are called what `named` calls them.
    """
    losses = {(loss.student, loss.trained_on): loss for loss in results.summary}
    gains = {
        student: _gain(losses[student, RELEASE], control)
        for (student, source), control in losses.items()
        if source == CONTROL and (student, RELEASE) in losses
    }
    known = {student: gain for student, gain in gains.items() if gain is not None}
    if not known:
        return None
    points, kappa = np.mean(list(known.values()), axis=0)
    nothing = [student for student, (_, gain) in known.items() if gain <= 0]
    said = (
        "Over students of what anybody may have (simulated windows with their own labels), those "
        f"of the release gain {100 * points:.1f} points of accuracy and {kappa:.3f} of kappa on "
        "average"
    )
    if nothing:
        said += f"; {', '.join(map(named, nothing))} gain{'s' * (len(nothing) == 1)} nothing"
    return f"{said}.".replace("-", "−")


def _gain(release: Loss, control: Loss) -> tuple[float, float] | None:
    """Accuracy and kappa, by what each loses against real windows; None where not defined."""
    accuracy = _less(control.accuracy_gap, release.accuracy_gap)
    kappa = _less(control.kappa_gap, release.kappa_gap)
    return None if accuracy is None or kappa is None else (accuracy, kappa)


def _less(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one - other
