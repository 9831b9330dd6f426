"""A scored night in words."""

from __future__ import annotations

from stimjax.disk.documents import NightSummary, Sleep
from stimjax.nights.night import REASONS
from stimjax.nights.severity import BOUNDS

NO_AHI = "a minute with an apnea counts once, so that this is no AHI"


def clock(seconds: float) -> str:
    """A time of day, or s since a start, as hh:mm:ss."""
    whole = round(seconds)
    return f"{whole // 3600 % 24:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def of_night(night: NightSummary) -> list[str]:
    """What a night's minutes say in sum, a line each."""
    unit = "epochs" if night.apnea_minutes_an_hour is None else "minutes"
    lines = [f"{night.scored} of {night.minutes} {unit} scored{_left_out(night)}."]
    if night.apnea_minutes_an_hour is not None and night.interval is not None:
        low, high = night.interval
        lines.insert(
            0,
            f"{night.apnea_minutes_an_hour:.1f} apnea minutes an hour (95 % interval {low:.1f} to "
            f"{high:.1f}): {bounds(night.severity or '')}; {NO_AHI}.",
        )
    for by, sleep in (("model", night.sleep_by_model), ("scorer", night.sleep_by_scorer)):
        if sleep is not None:
            lines.append(f"Sleep by the {by}: {_sleep(sleep)}.")
    return lines


def warnings(night: NightSummary) -> list[str]:
    """What a reader should know before the numbers."""
    if not night.outside:
        return []
    return [
        f"This night lies outside what the model learned from: {night.uncovered_share:.0%} of its "
        "scored minutes are unlike all stimuli. Do not trust its numbers."
    ]


def bounds(severity: str) -> str:
    """A severity with the apnea minutes an hour that it stands for."""
    first, second, third = (f"{bound:g}" for bound in BOUNDS)
    within = {
        "none": f"below {first}",
        "mild": f"{first} to below {second}",
        "moderate": f"{second} to below {third}",
        "severe": f"{third} or more",
    }
    return f"{severity}, {within[severity]}"


def _left_out(night: NightSummary) -> str:
    why = [f"{count}: {REASONS[reason]}" for reason, count in night.left_out.items()]
    return f" ({'; '.join(why)})" if why else ""


def _sleep(sleep: Sleep) -> str:
    stages = ", ".join(f"{name} {minutes:.0f}" for name, minutes in sleep.stages.items())
    return (
        f"{sleep.asleep:.0f} min, {sleep.efficiency:.0%} of the staged time (minutes in {stages})"
    )
