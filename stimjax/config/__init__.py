"""Every setting of the whole job, as typed frozen dataclasses; no jax is imported here."""

from stimjax.config.names import ATTACKS, STUDENTS
from stimjax.config.sections import (
    DEMO,
    NO_PRIOR,
    THOROUGH,
    Audit,
    Dp,
    Fit,
    Job,
    Prepare,
    Prior,
    Simulation,
    Study,
    Synthesis,
    Teacher,
    Tradeoff,
)

__all__ = [
    "ATTACKS",
    "DEMO",
    "NO_PRIOR",
    "STUDENTS",
    "THOROUGH",
    "Audit",
    "Dp",
    "Fit",
    "Job",
    "Prepare",
    "Prior",
    "Simulation",
    "Study",
    "Synthesis",
    "Teacher",
    "Tradeoff",
]
