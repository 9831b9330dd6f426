"""What a lane lowers: a weighted sum of named terms."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from jaxtyping import Array, Float

from stimjax.excite.terms import Excited
from stimjax.excite.terms.cross_entropy import cross_entropy
from stimjax.store import StimjaxError

Objective = Callable[[Excited], Float[Array, ""]]

TERMS: dict[str, Objective] = {"cross_entropy": cross_entropy}


def weighted(weights: Mapping[str, float]) -> Objective:
    """The sum of the named terms, each times its weight.

    Raises:
        StimjaxError: a term is unknown, or there is none.
    """
    unknown = [name for name in weights if name not in TERMS]
    if unknown or not weights:
        raise StimjaxError(
            f"there is no term {unknown[0] if unknown else ''!r}; choose from {', '.join(TERMS)}"
        )
    parts = [(weight, TERMS[name]) for name, weight in weights.items()]

    def objective(excited: Excited) -> Float[Array, ""]:
        total = parts[0][0] * parts[0][1](excited)
        for weight, term in parts[1:]:
            total += weight * term(excited)
        return total

    return objective
