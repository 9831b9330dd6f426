"""What inhibition costs the lanes: time of a lane-step with and without it, in turns.

The paper's method with one CNN as its teacher, the same and `mixture` with two networks of
each of four families; the identity critic is a CNN that tells 36 subjects apart. All ways of
inhibition together: the term (of methods that excite), refusal, directions taken out. Nothing is
trained.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workers import sized

SUBJECTS = 36
STEPS = sized(50, 5)  # of a dispatch
REPEATS = sized(15, 2)
LIMIT = 1.5  # times, aimed at


def measure() -> dict[str, Any]:
    """Microseconds of a lane-step of each, and how many times as long it takes when inhibited."""
    import dataclasses

    import mixture
    import paper
    import turns

    from stimjax import config

    dense = config.Synthesis("paper", recipe=paper.RECIPE)
    asked = {
        "paper": (paper.untrained(mixture.SPEC), dense),
        "paper, default teacher": (mixture.teacher(), dense),
        "mixture": (mixture.teacher(), config.Synthesis(recipe=mixture.RECIPE)),
    }
    found: dict[str, Any] = {"subjects": SUBJECTS, "aimed at": LIMIT}
    for name, (teacher, settings) in asked.items():
        inhibited = dataclasses.replace(settings, inhibit=0.5)
        programs = [_program(teacher, one) for one in (settings, inhibited)]
        plain, slower = turns.microseconds(programs, REPEATS)
        found[name] = {
            "microseconds": round(plain, 2),
            "inhibited": round(slower, 2),
            "times": round(slower / plain, 2),
        }
    return found


def _program(teacher: Any, settings: Any) -> Callable[[], float]:
    """A function that runs some steps and says how long one step of a lane took, in seconds."""
    import jax
    import jax.numpy as jnp
    import turns

    from stimjax import models
    from stimjax.excite import methods
    from stimjax.excite.inhibit.inhibition import inhibition, with_term
    from stimjax.excite.lanes import Networks
    from stimjax.models.layers import Erasure

    settings = methods.resolved(settings)
    recipe, bound = methods.recipe(settings), None
    networks = Networks(lambda x: teacher.model.hidden(teacher.params, x))
    if settings.inhibit:
        critic = models.classifier("cnn", teacher.spec.shape, SUBJECTS)
        known = critic.init(jax.random.key(5))
        erasures = tuple(
            Erasure(jnp.eye(units) / SUBJECTS, jnp.eye(units), jnp.zeros(units))
            for units in _representations(teacher)
        )
        recipe, bound = with_term(recipe, inhibition(settings, recipe)), 0.9
        networks = Networks(
            lambda x: teacher.model.hidden(teacher.params, x, erasures),
            critic=lambda x: critic.apply(known, x),
        )
    method = methods.method(teacher.spec, recipe, teacher.statistics)._replace(bound=bound)
    return turns.dispatch(method, networks, settings.lanes, STEPS)


def _representations(teacher: Any) -> list[int]:
    """How many numbers the last layer of each network gets."""
    import jax
    import jax.numpy as jnp

    x = jnp.zeros((1, *teacher.spec.shape))
    return [
        jax.eval_shape(network.represent, params, x).shape[-1] for network, params in teacher.models
    ]
