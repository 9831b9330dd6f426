"""stimjax: publish what a network learned from private recordings, not the recordings.

This is the face of the package: names only, and each is loaded when it is first used, so that
`import stimjax` costs nothing and brings no JAX. What is not named here may change.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stimjax import config as config
    from stimjax.api import Windows as Windows
    from stimjax.api import audit as audit
    from stimjax.api import fit as fit
    from stimjax.api import load_model as load_model
    from stimjax.api import load_release as load_release
    from stimjax.api import load_teacher as load_teacher
    from stimjax.api import load_windows as load_windows
    from stimjax.api import prepare as prepare
    from stimjax.api import study as study
    from stimjax.api import synthesize as synthesize
    from stimjax.api import train_teacher as train_teacher
    from stimjax.batch import Batch as Batch
    from stimjax.batch import Channel as Channel
    from stimjax.batch import Spec as Spec
    from stimjax.batch import make as make_batch
    from stimjax.config.recipes import RECIPES as RECIPES
    from stimjax.config.recipes import Recipe as Recipe
    from stimjax.config.recipes import Terms as Terms
    from stimjax.errors import StimjaxError as StimjaxError
    from stimjax.learn.teacher import Teacher as Teacher
    from stimjax.trained.estimator import StimuliClassifier as StimuliClassifier

    __version__: str

# Where each name comes from, and what it is called there if not the same.
_NAMES = {
    "Batch": "stimjax.batch",
    "Channel": "stimjax.batch",
    "RECIPES": "stimjax.config.recipes",
    "Recipe": "stimjax.config.recipes",
    "Spec": "stimjax.batch",
    "StimjaxError": "stimjax.errors",
    "StimuliClassifier": "stimjax.trained.estimator",
    "Teacher": "stimjax.learn.teacher",
    "Terms": "stimjax.config.recipes",
    "Windows": "stimjax.api",
    "audit": "stimjax.api",
    "fit": "stimjax.api",
    "load_model": "stimjax.api",
    "load_release": "stimjax.api",
    "load_teacher": "stimjax.api",
    "load_windows": "stimjax.api",
    "make_batch": "stimjax.batch:make",
    "prepare": "stimjax.api",
    "study": "stimjax.api",
    "synthesize": "stimjax.api",
    "train_teacher": "stimjax.api",
}
__all__ = [
    "RECIPES",
    "Batch",
    "Channel",
    "Recipe",
    "Spec",
    "StimjaxError",
    "StimuliClassifier",
    "Teacher",
    "Terms",
    "Windows",
    "__version__",
    "audit",
    "config",
    "fit",
    "load_model",
    "load_release",
    "load_teacher",
    "load_windows",
    "make_batch",
    "prepare",
    "study",
    "synthesize",
    "train_teacher",
]


def __getattr__(name: str) -> Any:
    if name == "config":
        return importlib.import_module("stimjax.config")
    if name == "__version__":
        from importlib.metadata import version

        return version("stimjax")
    if name not in _NAMES:
        raise AttributeError(f"module 'stimjax' has no attribute {name!r}")
    module, _, there = _NAMES[name].partition(":")
    value = getattr(importlib.import_module(module), there or name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
