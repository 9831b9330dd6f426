"""A simulated cohort on disk: one EDF+ file a subject."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from stimjax.data.edf.writer import Trace, write_edf
from stimjax.data.simulate import oximetry, plan, respiration, staging
from stimjax.data.simulate.noise import EPOCH_SECONDS
from stimjax.data.simulate.sleeper import Sleeper, draw_sleeper
from stimjax.data.simulate.traits import Traits, draw_traits, person, severity
from stimjax.errors import StimjaxError

Task = Literal["apnea", "stages"]

PERSON = 2  # the stream of sex and age, beside those of the tasks
SHORTEST_HOURS, LONGEST_HOURS = 0.1, 24.0


def write_cohort(
    folder: Path,
    *,
    subjects: int,
    hours: float,
    seed: int,
    task: Task = "apnea",
    progress: Callable[[int], None] | None = None,
) -> None:
    """Write `subject-001.edf` and so on into `folder`, which exists.

    The same arguments give the same bytes, and a subject does not depend on how many there are.

    Args:
        folder: where the files go.
        subjects: how many, at least 1.
        hours: length of each recording, 0.1 to 24, to the nearest epoch of 30 s.
        seed: of all chance, at least 0.
        task: "apnea": belts `Thor` and `Abdo` (mV, 16 Hz), nasal pressure `Flow` (cmH2O, 16 Hz),
            `SpO2` (%, 1 Hz), `HR` (bpm, 1 Hz), respiratory events, desaturations, arousals and
            stages; "stages": `EEG C4-M1`, `EOG E1-M2`, `EMG chin` (uV, 100 Hz) and stages.
        progress: called after each subject with the number of those that are written.

    Raises:
        StimjaxError: an argument is out of its range.
        OSError: a file cannot be written.
    """
    _check(subjects, hours, seed, task)
    epochs = round(hours * 3600 / EPOCH_SECONDS)
    for number in range(subjects):
        name = f"subject-{number + 1:03d}"
        rng = np.random.default_rng([seed, number + 1, get_args(Task).index(task)])
        traits = draw_traits(rng, severity(seed, number)) if task == "apnea" else None
        traces, annotations = (
            apnea_traces(rng, traits, epochs)
            if traits
            else staging_traces(rng, draw_sleeper(rng), epochs)
        )
        whose = person(np.random.default_rng([seed, number + 1, PERSON]), traits)
        write_edf(folder / f"{name}.edf", name, traces, annotations, person=whose)
        if progress is not None:
            progress(number + 1)


def _check(subjects: int, hours: float, seed: int, task: str) -> None:
    if subjects < 1:
        raise StimjaxError(f"subjects is {subjects}; give at least 1")
    if not (math.isfinite(hours) and SHORTEST_HOURS <= hours <= LONGEST_HOURS):
        raise StimjaxError(f"hours is {hours}; give {SHORTEST_HOURS:g} to {LONGEST_HOURS:g}")
    if seed < 0:
        raise StimjaxError(f"seed is {seed}; give at least 0")
    if task not in get_args(Task):
        raise StimjaxError(f"task is {task!r}; give one of {', '.join(get_args(Task))}")


def apnea_traces(
    rng: np.random.Generator, traits: Traits, epochs: int, *, belts: bool = True
) -> tuple[list[Trace], list[tuple[float, float, str]]]:
    """The signals of a night of the apnea task, those of breathing with `belts`, and its scoring.

    Scored are onset, duration (s) and text.
    """
    night = plan.draw_plan(rng, traits, epochs)
    breathing: list[Trace] = []
    if belts:
        chest, abdomen, flow, phase = respiration.respiration(rng, traits, night)
        second = phase[:: respiration.RATE]
        breathing = [
            Trace("Thor", "mV", respiration.RATE, chest, -10, 10),
            Trace("Abdo", "mV", respiration.RATE, abdomen, -10, 10),
            Trace("Flow", "cmH2O", respiration.RATE, flow, -4, 4),
        ]
    else:
        second = respiration.phase(rng, traits, night)
    saturation, heart, desaturations = oximetry.oximetry(rng, traits, night, second)
    traces = [
        *breathing,
        # Whole percent and whole beats are stored exactly; 100 % is not the end of the range.
        Trace("SpO2", "%", 1, saturation, 0, 127, (0, 127)),
        Trace("HR", "bpm", 1, heart, 0, 255, (0, 255)),
    ]
    return traces, plan.annotate(night) + desaturations


def staging_traces(
    rng: np.random.Generator, sleeper: Sleeper, epochs: int
) -> tuple[list[Trace], list[tuple[float, float, str]]]:
    """The signals of a night of the staging task, and its scoring, as above."""
    eeg, eog, emg, annotations = staging.polysomnogram(rng, sleeper, epochs)
    return [
        Trace("EEG C4-M1", "uV", staging.RATE, eeg, -500, 500),
        Trace("EOG E1-M2", "uV", staging.RATE, eog, -500, 500),
        Trace("EMG chin", "uV", staging.RATE, emg, -250, 250),
    ], annotations
