"""The extra `sweep`: libraries that only sweeps need, imported where they are used."""

from __future__ import annotations

import importlib
from types import ModuleType

from stimjax.errors import StimjaxError


def library(name: str) -> ModuleType:
    """A module of the extra `sweep`.

    Raises:
        StimjaxError: it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise StimjaxError(
            'sweeps need submitit and pyarrow; install them with pip install "stimjax[sweep]"'
        ) from error
