"""The methods by name: what each does to make a stimulus, as a table. No jax is imported here.

`excite/methods.py` builds the functions that a recipe names. In a configuration file
`synthesis.method` chooses a recipe and `synthesis.recipe` changes any of its lines.
"""

from __future__ import annotations

import dataclasses
from typing import Literal


@dataclasses.dataclass(frozen=True)
class Terms:
    """Weights of the objective's terms (`excite/terms/`, one file each); 0 leaves a term out.

    Attributes:
        cross_entropy: between the wanted label and the teacher's softmax; the paper's only term.
        features: the activity of every hidden unit, driven to its mean and spread in windows of
            the wanted class.
        features_global: the same, of all stimuli together and in windows of all classes.
        moments: mean and covariance of the windows' own values, driven to those of the class.
        embedding: random Fourier features of the windows, driven to those of the class.
        disagreement: how much proxy students differ from the teacher (sought, not avoided).
        consistency: how much the teacher's answer changes with what keeps the class: a signal
            earlier or later, louder or softer, with noise; an image a little distorted.
        identity: how surely the identity critic recognizes a subject (`synthesis.inhibit` adds to
            it).
    """

    cross_entropy: float = 0.0
    features: float = 0.0
    features_global: float = 0.0
    moments: float = 0.0
    embedding: float = 0.0
    disagreement: float = 0.0
    consistency: float = 0.0
    identity: float = 0.0


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How one stimulus is made.

    Attributes:
        source: where it starts: generator (a network with random weights), noise, generic,
            public (simulated nights), spectral or mixture.
        parametrization: what is optimized: the weights of a generator, the window itself, its
            cosine coefficients, or its principal components.
        terms: what is lowered.
        rate: learning rate of the optimizer.
        optimizer: adam, or sign: steps of length `rate` for each number, in the direction of its
            gradient's sign, without a memory of earlier ones.
        tries: gradient steps at most; 0 takes what the source gives, labeled by the teacher.
        targets: what the teacher is driven to: the class alone, or histogram: as sure as it is of
            training windows of the class.
        accept: threshold, as soon as the teacher is sure enough; or end, after all steps.
        lowest: lowest confidence threshold.
        highest: highest confidence threshold.
        balance: how many stimuli each class (the most probable of the label) gets: as they come
            (none); all the same (uniform); as frequent as in the training windows (prior); or all
            the same, each weighing as much as makes its class that frequent (weighted).
        hard: labels are the teacher's most probable class alone, whatever inhibition says of them.
        random: part of the draws of the source `public` that are those of `generic`.
        rounded: values are rounded to the channel's resolution before they are labeled.
        unexcited: part of the lanes' goals that takes what the source gave as it is. Of the stimuli
            it is a little more, for these take one step: .58 of 500 made in 128 lanes where half
            is asked.
        views: part of the stimuli that is published as a view of itself, labeled anew by the
            teacher.
        view: what that is: a random average of two stimuli (mixed); a change that keeps the class,
            as for the term `consistency` (augmented); or mixed of signals, augmented of images
            (auto).
        precision: in which teacher and generator are computed for gradients. What is optimized,
            and the labels, are float32 always.
        rounds: 1, or more: then proxy students learn from the stimuli of earlier rounds, and the
            term `disagreement` seeks what they get wrong.
        generator: the network whose weights are optimized: dense, conv or am_generator.
        latent: size of the generator's input.
        lanes: stimuli that are made together on a device; terms that need a batch work across
            them. Part of what fixes the bits of a release.
        life: stimuli that a lane makes one after the other, at most, until it ends and another one
            starts from new weights: a release has as few shards, all of one size, as that allows.
            0 where a shard has its usual size, whatever the lanes.
    """

    source: Literal["generator", "noise", "generic", "public", "spectral", "mixture"] = "generator"
    parametrization: Literal["generator", "window", "cosine", "components"] = "window"
    terms: Terms = Terms()
    rate: float = 0.02
    optimizer: Literal["adam", "sign"] = "adam"
    tries: int = 0
    targets: Literal["class", "histogram"] = "class"
    accept: Literal["threshold", "end"] = "end"
    lowest: float = 0.75
    highest: float = 0.9999
    balance: Literal["none", "uniform", "prior", "weighted"] = "none"
    hard: bool = False
    random: float = 0.0
    rounded: bool = True
    unexcited: float = 0.0
    views: float = 0.0
    view: Literal["auto", "mixed", "augmented"] = "auto"
    precision: Literal["float32", "bfloat16"] = "float32"
    rounds: int = 1
    generator: str = "dense"
    latent: int = 64
    lanes: int = 128
    life: int = 0


_INVERT = Terms(cross_entropy=1.0, features=3.0, embedding=20.0)

RECIPES: dict[str, Recipe] = {
    # Nikolaidis et al., JAIR 72 (2021), arXiv 2009.10007, with the network and the settings of its
    # authors' proof of concept (AM-Stimuli, for MNIST); lanes, and how long they live, are ours.
    "paper": Recipe(
        source="generator",
        parametrization="generator",
        terms=Terms(cross_entropy=1.0),
        rate=1e-3,
        tries=50,
        accept="threshold",
        rounded=False,
        generator="am_generator",
        latent=512,
        lanes=4,  # a step of one of four takes .6 of the time of a lane alone
        life=1000,
    ),
    # Ours, from here on. Random signals, labeled and not excited.
    "probe": Recipe(source="generic", balance="prior"),
    # Windows that anybody may have: what a teacher knows is in the class of each alone.
    "public": Recipe(source="public", random=0.6, balance="uniform", hard=True),
    "spectral": Recipe(source="spectral", balance="prior"),
    "mixture": Recipe(source="mixture", balance="prior", views=0.5),
    # Hidden neurons driven to what each class causes in them.
    "invert": Recipe(source="mixture", terms=_INVERT, tries=30, targets="histogram", unexcited=0.5),
    # The same, and against proxy students.
    "adversarial": Recipe(
        source="mixture",
        terms=dataclasses.replace(_INVERT, disagreement=0.5),
        tries=30,
        targets="histogram",
        unexcited=0.5,
        rounds=3,
    ),
}
