"""From recordings to windows on disk, one recording in memory at a time.

A folder of windows holds `train-*.safetensors`, `validation-*.safetensors`,
`test-*.safetensors` and `spec.json`, which says what the numbers mean and how they were made.
Subjects are numbers there, and nothing else tells who they are; `people` keeps what headers say
of their sex and age.
"""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from stimjax import batch, config
from stimjax.batch import Batch, Channel, Spec
from stimjax.data import people, reader, split
from stimjax.data.channels import canonical, wishes
from stimjax.data.channels import kind as kind_of_name
from stimjax.data.condition import Conditioned, condition, kind_of
from stimjax.data.recording import Header, Recording
from stimjax.data.scoring import rules
from stimjax.data.split import PARTS
from stimjax.disk.documents import Cohort, Made, Part
from stimjax.errors import StimjaxError

CHANNELS = {
    "apnea": ("chest", "abdomen", "flow", "SpO2", "HR"),
    "stages": ("EEG", "EOG", "EMG"),  # any derivation of each
}
MOST_RATE = {"apnea": 4.0, "stages": 64.0}  # Hz, unless the user asks for more
CONTEXT = {"apnea": (15.0, 45.0), "stages": (0.0, 0.0)}  # s before and after, split by subject
RANGE = (0.5, 99.5)  # percentiles of the training windows that bound what a stimulus may take
SAMPLED = 5_000  # values of each channel that a recording gives to those percentiles at most,
SAMPLED_IN_ALL = 500_000  # and all together: memory does not grow with the cohort

Note = Callable[[str], None]


@dataclasses.dataclass(frozen=True)
class Plan:
    """What is the same for all recordings of a cohort."""

    channels: tuple[str, ...]
    rate: float
    before: float
    after: float
    label_seconds: float
    classes: tuple[str, ...]

    @property
    def length(self) -> int:
        """Samples of a window."""
        return round((self.before + self.label_seconds + self.after) * self.rate)


def prepare(
    inputs: Sequence[Path],
    settings: config.Prepare,
    folder: Path,
    *,
    note: Note = lambda line: None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> None:
    """Fill `folder` with the windows of all recordings among `inputs`.

    Args:
        inputs: files or folders of recordings.
        settings: task, channels, rate, context, split.
        folder: an empty folder, from `store.new_folder`.
        note: told in a line what the user should know: what was left out, or looks odd.
        progress: called with recordings done and in all.

    Raises:
        StimjaxError: a recording cannot be used (unless `settings.skip_bad`), or what they give
            together cannot be learned from: too few subjects, one class only.
    """
    paths = reader.find(inputs)
    found = _headers(paths, settings, note)
    plan = _plan([header for _, header in found], settings)
    if settings.subject_from == "auto" and _blanked([header.subject for _, header in found]):
        note("every file has the same patient code; each counts as a subject of its own")
    numbers = _subjects(found, settings)
    named = _named(found, numbers, settings)
    made = _Seen(plan, recordings=len(found), skipped=len(paths) - len(found))
    for index, ((path, _), subject) in enumerate(zip(found, numbers, strict=True)):
        try:
            wished = settings.channels or plan.channels
            recording = reader.read(path, wished, settings.events)
            windows, conditioned = _windows(recording, plan, subject, settings)
            if not settings.independent:
                made.refuse_twin(recording, path)
        except StimjaxError as error:
            if not settings.skip_bad:
                raise
            note(f"left out: {error}")
            made.skipped += 1
        else:
            if settings.independent:  # leaving the copy out would be a look at the other
                made.refuse_twin(recording, path)
            batch.save(windows, folder, f"recording-{index:04d}")
            made.add(index, windows, conditioned)
        progress(index + 1, len(found))
    made.refuse_useless(settings)
    names = dict(zip(numbers, _names(found, settings), strict=True))
    parts = _divide(folder, made, named, names, settings)
    for part in ("validation", "test"):
        lacking = [name for name, count in parts[part].classes.items() if not count]
        if lacking:
            note(f"the {part} part has no window of the class {lacking[0]!r}")
    told = zip(numbers, (header.person for _, header in found), strict=True)
    people.save(folder, told)
    spec = _ranged(folder, plan, made, settings.independent)
    batch.save_spec(spec, folder, Made(settings, made.cohort(parts)))


def load(folder: Path, part: str) -> Batch:
    """The windows of one part: train, validation or test.

    Raises:
        StimjaxError: the folder is no folder of windows, or damaged.
    """
    if not folder.is_dir():
        raise StimjaxError(f"{folder}: is no folder of windows; `stimjax prepare` makes one")
    return batch.load(folder, part)


def _headers(paths: list[Path], settings: config.Prepare, note: Note) -> list[tuple[Path, Header]]:
    found = []
    for path in paths:
        try:
            found.append((path, reader.header(path, settings.channels or None)))
        except StimjaxError as error:
            if not settings.skip_bad:
                raise
            note(f"left out: {error}")
    if not found:
        raise StimjaxError("not one recording can be read")
    return found


def _plan(headers: list[Header], settings: config.Prepare) -> Plan:
    """Channels, rate and context: what the user asks for, else what the recordings offer."""
    task, random, most = settings.task, settings.split == "random", MOST_RATE[settings.task]
    if settings.independent and not settings.channels:
        raise StimjaxError(
            "--independent: what recordings have may not choose the channels; name them with "
            f"--channels, such as {', '.join(sorted({n for h in headers for n in h.rates})[:8])}"
        )
    asked = tuple(wish.name for wish in wishes(settings.channels))
    channels = asked or _common(headers, task)
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
        channels=channels,
        rate=settings.rate or (most if settings.independent else min(max(rates), most)),
        before=before,
        after=after,
        label_seconds=rules.MINUTE if task == "apnea" else rules.EPOCH,
        classes=rules.CLASSES[task],
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


def _common(headers: list[Header], task: str) -> tuple[str, ...]:
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


def _labels(headers: list[Header]) -> set[str]:
    return {repr(signal.label) for header in headers for signal in header.signals}


def _no_eeg(headers: list[Header]) -> str:
    """Why stages cannot be told, with the labels of a recording, if possible of one without EEG."""
    without = [h for h in headers if not any(kind_of_name(name) == "EEG" for name in h.rates)]
    why = "no signal has a label known for EEG" if without else "no EEG that half of all have"
    header = (without or headers)[0]
    labels = ", ".join(repr(signal.label) for signal in header.signals)
    return (
        f"{header.name}: stages cannot be told without EEG, and {why}; it has {labels}; name one "
        "with --channels EEG=LABEL EOG EMG (several for other recordings: EEG=C3* EEG=C4*)"
    )


def _subjects(found: list[tuple[Path, Header]], settings: config.Prepare) -> list[int]:
    """A number for the subject of each recording."""
    names = _names(found, settings)
    order = {name: number for number, name in enumerate(sorted(set(names)))}
    return [order[name] for name in names]


def _names(found: list[tuple[Path, Header]], settings: config.Prepare) -> list[str]:
    codes = [header.subject for _, header in found]
    files = [header.name for _, header in found]
    if settings.subject_from == "file":
        return files
    if settings.subject_from == "header":
        empty = [name for name, code in zip(files, codes, strict=True) if not code]
        if empty:
            raise StimjaxError(f"{empty[0]}: its header names no subject; use --subject-from file")
        return codes
    if _blanked(codes):
        return files
    return [code or file for code, file in zip(codes, files, strict=True)]


def _blanked(codes: list[str]) -> bool:
    """Whether all files share a code: it was blanked ("anonymous") or is the study's."""
    return len(codes) > 1 and len(set(codes)) == 1 and bool(codes[0])


def _windows(
    recording: Recording, plan: Plan, subject: int, settings: config.Prepare
) -> tuple[Batch, Conditioned]:
    """Every labeled window of one recording that has enough valid samples."""
    conditioned = condition(recording, plan.channels, plan.rate)
    spans = rules.spans(recording, settings.task)
    if not spans:
        raise StimjaxError(
            f"{recording.header.name}: has no labeled window (it is too short, or only a small "
            "part of it was scored); leave it out with --skip-bad"
        )
    starts = np.array([round((start - plan.before) * plan.rate) for start, _, _ in spans])
    index = starts[:, None] + np.arange(plan.length)
    outside = (index < 0) | (index >= len(conditioned.x))
    index = np.clip(index, 0, len(conditioned.x) - 1)  # beyond the ends: the nearest value
    missing = (conditioned.missing[index] | outside[..., None]).mean(axis=1).max(axis=1)
    keep = missing <= settings.max_missing
    if not keep.any():
        raise StimjaxError(
            f"{recording.header.name}: every labeled window has more than "
            f"{settings.max_missing:.0%} of a channel missing; allow more with --max-missing or "
            "leave the file out with --skip-bad"
        )
    label = np.array([label for _, _, label in spans])[keep]
    spec = _spec(plan, [Channel(name, "") for name in plan.channels])
    windows = batch.make(
        conditioned.x[index[keep]],
        batch.one_hot(label, spec),
        spec,
        subject=np.full(len(label), subject),
    )
    return windows, conditioned


def _spec(plan: Plan, channels: Sequence[Channel]) -> Spec:
    return Spec(
        shape=(plan.length, len(plan.channels)),
        classes=plan.classes,
        channels=tuple(channels),
        rate=plan.rate,
        label_start=plan.before,
        label_seconds=plan.label_seconds,
    )


class _Seen:
    """What is known of the recordings after each was seen once."""

    def __init__(self, plan: Plan, recordings: int, skipped: int) -> None:
        self.labels: dict[int, np.ndarray] = {}  # class numbers of a recording's windows
        self.subject: dict[int, int] = {}
        self.sample: dict[int, np.ndarray] = {}  # some values of each channel
        self.source: dict[int, np.ndarray] = {}  # and which window each is from
        self.masked: dict[str, Counter[str]] = {name: Counter() for name in plan.channels}
        self.whole = np.ones(len(plan.channels), bool)
        self.twins: dict[bytes, Path] = {}
        self.plan, self.skipped = plan, skipped
        self.sampled = max(1, min(SAMPLED, SAMPLED_IN_ALL // recordings))

    def refuse_twin(self, recording: Recording, path: Path) -> None:
        digest = hashlib.sha256()
        for name in sorted(recording.signals):
            digest.update(np.ascontiguousarray(recording.signals[name].values).tobytes())
        twin = self.twins.setdefault(digest.digest(), path)
        if twin != path:
            raise StimjaxError(
                f"{path}: holds the same signals as {twin}; a copy in another part of the split "
                "would spoil the test: remove one of them"
            )

    def add(self, index: int, windows: Batch, conditioned: Conditioned) -> None:
        self.labels[index] = windows.label.astype(np.int8)
        self.subject[index] = int(windows.subject[0])
        values = windows.x.reshape(-1, len(self.plan.channels))
        rows = np.random.default_rng(index).integers(0, len(values), self.sampled)
        self.sample[index] = np.asarray(values[rows])
        self.source[index] = (rows // self.plan.length).astype(np.int32)
        for name, counts in conditioned.counts.items():
            self.masked[name].update(counts)
        self.whole &= conditioned.whole

    def severity(self) -> dict[int, float]:
        """Of each subject: the part of its windows that are not of the first class."""
        labels: dict[int, list[np.ndarray]] = {}
        for index, label in self.labels.items():
            labels.setdefault(self.subject[index], []).append(label)
        return {s: float((np.concatenate(parts) > 0).mean()) for s, parts in labels.items()}

    def refuse_useless(self, settings: config.Prepare) -> None:
        if not self.labels:
            raise StimjaxError("not one recording can be used")
        present = np.unique(np.concatenate(list(self.labels.values())))
        if len(present) < 2:
            raise StimjaxError(
                f"every window is of the class {self.plan.classes[present[0]]!r}; recordings with "
                "at least two classes are needed"
            )

    def cohort(self, parts: dict[str, Part]) -> Cohort:
        """What `spec.json` records of the recordings."""
        return Cohort(
            recordings=len(self.labels),
            skipped=self.skipped,
            subjects=len(set(self.subject.values())),
            parts=parts,
            masked={name: dict(counts) for name, counts in self.masked.items()},
        )


def _divide(
    folder: Path,
    made: _Seen,
    named: set[int],
    names: dict[int, str],
    settings: config.Prepare,
) -> dict[str, Part]:
    """Give each recording's file, or its windows, to the parts; count what each part has."""
    which: dict[int, np.ndarray] = {}
    shares = split.Shares(
        settings.validation, settings.test, settings.seed, settings.folds, settings.fold
    )
    if settings.split == "subject":
        if settings.independent:
            known = {number: names[number] for number in set(made.subject.values())}
            part = split.by_name(known, named, shares)
        else:
            part = split.by_subject(made.severity(), named, shares)
        for index, label in made.labels.items():
            which[index] = np.full(len(label), PARTS.index(part[made.subject[index]]))
    else:
        for index, label in made.labels.items():
            which[index] = split.at_random(len(label), index, shares)
    summary = {}
    for number, name in enumerate(PARTS):
        labels = [label[which[i] == number] for i, label in made.labels.items()]
        counts = np.bincount(np.concatenate(labels), minlength=len(made.plan.classes))
        inside = {made.subject[i] for i in made.labels if (which[i] == number).any()}
        summary[name] = Part(
            windows=int(counts.sum()),
            classes=dict(zip(made.plan.classes, counts.tolist(), strict=True)),
            subjects=tuple(sorted(inside)),
        )
    _refuse_empty(summary)
    for index in made.labels:
        _distribute(folder, index, which[index])
    for index in made.sample:  # only the training part may shape what is published
        made.sample[index] = made.sample[index][which[index][made.source[index]] == 0]
    return summary


def _refuse_empty(summary: dict[str, Part]) -> None:
    for name in ("train", "validation", "test"):
        if not summary[name].windows:
            raise StimjaxError(f"no window is left for the {name} part; give more recordings")
    absent = [k for k, count in summary["train"].classes.items() if not count]
    if absent:
        raise StimjaxError(
            f"the training part has no window of the class {absent[0]!r}; give more recordings or "
            "another --seed"
        )


def _distribute(folder: Path, index: int, which: np.ndarray) -> None:
    """Rename a recording's file into its part, or write its windows into several."""
    path = folder / f"recording-{index:04d}.safetensors"
    present = np.unique(which)
    if len(present) == 1:
        path.rename(folder / f"{PARTS[present[0]]}-{index:04d}.safetensors")
        return
    arrays = batch.load_arrays(path)
    for number in present:
        chosen = {name: array[which == number] for name, array in arrays.items()}
        batch.save_arrays(folder / f"{PARTS[number]}-{index:04d}.safetensors", chosen)
    path.unlink()


def _named(
    found: list[tuple[Path, Header]], numbers: list[int], settings: config.Prepare
) -> set[int]:
    """The numbers of the subjects (or recordings) that the user named for the test."""
    wanted = [name.strip() for name in settings.test_subjects.split(",") if name.strip()]
    known: dict[str, set[int]] = {}
    for (_, header), subject, number in zip(found, _names(found, settings), numbers, strict=True):
        for name in (header.name, subject):
            known.setdefault(name, set()).add(number)
    for name in wanted:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=3)
            hint = f"did you mean {', '.join(close)}?" if close else "stimjax inspect shows them"
            raise StimjaxError(f"--test-subjects: there is no subject {name!r}; {hint}")
        if len(known[name]) > 1:
            raise StimjaxError(
                f"--test-subjects: {name!r} is the name of recordings of {len(known[name])} "
                "subjects; rename the files, or see --subject-from"
            )
    return {number for name in wanted for number in known[name]}


def _ranged(folder: Path, plan: Plan, made: _Seen, independent: bool) -> Spec:
    """The spec with each channel's range and resolution, from the training part.

    With `independent` the range is the channel's fixed one, and there is no resolution.
    """
    values = np.concatenate(list(made.sample.values()))
    low, high = np.percentile(values, RANGE, axis=0)
    channels = []
    for i, name in enumerate(plan.channels):
        kind = kind_of(name)
        fixed = kind.normalization == "fixed"
        step = 1 / kind.scale if fixed and made.whole[i] else 0.0
        unit = {"SpO2": "%"}.get(canonical(name) or name, "") if fixed else ""
        center, scale = (kind.center, kind.scale) if fixed else (0.0, 1.0)
        span = (float(low[i]), float(max(high[i], low[i] + 1e-3)))
        if independent:
            step, span = 0.0, kind.span
        channels.append(Channel(name, unit, kind.normalization, center, scale, *span, step))
    return _spec(plan, channels)
