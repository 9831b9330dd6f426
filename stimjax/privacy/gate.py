"""Bounds on an audit, beyond which a release is not published."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from stimjax.config import settings
from stimjax.disk.documents import Entry, Privacy
from stimjax.errors import StimjaxError


def read(path: Path) -> dict[str, float]:
    """The bounds of a YAML file: `metric: most`, `attack.metric: most`, or with the level too.

    `auc: 0.57` bounds the area under the curve of every attack, `lira.auc.subject: 0.6` one of
    them, `epsilon: 8` the guarantee.

    Raises:
        StimjaxError: the file cannot be read, or a line is no bound.
    """
    content = settings.read(path)
    if not isinstance(content, Mapping) or not content:
        raise StimjaxError(f"{path}: has to be `metric: most` lines, such as `auc: 0.57`")
    bounds: dict[str, float] = {}
    for name, most in content.items():
        if isinstance(most, bool) or not isinstance(most, int | float) or not math.isfinite(most):
            raise StimjaxError(f"{path}: {name} has to be a number, not {most!r}")
        bounds[str(name)] = float(most)
    return bounds


def exceeded(privacy: Privacy, bounds: Mapping[str, float]) -> list[str]:
    """A line for each bound that the audit `privacy` exceeds, or does not show to be kept.

    What is compared is the upper end of the interval, the value where there is none. A bound that
    bounds nothing in the audit is not kept.
    """
    lines = []
    for name, most in bounds.items():
        if name == "epsilon":
            if privacy.epsilon is None or privacy.epsilon > most:
                lines.append(f"epsilon is {privacy.epsilon or 'not bounded'}, {most:g} is allowed")
            continue
        entries = [entry for entry in privacy.attacks if _named(entry, name)]
        if not entries:
            lines.append(f"{name}: no attack of this audit gives it")
        for entry in entries:
            where = f"{entry.attack} {entry.metric} {entry.level}"
            highest = entry.ci[1] if entry.ci else entry.value
            if highest is None:
                lines.append(f"{where}: could not be tried ({entry.note})")
            elif highest > most:
                lines.append(f"{where}: reaches {highest:.4g}, {most:g} is allowed")
    return lines


def _named(entry: Entry, name: str) -> bool:
    attack, metric, level = entry.attack, entry.metric, entry.level
    return name in (metric, f"{attack}.{metric}", f"{metric}.{level}", f"{attack}.{metric}.{level}")
