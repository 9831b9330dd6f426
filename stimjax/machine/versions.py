"""Which versions of what computes made a result."""

from __future__ import annotations

import platform
from importlib.metadata import version

PACKAGES = ("stimjax", "jax", "jaxlib", "flax", "optax", "numpy", "scipy", "scikit-learn")


# Of the sleepers that a release may be made of; another one draws other nights. The version of the
# package says too much: two of them may simulate alike.
SIMULATOR = "1"


def versions() -> dict[str, str]:
    """The version of Python, of each package in `PACKAGES`, and of the simulator."""
    own = {"python": platform.python_version(), "simulator": SIMULATOR}
    return own | {name: version(name) for name in PACKAGES}
