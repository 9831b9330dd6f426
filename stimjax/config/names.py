"""Every name that a setting may say, and the one check of them, before any hour of work.

What a name stands for is found in tables of the parts themselves (`models.CLASSIFIERS`, for one),
which bring jax; here are the names alone. `tests/config/test_names.py` holds both to be the same.
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import typing
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from stimjax.config.recipes import RECIPES
from stimjax.errors import StimjaxError

NETWORKS = ("mlp", "cnn", "cnn_half", "resnet", "gru", "transformer", "am_classifier")
CRITICS = ("none", *NETWORKS)
GENERATORS = ("dense", "conv", "am_generator")
METHODS = tuple(RECIPES)
CLASSICAL = ("random_forest", "gradient_boosting", "svm", "knn", "logistic")
STUDENTS = (*NETWORKS, *CLASSICAL)
EVERY = tuple(name for name in STUDENTS if name != "am_classifier")  # it takes as long as the rest
USUAL = ("cnn", "mlp", "random_forest", "gradient_boosting", "knn", "logistic")  # one of each kind
BASELINES = ("prior", "noise", "gaussian", "components")
ATTACKS = (
    "nearest",
    "domias",
    "gen_lra",
    "dpi",
    "local",
    "density",
    "moments",
    "lira",
    "rmia",
    "seed",
    "canary",
    "cohort",
    "association",
    "slicing",
    "attribute",
    "dcr",
    "files",
)
EVENTS = (  # what a text of a scoring may mean; `data.scoring.vocabulary.NAMES` says what each is
    *("apnea", "obstructive apnea", "central apnea", "mixed apnea", "hypopnea", "RERA"),
    *("Cheyne-Stokes", "periodic breathing", "arousal", "desaturation"),
    *("wake", "N1", "N2", "N3", "REM", "unscored", "normal minute", "apnea minute"),
    *("lights off", "lights on", "ignore"),
)

# By section and setting: what a message calls it, and its names. Literals need no line here.
NAMED: Mapping[str, Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "Prepare": {"events": ("kind of event", EVENTS)},
    "Teacher": {"networks": ("network", NETWORKS), "critic": ("network", CRITICS)},
    "Dp": {"networks": ("network", NETWORKS)},
    "Synthesis": {"method": ("method", METHODS)},
    "Recipe": {"generator": ("generator", GENERATORS)},
    "Study": {"students": ("student", STUDENTS), "baselines": ("baseline", BASELINES)},
    "Audit": {"attacks": ("attack", ATTACKS)},
}


def check(settings: Any, where: str = "") -> None:
    """Refuse a name that stands for nothing.

    Python checks no Literal, so that these are looked at as well.

    Args:
        settings: a `config.Job` or one of its sections.
        where: goes in front of the setting's name: `--teacher.` or `job.yaml: teacher.`.

    Raises:
        StimjaxError: a name is unknown; the line names the setting and the nearest known name.
    """
    named, literals = NAMED.get(type(settings).__name__, {}), _literals(type(settings))
    for field in dataclasses.fields(settings):
        value, place = getattr(settings, field.name), f"{where}{field.name}"
        if dataclasses.is_dataclass(value):
            check(value, f"{place}.")
        for key, name in _named(value):
            if field.name in named:
                noun, names = named[field.name]
                if name not in names:
                    near, listed = nearest(str(name), names), ", ".join(names)
                    advice = f"{near} (choose from {listed})" if near else f"; choose from {listed}"
                    raise StimjaxError(f"{place}{key}: there is no {noun} {name!r}{advice}")
            elif field.name in literals and name not in literals[field.name]:
                names = literals[field.name]
                near = nearest(str(name), names)
                raise StimjaxError(f"{place} has to be {' or '.join(names)}, not {name!r}{near}")


def _named(value: Any) -> list[tuple[str, Any]]:
    """What a setting names, each with its place in it: one name, several, or those of a mapping."""
    if isinstance(value, Mapping):
        return [(f"[{key!r}]", name) for key, name in value.items()]
    return [("", name) for name in (value if isinstance(value, tuple) else (value,))]


def nearest(name: str, names: Iterable[str]) -> str:
    """The hint for a name that is not known: one of another section, or the nearest by letters.

    Gives `; did you mean NAME?`, or nothing where no known name is near.
    """
    names = list(names)
    last = name.lstrip("-")
    close = [other for other in names if other.rpartition(".")[2].lower() == last.lower()]
    close = close or difflib.get_close_matches(name, names, n=1)
    return f"; did you mean {' or '.join(close)}?" if close else ""


def literal(hint: Any) -> tuple[str, ...]:
    """What a type allows that is a Literal, or a tuple of them; of other types nothing."""
    if typing.get_origin(hint) is tuple:
        hint = typing.get_args(hint)[0]
    return typing.get_args(hint) if typing.get_origin(hint) is Literal else ()


@functools.cache
def _literals(section: type) -> dict[str, tuple[str, ...]]:
    """The settings of a section whose types are Literals."""
    hints = typing.get_type_hints(section)
    return {name: literal(hint) for name, hint in hints.items() if literal(hint)}
