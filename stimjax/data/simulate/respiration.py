"""Chest belt, abdominal belt and nasal pressure, from a phase that runs through the breaths.

The two belts and the flow read one common phase; what an event does is a handful of envelopes
over time: the effort, the flow, and by how much the abdomen runs ahead of the chest. The patterns
are those by which the AASM manual (rule VIII) tells the kinds apart: effort that goes on against
a closed airway, with chest and abdomen out of phase (obstructive); no effort (central); none,
then effort (mixed); a flow lowered by 30 % or more (hypopnea).
"""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
from scipy.ndimage import uniform_filter1d
from scipy.signal import lfilter

from stimjax.data.simulate.noise import band, by_stage, colored, log_uniform, moments, upsample
from stimjax.data.simulate.plan import Apnea, Plan
from stimjax.data.simulate.traits import Traits

RATE = 16  # Hz

# By stage: breathing is irregular awake and in REM sleep, and regular in N3.
RATE_SPREAD = (0.22, 0.10, 0.07, 0.035, 0.16)
DEPTH_SPREAD = (0.35, 0.16, 0.10, 0.05, 0.24)
RATE_FACTOR = (1.12, 1.0, 0.97, 1.0, 1.05)
MOUTH_BREATHING, QUIET, SLIPS, DROPOUTS = 0.6, 1.6, 0.3, 0.25  # stretches an hour

RECOVERY_SECONDS = 5.0  # time constant of the deep breaths after an event
CENTRAL_EFFORT = 0.03
PHASES = 2048  # steps of a breath in the tables of its shape


@dataclasses.dataclass
class Envelopes:
    """How breathing departs from the subject's own, at `RATE`; factors except `ahead` (breaths)."""

    chest: np.ndarray
    abdomen: np.ndarray
    flow: np.ndarray
    ahead: np.ndarray
    flattening: np.ndarray

    def times(self, span: slice, factor: np.ndarray | float, *, flow: bool = True) -> None:
        """Multiply effort, and flow unless told not to, within `span`."""
        self.chest[span] *= factor
        self.abdomen[span] *= factor
        if flow:
            self.flow[span] *= factor


def respiration(
    rng: np.random.Generator, traits: Traits, plan: Plan
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Chest (mV), abdomen (mV) and nasal pressure (cmH2O) at `RATE`, and the phase in breaths."""
    n = plan.seconds * RATE
    phase, depth = _pace(rng, traits, plan)
    envelopes = _envelopes(rng, traits, plan)
    volume, abdominal, flow = _shapes(traits)
    flat = np.where(flow > 0, 0.75 * np.tanh(2.5 * flow), flow)

    step = _step(phase)
    chest = volume[step] * depth * envelopes.chest
    abdomen = abdominal[_step(phase + envelopes.ahead)] * depth * envelopes.abdomen
    pressure = flow[step] + envelopes.flattening * (flat[step] - flow[step])
    pressure = traits.belts.warmth(pressure * depth * envelopes.flow, RATE)

    beat = np.cumsum(np.repeat(traits.heart / 60 + 0.05 * colored(rng, plan.seconds, 8), RATE))
    beat = np.sin(2 * np.pi * beat / RATE) + 0.4 * np.sin(4 * np.pi * beat / RATE + 1)
    move = _motion(rng, plan)
    signals = []
    for trace, heart, shake, gain in (
        (chest, 0.7, 1.0, traits.chest),
        (abdomen, 0.4, 1.0, traits.abdomen),
        (pressure, 1.0, 0.4, 0.5),
    ):
        baseline = traits.belts.drift * upsample(colored(rng, plan.seconds, 40), RATE)
        noise = traits.noise * rng.normal(size=n)
        trace = trace + heart * traits.cardiac * beat + noise + baseline
        trace += move * shake * rng.uniform(0.6, 1.4)
        signals.append(gain * traits.belts.clipped(trace))
    _postures(rng, plan, signals[:2])
    _failures(rng, plan, signals)
    pole = np.exp(-1 / (traits.belts.high_pass * RATE))  # belts are AC-coupled
    for belt in (0, 1):
        coupled = np.asarray(lfilter([1, -1], [1, -pole], signals[belt] - signals[belt][0]))
        signals[belt] = traits.belts.belt_sign * coupled
    signals[2] = traits.belts.flow_sign * signals[2]
    return signals[0], signals[1], signals[2], phase


def phase(rng: np.random.Generator, traits: Traits, plan: Plan) -> np.ndarray:
    """The phase in breaths alone, at 1 Hz, for what needs no belts."""
    return np.cumsum(_rate(rng, traits, plan))


def _step(phase: np.ndarray) -> np.ndarray:
    return ((phase % 1) * PHASES).astype(np.intp) % PHASES


def _pace(rng: np.random.Generator, traits: Traits, plan: Plan) -> tuple[np.ndarray, np.ndarray]:
    """The phase in breaths, and how deep each breath is."""
    depth_spread = traits.variability * by_stage(plan.stages, DEPTH_SPREAD)
    rate = _rate(rng, traits, plan)
    slow = colored(rng, plan.seconds, 240)
    depth = np.exp(depth_spread * colored(rng, plan.seconds, 4) + 0.12 * slow)
    return np.cumsum(upsample(rate, RATE)) / RATE, upsample(depth, RATE)


def _rate(rng: np.random.Generator, traits: Traits, plan: Plan) -> np.ndarray:
    """Breaths a second, at 1 Hz."""
    spread = traits.variability * by_stage(plan.stages, RATE_SPREAD)
    fast, slow = colored(rng, plan.seconds, 3), colored(rng, plan.seconds, 600)
    rate = traits.rate * by_stage(plan.stages, RATE_FACTOR)
    return rate * np.exp(spread * fast + 0.04 * slow)


def _shapes(traits: Traits) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One breath of chest, abdomen (0 to about 1) and nasal pressure (about -1 to 1)."""
    u = np.arange(PHASES) / PHASES
    inspired = traits.inspiration
    left = np.clip((u - inspired) / (1 - inspired), 0, 1) ** traits.expiration_power
    volume = np.where(
        u < inspired, (1 - np.cos(np.pi * u / inspired)) / 2, (1 + np.cos(np.pi * left)) / 2
    )
    angle = 2 * np.pi * np.arange(1, 4)[:, None] * u
    extra = np.einsum("shc,chu->su", traits.harmonics, np.stack([np.cos(angle), np.sin(angle)]))
    flow = np.gradient(volume)
    flow = flow / flow.max()
    flow = np.sign(flow) * np.abs(flow) ** 1.4  # a nasal cannula measures pressure, not flow
    return volume + extra[0], volume + extra[1], flow + 0.8 * extra[2]


def _envelopes(rng: np.random.Generator, traits: Traits, plan: Plan) -> Envelopes:
    n = plan.seconds * RATE
    asynchrony = upsample(np.abs(0.04 * colored(rng, plan.seconds, 300)), RATE)
    snoring = upsample(np.clip(0.25 * colored(rng, plan.seconds, 300), -0.4, 0.4), RATE)
    envelopes = Envelopes(
        chest=np.ones(n),
        abdomen=np.ones(n),
        flow=np.ones(n),
        ahead=traits.lag + asynchrony,
        flattening=np.clip(traits.flattening + snoring, 0, 1),
    )
    _distractors(rng, traits, plan, envelopes)
    for event in plan.events:
        span = slice(round(event.onset * RATE), round(event.end * RATE))
        _obstruct(rng, traits, event, span, envelopes)
        after = np.arange(min(15 * RATE, n - span.stop)) / RATE
        relief = 1 + event.relief * np.exp(-after / RECOVERY_SECONDS)
        envelopes.times(slice(span.stop, span.stop + len(after)), relief)
    width = (5 if traits.periodic else 1) * RATE
    for name in ("chest", "abdomen", "flow"):  # a breath neither stops nor starts in no time
        smooth = uniform_filter1d(uniform_filter1d(getattr(envelopes, name), width), RATE)
        setattr(envelopes, name, smooth)
    envelopes.ahead = uniform_filter1d(envelopes.ahead, 3 * RATE)
    envelopes.flattening = uniform_filter1d(envelopes.flattening, 3 * RATE)
    return envelopes


def _obstruct(
    rng: np.random.Generator, traits: Traits, event: Apnea, span: slice, envelopes: Envelopes
) -> None:
    """Write an event into the envelopes."""
    if event.kind == "Central apnea":
        envelopes.times(span, CENTRAL_EFFORT, flow=False)
    elif event.kind == "Hypopnea":
        # Effort falls with the flow where the drive does, and stays where the airway narrows.
        kept = event.residual + (1 - event.residual) * rng.uniform(0.1, 1.0)
        envelopes.times(span, kept, flow=False)
        envelopes.ahead[span] += traits.paradox * 0.5 * kept * rng.random()
        envelopes.flattening[span] = np.maximum(envelopes.flattening[span], kept)
    else:
        start = span.start
        if event.kind == "Mixed apnea":
            start += round(event.split * event.duration * RATE)
            envelopes.times(slice(span.start, start), CENTRAL_EFFORT, flow=False)
        effort = slice(start, span.stop)
        growing = np.linspace(0, 1, span.stop - start)
        envelopes.times(effort, 0.55 + rng.uniform(0.4, 0.9) * growing, flow=False)
        envelopes.ahead[effort] += traits.paradox * np.sqrt(growing)
    envelopes.flow[span] *= event.residual


def _distractors(
    rng: np.random.Generator, traits: Traits, plan: Plan, envelopes: Envelopes
) -> None:
    """What looks like an event and is none: sighs and pauses, quiet breathing, an open mouth."""
    breath = round(RATE / traits.rate)
    for start in _starts(rng, traits.sighs, plan):
        envelopes.times(slice(start, start + breath), rng.uniform(1.6, 2.6))
        if rng.random() < 0.6:  # shorter than the 10 s that make an apnea
            pause = round(rng.uniform(4, 9) * RATE)
            envelopes.times(slice(start + breath, start + breath + pause), 0.08)
    for start in _starts(rng, QUIET, plan):
        length = round(rng.uniform(30, 150) * RATE)
        window = np.hanning(min(length, len(envelopes.flow) - start))
        envelopes.times(slice(start, start + length), 1 - rng.uniform(0.2, 0.5) * window)
    for start in _starts(rng, MOUTH_BREATHING, plan):
        length = round(log_uniform(rng, 60, 600) * RATE)
        envelopes.flow[start : start + length] *= rng.uniform(0.25, 0.7)


def _starts(rng: np.random.Generator, per_hour: float, plan: Plan) -> list[int]:
    """Samples at which something begins, outside of events."""
    return [
        int(moment * RATE)
        for moment in moments(rng, per_hour, plan.seconds)
        if not any(event.onset - 20 < moment < event.end + 5 for event in plan.events)
    ]


def _motion(rng: np.random.Generator, plan: Plan) -> np.ndarray:
    """Bursts of movement, in breaths."""
    motion = np.zeros(plan.seconds * RATE)
    for onset, duration in plan.motions:
        start = int(onset * RATE)
        n = min(int(duration * RATE), len(motion) - start)
        if n > RATE:
            burst = band(rng, n, 0.1, 2.5, RATE) * np.hanning(n)
            motion[start : start + n] += log_uniform(rng, 1.5, 8) * burst
    return motion


def _postures(rng: np.random.Generator, plan: Plan, belts: list[np.ndarray]) -> None:
    """Turning over stretches the belts anew, and moves their baseline."""
    turns = [0, *(plan.postures * RATE).astype(int), plan.seconds * RATE]
    for start, stop in itertools.pairwise(turns):
        for belt in belts:
            belt[start:stop] *= log_uniform(rng, 0.6, 1.6)
            belt[start:stop] += rng.normal(0, 0.5)


def _failures(rng: np.random.Generator, plan: Plan, signals: list[np.ndarray]) -> None:
    """Belts slip, the cannula comes off."""
    for moment in moments(rng, SLIPS, plan.seconds):
        start, length = int(moment * RATE), int(log_uniform(rng, 120, 1500) * RATE)
        signals[int(rng.integers(2))][start : start + length] *= rng.uniform(0.2, 0.5)
    for moment in moments(rng, DROPOUTS, plan.seconds):
        start, length = int(moment * RATE), int(log_uniform(rng, 20, 400) * RATE)
        signals[2][start : start + length] *= 0.01
