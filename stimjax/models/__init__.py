"""Networks as pure functions: `classifier` and `generator` give a `Model` by name.

`ensemble` makes one of several.
"""

from stimjax.models.ensemble import ensemble
from stimjax.models.precision import lowered
from stimjax.models.registry import (
    CLASSIFIERS,
    GENERATORS,
    Model,
    Params,
    classifier,
    generator,
    size,
)

__all__ = [
    "CLASSIFIERS",
    "GENERATORS",
    "Model",
    "Params",
    "classifier",
    "ensemble",
    "generator",
    "lowered",
    "size",
]
