"""The recipe of windows as data: all that other software needs to repeat their preparation.

It stands in the `spec.json` of windows and of releases, where `prepare.py` of a release reads it
(`release/prepare.py`). It follows from the form of windows alone, and tells nothing of the
recordings: neither how a user named their labels, nor a file.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stimjax import config
from stimjax.data import channels, condition, resample, units
from stimjax.data.labels import Labels, labels
from stimjax.data.plan import Plan, of_spec
from stimjax.data.scoring import rules
from stimjax.disk.documents.made import FILE, Made
from stimjax.disk.store import read_json
from stimjax.errors import StimjaxError
from stimjax.spec import Spec

KEY, MOST = "preparation", ".missing.most"  # places in `spec.json`
LABELS = {
    "apnea": "Where minutes were scored, these. Else a whole minute from the recording's start is "
    "apnea if at least {apnea:g} s of it lie in scored apneas and hypopneas, what overlaps counted "
    "once; an event of {apnea:g} s or more of which less than {apnea:g} s lie on either side of a "
    "border counts for the minute that has more of it, or the first. A minute is left out where "
    "half or more of it lies outside the scored sleep stages, or outside lights off to lights on.",
    "stages": "Scored stages that follow each other within {join:g} s are joined and tiled with "
    "spans of {span:g} s from where they begin. A stage labels a span if it covers at least "
    "{share:.3g} of it, and others at most the rest.",
}


def preparation(plan: Plan, max_missing: float = config.Prepare.max_missing) -> dict[str, Any]:
    """How a recording becomes windows, for JSON.

    Args:
        plan: of the windows.
        max_missing: a window is not used if more than this part of a channel is missing.
    """
    said = LABELS[plan.task].format(
        apnea=rules.APNEA_SECONDS, join=rules.JOIN, span=rules.EPOCH, share=rules.SHARE
    )
    return {
        "task": plan.task,
        "rate": plan.rate,
        "windows": {
            "span_seconds": plan.label_seconds,
            "before_seconds": plan.before,
            "after_seconds": plan.after,
            "samples": plan.length,
            "begin": "at sample round((start of the span - before_seconds) * rate), halves to even",
            "spans": "whole spans from the recording's start; where it is scored, as scored",
            "label": said,
        },
        "channels": [_channel(name) for name in plan.channels],
        "labels": {
            "form": "compared are letters and digits (NFKD) without case, without a unit in "
            "brackets or a rate as .40ms behind",
            "units_behind": " ".join(sorted({*units.known(), *channels.OF_AIR} - {"v"})),
        },
        "units": {
            "form": "compared without case, blanks and brackets around, with u for micro",
            "unstated": " ".join(filter(None, units.rule("").unstated)),
        },
        "missing": {
            "what": "no value; outside `valid`; without any change for `flat_seconds`",
            "filled": "on the line between the neighbors; at the ends with the nearest value",
            "most": max_missing,
        },
        "resampling": _resampling(),
    }


def _resampling() -> dict[str, Any]:
    return {
        "filter": "polyphase, a sinc in a Kaiser window, of gain 1; filled values, float32",
        "reach": resample.REACH,
        "beta": resample.BETA,
        "padding": "the line through the first and the last value",
        "level": "the median is subtracted before and added after",
        "largest_denominator": condition.DENOMINATOR,
        "length": "round(duration * rate); cut, or the last value repeated",
    }


def _channel(name: str) -> dict[str, Any]:
    kind = condition.kind_of(name)
    rule = units.rule(channels.canonical(name) or name)
    bounded = math.isfinite(kind.valid[0])
    fixed = kind.normalization == "fixed"
    return {
        "name": name,
        **_signals(labels(name)),
        "units": None if rule.factors is None else _by_factor(rule.factors),
        "units_refused": " ".join(rule.refused),
        "fraction_below": rule.fraction_below,
        "spread": None if rule.spread is None else list(rule.spread),
        "valid": list(kind.valid) if bounded else None,
        "flat_seconds": kind.flat,
        "longest_gap_seconds": kind.bridge if math.isfinite(kind.bridge) else None,
        "normalization": kind.normalization,
        "center": kind.center if fixed else "the recording's median of valid values",
        "scale": kind.scale
        if fixed
        else "their interquartile range / iqr_of_sd; where that is 0 their standard deviation",
        "iqr_of_sd": None if fixed else condition.ROBUST_SD,
        "clip": None if fixed else condition.MOST,
    }


def _signals(own: Labels) -> dict[str, Any]:
    """The best source first; of several signals of one, that with a fitting unit, then the faster.

    Words are letters and digits alone, so that a blank parts them.
    """
    return {
        "sources": [
            {"label": " ".join(one.label), "less": " ".join(one.less)} for one in own.sources
        ],
        "before_label": " ".join(own.before),
        "behind_label": " ".join(own.behind),
    }


def _by_factor(factors: Mapping[str, float]) -> list[dict[str, Any]]:
    return [
        {"times": factor, "units": " ".join(unit for unit, of in factors.items() if of == factor)}
        for factor in sorted(set(factors.values()))
    ]


def of(spec: Spec, max_missing: float = config.Prepare.max_missing) -> dict[str, Any] | None:
    """What a folder says of its windows; None where no recording becomes such (images)."""
    try:
        return preparation(of_spec(spec), max_missing)
    except StimjaxError:
        return None


def max_missing(folder: Path, plan: Plan) -> float:
    """Up to which part of a channel a window like those of a folder may be missing.

    Where its `spec.json` does not say so, as in an older release, it is the default.

    Args:
        folder: with a `spec.json`.
        plan: of its windows.

    Raises:
        StimjaxError: `spec.json` is damaged, or of windows that other rules made.
    """
    where, content = folder / FILE, read_json(folder / FILE)
    if KEY in content:
        told = _numbers(content[KEY])
        most = told.get(MOST, -1.0)
        if not 0 <= most <= 1:
            raise StimjaxError(f"{where}: is damaged ({KEY}{MOST} is no share from 0 to 1)")
        ours = _numbers(preparation(plan, most))
        for name in sorted(told.keys() & ours.keys()):
            if told[name] != ours[name]:
                raise StimjaxError(
                    f"{where}: {KEY}{name} is {told[name]:g}, and in this version "
                    f"{ours[name]:g}; install the version that made it"
                )
        return most
    if content.get("made"):
        settings = Made.load(folder).settings
        if isinstance(settings, config.Prepare):
            return settings.max_missing
    return config.Prepare.max_missing


def _numbers(value: Any, name: str = "") -> dict[str, float]:
    """Every number in a value of JSON, by its place."""
    if isinstance(value, Mapping):
        inside = value.items()
    elif isinstance(value, list):
        inside = enumerate(value)
    else:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return {name: float(value)} if is_number else {}
    return {k: v for key, one in inside for k, v in _numbers(one, f"{name}.{key}").items()}
