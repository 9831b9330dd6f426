"""What a lane lowers: a weighted sum of named terms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jaxtyping import Array, Float

from stimjax.excite.terms import Excited, Term


def weighted(terms: Mapping[str, Term], weights: Mapping[str, float]) -> Term:
    """The sum of `terms`, each times its weight; every term has a memory of its own."""

    def init() -> dict[str, Any]:
        return {name: term.init() for name, term in terms.items()}

    def value(excited: Excited, memory: dict[str, Any]) -> tuple[Float[Array, ""], dict[str, Any]]:
        values = {name: term.value(excited, memory[name]) for name, term in terms.items()}
        total = sum(weights[name] * number for name, (number, _) in values.items())
        return total, {name: kept for name, (_, kept) in values.items()}  # pyright: ignore[reportReturnType]

    return Term(init, value)
