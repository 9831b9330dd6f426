"""The heart's rate over a night."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import uniform_filter1d

from stimjax.data.simulate.noise import by_stage, colored, moments
from stimjax.data.simulate.plan import Plan
from stimjax.data.simulate.rhythm import Rhythm
from stimjax.data.simulate.traits import Traits

HEART_BY_STAGE = (9.0, 3.0, 0.0, -3.0, 3.0)  # beats a minute
HEART_SPREAD = (4.0, 2.5, 1.8, 1.0, 3.2)
WANDER_SECONDS = 3600.0
EARLY, PAUSE = 0.45, -0.3  # of the rate: a premature beat, and the pause that follows most


def heart_rate(
    rng: np.random.Generator, traits: Traits, plan: Plan, phase: np.ndarray
) -> np.ndarray:
    """Beats a minute at 1 Hz, before any device.

    Args:
        rng: source of chance.
        traits: the person.
        plan: the night.
        phase: of breathing, in breaths, at 1 Hz.
    """
    rhythm, seconds = traits.rhythm, plan.seconds
    slowing = _slowing(traits, plan)
    surge = _surge(rng, traits, plan)
    rate = (
        traits.heart
        + rhythm.level * by_stage(plan.stages, HEART_BY_STAGE)
        + rhythm.spread * by_stage(plan.stages, HEART_SPREAD) * colored(rng, seconds, rhythm.memory)
        + traits.sinus_arrhythmia * np.sin(2 * np.pi * phase)
        + rhythm.response * uniform_filter1d(slowing, 3)
        + rhythm.response * rhythm.surge_most * np.tanh(surge / rhythm.surge_most)
    )
    if rhythm.trend:
        rate = rate + rhythm.trend * np.linspace(0, 1, seconds)
    if rhythm.wander:
        rate = rate + rhythm.wander * colored(rng, seconds, WANDER_SECONDS)
    if rhythm.fibrillation:
        rate = _fibrillating(rng, rhythm, rate)
    return _beaten(rng, rhythm, rate)


def _slowing(traits: Traits, plan: Plan) -> np.ndarray:
    """The heart slows more and more in an event (Guilleminault et al., Lancet 1984;1:126)."""
    slowing = np.zeros(plan.seconds)
    for event in plan.events:
        span = slice(int(event.onset), int(event.end))
        strength = traits.bradycardia * (1 - event.residual)
        slowing[span] -= strength * np.linspace(0, 1, span.stop - span.start)
    return slowing


def _surge(rng: np.random.Generator, traits: Traits, plan: Plan) -> np.ndarray:
    """It races after it, as it does after any arousal, movement, or kick."""
    seconds, rhythm = plan.seconds, traits.rhythm
    surges = np.zeros(seconds + 1)
    for onset, _ in plan.arousals:
        at = min(seconds, max(0, int(onset + rhythm.surge_delay)))
        surges[at] += traits.surge * rng.uniform(0.4, 1.4)
    for onset, _ in plan.motions:
        surges[min(seconds, int(onset))] += 0.7 * traits.surge * rng.random()
    if len(plan.kicks):
        # Winkelman, Sleep 1999;22:575: within seconds, with and without an arousal.
        np.add.at(
            surges, plan.kicks.astype(int), traits.surge * rng.uniform(0.2, 1, len(plan.kicks))
        )
    lag = np.arange(round(10 * rhythm.surge_seconds)) / rhythm.surge_seconds
    return np.convolve(surges, lag * np.exp(1 - lag))[:seconds]


def _fibrillating(rng: np.random.Generator, rhythm: Rhythm, rate: np.ndarray) -> np.ndarray:
    """In atrial fibrillation intervals hardly depend on each other.

    Tateno and Glass, Med Biol Eng Comput 2001;39:664: their spread is a share of their mean. So
    the mean rate of the beats in a second differs by that share over the root of their number.
    """
    start = rng.uniform(0, 1 - rhythm.burden) * len(rate)
    span = slice(int(start), int(start + rhythm.burden * len(rate)))
    calm = uniform_filter1d(rate[span], 30)  # the sinus node has no say
    spread = rhythm.fibrillation * calm * np.sqrt(60 / np.maximum(calm, 30))
    rate = rate.copy()
    rate[span] = np.maximum(calm + spread * rng.normal(size=len(calm)), 0.4 * calm)
    return rate


def _beaten(rng: np.random.Generator, rhythm: Rhythm, rate: np.ndarray) -> np.ndarray:
    """With premature beats, and not slower than a pacemaker lets it."""
    if rhythm.ectopics:
        at = moments(rng, rhythm.ectopics, len(rate) - 1).astype(int)
        rate = rate.copy()
        early = rate[at]
        rate[at] = early * (1 + EARLY * rng.uniform(0.3, 1, len(at)))
        rate[at + 1] += PAUSE * early * (rng.random(len(at)) < 0.8)
    if rhythm.pacemaker:
        # The paced rate as monitors see it, which is not the same for hours.
        rate = np.maximum(rate, rhythm.pacemaker + 0.4 * colored(rng, len(rate), 60))
    return np.maximum(rate, rhythm.slowest)
