"""Oxygen saturation and heart rate as devices show them, and the desaturations of a scorer."""

from __future__ import annotations

import numpy as np
from scipy.signal import lfilter

from stimjax.data.simulate.artifacts import freeze, miscount, spike
from stimjax.data.simulate.heart import heart_rate
from stimjax.data.simulate.noise import by_stage, colored, log_uniform, moments
from stimjax.data.simulate.plan import Plan
from stimjax.data.simulate.traits import Traits

STORES_SECONDS = 4.0  # the lungs' oxygen covers the first seconds of an event
STEEPER = 22.0  # % of fall by which the fall grows twice as steep (dissociation curve)
SCORED_FALL = 3  # % that make a desaturation (AASM manual, rule VIII)
NADIR_WITHIN = 45.0  # seconds after an event's end in which its lowest saturation is sought
FASTEST = 180.0  # beats a minute


def oximetry(
    rng: np.random.Generator, traits: Traits, plan: Plan, phase: np.ndarray
) -> tuple[np.ndarray, np.ndarray, list[tuple[float, float, str]]]:
    """SpO2 in % and heart rate in beats a minute, as stored, at 1 Hz, and annotations.

    Where the probe is lost both are 0, as many devices store it.

    Args:
        rng: source of chance.
        traits: the person and the devices.
        plan: the night.
        phase: of breathing, in breaths, at 1 Hz.
    """
    oximeter, monitor = traits.oximeter, traits.monitor
    saturation = _saturation(rng, traits, plan)
    scored = desaturations(saturation, plan)
    for moment in moments(rng, oximeter.drops, plan.seconds):
        start, length = int(moment), int(rng.uniform(4, 20))
        saturation[start : start + length] -= round(rng.uniform(3, oximeter.drop))
    spike(rng, saturation, oximeter.spikes, (-15, 4))
    freeze(rng, saturation, oximeter.flats)
    saturation = np.clip(saturation, oximeter.lowest, 100)
    heart = _monitored(rng, traits, heart_rate(rng, traits, plan, phase))
    for moment in moments(rng, oximeter.lost, plan.seconds):
        span = slice(int(moment), int(moment + log_uniform(rng, 15, 240)))
        saturation[span] = 0
        if monitor.pulse:
            heart[span] = 0
        scored = [
            entry for entry in scored if entry[0] + entry[1] < span.start or entry[0] > span.stop
        ]
    return saturation, heart, scored


def _saturation(rng: np.random.Generator, traits: Traits, plan: Plan) -> np.ndarray:
    """SpO2 that follows breathing: late, falling while it lacks, and recovering in first order."""
    oximeter, seconds = traits.oximeter, plan.seconds
    fall = _fall(rng, traits, plan)
    if oximeter.perfusion:
        fall = fall + oximeter.perfusion * rng.normal(size=seconds)
    fall = oximeter.smooth(fall)
    slow = oximeter.wander * colored(rng, seconds, 900)
    fast = oximeter.noise * colored(rng, seconds, 20)
    stage = by_stage(plan.stages, (0.5, 0.2, 0.0, -0.2, -0.5))
    # In this order: a sum of floats depends on it.
    saturation = traits.saturation + (slow + fast) + stage - fall
    return np.clip(oximeter.shown(saturation), oximeter.lowest, 100)


def _fall(rng: np.random.Generator, traits: Traits, plan: Plan) -> np.ndarray:
    """By how many % arterial saturation at the finger lies below the baseline."""
    course, seconds = traits.course, plan.seconds
    lack = np.zeros(seconds)
    for event in plan.events:
        _add(lack, event.onset + STORES_SECONDS, event.duration - STORES_SECONDS, event.deficit)
    for moment in moments(rng, course.dips, seconds):
        _add(lack, moment, rng.uniform(10, 40), rng.uniform(0.3, 1.0))
    delay = round(traits.circulation)
    lack = np.concatenate([np.zeros(delay), lack])[:seconds]
    pole = np.exp(-1 / traits.resaturation)
    fall = np.asarray(lfilter([traits.desaturation], [1, -pole], lack))
    for moment in moments(rng, course.sags, seconds):
        length = int(log_uniform(rng, 120, 1800))
        sag = fall[int(moment) : int(moment) + length]
        sag += course.sag * rng.uniform(0.3, 1) * np.hanning(length)[: len(sag)]
    return traits.deepest * np.tanh(fall * (1 + fall / STEEPER) / traits.deepest)


def _add(lack: np.ndarray, onset: float, duration: float, value: float) -> None:
    lack[round(onset) : round(onset + duration)] += value


def _monitored(rng: np.random.Generator, traits: Traits, rate: np.ndarray) -> np.ndarray:
    """The heart rate as its monitor stores it."""
    monitor = traits.monitor
    miscount(rng, rate, monitor.miscounts)
    rate = monitor.shown(monitor.smooth(rate))
    spike(rng, rate, monitor.spikes, (-30, 40))
    freeze(rng, rate, monitor.flats)
    return np.clip(rate, traits.rhythm.slowest, FASTEST)


def desaturations(saturation: np.ndarray, plan: Plan) -> list[tuple[float, float, str]]:
    """Falls of at least `SCORED_FALL` after events, from the start of the fall to its nadir."""
    falls = []
    taken = 0
    for event in plan.events:
        first = max(taken, int(event.onset))
        last = min(plan.seconds, int(event.end + NADIR_WITHIN))
        if last - first < 5:
            continue
        tail = saturation[max(first, int(event.end)) : last]
        nadir = max(first, int(event.end)) + int(np.argmin(tail))
        before = saturation[first : nadir + 1]
        top = first + len(before) - 1 - int(np.argmax(before[::-1]))
        if saturation[top] - saturation[nadir] >= SCORED_FALL:
            falls.append((float(top), float(nadir - top), "Desaturation"))
            taken = nadir
    return falls
