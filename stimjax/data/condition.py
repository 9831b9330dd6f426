"""One recording's signals brought to one rate and one scale, with what cannot be used masked."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float

from stimjax.data import units
from stimjax.data.channels import canonical
from stimjax.data.quartiles import quartiles
from stimjax.data.recording import Recording, Signal
from stimjax.data.resample import resampled
from stimjax.errors import StimjaxError

ROBUST_SD = 1.349  # interquartile range of a normal distribution with standard deviation 1
WHOLE = 0.02  # of a unit; so much may a whole number be off after the file's own quantization
DENOMINATOR = 10_000  # of a ratio of rates
MOST = 10.0  # robust standard deviations from the median; what lies beyond is an artifact


@dataclasses.dataclass(frozen=True)
class Kind:
    """How a channel is treated.

    Attributes:
        normalization: "fixed" keeps physical meaning, `x = (value - center) / scale`;
            "recording" subtracts the recording's median and divides by its robust spread.
        valid: what lies outside this range is a lost probe (in the channel's unit).
        flat: seconds without any change after which a channel counts as dead.
        clips: whether a value at the end of the header's range was cut off there.
        bridge: seconds; a gap that lasts so long is not bridged: a line over it would read as
            what the channel does in an apnea, or as a dead sensor.
        span: values of x that a stimulus may take where no recording is asked for them; with
            "recording" robust standard deviations from the recording's median.
    """

    normalization: Literal["fixed", "recording"] = "recording"
    center: float = 0.0
    scale: float = 1.0
    valid: tuple[float, float] = (-np.inf, np.inf)
    flat: float = 120.0
    clips: bool = True
    bridge: float = 10.0
    span: tuple[float, float] = (-4.0, 4.0)


# SpO2 keeps its level, which is what desaturation is about; whole percents often stay for long.
# Below 50 % an oximeter is not calibrated: monitors write 0 or rubbish for a lost probe. In an
# apnea flow is flat for up to 60 s and more, so that only a longer stretch is a dead sensor.
# Both numbers move slowly: a line over a lost probe says of them what anybody would.
KINDS: dict[str, Kind] = {
    "SpO2": Kind(  # from 70 to 100 %
        "fixed",
        95.0,
        4.0,
        (50.0, 100.5),
        flat=1800.0,
        clips=False,
        bridge=np.inf,
        span=(-6.25, 1.25),
    ),
    "HR": Kind("recording", valid=(20.0, 250.0), flat=600.0, clips=False, bridge=np.inf),
}


def kind_of(channel: str) -> Kind:
    """How the channel of that name is treated: by its canonical one."""
    return KINDS.get(canonical(channel) or channel, Kind())


@dataclasses.dataclass(frozen=True)
class Conditioned:
    """One recording at one rate.

    Attributes:
        x: normalized values, without NaN: what was missing is interpolated, f32[time, channel].
        missing: where, of each channel, bool[time, channel].
        counts: samples by channel and reason: gap, lost, flat (all three are missing) and
            clipped (kept, since the value is a bound; only counted); and "samples".
        whole: of each channel, whether every valid value is a whole number of its unit.
    """

    x: Float[np.ndarray, "time channel"]
    missing: Bool[np.ndarray, "time channel"]
    counts: dict[str, dict[str, int]]
    whole: tuple[bool, ...]


def condition(recording: Recording, channels: tuple[str, ...], rate: float) -> Conditioned:
    """Mask, resample and normalize the named channels.

    Args:
        recording: with all of `channels`.
        channels: canonical names, in the order of the result's last axis.
        rate: of the result, in Hz.

    Raises:
        StimjaxError: a channel is missing, without a single valid value, or constant.
    """
    name = recording.header.name
    length = round(recording.header.duration * rate)
    columns, gone, counts, whole = [], [], {}, []
    for channel in channels:
        if channel not in recording.signals:
            raise StimjaxError(
                f"{name}: has no channel {channel!r} (it has {', '.join(recording.signals)}); "
                "name others with --channels or leave the file out with --skip-bad"
            )
        signal, kind = recording.signals[channel], kind_of(channel)
        if wrong := units.contradiction(canonical(channel) or channel, signal):
            raise StimjaxError(
                f"{name}: channel {channel!r} ({signal.label!r}) {wrong}; mend the file's header, "
                f"{_instead(recording, channel)} or leave the file out with --skip-bad"
            )
        missing, counts[channel] = mask(signal, kind)
        valid = signal.values[~missing] if missing.any() else signal.values
        if not len(valid) or np.ptp(valid) == 0:
            what = _unusable(signal, kind)
            raise StimjaxError(
                f"{name}: channel {channel!r} ({signal.label!r}) {what}; "
                f"{_instead(recording, channel)} or leave the file out with --skip-bad"
            )
        kept = signal.rate == rate  # resampling puts values between
        whole.append(kept and bool((np.abs(valid - np.round(valid)) < WHOLE).all()))
        quarters = quartiles(valid)
        filled = _filled(signal.values, missing)
        values = _resampled(filled, quarters[1], Fraction(rate / signal.rate), length)
        columns.append(_normalized(values, quarters, valid, kind))
        gone.append(_at_rate(missing, signal.rate / rate, length))
    x = np.stack(columns, axis=1).astype(np.float32)
    return Conditioned(x, np.stack(gone, axis=1), counts, tuple(whole))


def _instead(recording: Recording, channel: str) -> str:
    """The remedy where a channel cannot be used: another signal of its kind, or other channels."""
    kind, taken = canonical(channel) or channel, recording.signals[channel].label
    for other in recording.header.signals:
        if other.name == kind and other.label != taken and not other.fault:
            return f"take another of its signals with --channels {kind!r}={other.label!r}"
    return "name others with --channels"


def _unusable(signal: Signal, kind: Kind) -> str:
    finite = signal.values[np.isfinite(signal.values)]
    if not len(finite):
        return "has no valid value"
    if np.ptp(finite) == 0:
        return "is constant"
    low, high = kind.valid  # a unit that is not the right one shows in the values
    inside = f", valid are {low:g} to {high:g}" if np.isfinite(low) else ""
    return f"has no valid value ({units.span(signal)}{inside})"


def _at_rate(missing: np.ndarray, ratio: float, length: int) -> np.ndarray:
    """The mask at another rate; what lies behind its end was not measured."""
    index = (np.arange(length) * ratio).astype(int)
    return missing[np.minimum(index, len(missing) - 1)] | (index >= len(missing))


def mask(signal: Signal, kind: Kind) -> tuple[Bool[np.ndarray, " time"], dict[str, int]]:
    """Which samples cannot be used, and how many samples each reason concerns."""
    values = signal.values
    # NaN where there is a gap. Of most channels they tell that nothing is amiss, without a look
    # at each value.
    low, high = values.min(initial=np.inf), values.max(initial=-np.inf)
    gap = lost = clipped = np.zeros(len(values), bool)
    with np.errstate(invalid="ignore"):
        if not (np.isfinite(low) and np.isfinite(high)):
            gap = ~np.isfinite(values)
        if not (kind.valid[0] <= low and high <= kind.valid[1]):
            lost = ~gap & ((values < kind.valid[0]) | (values > kind.valid[1]))
        missing = gap | lost
        flat = _flat(values, max(2, round(kind.flat * signal.rate))) & ~missing
        missing |= flat
        if kind.clips and not (signal.low < low and high < signal.high):
            clipped = ~gap & ~flat & ((values >= signal.high) | (values <= signal.low))
    reasons = {"gap": gap, "lost": lost, "flat": flat, "clipped": clipped}
    counts = {reason: int(np.count_nonzero(where)) for reason, where in reasons.items()}
    return missing, {"samples": len(values), **counts}


def _flat(values: np.ndarray, least: int) -> np.ndarray:
    """Where a value repeats itself for at least `least` samples."""
    # So long a stretch covers a whole step of this grid: where none is flat, nothing is.
    step = least // 2
    starts = range(0, len(values) - step, step)
    if not any(
        (values[a + 1 : a + step + 1] == values[a]).all()
        for a in starts
        if values[a] == values[a + step]
    ):
        return np.zeros(len(values), bool)
    change = np.flatnonzero(np.diff(values) != 0) + 1
    edges = np.concatenate([[0], change, [len(values)]])
    lengths = np.diff(edges)
    return np.repeat(lengths >= least, lengths)


def _filled(values: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """Missing values on the line between their neighbors; at the ends, the nearest value."""
    if not missing.any():
        return values
    time = np.arange(len(values))
    return np.interp(time, time[~missing], values[~missing])


def _resampled(values: np.ndarray, level: float, ratio: Fraction, length: int) -> np.ndarray:
    """At a rate times `ratio`, through a polyphase anti-alias filter; exactly `length` values."""
    if ratio != 1:
        ratio = ratio.limit_denominator(DENOMINATOR)
        values = resampled(values, ratio.numerator, ratio.denominator, level=level)
    values = values[:length]
    return np.pad(values, (0, length - len(values)), mode="edge")


def _normalized(
    values: np.ndarray, quarters: np.ndarray, valid: np.ndarray, kind: Kind
) -> np.ndarray:
    if kind.normalization == "fixed":
        return (values - kind.center) / kind.scale
    low, median, high = quarters
    # More than half of the values may be the same; then the spread says nothing, the SD does.
    spread = (high - low) / ROBUST_SD or float(valid.std())
    return np.clip((values - median) / spread, -MOST, MOST)
