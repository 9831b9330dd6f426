"""Oxygen saturation and heart rate, and the desaturations that a scorer marks."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import uniform_filter1d
from scipy.signal import lfilter

from stimjax.data.simulate.noise import by_stage, colored, log_uniform, moments
from stimjax.data.simulate.plan import Plan
from stimjax.data.simulate.traits import Traits

STORES_SECONDS = 4.0  # the lungs' oxygen covers the first seconds of an event
LOWEST = 50  # % that the simulated oximeter shows
STEEPER = 22.0  # % of fall by which the fall grows twice as steep (dissociation curve)
DEEPEST = 38.0  # % of fall that is never exceeded
SCORED_FALL = 3  # % that make a desaturation (AASM manual, rule VIII)
NADIR_WITHIN = 45.0  # seconds after an event's end in which its lowest saturation is sought

DIPS, DROPS, LOST = 1.2, 0.7, 0.4  # true dips, motion artifacts, lost probes, an hour

HEART_BY_STAGE = (9.0, 3.0, 0.0, -3.0, 3.0)  # beats a minute
HEART_SPREAD = (4.0, 2.5, 1.8, 1.0, 3.2)
SURGE_SECONDS = 4.0  # from the arousal to the fastest beats


def oximetry(
    rng: np.random.Generator, traits: Traits, plan: Plan, phase: np.ndarray
) -> tuple[np.ndarray, np.ndarray, list[tuple[float, float, str]]]:
    """SpO2 in whole percent and heart rate in whole beats a minute at 1 Hz, and annotations.

    Args:
        rng: source of chance.
        traits: the person.
        plan: the night.
        phase: of breathing, in breaths, at 1 Hz.
    """
    saturation = _saturation(rng, traits, plan)
    scored = desaturations(saturation, plan)
    for moment in moments(rng, DROPS, plan.seconds):
        start, length = int(moment), int(rng.uniform(4, 20))
        saturation[start : start + length] -= round(rng.uniform(3, 14))
    saturation = np.maximum(saturation, LOWEST)
    heart = _heart(rng, traits, plan, phase)
    for moment in moments(rng, LOST, plan.seconds):
        span = slice(int(moment), int(moment + log_uniform(rng, 15, 240)))
        saturation[span] = 0
        heart[span] = 0
        scored = [
            entry for entry in scored if entry[0] + entry[1] < span.start or entry[0] > span.stop
        ]
    return saturation, heart, scored


def _saturation(rng: np.random.Generator, traits: Traits, plan: Plan) -> np.ndarray:
    """SpO2 that follows breathing: late, falling while it lacks, and recovering in first order."""
    lack = np.zeros(plan.seconds)
    for event in plan.events:
        _add(lack, event.onset + STORES_SECONDS, event.duration - STORES_SECONDS, event.deficit)
    for moment in moments(rng, DIPS, plan.seconds):
        _add(lack, moment, rng.uniform(10, 40), rng.uniform(0.3, 1.0))
    delay = round(traits.circulation)
    lack = np.concatenate([np.zeros(delay), lack])[: plan.seconds]
    pole = np.exp(-1 / traits.resaturation)
    fall = np.asarray(lfilter([traits.desaturation], [1, -pole], lack))
    fall = DEEPEST * np.tanh(fall * (1 + fall / STEEPER) / DEEPEST)
    fall = uniform_filter1d(fall, 4)  # the oximeter averages over beats
    slow = 0.6 * colored(rng, plan.seconds, 900) + 0.25 * colored(rng, plan.seconds, 20)
    stage = by_stage(plan.stages, (0.5, 0.2, 0.0, -0.2, -0.5))
    saturation = traits.saturation + slow + stage - fall
    return np.clip(np.round(saturation), LOWEST, 100)


def _add(lack: np.ndarray, onset: float, duration: float, value: float) -> None:
    lack[round(onset) : round(onset + duration)] += value


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


def _heart(rng: np.random.Generator, traits: Traits, plan: Plan, phase: np.ndarray) -> np.ndarray:
    """The heart slows in an event and races after it, as it does after any arousal."""
    seconds = plan.seconds
    slowing, surges = np.zeros(seconds), np.zeros(seconds + 1)
    for event in plan.events:
        span = slice(int(event.onset), int(event.end))
        strength = traits.bradycardia * (1 - event.residual)
        slowing[span] -= strength * np.linspace(0, 1, span.stop - span.start)
    for onset, _ in plan.arousals:
        surges[min(seconds, max(0, int(onset)))] += traits.surge * rng.uniform(0.4, 1.4)
    for onset, _ in plan.motions:
        surges[min(seconds, int(onset))] += 0.7 * traits.surge * rng.random()
    lag = np.arange(40) / SURGE_SECONDS
    surge = np.convolve(surges, lag * np.exp(1 - lag))[:seconds]
    rate = (
        traits.heart
        + by_stage(plan.stages, HEART_BY_STAGE)
        + by_stage(plan.stages, HEART_SPREAD) * colored(rng, seconds, 12)
        + traits.sinus_arrhythmia * np.sin(2 * np.pi * phase)
        + uniform_filter1d(slowing, 3)
        + 25 * np.tanh(surge / 25)
    )
    return np.clip(np.round(rate), 35, 180)
