"""Libraries of the package's extras, imported where they are used."""

from __future__ import annotations

import importlib
from types import ModuleType

from stimjax.errors import StimjaxError

# By the library that a module belongs to: the extra, and what it is for.
EXTRAS = {
    "jax_privacy": ("privacy", "differential privacy needs jax-privacy and dp-accounting"),
    "dp_accounting": ("privacy", "differential privacy needs jax-privacy and dp-accounting"),
    "submitit": ("sweep", "sweeps need submitit and pyarrow"),
    "pyarrow": ("sweep", "sweeps need submitit and pyarrow"),
}


def library(name: str) -> ModuleType:
    """A module of an extra, such as `submitit.helpers`.

    Raises:
        StimjaxError: it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        extra, purpose = EXTRAS[name.partition(".")[0]]
        raise StimjaxError(
            f'{purpose}; install them with pip install "stimjax[{extra}]"'
        ) from error
