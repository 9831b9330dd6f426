"""A simulated night in memory, for what needs many of them and no file."""

from __future__ import annotations

import functools
from collections.abc import Collection

import numpy as np

from stimjax.data.edf.writer import Trace
from stimjax.data.recording import Event, Header, Recording, Scored, Signal
from stimjax.data.scoring import vocabulary
from stimjax.data.simulate.broad import BROAD, BROAD_SLEEPERS
from stimjax.data.simulate.noise import EPOCH_SECONDS
from stimjax.data.simulate.sleeper import draw_sleeper
from stimjax.data.simulate.traits import draw_traits, severity
from stimjax.data.simulate.write import Task, apnea_traces, staging_traces

STREAM = 7  # of chance: apart from those of a cohort with the same seed
# Canonical names of what is simulated for each task, by the label in a cohort's files.
CHANNELS = {
    "apnea": {"chest": "Thor", "abdomen": "Abdo", "flow": "Flow", "SpO2": "SpO2", "HR": "HR"},
    "stages": {"EEG": "EEG C4-M1", "EOG": "EOG E1-M2", "EMG": "EMG chin"},
}


def night(*, seed: int, number: int, hours: float, task: Task, only: Collection[str]) -> Recording:
    """The night of simulated sleeper `number` (from 0), of whom no cohort has anything.

    Sleepers and devices are broader than a cohort's, see `broad`.

    Args:
        seed: of all chance.
        number: of the sleeper.
        hours: length, to the nearest epoch of 30 s.
        task: as of a cohort, see `write_cohort`.
        only: canonical names of the channels that are wanted; others may be missing.

    Returns:
        Signals under their canonical names, with everything that is scored of the task.
    """
    epochs = round(hours * 3600 / EPOCH_SECONDS)
    rng = np.random.default_rng([seed, number + 1, STREAM])
    if task == "apnea":
        traits = draw_traits(rng, severity(seed, number, BROAD.severity), BROAD)
        belts = bool({"chest", "abdomen", "flow"} & set(only))
        traces, annotations = apnea_traces(rng, traits, epochs, belts=belts)
    else:
        traces, annotations = staging_traces(rng, draw_sleeper(rng, BROAD_SLEEPERS), epochs)
    named = {label: name for name, label in CHANNELS[task].items()}
    signals = {
        named[trace.label]: _signal(named[trace.label], trace)
        for trace in traces
        if named[trace.label] in only
    }
    header = Header(f"sleeper {number + 1}", "", float(epochs * EPOCH_SECONDS))
    return Recording(header, signals, Scored(_events(annotations)))


def _signal(name: str, trace: Trace) -> Signal:
    return Signal(name, trace.label, float(trace.rate), trace.unit, np.asarray(trace.values, float))


def _events(annotations: list[tuple[float, float, str]]) -> tuple[Event, ...]:
    kinds = ((_kind(text), onset, duration) for onset, duration, text in annotations)
    known = [Event(kind, onset, duration) for kind, onset, duration in kinds if kind]
    return tuple(sorted(known, key=lambda event: event.onset))


@functools.cache
def _kind(text: str) -> str | None:
    return vocabulary.kind(text)
