"""What lower precision saves: time of a lane-step in each, in turns.

Gradients in bfloat16 (`recipe.precision`), and all products in TensorFloat-32, which only a GPU
has (`JAX_DEFAULT_MATMUL_PRECISION=tensorfloat32`). The paper's method with one CNN as its teacher,
and `invert` with two networks of each of four families. Nothing is trained. What it costs students
is in docs/speed.md.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from workers import sized

LANES = sized(0, 8)  # 0: the method's
STEPS = sized(20, 2)  # of a dispatch
REPEATS = sized(7, 1)


def measure() -> dict[str, Any]:
    """Microseconds of a lane-step of each method, and how many times as fast others are."""
    import mixture
    import paper
    import turns

    from stimjax.config.recipes import RECIPES

    asked = {
        "paper": (paper.untrained(mixture.SPEC), paper.RECIPE),
        "invert": (mixture.teacher(), RECIPES["invert"]),
    }
    found: dict[str, Any] = {}
    for method, given in asked.items():
        programs = [_program(*given, dtype) for dtype in ("float32", "bfloat16")]
        programs.append(_in_tensorfloat32(lambda given=given: _program(*given, "float32")))
        exact, *lowered = turns.microseconds(programs, REPEATS)
        found[method] = {"float32": round(exact, 2)}
        for name, took in zip(("bfloat16", "tensorfloat32"), lowered, strict=True):
            found[method] |= {name: round(took, 2), f"times, {name}": round(exact / took, 2)}
    return found


def _in_tensorfloat32(build: Callable[[], Callable[[], float]]) -> Callable[[], float]:
    import jax

    with jax.default_matmul_precision("tensorfloat32"):
        program = build()

    def turn() -> float:
        with jax.default_matmul_precision("tensorfloat32"):  # else it were compiled once more
            return program()

    return turn


def _program(
    teacher: Any, recipe: Any, precision: Literal["float32", "bfloat16"]
) -> Callable[[], float]:
    import dataclasses

    import turns

    from stimjax import config, models
    from stimjax.excite import methods
    from stimjax.excite.lanes import Networks

    recipe = dataclasses.replace(recipe, precision=precision)
    lowered = models.lowered(teacher.model.hidden, precision)
    networks = Networks(
        lambda x: teacher.model.hidden(teacher.params, x),
        gradients=lambda x: lowered(teacher.params, x),
    )
    method = methods.method(teacher.spec, recipe, teacher.statistics)
    width = methods.resolved(config.Synthesis(recipe=recipe, lanes=LANES)).lanes
    return turns.dispatch(method, networks, width, STEPS)
