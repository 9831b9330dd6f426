"""Networks computed in a lower precision than their parameters are kept in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp


def lowered(function: Callable[..., Any], dtype: str) -> Callable[..., Any]:
    """`function` computed in `dtype`: what it is given is rounded to that, its results are widened.

    Args:
        function: of pytrees; of the arrays in them, those of floating point are rounded.
        dtype: bfloat16, or float32, which gives the function itself.

    Returns:
        A function whose results of floating point are float32, as are its gradients for arguments
        in float32, so that parameters are kept and updated in that (Micikevicius et al., "Mixed
        precision training", ICLR 2018). Losses need not be scaled: bfloat16 has the exponents of
        float32.
    """
    if dtype == "float32":
        return function
    return lambda *given: _cast(function(*_cast(given, dtype)), "float32")


def _cast(tree: Any, dtype: str) -> Any:
    def one(leaf: Any) -> Any:
        floating = hasattr(leaf, "dtype") and jnp.issubdtype(leaf.dtype, jnp.floating)
        return leaf.astype(dtype) if floating else leaf

    return jax.tree.map(one, tree)
