"""Every setting of the whole job, as typed frozen dataclasses; no jax is imported here.

The defaults are the ones that the documentation reports. A YAML file may set any of them (the
sections are the fields of `Job`); the command line goes over the file. What a command really used
is saved with what it made.
"""

from __future__ import annotations

import dataclasses
from typing import Literal

import tyro

# No option of its own on the command line: --seed sets the seeds of all sections.
Seed = tyro.conf.Suppress[int]

STUDENTS = (
    *("mlp", "cnn", "cnn_half", "resnet", "gru", "transformer"),
    *("random_forest", "gradient_boosting", "svm", "knn", "logistic"),
)


@dataclasses.dataclass(frozen=True)
class Prepare:
    """From recordings to windows.

    Attributes:
        task: apnea (normal or apnea) or stages (W, N1, N2, N3, R).
        channels: their canonical names; empty takes each that half of the recordings have, of
            those that the task knows.
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
        subject_from: what tells subjects apart: the header's patient code, the file's name, or
            auto (the code, unless it is empty or the same in all files).
        skip_bad: leave out recordings that cannot be used, and say which, instead of stopping.
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
    subject_from: Literal["auto", "header", "file"] = "auto"
    skip_bad: bool = False
    seed: Seed = 0


@dataclasses.dataclass(frozen=True)
class Fit:
    """How a network is trained: AdamW, warm-up and cosine decay, best of validation kept.

    Attributes:
        steps: gradient steps at most, rounded up to a multiple of `every`.
        batch: windows a step.
        rate: highest learning rate.
        weight_decay: of AdamW.
        noise: standard deviation of the Gaussian noise added to the windows of each step.
        every: steps between two looks at the validation part.
        patience: looks without improvement after which a network is done.
    """

    steps: int = 1500
    batch: int = 64
    rate: float = 3e-3
    weight_decay: float = 1e-3
    noise: float = 0.1
    every: int = 100
    patience: int = 10


@dataclasses.dataclass(frozen=True)
class Teacher:
    """The network that learns from the private windows.

    Attributes:
        network: by name: mlp, cnn, cnn_half, resnet, gru or transformer.
        candidates: networks trained from different seeds; the best on validation is kept.
        fit: how it is trained.
        seed: of the candidates' initial weights; no student ever starts from one of these.
    """

    network: str = "cnn"
    candidates: int = 5
    fit: Fit = Fit()
    seed: Seed = 0


@dataclasses.dataclass(frozen=True)
class Synthesis:
    """How stimuli are made.

    Attributes:
        method: the composition, by name: paper.
        count: stimuli in the release.
        generator: the network whose weights are optimized: dense or conv.
        latent: size of the generator's input.
        rate: learning rate of Adam.
        lowest: lowest confidence threshold.
        highest: highest confidence threshold.
        tries: steps until a lane gives up.
        lanes: loops that run together on a device; part of what fixes the bits of a release.
        steps: steps of each lane between two hand-overs from device to host.
        shard: stimuli in a file of the release; the unit of work.
        license: under which the holder publishes the release; written into its data card.
        seed: of everything random here.
    """

    method: str = "paper"
    count: int = 5000
    generator: str = "dense"
    latent: int = 64
    rate: float = 1e-3
    lowest: float = 0.75
    highest: float = 0.9999
    tries: int = 50
    lanes: int = 16
    steps: int = 50
    shard: int = 500
    license: str = ""
    seed: Seed = 0


@dataclasses.dataclass(frozen=True)
class Study:
    """Which students are trained on the stimuli and on what they are compared with.

    Attributes:
        students: deep: mlp, cnn, cnn_half, resnet, gru, transformer; classical: random_forest,
            gradient_boosting, svm, knn, logistic.
        baselines: noise (labeled by the teacher) and gaussian (one for each class, fitted to the
            real training windows).
        seeds: students of each kind, each from another seed.
        fit: how deep students are trained.
        seed: of the first student.
    """

    students: tuple[str, ...] = STUDENTS
    baselines: tuple[str, ...] = ("noise", "gaussian")
    seeds: int = 5
    fit: Fit = Fit()
    seed: Seed = 0


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
    simulation: Simulation = Simulation()  # of the demo and of `stimjax simulate`


# Small enough for a few minutes on two cores; the recipe is the same.
DEMO = Job(
    prepare=Prepare(rate=2.0),
    teacher=Teacher(candidates=2, fit=Fit(steps=320, every=40)),
    synthesis=Synthesis(count=1200, shard=200),
    study=Study(fit=Fit(steps=160, every=40)),
    simulation=Simulation(subjects=16, hours=1.5),
)
