"""What a lane lowers: a weighted sum of named terms."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from jaxtyping import Array, Float

from stimjax.batch import Spec
from stimjax.config.recipes import Terms
from stimjax.excite.terms import (
    Excited,
    Statistics,
    Term,
    consistency,
    embedding,
    features,
    lazy,
    moments,
    plain,
    smoothness,
)
from stimjax.excite.terms.cross_entropy import cross_entropy
from stimjax.excite.terms.disagreement import disagreement
from stimjax.excite.terms.diversity import diversity
from stimjax.excite.terms.identity import identity
from stimjax.excite.terms.logit import logit

LAZY = 2  # the critic takes part in one of so many steps: it costs as much as a teacher
TERMS: dict[str, Callable[[Spec, Statistics], Term]] = {
    "cross_entropy": lambda spec, statistics: plain(cross_entropy),
    "logit": lambda spec, statistics: plain(logit),
    "features": lambda spec, statistics: features.make(statistics, by_class=True),
    "features_global": lambda spec, statistics: features.make(statistics, by_class=False),
    "moments": lambda spec, statistics: moments.make(statistics),
    "embedding": lambda spec, statistics: embedding.make(statistics),
    "smoothness": lambda spec, statistics: smoothness.make(spec),
    "diversity": lambda spec, statistics: plain(diversity),
    "disagreement": lambda spec, statistics: plain(disagreement),
    "consistency": lambda spec, statistics: plain(consistency.make(spec)),
    "identity": lambda spec, statistics: lazy(identity, LAZY),
}
USES = {
    "features": features.USES,
    "features_global": features.USES,
    "moments": moments.USES,
    "embedding": embedding.USES,
}


def weighted(weights: Terms, spec: Spec, statistics: Statistics) -> Term:
    """The sum of the terms that have a weight, each times its weight."""
    used = {name: weight for name, weight in dataclasses.asdict(weights).items() if weight}
    parts = {name: TERMS[name](spec, statistics) for name in used}

    def init() -> dict[str, Any]:
        return {name: part.init() for name, part in parts.items()}

    def value(excited: Excited, memory: dict[str, Any]) -> tuple[Float[Array, ""], dict[str, Any]]:
        values = {name: part.value(excited, memory[name]) for name, part in parts.items()}
        total = sum(used[name] * number for name, (number, _) in values.items())
        return total, {name: kept for name, (_, kept) in values.items()}  # pyright: ignore[reportReturnType]

    return Term(init, value)
