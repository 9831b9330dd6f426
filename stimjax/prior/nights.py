"""Nights in the form of private windows: where carriers of a release come from.

They are simulated, and with them stand recordings that anybody may have, if the holder gave some.
Nights are kept whole. A carrier may begin at any second of one, so that a few hundred hours hold
more carriers than any release needs; the windows that a teacher learns from are those that a
scorer would label. Nothing here depends on the private windows but their form: channels, rate,
context and task.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools

import numpy as np
from jaxtyping import Bool

from stimjax import config
from stimjax.batch import Spec
from stimjax.data import channels, whole, workers
from stimjax.data.condition import condition
from stimjax.data.plan import Plan, of_spec
from stimjax.data.public import Recorded
from stimjax.data.scoring import rules
from stimjax.data.simulate import night as simulate
from stimjax.data.whole import ANY, NONE, Night
from stimjax.errors import StimjaxError
from stimjax.machine import runtime
from stimjax.prior.strip import NoPrior, Strip

VALUES = 5e7  # of all nights together: where a second has many, there are fewer sleepers
WORTH = 2e6  # values for which a further worker is started: that takes a second
PLAIN = {"apnea": ["SpO2"], "stages": ["EEG"]}  # what is soon simulated
NOWHERE = np.zeros(0, np.int8)


@dataclasses.dataclass(frozen=True)
class _Task:
    number: int
    hours: float
    cohort: int
    plan: Plan
    names: tuple[str, ...]  # canonical names of the simulated channels


@functools.lru_cache(maxsize=2)
def nights(prior: config.Prior, form: Spec, recorded: tuple[Recorded, ...] = ()) -> Strip:
    """The nights that `prior` describes, in the `form` of `form_of`; the same wherever it is asked.

    Args:
        prior: which sleepers are simulated.
        form: of the windows.
        recorded: further nights in this form, which come last.

    Raises:
        NoPrior: nobody simulates such windows.
        StimjaxError: all together have no window of a class, or a recorded one is in another form.
    """
    plan = plan_of(form)
    if any(one.night.x.shape[1] != len(plan.channels) for one in recorded):
        raise StimjaxError(
            f"a public recording has not the {len(plan.channels)} channels of the windows; prepare "
            "both together"
        )
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
    return _joined(each, [one.night for one in recorded], plan, there)


def form_of(spec: Spec) -> Spec:
    """`spec` without what was measured of private windows: ranges and resolutions."""
    plain = [
        dataclasses.replace(channel, low=-1.0, high=1.0, resolution=0.0)
        for channel in spec.channels
    ]
    return dataclasses.replace(spec, channels=tuple(plain))


def plan_of(form: Spec) -> Plan:
    """How a recording is brought into a form, as far as the form tells: no labels of its files.

    Raises:
        NoPrior: it is of no task that sleepers are simulated for.
    """
    try:
        return of_spec(form)
    except StimjaxError as error:
        raise NoPrior(
            f"nobody simulates such windows ({error}): there are sleepers for signals of the tasks "
            f"{' and '.join(rules.CLASSES)}; choose a --method without a prior"
        ) from error


def _night(task: _Task) -> Night:
    plan = task.plan
    recording = simulate.night(
        seed=task.cohort, number=task.number, hours=task.hours, task=plan.task, only=task.names
    )
    conditioned = condition(recording, task.names, plan.rate)
    made = whole.night(recording, conditioned, dataclasses.replace(plan, channels=task.names))
    if (made.carrier == NONE).all():
        return made._replace(x=np.zeros((0, len(plan.channels)), np.float32), carrier=NOWHERE)
    place = {name: i for i, name in enumerate(task.names)}
    kinds = [channels.kind(name) for name in plan.channels]
    columns = [
        made.x[:, place[kind]] if kind in place else np.zeros(len(made.x), np.float32)
        for kind in kinds
    ]
    return made._replace(x=np.stack(columns, axis=1))


def _joined(
    simulated: list[Night], recorded: list[Night], plan: Plan, there: Bool[np.ndarray, " channel"]
) -> Strip:
    each = [*simulated, *recorded]
    ends = np.cumsum([0, *(len(one.x) for one in each)])
    step, classes = whole.step_of(plan.rate), len(plan.classes)
    carrier = np.concatenate([one.carrier for one in each])
    at = np.concatenate(
        [step * np.arange(len(one.carrier)) + end for one, end in zip(each, ends, strict=False)]
    )
    starts = [at[(carrier == number) | (carrier == ANY)] for number in range(classes)]
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
        recorded=int(ends[len(simulated)]),
    )
