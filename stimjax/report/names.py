"""What a report calls things that code and settings call otherwise: one table of names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

NAMES: Mapping[str, str] = {
    # networks and classical students
    "mlp": "MLP",
    "cnn": "CNN",
    "cnn_half": "CNN of half the width",
    "resnet": "residual network",
    "gru": "GRU",
    "transformer": "transformer",
    "am_classifier": "the authors’ CNN",
    "random_forest": "random forest",
    "gradient_boosting": "gradient boosting",
    "svm": "support vector machine",
    "knn": "k-nearest neighbors",
    "logistic": "logistic regression",
    # what they were trained on
    "real": "real windows",
    "stimuli": "stimuli",
    "prior": "simulated sleepers alone",
    "noise": "labeled random signals",
    "gaussian": "a Gaussian of each class",
    "components": "principal components of each class",
    # attacks
    "nearest": "distance to the nearest stimulus",
    "domias": "crowding of stimuli (DOMIAS)",
    "gen_lra": "likelihood ratio of a cohort (Gen-LRA)",
    "dpi": "stimuli among neighbors (DPI)",
    "local": "local likelihood ratio",
    "density": "density ratio",
    "moments": "means and spreads",
    "lira": "LiRA, by shadow releases",
    "rmia": "RMIA, by shadow releases",
    "answers": "answers of a student",
    "labels": "labels",
    "refit": "the statistics, measured anew",
    "seed": "with the secret seed",
    "canary": "planted canaries",
    "cohort": "whole cohort",
    "association": "whose release it is",
    "association_by_shadows": "whose release it is, by shadow releases",
    "slicing": "slices of windows",
    "attribute": "traits of participants",
    "dcr": "distance to the closest record",
    "files": "identifiers in files",
    # levels
    "subject": "participant",
    "chooser": "participant who chose the teacher",
}
FAMILIES = ("lira", "rmia")  # attacks that look at several signals of a release


def named(code: str) -> str:
    """A name in words; one that the table lacks without its underscores."""
    if code in NAMES:
        return NAMES[code]
    family, _, signal = code.partition("_")
    if family in FAMILIES and signal:
        return f"{NAMES[family].partition(',')[0]}: {named(signal)}"
    return code.replace("_", " ")


def curve(name: str) -> str:
    """A curve of a trade-off, such as "cnn on stimuli" or "lira auc (window)", in words."""
    code, _, rest = name.partition(" ")
    return f"{named(code)} {rest}"


def listed(codes: Iterable[str]) -> str:
    """Several names, with commas between."""
    return ", ".join(map(named, codes))
