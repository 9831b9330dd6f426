"""What is the same for all recordings of a cohort: channels, rate, context, the label's span."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence

from stimjax import config
from stimjax.data.channels import canonical
from stimjax.data.recording import Header
from stimjax.data.scoring import rules
from stimjax.errors import StimjaxError

CHANNELS = {
    "apnea": ("chest", "abdomen", "flow", "SpO2", "HR"),
    "stages": ("EEG", "EOG", "EMG"),  # any derivation of each
}
MOST_RATE = {"apnea": 4.0, "stages": 64.0}  # Hz, unless the user asks for more
CONTEXT = {"apnea": (15.0, 45.0), "stages": (0.0, 0.0)}  # s before and after, split by subject


@dataclasses.dataclass(frozen=True)
class Plan:
    """What is the same for all recordings of a cohort."""

    task: rules.Task
    channels: tuple[str, ...]
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
    if settings.independent and not settings.channels:
        raise StimjaxError(
            "--independent: what recordings have may not choose the channels; name them with "
            f"--channels, such as {', '.join(sorted({n for h in headers for n in h.rates})[:8])}"
        )
    asked = dict.fromkeys(canonical(name) or name for name in settings.channels)
    channels = tuple(asked) or _common(headers, task)
    rates = [header.rates[c] for header in headers for c in channels if c in header.rates]
    if not rates:
        raise StimjaxError(
            f"no recording has a channel {', '.join(channels)}; there are "
            f"{', '.join(sorted({name for header in headers for name in header.rates}))}"
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
        rate=settings.rate or (most if settings.independent else min(max(rates), most)),
        before=before,
        after=after,
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
        fits = [n for n in count if n.split()[0] == wanted and 2 * count[n] >= len(headers)]
        if fits:
            chosen.append(max(sorted(fits), key=lambda name: count[name]))
    if not chosen:
        raise StimjaxError(
            f"the recordings share none of the channels for {task} ({', '.join(CHANNELS[task])}); "
            f"name some of theirs with --channels: {', '.join(sorted(count))}"
        )
    return tuple(chosen)
