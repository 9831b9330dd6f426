"""Gradients of which no part is ready before all of it is."""

from __future__ import annotations

from typing import Any

import jax


def whole(gradient: Any) -> Any:
    """`gradient`, of which no part is ready before all of it is.

    XLA knows no order but that of dependencies. A layer's new weights might then come before the
    gradient of the layer below, which needs the old ones, so that it would copy them in every step.
    """
    nothing = 0 * sum(leaf.ravel()[0] for leaf in jax.tree.leaves(gradient))
    return jax.tree.map(lambda leaf: leaf + nothing, gradient)
