"""Every setting of the whole job, as typed frozen dataclasses; no jax is imported here.

The defaults are the ones that the documentation reports. A YAML file may set any of them (the
sections are the fields of `Job`); the command line goes over the file. What a command really used
is saved with what it made.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Literal

import tyro

from stimjax.config.names import ATTACKS, EVERY, USUAL
from stimjax.config.recipes import RECIPES, Recipe

# No option of its own on the command line: --seed sets the seeds of all sections.
Seed = tyro.conf.Suppress[int]


@dataclasses.dataclass(frozen=True)
class Prepare:
    """From recordings to windows.

    Attributes:
        task: apnea (normal or apnea) or stages (W, N1, N2, N3, R).
        channels: their names, or the labels that files give them; `flow=*Cann*` takes the signal
            whose label fits the pattern for flow, and several such entries the first that a file
            has. Empty takes each that half of the recordings have, of those that the task knows.
        rate: samples a second of a window; 0 takes the highest rate of the channels, but at most
            4 Hz for apnea and 64 Hz for stages.
        before: seconds of context in front of the labeled span; by default 15 for apnea in a
            split by subject, else 0.
        after: seconds of context behind it; by default 45 for apnea in a split by subject (SpO2
            answers an event 20 to 40 s late), else 0.
        max_missing: a window is left out if more than this part of it is masked.
        split: by whole subjects, or windows at random (easier; the report says so).
        validation: part of the subjects (or windows) for validation.
        test: part of the subjects (or windows) for the test.
        test_subjects: their names, separated by commas; then only these are the test part.
        folds: K above 1 deals all subjects (or windows) into K folds, of which one is the test
            part instead of the share `test`; `stimjax run` tests them all, one after the other.
        fold: which of the folds `stimjax prepare` tests, from 0.
        events: what texts of a scoring mean, over what is known of them, in a configuration file
            only: the text and its kind (`names.EVENTS`: hypopnea, central apnea, N2, ignore).
        subject_from: what tells subjects apart: the header's patient code, the file's name (where
            several folders hold equal names, the folder), or auto (the code, unless it is the same
            in all files or names nobody, such as "anonymous").
        subjects: a CSV file that says who was recorded, with the columns recording (path, file name
            or stem) and subject.
        public: further recordings, or folders with them, that anybody may have: of other people,
            scored or not. No window is made of them; a teacher may learn from them, and the method
            public draws from them, beside simulated sleepers.
        skip_bad: leave out recordings that cannot be used, and say which, instead of stopping.
        independent: no recording has a say in how another is treated: channels have to be named,
            rate and ranges of values are fixed ones, subjects are dealt by a hash of their names,
            which a header, the file's own name or a table has to tell. A teacher with an epsilon
            needs it.
        workers: processes that read recordings; 0 takes as many as there are cores and work for.
            The windows are the same for any number.
        seed: of the split.
    """

    task: Literal["apnea", "stages"] = "apnea"
    channels: tuple[str, ...] = ()
    rate: float = 0.0
    before: float | None = None
    after: float | None = None
    max_missing: float = 0.5
    split: Literal["subject", "random"] = "subject"
    validation: float = 0.15
    test: float = 0.25
    test_subjects: str = ""
    folds: int = 1
    fold: int = 0
    events: tyro.conf.Suppress[Mapping[str, str]] = dataclasses.field(
        default_factory=dict, hash=False
    )
    subject_from: Literal["auto", "header", "file"] = "auto"
    subjects: str = ""
    public: tuple[str, ...] = ()
    skip_bad: bool = False
    independent: bool = False
    workers: int = 0
    seed: Seed = 0

    @property
    def tested(self) -> float:
        """Part of the subjects (or windows) for the test, with folds or without."""
        return 1 / self.folds if self.folds > 1 else self.test


@dataclasses.dataclass(frozen=True)
class Fit:
    """How a network is trained: AdamW, warm-up and cosine decay, best of validation kept.

    Attributes:
        steps: gradient steps at most, rounded up to a multiple of `every`.
        batch: windows a step.
        rate: highest learning rate.
        weight_decay: of AdamW.
        noise: standard deviation of the Gaussian noise added to the windows of each step.
        radius: L2 length of the adversarial change of each window (robust training); 0 for none.
        every: steps between two looks at the validation part.
        patience: looks without improvement after which a network is done.
    """

    steps: int = 1500
    batch: int = 64
    rate: float = 3e-3
    weight_decay: float = 1e-3
    noise: float = 0.1
    radius: float = 0.0
    every: int = 100
    patience: int = 10


@dataclasses.dataclass(frozen=True)
class Dp:
    """Differential privacy of the teacher and of all releases made with it (docs/privacy-dp.md).

    With an `epsilon` these settings stand in place of the teacher's own `networks`, `candidates`,
    `ensemble` and `fit`, and nothing is chosen on validation.

    Attributes:
        epsilon: the whole budget, which everything that is computed from private windows shares;
            0 trains without a guarantee. Below 1 is strong, above 10 says little.
        delta: the probability with which the guarantee may fail; far below 1 / subjects.
        unit: whose presence is hidden: a subject with all windows, or a single window (a row of
            the training part, which says little of a person).
        networks: families by name; each is trained once, and they share the budget.
        numbers: which of a network's the private windows change: few (biases and the last layer,
            of one that knows simulated sleepers first, see `teacher.prior.first`) or all.
        steps: gradient steps.
        batch: subjects (or windows) that a step is expected to draw.
        windows: of each drawn subject, in a step.
        clip: longest gradient of a subject (or window); a longer one is shortened to it.
        rate: highest learning rate.
        prior: part of the budget for the frequency of the classes; 0 does not measure it.
        units: how many subjects (or windows) the training part is said to have, as a protocol says
            it beforehand. What depends on their number depends on this one, so that the guarantee
            hides a unit more or less. 0 counts them: then the count is published, and hidden is
            what a unit was, in a cohort of as many.
        canaries: of a second training, on noise, in which an attack tries what epsilon really is
            (docs/privacy-dp.md); 1000 or more, or 0 for none.
    """

    epsilon: float = 0.0
    delta: float = 1e-5
    unit: Literal["subject", "window"] = "subject"
    networks: tuple[str, ...] = ("cnn",)
    numbers: Literal["few", "all"] = "few"
    steps: int = 60
    batch: int = 64
    windows: int = 16
    clip: float = 0.3
    rate: float = 2e-2
    prior: float = 0.05
    units: int = 0
    canaries: int = 0


@dataclasses.dataclass(frozen=True)
class Prior:
    """What anybody may know: simulated sleepers, of whom nobody is a person (docs/method.md).

    Public: a release that depends on them says which they are, and whoever has it can make them.
    Beside them stand the recordings of `Prepare.public`.

    Attributes:
        part: of the windows that the teacher learns from that are of this, where anybody has such
            windows; 0 for none. A teacher with a formal guarantee learns from none beside private
            ones.
        first: steps in which a teacher with a formal guarantee learns from them alone, before it
            sees a private window; 0 starts it from random weights, and suits `dp.numbers` all.
        sleepers: how many, at most: of windows of many values there are fewer.
        hours: length of each night.
        cohort: another number is other sleepers.
    """

    part: float = 0.25
    first: int = 1000
    sleepers: int = 160
    hours: float = 2.0
    cohort: int = 0


NO_PRIOR = Prior(part=0.0, first=0)  # whom no network knows


@dataclasses.dataclass(frozen=True)
class Teacher:
    """The networks that learn from the private windows.

    Attributes:
        networks: families by name: mlp, cnn, cnn_half, resnet, gru, transformer, am_classifier.
        candidates: networks of each family, trained from different seeds.
        ensemble: all of them label together, weighted on validation; otherwise the best one alone.
        radii: of robust training, to choose from instead of `fit.radius`: the largest that costs
            nothing on the validation part beyond one standard error.
        critic: the network that learns to tell subjects apart, for `synthesis.inhibit`; none for
            no critic.
        fit: how they are trained.
        dp: differential privacy; off without an epsilon.
        prior: simulated sleepers, whom the teacher knows beside the private ones, and of whom the
            method public makes its stimuli.
        seed: of the candidates' initial weights; no student ever starts from one of these.
    """

    networks: tuple[str, ...] = ("cnn", "resnet", "gru", "mlp")
    candidates: int = 2
    ensemble: bool = True
    radii: tuple[float, ...] = ()
    critic: str = "cnn"
    fit: Fit = Fit()
    dp: Dp = Dp()
    prior: Prior = Prior()
    seed: Seed = 0


@dataclasses.dataclass(frozen=True)
class Synthesis:
    """How stimuli are made.

    Attributes:
        method: by name: paper, probe, public, spectral, mixture, invert or adversarial.
        count: stimuli in the release.
        recipe: the method's own if None; a configuration file changes any of its lines.
        inhibit: how strongly what is known of individuals is inhibited, from 0 to 1.
        inhibit_by: refusal (of stimuli that the identity critic recognizes more surely than the
            rest, 1 - inhibit, of real windows), term (excitation drives what the critic recognizes
            down; for methods that excite), directions (in which the teacher's last layers tell
            subjects apart: this part of them, the strongest, is taken out), groups (of similar
            windows, from which the source mixture draws: this part of the stimuli is drawn from
            their whole class instead), labels (rounded to multiples of inhibit, at 1 to the most
            probable class alone).
        lanes: loops that run together on a device; 0 takes the recipe's, 32 times as many on an
            accelerator.
        shard: stimuli in a file of the release; the unit of work. 0 takes 500, and 32 times as many
            on an accelerator; or what the recipe says of a lane's life.
        license: under which the holder publishes the release; written into its data card.
        seed: of everything random here. By default the operating system gives one, which is kept
            among what is private: whoever knows it, or guesses it, can subtract the noise. One that
            is given makes a release again.
    """

    method: str = "public"
    count: int = 20000
    recipe: tyro.conf.Suppress[Recipe | None] = None
    inhibit: float = 0.0
    inhibit_by: tuple[Literal["refusal", "term", "directions", "groups", "labels"], ...] = (
        "refusal",
        "term",
        "directions",
        "groups",
        "labels",
    )
    lanes: int = 0
    shard: int = 0
    license: str = ""
    seed: tyro.conf.Suppress[int | None] = None

    @property
    def label_step(self) -> float:
        """What labels are rounded to multiples of; 0 leaves the teacher's softmax as it is."""
        hard = (self.recipe or RECIPES.get(self.method, Recipe())).hard
        return 1.0 if hard else self.inhibit if "labels" in self.inhibit_by else 0.0


@dataclasses.dataclass(frozen=True)
class Study:
    """Which students are trained on the stimuli and on what they are compared with.

    Attributes:
        students: deep: mlp, cnn, cnn_half, resnet, gru, transformer, am_classifier; classical:
            random_forest, gradient_boosting, svm, knn, logistic.
        baselines: prior (simulated sleepers with their own labels: what students are worth without
            the release), noise (labeled by the teacher), gaussian (one a class, fitted to the
            real training windows), components (draws of the source `mixture`, labeled by the
            class they are drawn for).
        labels: students learn from soft labels as they are, or from hard ones: their most
            probable class.
        seeds: students of each kind, each from another seed.
        fit: how deep students are trained.
        seed: of the first student.
    """

    students: tuple[str, ...] = USUAL
    baselines: tuple[str, ...] = ("prior",)
    labels: Literal["soft", "hard"] = "soft"
    seeds: int = 3
    fit: Fit = Fit()
    seed: Seed = 0


THOROUGH = Study(students=EVERY, baselines=("prior", "noise", "gaussian"), seeds=5)


@dataclasses.dataclass(frozen=True)
class Audit:
    """What is tried to learn of individuals from a release.

    Attributes:
        attacks: by name: nearest, domias, gen_lra, dpi, local, density, moments, lira, rmia,
            seed, canary, cohort, association, slicing, attribute, dcr, files.
        shadows: pipelines that are run with and without each subject, for lira, rmia and canary;
            for seed, their statistics alone.
        copied: part of the release that is replaced with real windows in the planted leak, with
            which every attack is tested.
        seed: of all chance.
    """

    attacks: tuple[str, ...] = ATTACKS
    shadows: int = 16
    copied: float = 0.1
    seed: Seed = 0


@dataclasses.dataclass(frozen=True)
class Tradeoff:
    """Students against attackers over the strength of inhibition, as a curve in the report.

    Attributes:
        strengths: of `synthesis.inhibit`, for each of which stimuli, students and attacks are made
            anew; none for no curve.
    """

    strengths: tuple[float, ...] = ()


@dataclasses.dataclass(frozen=True)
class Simulation:
    """A cohort of simulated sleepers.

    Attributes:
        subjects: how many; a recording each.
        hours: length of each recording.
        task: apnea (belts, flow, SpO2, heart rate) or stages (EEG, EOG, EMG).
        seed: of all chance.
    """

    subjects: int = 12
    hours: float = 2.0
    task: Literal["apnea", "stages"] = "apnea"
    seed: Seed = 0


@dataclasses.dataclass(frozen=True)
class Job:
    """The whole job; each field is a section of a configuration file."""

    prepare: Prepare = Prepare()
    teacher: Teacher = Teacher()
    synthesis: Synthesis = Synthesis()
    study: Study = Study()
    audit: Audit = Audit()
    tradeoff: Tradeoff = Tradeoff()
    simulation: Simulation = Simulation()  # of the demo and of `stimjax simulate`


# Small enough for two or three minutes on two cores; the recipe is the same. The attacks that train
# teachers of their own, or look at each group of people, are left to runs on recordings.
DEMO = Job(
    prepare=Prepare(rate=2.0),
    teacher=Teacher(candidates=1, fit=Fit(steps=320, every=40)),
    synthesis=Synthesis(count=6000),
    study=Study(seeds=2, fit=Fit(steps=320, every=40)),
    audit=Audit(
        attacks=tuple(n for n in ATTACKS if n not in ("canary", "slicing", "attribute")), shadows=8
    ),
    simulation=Simulation(subjects=16, hours=1.5),
)
