"""Make windows like those of this release: `python prepare.py RECORDING OUT.npz`.

It needs Python 3.10, numpy, scipy and pyedflib, and `spec.json` beside it, whose part `preparation`
says what is done here. It reads EDF, EDF+C, BDF and BDF+C, and takes them as without pauses. Where
a file names a channel in a way that is not known, say which signal it is:
`python prepare.py RECORDING OUT.npz SpO2="Channel 3"`.

OUT.npz holds, of all minutes (or epochs) of the recording that a label could speak of,

    start   f64[n], s from the recording's start to where it begins
    usable  bool[n], whether its window is inside the recording and enough of it was measured
    x       f32[usable, time, channel], the windows of the usable ones, in order
"""

from __future__ import annotations

import json
import math
import re
import sys
import unicodedata
from fnmatch import fnmatchcase
from fractions import Fraction
from pathlib import Path

import numpy as np
from pyedflib import DO_NOT_READ_ANNOTATIONS, EdfReader
from scipy.signal import resample_poly


class Refused(Exception):
    """What is wrong with a file, in a line."""


def letters(text):
    """The letters and digits of a label, without case and accents."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in parts if c.isalnum())


def plain_labels(label, behind):
    """A label as labels are compared; `behind` are the units that may stand in brackets."""
    readings = [label]
    if not label.isascii():  # written in Chinese, read as Latin-1
        data = label.encode("latin-1", "ignore")
        readings += [data.decode("utf-8", "ignore"), data.decode("gb18030", "ignore")]
    for text in readings:
        text = re.sub(r"\.\d+m?s$", "", " ".join(text.split()), flags=re.IGNORECASE)
        unit = re.search(r"[\[(]([^\[(\])]*)[\])]$", text)
        if unit and "".join(unit[1].casefold().split()) in behind:
            text = text[: unit.start()]
        yield letters(text)


def plain_unit(unit):
    """A unit as units are compared."""
    unit = re.sub("Âµ|Î¼|Âμ|µ|μ", "u", unit).casefold().replace("ä", "a")
    return re.sub(r"\s", "", unit).strip("[]()")


def folded(text):
    """A label without case and needless blanks."""
    return " ".join(text.casefold().split())


class Signal:
    """One signal of a file: what its header says."""

    def __init__(self, file, index, behind):
        self.index, self.label = index, file.getLabel(index).strip()
        self.rate = float(file.getSampleFrequency(index))
        self.unit = plain_unit(file.getPhysicalDimension(index))
        self.plain = set(plain_labels(self.label, behind))
        self.range = file.getPhysicalMinimum(index), file.getPhysicalMaximum(index)
        self.digital = file.getDigitalMinimum(index), file.getDigitalMaximum(index)

    def is_any_of(self, words, before=(), behind=()):
        """Whether its label is one of these words, with one of `before` or `behind` beside it."""
        for plain in self.plain:
            starts = [plain[len(b) :] for b in before if plain.startswith(b)]
            ends = [plain[: -len(b)] for b in behind if plain.endswith(b)]
            if not words.isdisjoint([plain, *starts, *ends]):
                return True
        return False

    def values(self, file):
        """Its values in its own unit, f32[time]."""
        (low, high), (first, last) = self.range, self.digital
        numbers = file.readSignal(self.index, digital=True).astype(np.float64)
        return ((numbers - first) * ((high - low) / (last - first)) + low).astype(np.float32)


def factor(channel, unit, unstated):
    """What to multiply a signal's values by; None where its unit contradicts the channel."""
    if channel["units"] is None:
        return None if unit in channel["units_refused"].split() else 1.0
    for entry in channel["units"]:
        if unit in entry["units"].split():
            return entry["times"]
    return 1.0 if unit in unstated else None


def choose(channel, signals, unstated, pattern):
    """The signal of a channel, and the one that is subtracted from it (or None)."""
    found = []
    fits = [factor(channel, s.unit, unstated) is not None for s in signals]
    exact = [folded(s.label) == folded(channel["name"]) for s in signals]
    if pattern is not None:
        for i, s in enumerate(signals):
            if folded(s.label) == folded(pattern) or fnmatchcase(folded(s.label), folded(pattern)):
                found.append((not fits[i], 0, -s.rate, not exact[i], i, None))
    sources = channel["sources"] if pattern is None else []
    before, behind = channel["before_label"].split(), channel["behind_label"].split()
    stated = {unit for entry in channel["units"] or () for unit in entry["units"].split()}
    for rank, source in enumerate(sources):
        words, less = set(source["label"].split()), set(source["less"].split())
        for i, s in enumerate(signals):
            if not s.is_any_of(words, before, () if less else behind):
                continue
            alike = (o for o in signals if o.unit == s.unit or {o.unit, s.unit} <= stated)
            ear = next((o for o in alike if o.rate == s.rate and o.is_any_of(less)), None)
            if ear is not None or not less:
                found.append((not fits[i], rank, -s.rate, not exact[i], i, ear))
    if not found:
        labels = ", ".join(repr(s.label) for s in signals)
        raise Refused(
            f"has no channel {channel['name']!r}; its signals are {labels}; if one of these is, "
            f"name it: {channel['name']}=LABEL"
        )
    *_, index, ear = min(found, key=lambda one: one[:-1])
    return signals[index], ear


def in_usual_unit(channel, signal, values, unstated):
    """Values in the channel's unit, f32[time]."""
    times = factor(channel, signal.unit, unstated)
    said = f"its signal {signal.label!r} for {channel['name']!r}"
    if times is None:
        raise Refused(f"{said} is in {signal.unit!r}, which contradicts the channel")
    if channel["fraction_below"] is not None:
        high = max(signal.range)
        high = min(high, float(values.max())) if values.max() > 0 else high
        times = 100.0 if high <= channel["fraction_below"] else times
    values = values if times == 1 else (values * times).astype(np.float32)
    if channel["spread"] is not None and signal.unit not in unstated and np.ptp(values) > 0:
        low, _, high = np.percentile(values.astype(float), [25, 50, 75])
        spread = (high - low) or values.std()
        if not channel["spread"][0] <= spread <= channel["spread"][1]:
            raise Refused(f"{said} has a spread of {spread:.3g} uV; its unit is wrong")
    return values


def missing_in(channel, values, rate):
    """Where nothing was measured, bool[time]: no value, a lost probe, a dead sensor."""
    gone = ~np.isfinite(values)
    if channel["valid"] is not None:
        gone |= (values < channel["valid"][0]) | (values > channel["valid"][1])
    edges = np.concatenate([[0], np.flatnonzero(np.diff(values) != 0) + 1, [len(values)]])
    lengths = np.diff(edges)
    return gone | np.repeat(lengths >= max(2, round(channel["flat_seconds"] * rate)), lengths)


def resampled(values, level, ratio, how):
    """Values at `ratio` times their rate, without what the new rate cannot hold."""
    if ratio == 1:
        return values
    ratio = ratio.limit_denominator(how["largest_denominator"])
    slower = max(ratio.numerator, ratio.denominator)
    at = np.arange(-how["reach"] * slower, how["reach"] * slower + 1)
    taps = np.sinc(at / slower) * np.kaiser(len(at), how["beta"])
    taps = (taps / taps.sum()).astype(np.float32)
    level = float(values.dtype.type(level))
    above = (values - values.dtype.type(level)).astype(np.float32)
    made = resample_poly(above, ratio.numerator, ratio.denominator, window=taps, padtype="line")
    return level + made.astype(np.float64)


def condition(channel, values, rate, recipe, length):
    """One channel at the rate of the windows and normalized, and where it is missing."""
    gone = missing_in(channel, values, rate)
    valid = values[~gone]
    if not len(valid) or np.ptp(valid) == 0:
        raise Refused(f"its channel {channel['name']!r} is constant or without a valid value")
    low, median, high = np.percentile(valid.astype(float), [25, 50, 75])
    if gone.any():
        time = np.arange(len(values))
        values = np.interp(time, time[~gone], valid)
    x = resampled(values, median, Fraction(recipe["rate"] / rate), recipe["resampling"])[:length]
    x = np.pad(x, (0, length - len(x)), mode="edge")
    if channel["normalization"] == "fixed":
        x = (x - channel["center"]) / channel["scale"]
    else:
        spread = (high - low) / channel["iqr_of_sd"] or float(valid.std())
        x = np.clip((x - median) / spread, -channel["clip"], channel["clip"])
    index = (np.arange(length) * (rate / recipe["rate"])).astype(int)
    return x, gone[np.minimum(index, len(gone) - 1)] | (index >= len(gone))


def usable_at(begin, gone, recipe):
    """Which windows can be used that begin at these samples; `gone` is bool[time, channel]."""
    samples, usable = recipe["windows"]["samples"], []
    for first in begin:
        good = first >= 0 and first + samples <= len(gone)
        for channel, column in zip(recipe["channels"], gone.T, strict=True):
            part = column[first : first + samples] if good else np.zeros(0, bool)
            good = good and part.mean() <= recipe["missing"]["most"]
            longest = channel["longest_gap_seconds"]
            if good and longest is not None and part.any():
                edges = np.flatnonzero(np.diff(np.concatenate([[0], part, [0]])))
                least = max(1, math.ceil(longest * recipe["rate"]))
                good = (edges[1::2] - edges[::2]).max() < least
        usable.append(good)
    return np.array(usable, bool)


def prepare(path, recipe, patterns):
    """The arrays `start`, `usable` and `x` of a recording."""
    behind = set(recipe["labels"]["units_behind"].split())
    unstated = {"", *recipe["units"]["unstated"].split()}
    columns, taken = [], {}
    with EdfReader(str(path), DO_NOT_READ_ANNOTATIONS) as file:
        signals = [Signal(file, i, behind) for i in range(file.signals_in_file)]
        duration = file.datarecords_in_file * file.datarecord_duration
        length = round(duration * recipe["rate"])
        for channel in recipe["channels"]:
            name = channel["name"]
            own, ear = choose(channel, signals, unstated, patterns.get(name))
            if taken.setdefault((own, ear), name) != name:
                raise Refused(f"{name!r} and {taken[own, ear]!r} would both be {own.label!r}")
            values = in_usual_unit(channel, own, own.values(file), unstated)
            if ear is not None:
                values = values - in_usual_unit(channel, ear, ear.values(file), unstated)
            columns.append(condition(channel, values, own.rate, recipe, length))
    x = np.stack([column for column, _ in columns], axis=1).astype(np.float32)
    gone = np.stack([column for _, column in columns], axis=1)
    windows = recipe["windows"]
    start = windows["span_seconds"] * np.arange(int((duration + 1e-6) // windows["span_seconds"]))
    begin = np.round((start - windows["before_seconds"]) * recipe["rate"]).astype(int)
    usable = usable_at(begin, gone, recipe)
    if not usable.any():
        raise Refused("is too short, or too much of it is missing: no window can be used")
    x = x[begin[usable, None] + np.arange(windows["samples"])]
    return {"x": x, "start": start.astype(float), "usable": usable}


def main(words):
    """The command; its exit status."""
    pairs = [word.partition("=")[::2] for word in words[2:]]
    if len(words) < 2 or not all(name and label for name, label in pairs):
        print("usage: python prepare.py RECORDING OUT.npz [NAME=LABEL ...]", file=sys.stderr)
        return 2
    recording, out, aside = words[0], Path(words[1]), Path(f"{words[1]}.partial")
    spec = Path(__file__).with_name("spec.json")
    try:
        recipe = json.loads(spec.read_text("utf-8"))["preparation"]
        names = [channel["name"] for channel in recipe["channels"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"prepare.py: {spec}: cannot be read ({error!r})", file=sys.stderr)
        return 2
    try:
        if unknown := [name for name, _ in pairs if name not in names]:
            raise Refused(f"{unknown[0]!r} is no channel of the windows: {', '.join(names)}")
        arrays = prepare(recording, recipe, dict(pairs))
        with aside.open("wb") as file:
            np.savez(file, **arrays)
        aside.replace(out)
    except (Refused, OSError, ValueError) as error:
        aside.unlink(missing_ok=True)
        reason = " ".join(str(error).split()).removeprefix(f"{recording}: ")
        print(f"prepare.py: {recording}: {reason}", file=sys.stderr)
        return 2
    usable = arrays["usable"]
    print(f"{out}: {usable.sum()} windows of {len(usable)} spans can be used")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
