"""What is the same for all recordings of a cohort: channels, rate, context, the label's span."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from typing import get_args

from stimjax import config
from stimjax.data.channels import kind as kind_of_name
from stimjax.data.channels import wishes
from stimjax.data.recording import Header
from stimjax.data.scoring import rules
from stimjax.errors import StimjaxError
from stimjax.spec import Spec

CHANNELS = {
    "apnea": ("chest", "abdomen", "flow", "SpO2", "HR"),
    "stages": ("EEG", "EOG", "EMG"),  # any derivation of each
}
MOST_RATE = {"apnea": 4.0, "stages": 64.0}  # Hz, unless the user asks for more
CONTEXT = {"apnea": (15.0, 45.0), "stages": (0.0, 0.0)}  # s before and after, split by subject


@dataclasses.dataclass(frozen=True)
class Plan:
    """What is the same for all recordings of a cohort.

    Attributes:
        task: what the labels say.
        channels: their names, in the order of a window's last axis.
        wishes: what is asked of each recording for them, see `montage.pick`.
        rate: samples a second of a window.
        before, after: s of context around the labelled span.
    """

    task: rules.Task
    channels: tuple[str, ...]
    wishes: tuple[str, ...]
    rate: float
    before: float
    after: float

    @property
    def label_seconds(self) -> float:
        """Length of the span that a label speaks of."""
        return rules.MINUTE if self.task == "apnea" else rules.EPOCH

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes."""
        return rules.CLASSES[self.task]

    @property
    def length(self) -> int:
        """Samples of a window."""
        return round((self.before + self.label_seconds + self.after) * self.rate)


def plan(headers: Sequence[Header], settings: config.Prepare) -> Plan:
    """What the user asks for, else what the recordings offer.

    Raises:
        StimjaxError: the recordings share no channel, or settings contradict each other.
    """
    task, random, most = settings.task, settings.split == "random", MOST_RATE[settings.task]
    refuse_dependent(settings)
    if settings.independent and not settings.channels:
        raise StimjaxError(
            "--independent: what recordings have may not choose the channels; name them with "
            f"--channels, such as {', '.join(sorted({n for h in headers for n in h.rates})[:8])}"
        )
    channels = tuple(wish.name for wish in wishes(settings.channels)) or _common(headers, task)
    rates = [header.rates[c] for header in headers for c in channels if c in header.rates]
    if not rates:
        raise StimjaxError(
            f"no recording has a channel {', '.join(settings.channels or channels)}; there are "
            f"{', '.join(sorted({n for h in headers for n in h.rates} or _labels(headers)))}"
        )
    defaults = (0.0, 0.0) if random else CONTEXT[task]
    before = defaults[0] if settings.before is None else settings.before
    after = defaults[1] if settings.after is None else settings.after
    if random and (before or after):
        raise StimjaxError(
            "--before and --after: context makes windows of different parts overlap in a random "
            "split; leave it out or use --split subject"
        )
    if min(before, after, settings.rate) < 0:
        raise StimjaxError("--before, --after and --rate must not be negative")
    _refuse_parts(settings)
    return Plan(
        task=task,
        channels=channels,
        wishes=settings.channels or channels,
        rate=settings.rate or (most if settings.independent else min(max(rates), most)),
        before=before,
        after=after,
    )


def of_spec(spec: Spec) -> Plan:
    """How a recording becomes windows of a spec, as far as that tells: no labels of its files.

    Raises:
        StimjaxError: no recording becomes such windows: images, or of labels by other rules.
    """
    if len(spec.shape) != 2 or spec.rate is None or spec.label_seconds is None:
        raise StimjaxError("its windows are images, or without a rate: no recording becomes these")
    task = next(
        (name for name in get_args(rules.Task) if rules.CLASSES[name] == spec.classes), None
    )
    if task is None:
        known = "; ".join(f"{name}: {', '.join(own)}" for name, own in rules.CLASSES.items())
        raise StimjaxError(
            f"its classes ({', '.join(spec.classes)}) are of no task that recordings are prepared "
            f"for ({known})"
        )
    names = tuple(channel.name for channel in spec.channels)
    after = round(spec.shape[0] / spec.rate - spec.label_start - spec.label_seconds, 6)
    if -0.5 <= after * spec.rate < 0:  # the length is a whole number of samples
        after = 0.0
    made = Plan(task, names, names, spec.rate, spec.label_start, after)
    if made.label_seconds != spec.label_seconds or after < 0:
        raise StimjaxError(
            f"its labels speak of {spec.label_seconds:g} s of a window, by other rules than those "
            f"for {task}: {made.label_seconds:g} s"
        )
    return made


def refuse_dependent(settings: config.Prepare) -> None:
    """Refuse independent windows whose part or person the other recordings would decide.

    Raises:
        StimjaxError: windows at random are dealt by a recording's place among the others, and what
            tells persons apart may not be chosen by looking at all of them.
    """
    if not settings.independent:
        return
    if settings.split == "random":
        raise StimjaxError(
            "--independent: a random split deals windows by a recording's place among the others, "
            "so that one more would move other people's; use --split subject"
        )
    if settings.subject_from == "auto" and not settings.subjects:
        raise StimjaxError(
            "--independent: what tells persons apart may not depend on all recordings together; "
            "say --subject-from header, --subject-from file, or give --subjects FILE.csv"
        )


def _refuse_parts(settings: config.Prepare) -> None:
    """Refuse shares, folds and names that no split can have."""
    folds, fold = settings.folds, settings.fold
    if folds < 1 or not 0 <= fold < folds:
        raise StimjaxError(
            f"--fold {fold} --folds {folds}: folds are numbered from 0, so that --fold has to be "
            "from 0 to one less than --folds"
        )
    if folds > 1 and settings.test_subjects:
        raise StimjaxError(
            "--test-subjects: with --folds every subject is tested once; leave one of them out"
        )
    if min(settings.validation, settings.tested) < 0 or settings.validation + settings.tested >= 1:
        part = f"--folds {folds}" if folds > 1 else "--test"
        raise StimjaxError(f"--validation and {part}: shares from 0 to 1 that leave some to train")
    if settings.split == "random" and settings.test_subjects:
        raise StimjaxError("--test-subjects: goes with --split subject, not with a random split")


def _common(headers: Sequence[Header], task: str) -> tuple[str, ...]:
    """The task's channels that at least half of the recordings have, one derivation of each."""
    count = Counter(name for header in headers for name in header.rates)
    chosen = []
    for wanted in CHANNELS[task]:
        fits = [n for n in count if kind_of_name(n) == wanted and 2 * count[n] >= len(headers)]
        if fits:  # an electrode ("EEG C3") is worse than a derivation ("EEG C3-M2")
            chosen.append(max(sorted(fits), key=lambda name: (count[name], "-" in name)))
    if not chosen:
        raise StimjaxError(
            f"the recordings share none of the channels for {task} ({', '.join(CHANNELS[task])}); "
            "name some of theirs with --channels, as NAME or NAME=LABEL: "
            f"{', '.join(sorted(count))}"
        )
    if task == "stages" and kind_of_name(chosen[0]) != "EEG":
        raise StimjaxError(_no_eeg(headers))
    return tuple(chosen)


def _labels(headers: Sequence[Header]) -> set[str]:
    return {repr(signal.label) for header in headers for signal in header.signals}


def _no_eeg(headers: Sequence[Header]) -> str:
    """Why stages cannot be told, with the labels of a recording, if possible of one without EEG."""
    without = [h for h in headers if not any(kind_of_name(name) == "EEG" for name in h.rates)]
    why = "no signal has a label known for EEG" if without else "no EEG that half of all have"
    header = (without or headers)[0]
    labels = ", ".join(repr(signal.label) for signal in header.signals)
    return (
        f"{header.name}: stages cannot be told without EEG, and {why}; it has {labels}; name one "
        "with --channels EEG=LABEL EOG EMG (several for other recordings: EEG=C3* EEG=C4*)"
    )
