"""Bounds on an audit, beyond which a release is not published."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from stimjax.config import settings
from stimjax.config.recipes import Recipe
from stimjax.disk.documents import Entry, Privacy
from stimjax.errors import StimjaxError

NEEDED = ("refit", "labels")  # what lira has to have looked at, where a release shows it
ALIASES = {"top1": "first_of_ten"}


def read(path: Path) -> dict[str, float]:
    """The bounds of a YAML file: `metric: most`, `attack.metric: most`, or with the level too.

    `auc: 0.57` bounds the area under the curve of every attack, `lira.auc.subject: 0.6` one of
    them, `worst_subject: 0.8` the person who is found best, `first_of_ten: 0.2` whose it is of ten
    candidates (`top1` by its other name), `epsilon: 8` the guarantee.

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


def exceeded(privacy: Privacy, bounds: Mapping[str, float], recipe: Recipe) -> list[str]:
    """A line for each bound that the audit `privacy` exceeds, or does not show to be kept.

    What is compared is the upper end of the interval, the value where there is none. A bound that
    bounds nothing in the audit of a release of this recipe is not kept, but see `trivial`.
    """
    lines, without_asking = [], trivial(bounds, recipe)
    for name, most in bounds.items():
        if name in without_asking:
            continue
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


def trivial(bounds: Mapping[str, float], recipe: Recipe) -> dict[str, str]:
    """Bounds that every release of this recipe keeps, by name, and a line on why.

    With the seed the noise can be subtracted. Of a source without statistics nothing of the data is
    left then, so that no attack is tried, and bounds on who has the seed are kept.
    """
    from stimjax.excite.sources import SOURCES  # it brings jax, and bounds are read before that
    from stimjax.privacy import findings, headline
    from stimjax.privacy.attacks import seed

    if SOURCES[recipe.source].needs:
        return {}
    names = {
        name
        for metric, level in findings.MEMBERSHIP
        for name in _names(seed.NAME, f"{metric}{headline.WITH_SEED}", level)
    }
    why = f"is kept, for the source {recipe.source} has no statistics that the seed could uncover"
    return {name: f"{name}: {why}" for name in bounds if name in names}


def lacking(privacy: Privacy, recipe: Recipe) -> list[str]:
    """A line for each attack that a release of this recipe needs and the audit has not tried.

    Labels tell of people whatever they are of; and a source that has statistics of windows can be
    refitted.
    """
    from stimjax.privacy.shadow import signals  # it brings jax, and bounds are read before that
    from stimjax.privacy.shadow.releases import ReleaseRecipe

    tried = {entry.attack for entry in privacy.attacks if entry.value is not None}
    needed = [f"lira_{name}" for name in signals.of(ReleaseRecipe(recipe)) if name in NEEDED]
    return [
        f"{name} was not tried, and a release of the source {recipe.source} needs it; name lira in "
        "--audit.attacks"
        for name in needed
        if name not in tried
    ]


def _named(entry: Entry, name: str) -> bool:
    metric = ALIASES.get(entry.metric, entry.metric) if name in ALIASES.values() else entry.metric
    return name in _names(entry.attack, metric, entry.level)


def _names(attack: str, metric: str, level: str) -> tuple[str, ...]:
    """What a bound on a number of an attack may be called."""
    return metric, f"{attack}.{metric}", f"{metric}.{level}", f"{attack}.{metric}.{level}"
