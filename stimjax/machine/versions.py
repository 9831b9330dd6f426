"""Which versions of what computes made a result."""

from __future__ import annotations

import platform
from importlib.metadata import version

PACKAGES = ("stimjax", "jax", "jaxlib", "flax", "optax", "numpy", "scipy", "scikit-learn")


def versions() -> dict[str, str]:
    """The version of Python and of each package in `PACKAGES`."""
    return {"python": platform.python_version()} | {name: version(name) for name in PACKAGES}
