"""Simulated nights in the form of private windows: where carriers of a release come from.

Nights are kept whole. A carrier may begin at any second of one, so that a few hundred hours hold
more carriers than any release needs; the windows that a teacher learns from are those that a
scorer would label. Nothing here depends on the private windows but their form: channels, rate,
context and task.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from typing import NamedTuple, get_args

import numpy as np
from jaxtyping import Bool

from stimjax import config
from stimjax.batch import Spec
from stimjax.data import channels, workers
from stimjax.data.condition import condition
from stimjax.data.plan import Plan
from stimjax.data.scoring import rules
from stimjax.data.simulate import night as simulate
from stimjax.data.windows import why_not
from stimjax.errors import StimjaxError
from stimjax.machine import runtime
from stimjax.prior.strip import NoPrior, Strip

VALUES = 5e7  # of all nights together: where a second has many, there are fewer sleepers
WORTH = 2e6  # values for which a further worker is started: that takes a second
PLAIN = {"apnea": ["SpO2"], "stages": ["EEG"]}  # what is soon simulated
MISSING = 0.5  # a window with more of a channel masked is left out, as `Prepare.max_missing`


class _Night(NamedTuple):
    """One night: values, the class of a carrier at each step or -1, labelled starts, labels."""

    x: np.ndarray
    carrier: np.ndarray
    scored: np.ndarray
    label: np.ndarray


@dataclasses.dataclass(frozen=True)
class _Task:
    number: int
    hours: float
    cohort: int
    plan: Plan
    names: tuple[str, ...]  # canonical names of the simulated channels


@functools.lru_cache(maxsize=2)
def nights(prior: config.Prior, form: Spec) -> Strip:
    """The nights that `prior` describes, in the `form` of `form_of`; the same wherever it is asked.

    Raises:
        NoPrior: nobody simulates such windows.
        StimjaxError: these sleepers have no window of a class.
    """
    plan = _plan(form)
    kinds = [channels.kind(name) for name in plan.channels]
    there = np.array([kind in simulate.CHANNELS[plan.task] for kind in kinds])
    # Sleep is scored even where no wanted channel shows it.
    kept = [kind for kind, one in zip(kinds, there, strict=True) if one] or PLAIN[plan.task]
    names = tuple(dict.fromkeys(kept))
    values = prior.hours * 3600 * plan.rate * len(plan.channels)
    count = max(1, min(prior.sleepers, int(VALUES / values)))
    tasks = [_Task(i, prior.hours, prior.cohort, plan, names) for i in range(count)]
    many = max(1, min(runtime.cores(), count, int(count * values / WORTH)))
    with contextlib.closing(workers.in_order(_night, tasks, many)) as results:
        each = [result() for result in results]
    return _joined(each, plan, there)


def form_of(spec: Spec) -> Spec:
    """`spec` without what was measured of private windows: ranges and resolutions."""
    plain = [
        dataclasses.replace(channel, low=-1.0, high=1.0, resolution=0.0)
        for channel in spec.channels
    ]
    return dataclasses.replace(spec, channels=tuple(plain))


def _plan(form: Spec) -> Plan:
    tasks = (name for name in get_args(rules.Task) if rules.CLASSES[name] == form.classes)
    task = next(tasks, None)
    refusal = NoPrior(
        "nobody simulates such windows: there are sleepers for signals of the tasks "
        f"{' and '.join(rules.CLASSES)}; choose a --method without a prior"
    )
    if len(form.shape) != 2 or task is None or form.rate is None or form.label_seconds is None:
        raise refusal
    names = tuple(channel.name for channel in form.channels)
    seconds = form.shape[0] / form.rate
    after = round(seconds - form.label_start - form.label_seconds, 6)
    plan = Plan(task, names, names, form.rate, form.label_start, after)
    if plan.label_seconds != form.label_seconds or after < 0:  # scored by other rules
        raise refusal
    return plan


def _night(task: _Task) -> _Night:
    plan = task.plan
    recording = simulate.night(
        seed=task.cohort, number=task.number, hours=task.hours, task=plan.task, only=task.names
    )
    spans = rules.spans(recording, plan.task)
    conditioned = condition(recording, task.names, plan.rate)
    if not spans:
        nothing = np.zeros(0, int)
        return _Night(np.zeros((0, len(plan.channels)), np.float32), nothing, nothing, nothing)
    at = np.array([round((start - plan.before) * plan.rate) for start, _, _ in spans])
    label = np.array([number for _, _, number in spans])
    alone = dataclasses.replace(plan, channels=task.names)
    keep = why_not(at, conditioned, alone, MISSING) == ""
    step = max(1, round(plan.rate))
    every = np.arange(0, len(conditioned.x), step)
    usable = why_not(every, conditioned, alone, MISSING) == ""
    # A carrier is of the class of the scored span that lies nearest to its own.
    nearest = np.abs(every[:, None] - at).argmin(axis=1)
    near = np.abs(every - at[nearest]) <= plan.label_seconds * plan.rate / 2
    carrier = np.where(usable & near, label[nearest], -1)
    place = {name: i for i, name in enumerate(task.names)}
    kinds = [channels.kind(name) for name in plan.channels]
    columns = [
        conditioned.x[:, place[kind]] if kind in place else np.zeros(len(conditioned.x), np.float32)
        for kind in kinds
    ]
    return _Night(np.stack(columns, axis=1), carrier, at[keep], label[keep])


def _joined(each: list[_Night], plan: Plan, there: Bool[np.ndarray, " channel"]) -> Strip:
    ends = np.cumsum([0, *(len(one.x) for one in each)])
    step, classes = max(1, round(plan.rate)), len(plan.classes)
    carrier = np.concatenate([one.carrier for one in each])
    at = np.concatenate(
        [step * np.arange(len(one.carrier)) + end for one, end in zip(each, ends, strict=False)]
    )
    starts = [at[carrier == number] for number in range(classes)]
    label = np.concatenate([one.label for one in each])
    found = np.bincount(label, minlength=classes)
    counts = zip(plan.classes, starts, found, strict=True)
    if lacking := [name for name, own, scored in counts if not (len(own) and scored)]:
        raise StimjaxError(
            f"the simulated nights have no window of the class {lacking[0]!r}; ask for more "
            "with --teacher.prior.sleepers or --teacher.prior.hours"
        )
    return Strip(
        x=np.concatenate([one.x for one in each]),
        start=np.concatenate(starts).astype(np.int32),
        first=np.cumsum([0, *map(len, starts)]).astype(np.int32),
        scored=np.concatenate([one.scored + end for one, end in zip(each, ends, strict=False)]),
        label=label,
        whose=np.repeat(np.arange(len(each)), [len(one.label) for one in each]),
        simulated=there,
    )
